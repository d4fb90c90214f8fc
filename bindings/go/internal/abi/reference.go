package abi

/*
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

import "unsafe"

// What the binding does in Go for the sake of speed, as the library and libc do it: for tests that
// compare the two.

// A Reference reads a snapshot by the library's getters. Each gives a status.
type Reference struct{ Snapshot }

// Int64 is cmr_snapshot_int64.
func (r Reference) Int64(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_int64(r.handle, path) })
	return int64(got.integer), int32(got.status)
}

// Double is cmr_snapshot_double.
func (r Reference) Double(path string) (float64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_double(r.handle, path) })
	return float64(got.number), int32(got.status)
}

// Bool is cmr_snapshot_bool.
func (r Reference) Bool(path string) (bool, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_bool(r.handle, path) })
	return bool(got.truth), int32(got.status)
}

// Duration is cmr_snapshot_duration.
func (r Reference) Duration(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_duration(r.handle, path) })
	return int64(got.integer), int32(got.status)
}

// Quantity is cmr_snapshot_quantity.
func (r Reference) Quantity(path string) (int64, int32) {
	got := readAt(path, func(path *C.char) C.reading { return C.read_quantity(r.handle, path) })
	return int64(got.integer), int32(got.status)
}

func readAt(path string, read func(*C.char) C.reading) C.reading {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	return read(copied)
}

// Type is cmr_value_type of the value at a path.
func (r Reference) Type(path string) int32 {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	return int32(C.cmr_value_type(C.cmr_snapshot_value(r.handle, copied)))
}

// JSON is cmr_snapshot_json.
func (r Reference) JSON(path string) (string, int32) {
	copied := C.CString(path)
	defer C.free(unsafe.Pointer(copied))
	var text *C.char
	var size C.size_t
	status := C.cmr_snapshot_json(r.handle, copied, &text, &size)
	defer C.cmr_free(unsafe.Pointer(text))
	return string(borrowed(unsafe.Pointer(text), size)), int32(status)
}

// Matches is fnmatch(3) without flags.
func Matches(pattern, key string) bool {
	copiedPattern, copiedKey := C.CString(pattern), C.CString(key)
	defer C.free(unsafe.Pointer(copiedPattern))
	defer C.free(unsafe.Pointer(copiedKey))
	return C.fnmatch(copiedPattern, copiedKey, 0) == 0
}
