// Package abi is cmreload.h in Go's types: the functions that the binding calls, one method each.
// It keeps no state of its own and decides nothing. No other package of the module uses cgo.
package abi

/*
#cgo pkg-config: cmreload
#include <cmreload.h>
#include <stdlib.h>
*/
import "C"

import (
	"strings"
	"unsafe"
)

// The statuses that the binding tells apart; all of them have names in package cmreload.
const (
	OK              = int32(C.CMR_OK)
	InvalidArgument = int32(C.CMR_E_INVALID_ARGUMENT)
	NotFound        = int32(C.CMR_E_NOT_FOUND)
	Timeout         = int32(C.CMR_E_TIMEOUT)
	State           = int32(C.CMR_E_STATE)
)

// A Failure is a status other than CMR_OK, with what a cmr_error says of it where there is one.
type Failure struct {
	Status       int32
	Errno        int32
	Line, Column uint32
	Stage        string
	Key          string
	Message      string
}

// StatusName spells a status as the header does.
func StatusName(status int32) string { return C.GoString(C.cmr_status_name(C.cmr_status(status))) }

// Version is that of the loaded library.
func Version() string { return C.GoString(C.cmr_version()) }

// newError gives a cmr_error for the library to write.
func newError() *C.cmr_error { return &C.cmr_error{struct_size: C.sizeof_cmr_error} }

// failure is nil for CMR_OK.
func failure(status C.cmr_status, e *C.cmr_error) *Failure {
	if status == C.CMR_OK {
		return nil
	}
	if e == nil || e.status == C.CMR_OK {
		return &Failure{Status: int32(status)}
	}
	return failureOf(e)
}

func failureOf(e *C.cmr_error) *Failure {
	return &Failure{
		Status:  int32(e.status),
		Errno:   int32(e.os_errno),
		Line:    uint32(e.line),
		Column:  uint32(e.column),
		Stage:   C.GoString(&e.stage[0]),
		Key:     C.GoString(&e.key[0]),
		Message: C.GoString(&e.message[0]),
	}
}

// withText calls f with a copy of text for C. A NUL would end it early, and is refused.
func withText(text string, f func(*C.char, *C.cmr_error) C.cmr_status) *Failure {
	if strings.IndexByte(text, 0) >= 0 {
		return &Failure{Status: InvalidArgument, Message: "a name or path has a NUL in it"}
	}
	copied := C.CString(text)
	defer C.free(unsafe.Pointer(copied))
	e := newError()
	return failure(f(copied, e), e)
}

// borrowed looks at memory of the library's as long as that lives.
func borrowed(start unsafe.Pointer, size C.size_t) []byte {
	return unsafe.Slice((*byte)(start), int(size))
}
