package cmreload

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"cmreload/internal/abi"
)

// A Snapshot is one version of the configuration: all keys, read from one generation of each
// source, parsed and immutable. Any number of goroutines may read it for as long as they like; no
// method takes a lock or calls into the library, and the getters allocate nothing but the error of
// a value that is of another type.
//
// The getters take a path: a key, or KEY#/pointer with a JSON pointer (RFC 6901) into what the key
// parsed to: "LOG_LEVEL", "features.json#/dark_mode", "app.yaml#/server/ports/0". A path that is
// itself a key, whole, means that key. Where there is nothing they return [ErrNotFound]; where
// there is something else than was asked for, a [*TypeError].
type Snapshot struct {
	documents []*document // sorted by key
	index     map[string]*document
	texts     map[string]string // of the keys that are text

	version    uint64
	published  time.Time
	checksum   string
	generation string
}

// newSnapshot copies a snapshot of the library's. Documents whose bytes are those of before are
// shared with it; before may be nil.
func newSnapshot(source abi.Snapshot, before *Snapshot) *Snapshot {
	described := source.Describe()
	count := described.Count
	s := &Snapshot{
		version:    described.Version,
		published:  unixTime(described.PublishedNS),
		checksum:   described.Checksum,
		generation: described.Generation,
	}
	if before == nil {
		before = &Snapshot{}
	}
	s.documents = make([]*document, count)
	changed := count != len(before.documents)
	entries := source.Entries(count)
	for i := range count {
		entry := entries.At(i)
		d := before.index[string(entry.Key)]
		if d == nil || d.content != string(entry.Bytes) {
			d = newDocument(source, entry)
			changed = true
		}
		s.documents[i] = d
	}
	if !changed {
		s.documents, s.index, s.texts = before.documents, before.index, before.texts
		return s
	}
	s.index = make(map[string]*document, count)
	s.texts = make(map[string]string, count)
	for _, d := range s.documents {
		s.index[d.key] = d
		if d.kind == KindString {
			s.texts[d.key] = d.text
		}
	}
	return s
}

// Version counts the versions that were published: 1, 2, 3 and so on. A validator's candidate has
// version 0.
func (s *Snapshot) Version() uint64 { return s.version }

// Published tells when the version was published.
func (s *Snapshot) Published() time.Time { return s.published }

// Checksum gives 128 bits over all keys and their content, in hexadecimal: the same in any process
// that has the same content. It finds differences; it is no protection against someone who makes
// collisions.
func (s *Snapshot) Checksum() string { return s.checksum }

// Generation names the generation of the mount that was added last: the directory that its ..data
// link named, "..2026_11_22_08_45_04.1839982202" say. It is "" where there is none.
func (s *Snapshot) Generation() string { return s.generation }

// Len counts the keys.
func (s *Snapshot) Len() int { return len(s.documents) }

// Keys walks over the keys, sorted by their bytes.
func (s *Snapshot) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, d := range s.documents {
			if !yield(d.key) {
				return
			}
		}
	}
}

// All walks over the keys and their values, sorted by the bytes of the keys.
func (s *Snapshot) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, d := range s.documents {
			if !yield(d.key, d.root()) {
				return
			}
		}
	}
}

// Value gives whatever is at a path.
func (s *Snapshot) Value(path string) (Value, error) {
	value := s.find(path)
	if value.document == nil {
		return Value{}, ErrNotFound
	}
	return value, nil
}

// String gives the text of a key, without the white space around it, or a string within a value.
func (s *Snapshot) String(path string) (text string, err error) {
	// Written so that it is small enough to be inlined: it is read most.
	var ok bool
	if text, ok = s.texts[path]; !ok {
		text, err = s.string(path)
	}
	return text, err
}

//go:noinline
func (s *Snapshot) string(path string) (string, error) {
	return read(s, path, Value.text, "string")
}

// Int gives a number without fraction; see [Value.Int].
func (s *Snapshot) Int(path string) (int64, error) { return read(s, path, Value.int, "int64") }

// Float gives a number; see [Value.Float].
func (s *Snapshot) Float(path string) (float64, error) {
	return read(s, path, Value.float, "float64")
}

// Bool gives a truth value; see [Value.Bool].
func (s *Snapshot) Bool(path string) (bool, error) { return read(s, path, Value.bool, "bool") }

// Duration gives a time span; see [Value.Duration].
func (s *Snapshot) Duration(path string) (time.Duration, error) {
	return read(s, path, Value.duration, "time.Duration")
}

// Quantity gives a number as Kubernetes writes quantities; see [Value.Quantity].
func (s *Snapshot) Quantity(path string) (int64, error) {
	return read(s, path, Value.quantity, "quantity")
}

// read reads the value at a path.
func read[T any](s *Snapshot, path string, as func(Value) (T, Status), want string) (T, error) {
	value := s.find(path)
	if value.document == nil {
		var none T
		return none, ErrNotFound
	}
	result, status := as(value)
	if status != noStatus {
		return result, &TypeError{Path: path, Want: want, Have: value.Kind(), Err: status}
	}
	return result, nil
}

// Bytes gives the content of a key exactly as it is stored, in a slice that is the caller's.
func (s *Snapshot) Bytes(key string) ([]byte, error) {
	d := s.index[key]
	if d == nil {
		return nil, ErrNotFound
	}
	return []byte(d.content), nil
}

// MarshalJSON makes a Snapshot fit for [json.Marshal]: one object with a member for each key, text
// as a string, a parsed value as itself, and what is not UTF-8 as base64.
func (s *Snapshot) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, d := range s.documents {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendQuoted(text, d.key)
		text = append(text, ':')
		text = d.appendJSON(text)
	}
	return append(text, '}'), nil
}

var _ json.Marshaler = (*Snapshot)(nil)

// Format prints which version the snapshot is, not its values, which may be secrets: a
// configuration that is printed by accident tells nothing.
func (s Snapshot) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "cmreload.Snapshot(version %d, %d keys)", s.version, len(s.documents))
}

// LogValue gives a log what tells versions apart, and no value.
func (s *Snapshot) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Uint64("version", s.version),
		slog.String("generation", s.generation),
		slog.Int("keys", len(s.documents)),
	)
}

// hasContentOf says whether the two are made of the same documents.
func (s *Snapshot) hasContentOf(other *Snapshot) bool {
	return slices.Equal(s.documents, other.documents)
}

// changesFrom tells what differs, sorted by key. before may be nil: then everything is added.
func (s *Snapshot) changesFrom(before *Snapshot) []Change {
	var old []*document
	if before != nil {
		old = before.documents
	}
	var changes []Change
	for _, d := range s.documents {
		for len(old) > 0 && old[0].key < d.key {
			changes = append(changes, Change{old[0].key, ChangeRemoved})
			old = old[1:]
		}
		switch {
		case len(old) == 0 || old[0].key != d.key:
			changes = append(changes, Change{d.key, ChangeAdded})
			continue
		case !d.same(old[0]):
			changes = append(changes, Change{d.key, ChangeModified})
		}
		old = old[1:]
	}
	for _, d := range old {
		changes = append(changes, Change{d.key, ChangeRemoved})
	}
	return changes
}
