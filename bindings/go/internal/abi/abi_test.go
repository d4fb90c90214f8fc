package abi

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// leftOut are the functions of the header that Go does by itself, or has no use for.
var leftOut = map[string]string{
	"cmr_abi_version":          "the header and the library are compared when a program is linked",
	"cmr_after_fork_child":     "Go programs do not fork without exec",
	"cmr_snapshot_retain":      "versions are copied",
	"cmr_snapshot_string":      "read in Go",
	"cmr_snapshot_int64":       "read in Go",
	"cmr_snapshot_double":      "read in Go",
	"cmr_snapshot_bool":        "read in Go",
	"cmr_snapshot_duration":    "read in Go",
	"cmr_snapshot_quantity":    "read in Go",
	"cmr_value_count":          "read in Go",
	"cmr_value_at":             "read in Go",
	"cmr_value_member":         "read in Go",
	"cmr_value_name_at":        "read in Go",
	"cmr_value_bytes":          "read in Go",
	"cmr_value_int64":          "read in Go",
	"cmr_value_double":         "read in Go",
	"cmr_value_bool":           "read in Go",
	"cmr_watcher_version":      "Current has it",
	"cmr_watcher_version_word": "Current has it",
	"cmr_version_load":         "Current has it",
	"cmr_watcher_wait":         "Wait watches Current",
	"cmr_reader_create":        "Current is one",
	"cmr_reader_destroy":       "Current is one",
	"cmr_reader_current":       "Current is one",
	"cmr_reader_park":          "Current is one",
	"cmr_watcher_bind_int64":   "Bind is one",
	"cmr_watcher_bind_double":  "Bind is one",
	"cmr_watcher_bind_bool":    "Bind is one",
	"cmr_cell_int64":           "Bind is one",
	"cmr_cell_double":          "Bind is one",
	"cmr_cell_bool":            "Bind is one",
	"cmr_watcher_unsubscribe":  "subscriptions are Go's, over one of the library's",
	"cmr_watcher_event_fd":     "Changes and OnChange have goroutines",
	"cmr_watcher_dispatch":     "Changes and OnChange have goroutines",
}

func TestOffersWhatTheHeaderHas(t *testing.T) {
	header, err := os.ReadFile("../../../../include/cmreload.h")
	if err != nil {
		t.Fatal(err)
	}
	comments := regexp.MustCompile(`(?s)/\*.*?\*/`)
	function := regexp.MustCompile(`\b(cmr_\w+)\(`)
	declared := make(map[string]bool)
	for _, match := range function.FindAllStringSubmatch(comments.ReplaceAllString(string(header), ""), -1) {
		declared[match[1]] = true
	}
	var sources strings.Builder
	files, _ := filepath.Glob("*.[gc]*")
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
			sources.Write(content)
		}
	}
	for name := range declared {
		isCalled := regexp.MustCompile(`\b` + name + `\(`).MatchString(sources.String())
		if _, isLeftOut := leftOut[name]; isCalled == isLeftOut {
			t.Errorf("%s: called %v, left out %v", name, isCalled, isLeftOut)
		}
	}
	for name := range leftOut {
		if !declared[name] {
			t.Errorf("the header has no %s", name)
		}
	}
	if len(declared) < 70 {
		t.Errorf("there are only %d functions", len(declared))
	}
}
