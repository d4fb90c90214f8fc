// Follow tells what a callback in Go sees of a mount: it prints an APPLIED line for each version, as
// applied.h says. Every value is native by then.
//
//	follow DIR
package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"cmreload"
)

func main() {
	if _, err := cmreload.Open(os.Args[1], cmreload.WithOnChange(applied)); err != nil {
		fmt.Fprintln(os.Stderr, "follow:", err)
		os.Exit(1)
	}
	select {} // until the harness ends it
}

func applied(event cmreload.Event) {
	moment := monotonic()
	if event.Kind != cmreload.EventPublished {
		return
	}
	lowest, highest := int64(math.MaxInt64), int64(-1)
	for _, value := range event.Snapshot.All() {
		generation := generationOf(value)
		lowest, highest = min(lowest, generation), max(highest, generation)
	}
	generation, _ := event.Snapshot.Int("GENERATION")
	fmt.Printf("APPLIED %d %d n=%d lo=%d hi=%d\n", generation, moment, event.Snapshot.Len(), lowest, highest)
}

// generationOf reads the number that each value carries: itself, as "gen", or behind gen=.
func generationOf(value cmreload.Value) int64 {
	number := value
	if value.Kind() == cmreload.KindObject {
		number = value.Member("gen")
	}
	if generation, err := number.Int(); err == nil {
		return generation
	}
	text, _ := value.Text()
	_, digits, found := strings.Cut(text, "gen=")
	if !found {
		return -1
	}
	generation := int64(0)
	for i := 0; i < len(digits) && digits[i]-'0' < 10; i++ {
		generation = generation*10 + int64(digits[i]-'0')
	}
	return generation
}

func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}
