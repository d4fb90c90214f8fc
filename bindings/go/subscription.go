package cmreload

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
)

// A subscription is somebody who wants to hear, and what they have yet to hear. It never holds the
// library up: what happens while the subscriber is busy becomes one event, of the newest version,
// with the changes since the version that they heard of last. Of rejections that wait only the
// newest is kept, and a new version drops it; of a source the newest word counts.
type subscription struct {
	patterns []pattern     // none: all keys
	news     chan struct{} // holds a token while something waits, or once the subscription has ended

	mutex     sync.Mutex
	hasEnded  bool
	told      *Snapshot // the version that the subscriber knows of
	published *Event
	rejected  *Event
	sources   []Event
}

// post notes what happened.
func (s *subscription) post(event Event) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch event.Kind {
	case EventPublished:
		if s.knows(event.Snapshot) {
			return
		}
		s.published, s.rejected = &event, nil
	case EventRejected:
		s.rejected = &event
	default:
		s.sources = append(withoutSource(s.sources, event), event)
	}
	s.wake()
}

func (s *subscription) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// knows says whether the subscriber has heard of the version, or will.
func (s *subscription) knows(version *Snapshot) bool {
	newest := s.told
	if s.published != nil {
		newest = s.published.Snapshot
	}
	return newest != nil && newest.version >= version.version
}

// withoutSource drops what waits about the source of an event.
func withoutSource(events []Event, about Event) []Event {
	var others []Event
	for _, event := range events {
		if event.source() != about.source() {
			others = append(others, event)
		}
	}
	return others
}

// take gives what waits, in the order in which it is to be heard. One goroutine at a time may call
// it; what it computes keeps nobody who posts.
func (s *subscription) take() []Event {
	s.mutex.Lock()
	events, published, rejected, told := s.sources, s.published, s.rejected, s.told
	s.sources, s.published, s.rejected = nil, nil, nil
	if published != nil {
		s.told = published.Snapshot
	}
	s.mutex.Unlock()
	if published != nil {
		event := *published
		event.Previous = told
		event.Changes = matching(event.Snapshot.changesFrom(told), s.patterns)
		if s.patterns == nil || len(event.Changes) > 0 {
			events = append(events, event)
		}
	}
	if rejected != nil {
		events = append(events, *rejected)
	}
	return events
}

// end lets no call begin any more.
func (s *subscription) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.hasEnded = true
	s.wake()
}

func (s *subscription) isOver() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.hasEnded
}

// events waits for what happens, until the subscription ends.
func (c *Config) events(s *subscription) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		defer c.unsubscribe(s)
		for !s.isOver() {
			<-s.news
			for _, event := range s.take() {
				if s.isOver() || !yield(event) {
					return
				}
			}
		}
	}
}

// subscribe begins with what happened after the version that the subscriber knows of. Of a Config
// that is closed nothing is heard.
func (c *Config) subscribe(told *Snapshot, patterns []pattern) *subscription {
	s := &subscription{patterns: patterns, news: make(chan struct{}, 1), told: told}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.announced.Snapshot != nil {
		s.post(c.announced)
	}
	c.subscriptions[s] = struct{}{}
	if c.isClosed() {
		s.end()
	}
	return s
}

func (c *Config) unsubscribe(s *subscription) {
	s.end()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.subscriptions, s)
}

// announce tells all subscriptions.
func (c *Config) announce(event Event) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if event.Kind == EventPublished {
		c.announced = event
	}
	for s := range c.subscriptions {
		s.post(event)
	}
}

// Changes yields what happens, until ctx is done, the Config is closed or the loop is left: each
// version that is published from this call on, other events from the loop's beginning on:
//
//	for event := range config.Changes(ctx) {
//		...
//	}
//
// It never holds the library up: versions that are published while the loop is busy come as one
// event, of the newest version, with all changes since the event before. The newest version is
// never missed.
func (c *Config) Changes(ctx context.Context) iter.Seq[Event] {
	known := c.Current()
	return func(yield func(Event) bool) {
		s := c.subscribe(known, nil)
		defer context.AfterFunc(ctx, s.end)()
		c.events(s)(func(event Event) bool {
			// That ctx is done ends the subscription on another goroutine, perhaps a moment too late.
			return ctx.Err() == nil && yield(event)
		})
	}
}

// OnChange calls f with each event from now on, one after the other, on a goroutine of its own,
// until the Config is closed or stop is called. Versions that are published while f is busy come as
// one event, as with [Config.Changes]. f may call everything, Close and stop too. After these have
// returned no call begins; one may still run.
//
// keys are globs for whole keys, as fnmatch(3) reads them: "features.*". With keys, f hears of new
// versions only when a key changed that matches one of them, and only of such keys; it hears of all
// other events.
//
// A panic in f is recovered, logged and counted in [Stats.Panics].
func (c *Config) OnChange(f func(Event), keys ...string) (stop func(), err error) {
	patterns, err := newPatterns(keys)
	if err != nil {
		return nil, err
	}
	s := c.subscribe(c.Current(), patterns)
	go c.deliver(s, f)
	return s.end, nil
}

// deliver calls f until the subscription ends.
func (c *Config) deliver(s *subscription, f func(Event)) {
	for event := range c.events(s) {
		c.call(f, event)
	}
}

// call calls f and outlives its panic.
func (c *Config) call(f func(Event), event Event) {
	defer func() { c.recovered("a callback panicked", recover()) }()
	f(event)
}

// recovered ends a panic of the program's code, if there was one. What was panicked with may hold a
// value of a key and is not logged, unless it is the runtime's own.
func (c *Config) recovered(message string, reason any) bool {
	if reason == nil {
		return false
	}
	text := fmt.Sprintf("%T", reason)
	if err, ok := reason.(runtime.Error); ok {
		text = err.Error()
	}
	c.log(message, "panic", text, "stack", string(debug.Stack()))
	c.panics.Add(1)
	return true
}
