// What services in Go do with viper: WatchConfig on one file of the mount, of which the generation is
// read. It loads no other key.
//
//	viper DIRECTORY
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"applied"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/viper"
)

func main() {
	config := viper.New()
	config.SetConfigFile(filepath.Join(os.Args[1], "features.json"))
	if err := config.ReadInConfig(); err != nil {
		log.Fatal(err)
	}
	print := func() {
		moment := applied.Now()
		fmt.Printf("APPLIED %d %d\n", config.GetInt64("gen"), moment)
	}
	config.OnConfigChange(func(fsnotify.Event) { print() })
	config.WatchConfig()
	print()
	select {} // until the harness ends it
}
