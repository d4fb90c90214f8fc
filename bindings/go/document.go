package cmreload

import (
	"encoding/base64"
	"unsafe"

	"cmreload/internal/abi"
)

// A document is one key of a version in Go's memory: its bytes and the tree that they parsed to. It
// is immutable, and shared by all versions in which the bytes are the same.
type document struct {
	key     string
	content string // exactly as stored
	kind    Kind   // of the whole value

	text string // of a string: the content without the white space around it
	json string // of any other value but bytes
	tree tree   // of json
}

// newDocument copies a key out of the library's memory.
func newDocument(snapshot abi.Snapshot, entry abi.Entry) *document {
	d := &document{key: string(entry.Key), content: string(entry.Bytes), kind: kindOf(entry.Type)}
	switch d.kind {
	case KindBytes:
	case KindString:
		d.text = within(d.content, entry.Bytes, entry.Text)
	default:
		d.json = snapshot.JSON(entry)
		d.tree = parseJSON(d.json)
	}
	return d
}

// within gives part, which is most often a part of whole, as that part of the copy of whole.
func within(copied string, whole, part []byte) string {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(part))) -
		uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	if end := start + uintptr(len(part)); start <= end && end <= uintptr(len(whole)) {
		return copied[start:end]
	}
	return string(part)
}

// same says whether two versions have the same content for a key.
func (d *document) same(other *document) bool {
	return d == other || d.content == other.content
}

// root is the whole value.
func (d *document) root() Value { return Value{d, 0} }

// appendJSON writes the whole value.
func (d *document) appendJSON(text []byte) []byte {
	switch d.kind {
	case KindString:
		return appendQuoted(text, d.text)
	case KindBytes:
		text = append(text, '"')
		text = base64.StdEncoding.AppendEncode(text, []byte(d.content))
		return append(text, '"')
	default:
		return append(text, d.json...)
	}
}
