package cmreload

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"cmreload/internal/abi"
)

// A Config follows its sources and has a current version, always. All methods may be called by any
// number of goroutines at once.
type Config struct {
	current atomic.Pointer[Snapshot]

	watcher abi.Watcher
	logger  *slog.Logger // may be nil
	formats []format
	panics  atomic.Uint64

	// done is closed when Close begins. Calls of the watcher hold inUse for reading, so that it is
	// not destroyed under them.
	done      chan struct{}
	closeOnce sync.Once
	inUse     sync.RWMutex
	lastStats Stats

	publishing sync.Mutex    // held while a version is copied and becomes current
	newer      chan struct{} // closed when one has; nil while nobody waits for one
	candidate  *Snapshot     // the last that was validated and is not published; may be nil
	veto       atomic.Pointer[veto]

	mutex         sync.Mutex
	validators    []func(*Snapshot) error
	bindings      []binding
	subscriptions map[*subscription]struct{}
	announced     Event // the newest that was EventPublished
}

// Open loads the configuration in the directory path, and what the options add, and follows it
// until Close. A path of "" adds nothing: all sources are then those of the options.
//
// It returns once version 1 is current, or the reason why there is none: nothing runs then.
func Open(path string, options ...Option) (*Config, error) {
	var s settings
	if path != "" {
		WithMount(path)(&s)
	}
	for _, option := range options {
		option(&s)
	}
	c := &Config{
		logger:        s.logger,
		formats:       s.formats,
		validators:    s.validators,
		done:          make(chan struct{}),
		subscriptions: make(map[*subscription]struct{}),
	}
	if err := c.open(&s); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Config) open(s *settings) error {
	subscriptions := make([]*subscription, len(s.callbacks))
	for i, callback := range s.callbacks {
		patterns, err := newPatterns(callback.keys)
		if err != nil {
			return err
		}
		subscriptions[i] = c.subscribe(nil, patterns)
	}
	watcher, failure := abi.NewWatcher((*receiver)(c))
	if failure != nil {
		return errorOf(failure)
	}
	c.watcher = watcher
	c.startLogging(s.name)
	err := s.apply(watcher)
	if err == nil && len(s.validators) > 0 {
		err = errorOf(watcher.SetValidator())
	}
	if err == nil {
		err = c.rejectionNow(watcher.Start())
	}
	if err != nil {
		c.Close()
		return err
	}
	for i, callback := range s.callbacks {
		for _, event := range subscriptions[i].take() {
			c.call(callback.f, event)
		}
		go c.deliver(subscriptions[i], callback.f)
	}
	return nil
}

// Close ends following. Whoever waits for the Config gets [ErrState], loops over Changes end, and
// no callback begins any more; it does not wait for one that runs. Current, and every Snapshot,
// stay readable. A Config that is not closed is never collected.
//
// Close may be called by any goroutine, in callbacks too, but not by a validator or the handler of
// a logger. It always returns nil, and does nothing with the nil Config of an Open that failed.
func (c *Config) Close() error {
	if c == nil {
		return nil
	}
	c.closeOnce.Do(func() {
		close(c.done)
		c.endSubscriptions()
		c.watcher.Stop() // who waits in the library returns
		c.inUse.Lock()
		defer c.inUse.Unlock()
		c.lastStats = c.stats()
		c.watcher.Destroy()
		c.stopLogging()
	})
	return nil
}

func (c *Config) endSubscriptions() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for s := range c.subscriptions {
		s.end()
	}
}

// enter keeps the watcher from being destroyed until leave; it refuses once Close has begun.
func (c *Config) enter() error {
	c.inUse.RLock()
	if c.isClosed() {
		c.inUse.RUnlock()
		return errClosed()
	}
	return nil
}

// isClosed says whether Close has begun.
func (c *Config) isClosed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *Config) leave() { c.inUse.RUnlock() }

func errClosed() error { return &Error{Status: ErrState, Message: "the configuration is closed"} }

// A receiver is a Config as the library calls it.
type receiver Config

// Event makes the version current before anybody hears of it. Of one that was replaced before the
// library could tell of it nobody hears: its cause is not that of the version that is current, of
// which the library tells next.
func (r *receiver) Event(event *abi.Event) {
	c := (*Config)(r)
	heard := Event{
		Kind:     EventKind(event.Kind),
		Cause:    Cause(event.Cause),
		Snapshot: c.atLeast(event.Version, event.Snapshot),
		Err:      c.rejection(event.Failure, event.Violations),
	}
	if heard.Kind == EventPublished && heard.Snapshot.version > event.Version {
		return
	}
	c.announce(heard)
	// Who waits for the event runs at once, not when this thread, which has yet to tidy up, sleeps.
	runtime.Gosched()
}

// How much is copied for nothing at most. More would take longer than it saves.
const (
	mostKeysRehearsed  = 64
	mostBytesRehearsed = 16 << 10
)

// Upcoming goes once through what a version takes, from here to whoever waits for it, who finds
// nothing: it takes half the time when what runs is in the processor's caches already.
func (r *receiver) Upcoming(source abi.Snapshot) {
	c := (*Config)(r)
	documents, size := c.Current().documents, 0
	if len(documents) > mostKeysRehearsed {
		return
	}
	for _, d := range documents {
		if size += len(d.content); size > mostBytesRehearsed {
			return
		}
	}
	newSnapshot(source, nil)
	c.mutex.Lock()
	for s := range c.subscriptions {
		s.wake()
	}
	c.mutex.Unlock()
	runtime.Gosched()
}

// Current gives the current version: one load of a pointer. It is never nil.
func (c *Config) Current() *Snapshot { return c.current.Load() }

// Version is that of Current.
func (c *Config) Version() uint64 { return c.Current().version }

// Format prints which version is current, and no value: package fmt would show some where a verb
// does not suit.
func (c *Config) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "cmreload.Config(version %d)", c.Version())
}

// Hold gives the current version and holds it until release is called: [Config.Drain] and a
// Config opened with [WithDrain] wait for those who hold a version. A Snapshot that was got in any
// other way is as valid for as long, but nobody waits for its reader.
func (c *Config) Hold() (version *Snapshot, release func()) {
	if c.enter() != nil {
		return c.Current(), func() {}
	}
	held := c.watcher.Acquire()
	c.leave()
	return c.atLeast(held.Version(), held), sync.OnceFunc(held.Release)
}

// atLeast gives the current version, once it is no older than one of the library's, by its number.
func (c *Config) atLeast(version uint64, source abi.Snapshot) *Snapshot {
	if current := c.current.Load(); current != nil && current.version >= version {
		return current
	}
	c.publishing.Lock()
	defer c.publishing.Unlock()
	current := c.current.Load()
	if current != nil && current.version >= version {
		return current
	}
	before := c.candidate
	if before == nil {
		before = current
	}
	next := newSnapshot(source, before)
	c.candidate = nil
	for _, b := range c.copyBindings() {
		b.publish(next)
	}
	c.current.Store(next)
	if c.newer != nil {
		close(c.newer)
		c.newer = nil
	}
	return next
}

// Stats tells what a Config has done so far.
type Stats struct {
	Healthy          bool          // the last attempt was not rejected, and no source is lost
	Version          uint64        // the current one
	ReloadsSucceeded uint64        // attempts that published, the first load included
	ReloadsRejected  uint64        // attempts that did not, one for each distinct bad content
	ReloadsUnchanged uint64        // attempts that found what is current
	SourceErrors     uint64        // reads of a source that failed
	Overflows        uint64        // the kernel dropped notifications; all was looked at again
	Rescans          uint64        // looks at the sources that no notification asked for
	Panics           uint64        // panics of callbacks and validators that were recovered
	LastSuccess      time.Time     // when content was last found good
	LastFailure      time.Time     // when content was last rejected, or a source lost; zero: never
	LastDuration     time.Duration // how long the last attempt took
	Polling          int           // sources that are polled since the kernel cannot notify
	HeldSnapshots    int           // versions that somebody holds
}

// Stats tells what the Config has done so far; after Close, what it had.
func (c *Config) Stats() Stats {
	if c.enter() != nil {
		c.inUse.RLock()
		defer c.inUse.RUnlock()
		return c.lastStats
	}
	defer c.leave()
	return c.stats()
}

func (c *Config) stats() Stats {
	stats := c.watcher.Stats()
	return Stats{
		Healthy:          stats.Healthy,
		Version:          stats.Version,
		ReloadsSucceeded: stats.ReloadsSucceeded,
		ReloadsRejected:  stats.ReloadsRejected,
		ReloadsUnchanged: stats.ReloadsUnchanged,
		SourceErrors:     stats.SourceErrors,
		Overflows:        stats.Overflows,
		Rescans:          stats.Rescans,
		Panics:           c.panics.Load(),
		LastSuccess:      unixTime(stats.LastSuccessNS),
		LastFailure:      unixTime(stats.LastFailureNS),
		LastDuration:     time.Duration(stats.LastDurationNS),
		Polling:          int(stats.Polling),
		HeldSnapshots:    int(stats.HeldSnapshots),
	}
}

// unixTime is the zero time for 0, which means never.
func unixTime(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

// LibraryVersion tells the version of the library that is loaded: "1.0.0".
func LibraryVersion() string { return abi.Version() }
