package abi

/*
#include <cmreload.h>
#include <stdlib.h>
#include "trampolines.h"
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// A Watcher is a cmr_watcher. Its calls must not come after Destroy.
type Watcher struct {
	handle   *C.cmr_watcher
	receiver C.uintptr_t // the handle of the Receiver
}

// NewWatcher creates a watcher whose events go to the receiver, which is let go of when the last
// callback is over.
func NewWatcher(receiver Receiver) (Watcher, *Failure) {
	var w Watcher
	if status := C.cmr_watcher_create(&w.handle); status != C.CMR_OK {
		return w, failure(status, nil)
	}
	w.receiver = C.uintptr_t(cgo.NewHandle(receiver))
	if status := C.cmreload_go_set_closed(w.handle, w.receiver); status != C.CMR_OK {
		cgo.Handle(w.receiver).Delete()
		C.cmr_watcher_destroy(w.handle)
		return w, failure(status, nil)
	}
	e := newError()
	if f := failure(C.cmreload_go_subscribe(w.handle, w.receiver, e), e); f != nil {
		C.cmr_watcher_destroy(w.handle)
		return w, f
	}
	return w, nil
}

// SetName is cmr_watcher_set_name.
func (w Watcher) SetName(name string) *Failure {
	return withText(name, func(name *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_watcher_set_name(w.handle, name, e)
	})
}

// SetOption is cmr_watcher_set_option.
func (w Watcher) SetOption(option Option, value int64) *Failure {
	return failure(C.cmr_watcher_set_option(w.handle, C.int32_t(option), C.int64_t(value)), nil)
}

// AddMount is cmr_watcher_add_mount.
func (w Watcher) AddMount(path string) *Failure {
	return withText(path, func(path *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_watcher_add_mount(w.handle, path, e)
	})
}

// AddFile is cmr_watcher_add_file.
func (w Watcher) AddFile(path string) *Failure {
	return withText(path, func(path *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_watcher_add_file(w.handle, path, e)
	})
}

// AddEnvironment is cmr_watcher_add_environment.
func (w Watcher) AddEnvironment(prefix string) *Failure {
	return withText(prefix, func(prefix *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_watcher_add_environment(w.handle, prefix, e)
	})
}

// AddDefault is cmr_watcher_add_default.
func (w Watcher) AddDefault(key, content string) *Failure {
	return withText(key, func(key *C.char, e *C.cmr_error) C.cmr_status {
		bytes := unsafe.Pointer(unsafe.StringData(content))
		return C.cmr_watcher_add_default(w.handle, key, bytes, C.size_t(len(content)), e)
	})
}

// Start is cmr_watcher_start: the receiver hears of version 1 on this goroutine.
func (w Watcher) Start() *Failure {
	e := newError()
	return failure(C.cmr_watcher_start(w.handle, e), e)
}

// Stop is cmr_watcher_stop without a limit of time.
func (w Watcher) Stop() *Failure { return failure(C.cmr_watcher_stop(w.handle, -1), nil) }

// Destroy is cmr_watcher_destroy.
func (w Watcher) Destroy() { C.cmr_watcher_destroy(w.handle) }

// Acquire is cmr_watcher_acquire.
func (w Watcher) Acquire() Snapshot { return Snapshot{C.cmr_watcher_acquire(w.handle)} }

// Reload is cmr_watcher_reload without a limit of time.
func (w Watcher) Reload() *Failure {
	e := newError()
	return failure(C.cmr_watcher_reload(w.handle, -1, nil, e), e)
}

// RequestReload is cmr_watcher_request_reload.
func (w Watcher) RequestReload() { C.cmr_watcher_request_reload(w.handle) }

// SetValidator is cmr_watcher_set_validator: candidates go to the receiver, and at once, on this
// goroutine, the current version of a watcher that was started.
func (w Watcher) SetValidator() *Failure {
	return failure(C.cmreload_go_set_validator(w.handle, w.receiver), nil)
}

// SetFormat is cmr_watcher_set_format.
func (w Watcher) SetFormat(pattern string, format int32) *Failure {
	return withText(pattern, func(pattern *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_watcher_set_format(w.handle, pattern, C.int32_t(format), e)
	})
}

// SetParser is cmr_watcher_set_parser: values go to the receiver.
func (w Watcher) SetParser(pattern string) *Failure {
	return withText(pattern, func(pattern *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmreload_go_set_parser(w.handle, pattern, w.receiver, e)
	})
}

// SetSchema is cmr_watcher_set_schema; "" takes the schema of a path away.
func (w Watcher) SetSchema(path, schema string) *Failure {
	return withText(path, func(path *C.char, e *C.cmr_error) C.cmr_status {
		text := C.CString(schema)
		defer C.free(unsafe.Pointer(text))
		if schema == "" {
			return C.cmr_watcher_set_schema(w.handle, path, nil, 0, e)
		}
		return C.cmr_watcher_set_schema(w.handle, path, text, C.size_t(len(schema)), e)
	})
}

// AddSchema is cmr_watcher_add_schema.
func (w Watcher) AddSchema(id, schema string) *Failure {
	return withText(id, func(id *C.char, e *C.cmr_error) C.cmr_status {
		text := C.CString(schema)
		defer C.free(unsafe.Pointer(text))
		return C.cmr_watcher_add_schema(w.handle, id, text, C.size_t(len(schema)), e)
	})
}

// Violations is cmr_watcher_violations, copied; nil where it gives none.
func (w Watcher) Violations() []byte {
	var text *C.char
	var size C.size_t
	if C.cmr_watcher_violations(w.handle, &text, &size) != C.CMR_OK {
		return nil
	}
	defer C.cmr_free(unsafe.Pointer(text))
	return C.GoBytes(unsafe.Pointer(text), C.int(size))
}

// Rollback is cmr_watcher_rollback.
func (w Watcher) Rollback(version uint64) *Failure {
	e := newError()
	return failure(C.cmr_watcher_rollback(w.handle, C.uint64_t(version), nil, e), e)
}

// Confirm is cmr_watcher_confirm.
func (w Watcher) Confirm(version uint64) *Failure {
	return failure(C.cmr_watcher_confirm(w.handle, C.uint64_t(version)), nil)
}

// History is cmr_watcher_history; the snapshot is retained for the caller.
func (w Watcher) History(index int) (s Snapshot, f *Failure) {
	f = failure(C.cmr_watcher_history(w.handle, C.size_t(index), &s.handle), nil)
	return s, f
}

// Drain is cmr_watcher_drain. Its held is of use when the time was up, too.
func (w Watcher) Drain(before uint64, timeoutMS int64) (held int, f *Failure) {
	var count C.size_t
	status := C.cmr_watcher_drain(w.handle, C.uint64_t(before), C.int64_t(timeoutMS), &count)
	return int(count), failure(status, nil)
}

// Stats is a cmr_stats.
type Stats struct {
	Healthy          bool
	Version          uint64
	ReloadsSucceeded uint64
	ReloadsRejected  uint64
	ReloadsUnchanged uint64
	SourceErrors     uint64
	Overflows        uint64
	Rescans          uint64
	LastSuccessNS    int64
	LastFailureNS    int64
	LastDurationNS   int64
	Polling          uint32
	HeldSnapshots    uint32
}

// Stats is cmr_watcher_stats.
func (w Watcher) Stats() Stats {
	stats := C.cmr_stats{struct_size: C.sizeof_cmr_stats}
	C.cmr_watcher_stats(w.handle, &stats)
	return Stats{
		Healthy:          stats.healthy != 0,
		Version:          uint64(stats.version),
		ReloadsSucceeded: uint64(stats.reloads_succeeded),
		ReloadsRejected:  uint64(stats.reloads_rejected),
		ReloadsUnchanged: uint64(stats.reloads_unchanged),
		SourceErrors:     uint64(stats.source_errors),
		Overflows:        uint64(stats.overflows),
		Rescans:          uint64(stats.rescans),
		LastSuccessNS:    int64(stats.last_success_ns),
		LastFailureNS:    int64(stats.last_failure_ns),
		LastDurationNS:   int64(stats.last_duration_ns),
		Polling:          uint32(stats.polling),
		HeldSnapshots:    uint32(stats.held_snapshots),
	}
}

// An Option is one of the CMR_OPTION_ numbers.
type Option int32

// The options that the binding sets.
const (
	OptionSettle        Option = C.CMR_OPTION_SETTLE_MS
	OptionRescan        Option = C.CMR_OPTION_RESCAN_MS
	OptionPoll          Option = C.CMR_OPTION_POLL_MS
	OptionOptional      Option = C.CMR_OPTION_OPTIONAL
	OptionHistory       Option = C.CMR_OPTION_HISTORY
	OptionDrain         Option = C.CMR_OPTION_DRAIN_MS
	OptionConfirm       Option = C.CMR_OPTION_CONFIRM_MS
	OptionSensitive     Option = C.CMR_OPTION_SENSITIVE
	OptionSniffJSON     Option = C.CMR_OPTION_SNIFF_JSON
	OptionLenient       Option = C.CMR_OPTION_LENIENT
	OptionMaxValueBytes Option = C.CMR_OPTION_MAX_VALUE_BYTES
	OptionMaxTotalBytes Option = C.CMR_OPTION_MAX_TOTAL_BYTES
	OptionMaxKeys       Option = C.CMR_OPTION_MAX_KEYS
	OptionMaxDepth      Option = C.CMR_OPTION_MAX_DEPTH
	OptionAssertFormat  Option = C.CMR_OPTION_ASSERT_FORMAT

	OptionExpandEnvironment Option = C.CMR_OPTION_EXPAND_ENVIRONMENT
)
