// Package applied says of a load what every measured program says: see reload/applied.h.
package applied

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Now is CLOCK_MONOTONIC in nanoseconds: the clock of the writer.
func Now() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

// Load reads a directory as services do that follow a mount by themselves: each file that is seen in
// it, through the links that the kubelet makes; what is JSON is parsed.
func Load(directory string) (map[string]any, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	values := make(map[string]any, len(entries))
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			return nil, err
		}
		var value any
		if strings.HasSuffix(entry.Name(), ".json") && json.Unmarshal(content, &value) == nil {
			values[entry.Name()] = value
		} else {
			values[entry.Name()] = strings.TrimSpace(string(content))
		}
	}
	return values, nil
}

// Print tells of a load that was handed over at the moment.
func Print(values map[string]any, moment int64) {
	lowest, highest := int64(math.MaxInt64), int64(-1)
	for _, value := range values {
		generation := generationOf(value)
		lowest, highest = min(lowest, generation), max(highest, generation)
	}
	fmt.Printf("APPLIED %d %d n=%d lo=%d hi=%d\n",
		generationOf(values["GENERATION"]), moment, len(values), lowest, highest)
}

// generationOf reads the number that each value carries: itself, as "gen", or behind gen=.
func generationOf(value any) int64 {
	switch value := value.(type) {
	case map[string]any:
		return generationOf(value["gen"])
	case float64:
		return int64(value)
	case string:
		if _, behind, found := strings.Cut(value, "gen="); found {
			value = behind
		}
		end := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(value)
		}
		if number, err := strconv.ParseInt(value[:end], 10, 64); err == nil {
			return number
		}
	}
	return -1
}
