// Package reference does what the binding does in Go for the sake of speed as the library and libc
// do it: for tests that compare the two.
package reference

/*
#cgo pkg-config: cmreload
#include <cmreload.h>
#include <fnmatch.h>
#include <stdlib.h>

typedef struct {
    cmr_status status;
    int64_t integer;
    double number;
    bool truth;
} reading;

static reading read_int64(const cmr_snapshot *s, const char *path) {
    reading got = {0};
    got.status = cmr_snapshot_int64(s, path, &got.integer);
    return got;
}
static reading read_double(const cmr_snapshot *s, const char *path) {
    reading got = {0};
    got.status = cmr_snapshot_double(s, path, &got.number);
    return got;
}
static reading read_bool(const cmr_snapshot *s, const char *path) {
    reading got = {0};
    got.status = cmr_snapshot_bool(s, path, &got.truth);
    return got;
}
static reading read_duration(const cmr_snapshot *s, const char *path) {
    reading got = {0};
    got.status = cmr_snapshot_duration(s, path, &got.integer);
    return got;
}
static reading read_quantity(const cmr_snapshot *s, const char *path) {
    reading got = {0};
    got.status = cmr_snapshot_quantity(s, path, &got.integer);
    return got;
}
*/
import "C"

import (
	"unsafe"

	"cmreload/internal/abi"
)

// A Snapshot is read by the library's getters. Each gives a status.
type Snapshot struct{ handle *C.cmr_snapshot }

// Of gives a snapshot that somebody holds.
func Of(held abi.Snapshot) Snapshot { return Snapshot{(*C.cmr_snapshot)(held.Pointer())} }

// Int64 is cmr_snapshot_int64.
func (s Snapshot) Int64(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_int64(s.handle, path) })
	return int64(got.integer), int32(got.status)
}

// Double is cmr_snapshot_double.
func (s Snapshot) Double(path string) (float64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_double(s.handle, path) })
	return float64(got.number), int32(got.status)
}

// Bool is cmr_snapshot_bool.
func (s Snapshot) Bool(path string) (bool, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_bool(s.handle, path) })
	return bool(got.truth), int32(got.status)
}

// Duration is cmr_snapshot_duration.
func (s Snapshot) Duration(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_duration(s.handle, path) })
	return int64(got.integer), int32(got.status)
}

// Quantity is cmr_snapshot_quantity.
func (s Snapshot) Quantity(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_quantity(s.handle, path) })
	return int64(got.integer), int32(got.status)
}

func readAt(path string, read func(*C.char) C.reading) C.reading {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	return read(copied)
}

// Type is cmr_value_type of the value at a path.
func (s Snapshot) Type(path string) int32 {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	return int32(C.cmr_value_type(C.cmr_snapshot_value(s.handle, copied)))
}

// JSON is cmr_snapshot_json.
func (s Snapshot) JSON(path string) (string, int32) {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	var text *C.char
	var size C.size_t
	status := C.cmr_snapshot_json(s.handle, copied, &text, &size)
	defer C.cmr_free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(size)), int32(status)
}

// Matches is fnmatch(3) without flags.
func Matches(pattern, key string) bool {
	copiedPattern, copiedKey := C.CString(pattern), C.CString(key)
	defer C.free(unsafe.Pointer(copiedPattern))
	defer C.free(unsafe.Pointer(copiedKey))
	return C.fnmatch(copiedPattern, copiedKey, 0) == 0
}
