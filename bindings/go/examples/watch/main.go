// Watch is the smallest client: it follows one mount and prints each version until it is told to
// stop.
//
//	watch /etc/config
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"cmreload"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: watch MOUNT")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	config, err := cmreload.Open(os.Args[1], cmreload.WithOnChange(print))
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
	defer config.Close()
	<-ctx.Done()
}

// print is called first in Open, then on a goroutine of its own.
func print(event cmreload.Event) {
	if event.Kind != cmreload.EventPublished {
		fmt.Printf("keeping version %d: %v\n", event.Snapshot.Version(), event.Err)
		return
	}
	fmt.Printf("version %d\n", event.Snapshot.Version())
	for _, change := range event.Changes {
		if change.Kind == cmreload.ChangeRemoved {
			fmt.Printf("  %s is gone\n", change.Key)
		} else if text, err := event.Snapshot.String(change.Key); err == nil {
			fmt.Printf("  %s = %s\n", change.Key, text)
		} else {
			fmt.Printf("  %s changed\n", change.Key)
		}
	}
}
