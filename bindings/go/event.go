package cmreload

import (
	"fmt"
	"log/slog"
)

// An EventKind says what happened.
type EventKind uint32

// The kinds of events. There may be others one day: ignore those that you do not know.
const (
	EventPublished       EventKind = 1 // a new version is current
	EventRejected        EventKind = 2 // new content was not published; the current version stays
	EventSourceLost      EventKind = 3 // a source is gone or empty; its last good content stays
	EventSourceRecovered EventKind = 4 // it is back
)

// String names the kind: "published".
func (k EventKind) String() string {
	return name(k, "published", "rejected", "source lost", "source recovered")
}

// A Cause says what led to an event.
type Cause uint32

// The causes.
const (
	CauseStart    Cause = 1 // Open
	CauseChange   Cause = 2 // a source changed
	CauseReload   Cause = 3 // Reload, RequestReload
	CauseRollback Cause = 4 // Rollback, or a version that nobody confirmed
)

// String names the cause: "start".
func (c Cause) String() string { return name(c, "start", "change", "reload", "rollback") }

// A ChangeKind says how a key differs.
type ChangeKind uint32

// The kinds of changes.
const (
	ChangeAdded    ChangeKind = 1
	ChangeRemoved  ChangeKind = 2
	ChangeModified ChangeKind = 3
)

// String names the kind: "added".
func (k ChangeKind) String() string { return name(k, "added", "removed", "modified") }

// name gives the name of a number that counts from 1.
func name[N ~uint32](number N, names ...string) string {
	if number >= 1 && int(number) <= len(names) {
		return names[number-1]
	}
	return fmt.Sprintf("unknown (%d)", uint32(number))
}

// A Change is one key that differs between two versions.
type Change struct {
	Key  string
	Kind ChangeKind
}

// An Event tells what happened to a configuration. It may be kept.
type Event struct {
	Kind     EventKind
	Cause    Cause
	Snapshot *Snapshot // of EventPublished the new version, otherwise the current one

	// Of EventPublished: the version of the event before, nil at CauseStart, and what differs between
	// the two, sorted by key. For those who asked for certain keys, these keys only.
	Previous *Snapshot
	Changes  []Change

	// Err says why content was rejected, or names in its Key the source that is lost or back: an
	// [*Error]. It is nil for EventPublished.
	Err error
}

// LogValue gives a log what happened, and no value: a handler that writes JSON would write those of
// the Snapshot.
func (e Event) LogValue() slog.Value {
	attributes := []slog.Attr{
		slog.String("kind", e.Kind.String()),
		slog.String("cause", e.Cause.String()),
		slog.Any("snapshot", e.Snapshot),
	}
	if len(e.Changes) > 0 {
		attributes = append(attributes, slog.Any("changes", e.Changes))
	}
	if e.Err != nil {
		attributes = append(attributes, slog.String("reason", e.Err.Error()))
	}
	return slog.GroupValue(attributes...)
}

// source names the source that the event is about, or "".
func (e *Event) source() string {
	if err, ok := e.Err.(*Error); ok {
		return err.Key
	}
	return ""
}
