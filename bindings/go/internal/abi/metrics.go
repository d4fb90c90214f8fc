package abi

/*
#include <cmreload.h>
*/
import "C"

import "unsafe"

// Metrics is cmr_watcher_metrics.
func (w Watcher) Metrics() []byte {
	return exposition(func(buffer *C.char, capacity C.size_t, size *C.size_t) C.cmr_status {
		return C.cmr_watcher_metrics(w.handle, buffer, capacity, size)
	})
}

// Metrics is cmr_metrics.
func Metrics() []byte {
	return exposition(func(buffer *C.char, capacity C.size_t, size *C.size_t) C.cmr_status {
		return C.cmr_metrics(buffer, capacity, size)
	})
}

// exposition gives the text as much room as it asks for, and some more, for it grows.
func exposition(write func(*C.char, C.size_t, *C.size_t) C.cmr_status) []byte {
	const begin, more = 4096, 1024
	for text := make([]byte, begin); ; {
		var size C.size_t
		buffer := (*C.char)(unsafe.Pointer(unsafe.SliceData(text)))
		switch write(buffer, C.size_t(len(text)), &size) {
		case C.CMR_OK:
			return text[:size]
		case C.CMR_E_LIMIT:
			text = make([]byte, int(size)+more)
		default:
			return nil
		}
	}
}
