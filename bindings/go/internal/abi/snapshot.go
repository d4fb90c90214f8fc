package abi

/*
#include <cmreload.h>
#include <stdlib.h>

// What describes a snapshot, in one call.
typedef struct {
    uint64_t version;
    int64_t published_ns;
    const char *checksum, *generation;
    size_t count;
} description;

static description describe(const cmr_snapshot *snapshot) {
    return (description){
        .version = cmr_snapshot_version(snapshot),
        .published_ns = cmr_snapshot_published_ns(snapshot),
        .checksum = cmr_snapshot_checksum(snapshot),
        .generation = cmr_snapshot_generation(snapshot),
        .count = cmr_snapshot_count(snapshot),
    };
}

// One key of a snapshot: all that it takes to copy it. Those of all keys are had in one call.
typedef struct {
    const char *key, *text;
    const void *bytes;
    size_t key_size, text_size, size;
    int32_t type;
} entry;

static void read_entries(const cmr_snapshot *snapshot, entry *entries, size_t count) {
    for (size_t index = 0; index < count; index++) {
        entry *found = &entries[index];
        const cmr_value *value;
        cmr_snapshot_key(snapshot, index, &found->key, &found->key_size);
        cmr_snapshot_bytes(snapshot, found->key, &found->bytes, &found->size);
        value = cmr_snapshot_value(snapshot, found->key);
        found->type = cmr_value_type(value);
        if (found->type == CMR_TYPE_STRING)
            cmr_value_string(value, &found->text, &found->text_size);
    }
}

typedef struct {
    char *text;
    size_t size;
} json;

static json json_at(const cmr_snapshot *snapshot, const char *path) {
    json written = {0};
    cmr_snapshot_json(snapshot, path, &written.text, &written.size);
    return written;
}
*/
import "C"

import "unsafe"

// A Snapshot is a cmr_snapshot that somebody holds.
type Snapshot struct{ handle *C.cmr_snapshot }

// IsNull says that there is none: a watcher that was not started has none to acquire.
func (s Snapshot) IsNull() bool { return s.handle == nil }

// Pointer gives the cmr_snapshot itself.
func (s Snapshot) Pointer() unsafe.Pointer { return unsafe.Pointer(s.handle) }

// Release is cmr_snapshot_release.
func (s Snapshot) Release() { C.cmr_snapshot_release(s.handle) }

// Version is cmr_snapshot_version.
func (s Snapshot) Version() uint64 { return uint64(C.cmr_snapshot_version(s.handle)) }

// A Description is what describes a snapshot, copied.
type Description struct {
	Version     uint64
	PublishedNS int64
	Checksum    string
	Generation  string
	Count       int // of its keys
}

// Describe describes the snapshot.
func (s Snapshot) Describe() Description {
	found := C.describe(s.handle)
	return Description{
		Version:     uint64(found.version),
		PublishedNS: int64(found.published_ns),
		Checksum:    C.GoString(found.checksum),
		Generation:  C.GoString(found.generation),
		Count:       int(found.count),
	}
}

// A Type is one of the CMR_TYPE_ numbers.
type Type int32

// The types of what a key parsed to.
const (
	TypeNull   Type = C.CMR_TYPE_NULL
	TypeBool   Type = C.CMR_TYPE_BOOL
	TypeInt64  Type = C.CMR_TYPE_INT64
	TypeDouble Type = C.CMR_TYPE_DOUBLE
	TypeString Type = C.CMR_TYPE_STRING
	TypeArray  Type = C.CMR_TYPE_ARRAY
	TypeObject Type = C.CMR_TYPE_OBJECT
	TypeBytes  Type = C.CMR_TYPE_BYTES
)

// An Entry is one key of a snapshot. Its slices are borrowed until the snapshot is released, and
// must not be written.
type Entry struct {
	Key   []byte
	Bytes []byte // the content as stored
	Type  Type   // of the parsed value
	Text  []byte // of a string
}

// Entries are those of a snapshot, by the index of a key.
type Entries []C.entry

// Entries gives as many as the count of a Description says.
func (s Snapshot) Entries(count int) Entries {
	entries := make(Entries, count)
	C.read_entries(s.handle, unsafe.SliceData(entries), C.size_t(count))
	return entries
}

// At gives the entry at an index.
func (e Entries) At(index int) Entry {
	found := &e[index]
	return Entry{
		Key:   borrowed(unsafe.Pointer(found.key), found.key_size),
		Bytes: borrowed(found.bytes, found.size),
		Type:  Type(found._type),
		Text:  borrowed(unsafe.Pointer(found.text), found.text_size),
	}
}

// JSON is cmr_snapshot_json of the entry's value, copied. Where the library has no memory left Go
// has none either, and ends as it does without.
func (s Snapshot) JSON(entry Entry) string {
	written := C.json_at(s.handle, (*C.char)(unsafe.Pointer(unsafe.SliceData(entry.Key))))
	if written.text == nil {
		panic("cmreload: out of memory")
	}
	defer C.cmr_free(unsafe.Pointer(written.text))
	return string(borrowed(unsafe.Pointer(written.text), written.size))
}
