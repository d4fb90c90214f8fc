// What services in Go do with fsnotify: watch the mount, and load it when something was created or
// written in it. With a debounce they wait until nothing has happened for so long.
//
//	fsnotify DIRECTORY [DEBOUNCE]		100ms, as is usual
package main

import (
	"log"
	"os"
	"time"

	"applied"

	"github.com/fsnotify/fsnotify"
)

func main() {
	directory := os.Args[1]
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Fatal(err)
	}
	if err := watcher.Add(directory); err != nil {
		log.Fatal(err)
	}
	load := func() {
		values, err := applied.Load(directory)
		if err != nil {
			log.Print(err)
			return
		}
		applied.Print(values, applied.Now())
	}
	load()

	var debounce time.Duration
	if len(os.Args) > 2 {
		if debounce, err = time.ParseDuration(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
	var timer *time.Timer
	for event := range watcher.Events {
		if !event.Has(fsnotify.Create) && !event.Has(fsnotify.Write) {
			continue
		}
		if debounce == 0 {
			load()
			continue
		}
		if timer != nil {
			timer.Stop()
		}
		timer = time.AfterFunc(debounce, load)
	}
}
