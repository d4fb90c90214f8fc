package abi

/*
#include <cmreload.h>
#include <stdlib.h>
*/
import "C"

import (
	"strings"
	"unsafe"
)

// A File is a cmr_file.
type File struct {
	Key     string
	Content []byte
	Mode    uint32
}

// WriteMount is cmr_mount_write.
func WriteMount(path string, files []File) *Failure {
	for _, file := range files {
		if strings.IndexByte(file.Key, 0) >= 0 {
			return &Failure{Status: InvalidArgument, Key: file.Key, Message: "a key has a NUL in it"}
		}
	}
	// What C reads may not hold pointers of Go's: all of it is copied.
	table := make([]C.cmr_file, len(files)+1)
	defer func() {
		for _, file := range table[:len(files)] {
			C.free(unsafe.Pointer(file.key))
			C.free(file.bytes)
		}
	}()
	for i, file := range files {
		table[i] = C.cmr_file{
			key:   C.CString(file.Key),
			bytes: C.CBytes(file.Content),
			size:  C.size_t(len(file.Content)),
			mode:  C.uint32_t(file.Mode),
		}
	}
	return withText(path, func(path *C.char, e *C.cmr_error) C.cmr_status {
		return C.cmr_mount_write(path, &table[0], C.size_t(len(files)), e)
	})
}
