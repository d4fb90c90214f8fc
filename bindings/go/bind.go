package cmreload

import (
	"sync"
	"sync/atomic"
)

// A Binding is a configuration as a struct of the program's: see [Bind].
type Binding[T any] struct {
	current atomic.Pointer[T]

	mutex      sync.Mutex
	prepared   *T
	preparedOf *Snapshot
	config     *Config
}

// Bind reads the configuration into a T, as [Snapshot.Unmarshal] does with the path "", and again
// for each version, before it is published: what cannot be read, or is refused by T's Validate
// method, is rejected as a whole, and the version before stays.
//
//	settings, err := cmreload.Bind[Settings](config)
//	...
//	settings.Load().LogLevel
//
// The Binding follows as long as the Config does. What was published before and is gone back to is
// not asked for again: when it cannot be read into a T, which is logged, Load stays what it was.
func Bind[T any](config *Config) (*Binding[T], error) {
	b := &Binding[T]{config: config}
	if err := b.prepare(config.Current()); err != nil {
		return nil, err
	}
	if err := config.addBinding(b); err != nil {
		return nil, err
	}
	return b, nil
}

// Load gives the T of the current version: one load of a pointer. It is shared, and not to be
// changed.
func (b *Binding[T]) Load() *T { return b.current.Load() }

func (b *Binding[T]) prepare(candidate *Snapshot) error {
	prepared := new(T)
	if err := candidate.Unmarshal("", prepared); err != nil {
		return err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.prepared, b.preparedOf = prepared, candidate
	return nil
}

func (b *Binding[T]) publish(version *Snapshot) {
	defer func() { b.config.recovered("a binding panicked", recover()) }()
	b.mutex.Lock()
	prepared, of := b.prepared, b.preparedOf
	b.prepared, b.preparedOf = nil, nil
	b.mutex.Unlock()
	if of == nil || !of.hasContentOf(version) {
		// Old content comes back without being a candidate.
		prepared = new(T)
		if err := version.Unmarshal("", prepared); err != nil {
			b.config.log("a version that was published cannot be bound", "reason", err)
			return
		}
	}
	b.current.Store(prepared)
}
