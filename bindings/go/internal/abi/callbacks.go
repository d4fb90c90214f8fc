package abi

/*
#include <cmreload.h>
#include "trampolines.h"
*/
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"
)

// A Receiver is what the callbacks of a watcher go to. They come on threads of the library's, but
// for the first event, which comes on the goroutine in Start.
type Receiver interface {
	// Event hears of what happened. The event and its snapshot live for the call.
	Event(*Event)
	// Upcoming hears that a version may follow in a moment. The current one lives for the call.
	Upcoming(current Snapshot)
	// Validate says why a candidate must not be published, or nil. The candidate lives for the
	// call.
	Validate(Snapshot) *Failure
	// Parse gives the JSON of a value, or says why there is none.
	Parse(key string, content []byte) ([]byte, *Failure)
}

// An Event is a cmr_event.
type Event struct {
	Kind, Cause uint32
	Version     uint64
	Snapshot    Snapshot // borrowed
	Failure     *Failure // nil where the event has none
	Violations  []Violation
}

// A Violation is a cmr_violation.
type Violation struct {
	Key, InstancePath, SchemaPath, Keyword, Expected string
	Line, Column                                     int
}

//export cmreload_go_event
func cmreload_go_event(handle C.uintptr_t, event *C.cmr_event) {
	receiver := cgo.Handle(handle).Value().(Receiver)
	if event.kind == C.CMR_EVENT_UPCOMING {
		receiver.Upcoming(Snapshot{event.snapshot})
		return
	}
	heard := &Event{
		Kind:     uint32(event.kind),
		Cause:    uint32(event.cause),
		Version:  uint64(event.version),
		Snapshot: Snapshot{event.snapshot},
	}
	if event.error != nil {
		heard.Failure = failureOf(event.error)
	}
	for _, violation := range unsafe.Slice(event.violations, int(event.violation_count)) {
		heard.Violations = append(heard.Violations, violationOf(violation))
	}
	receiver.Event(heard)
}

func violationOf(violation C.cmr_violation) Violation {
	return Violation{
		Key:          C.GoString(violation.key),
		InstancePath: C.GoString(violation.instance_path),
		SchemaPath:   C.GoString(violation.schema_path),
		Keyword:      C.GoString(violation.keyword),
		Expected:     C.GoString(violation.expected),
		Line:         int(violation.line),
		Column:       int(violation.column),
	}
}

//export cmreload_go_validate
func cmreload_go_validate(
	handle C.uintptr_t, candidate *C.cmr_snapshot, e *C.cmr_error,
) C.cmr_status {
	f := cgo.Handle(handle).Value().(Receiver).Validate(Snapshot{candidate})
	if f == nil {
		return C.CMR_OK
	}
	writeText(e.key[:], f.Key)
	writeReason(e, f)
	return C.CMR_E_REJECTED
}

//export cmreload_go_parse
func cmreload_go_parse(
	handle C.uintptr_t, key *C.char, bytes unsafe.Pointer, size C.size_t, sink *C.cmr_sink,
	e *C.cmr_error,
) C.cmr_status {
	content := C.GoBytes(bytes, C.int(size))
	json, f := cgo.Handle(handle).Value().(Receiver).Parse(C.GoString(key), content)
	if f != nil {
		writeReason(e, f)
		return C.CMR_E_PARSE
	}
	text := (*C.char)(unsafe.Pointer(unsafe.SliceData(json)))
	return C.cmr_sink_write(sink, text, C.size_t(len(json)))
}

func writeReason(e *C.cmr_error, f *Failure) {
	e.line, e.column = C.uint32_t(f.Line), C.uint32_t(f.Column)
	writeText(e.message[:], f.Message)
}

// writeText writes what fits, cut between characters, and a NUL.
func writeText(to []C.char, text string) {
	size := min(len(text), len(to)-1)
	for size < len(text) && size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	for i := range size {
		to[i] = C.char(text[i])
	}
	to[size] = 0
}

//export cmreload_go_closed
func cmreload_go_closed(handle C.uintptr_t) { cgo.Handle(handle).Delete() }

var logReceiver atomic.Pointer[func(level int32, message string)]

// SetLog is cmr_set_log_handler at its most talkative; nil ends the log. Replacing a receiver waits
// until no call of it runs.
func SetLog(receive func(level int32, message string)) *Failure {
	if receive == nil {
		return failure(C.cmreload_go_set_log(0), nil)
	}
	logReceiver.Store(&receive)
	return failure(C.cmreload_go_set_log(C.CMR_LOG_DEBUG), nil)
}

//export cmreload_go_log
func cmreload_go_log(level C.int32_t, message *C.char, size C.size_t) {
	(*logReceiver.Load())(int32(level), C.GoStringN(message, C.int(size)))
}
