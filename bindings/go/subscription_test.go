package cmreload_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

func containsText(text, part string) bool { return strings.Contains(text, part) }

// heard collects events, one at a time.
type heard chan cmreload.Event

func (h heard) hear(event cmreload.Event) { h <- event }

func (h heard) next(t *testing.T) cmreload.Event {
	t.Helper()
	select {
	case event := <-h:
		return event
	case <-within(t).Done():
		t.Fatal("no event came")
		return cmreload.Event{}
	}
}

// story tells an event in a line. Whether it was the kernel or a reload that brought a change is
// left out: who comes first is open where a test reloads.
func story(event cmreload.Event) string {
	text := event.Kind.String()
	if event.Cause != cmreload.CauseChange && event.Cause != cmreload.CauseReload {
		text += " " + event.Cause.String()
	}
	text += fmt.Sprint(" ", event.Snapshot.Version())
	if event.Previous != nil {
		text += fmt.Sprintf(" after %d", event.Previous.Version())
	}
	return text + describe(event.Changes)
}

func describe(changes []cmreload.Change) (text string) {
	for _, change := range changes {
		text += fmt.Sprintf(" %v %s", change.Kind, change.Key)
	}
	return text
}

func (h heard) expect(t *testing.T, wanted string) cmreload.Event {
	t.Helper()
	event := h.next(t)
	if got := story(event); got != wanted {
		t.Errorf("heard %q, not %q", got, wanted)
	}
	return event
}

func TestTellsOfVersionOneBeforeOpenReturns(t *testing.T) {
	var told atomic.Pointer[string]
	config, configMap := open(t, map[string]string{"a": "1", "b": "2"},
		cmreload.WithOnChange(func(event cmreload.Event) { text := story(event); told.Store(&text) }))
	if got := *told.Load(); got != "published start 1 added a added b" {
		t.Errorf("told of %q", got)
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
}

func TestTellsWhatHappens(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"a": "1", "b": "2"},
		cmreload.WithOnChange(events.hear))
	events.expect(t, "published start 1 added a added b")
	configMap.Update(map[string]string{"a": "2", "c": "3"})
	events.expect(t, "published 2 after 1 modified a added c")
	configMap.Delete("b")
	event := events.expect(t, "published 3 after 2 removed b")
	if event.Snapshot != config.Current() || event.Err != nil {
		t.Errorf("the event is of %v, %v", event.Snapshot, event.Err)
	}
	configMap.Update(map[string]string{"d.json": "}"})
	event = events.expect(t, "rejected 3")
	if statusIsNot(event.Err, cmreload.ErrParse) || event.Err.Error() == "" {
		t.Errorf("rejected since %v", event.Err)
	}
}

// What changes within a generation shows when somebody looks: as the library does when an update
// begins, for those who asked to get ready.
func TestAnUpdateThatBeginsIsRehearsedAndTellsNobody(t *testing.T) {
	events := make(heard, 8)
	_, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithOnChange(events.hear))
	events.expect(t, "published start 1 added a")
	if err := os.WriteFile(configMap.Path()+"/..data/a", []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(configMap.Path()+"/..2026_11_22_08_45_04.1", 0o755); err != nil {
		t.Fatal(err)
	}
	events.expect(t, "published 2 after 1 modified a")
	configMap.Update(map[string]string{"a": "3"})
	events.expect(t, "published 3 after 2 modified a")
}

func TestHearsOfTheKeysItAskedFor(t *testing.T) {
	events, others := make(heard, 8), make(heard, 8)
	config, configMap := open(t,
		map[string]string{"feature.a": "1", "feature.b": "1", "level": "1", "x": "1"},
		cmreload.WithOnChange(events.hear, "feature.*", "level"))
	events.expect(t, "published start 1 added feature.a added feature.b added level")
	stop, err := config.OnChange(others.hear, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	mustUpdate(t, configMap, config, map[string]string{"x": "2"})
	others.expect(t, "published 2 after 1 modified x")
	configMap.Update(map[string]string{"level": "2", "x": "3"})
	// Whether it has seen version 2 pass by depends on how fast it is.
	if event := events.next(t); describe(event.Changes) != " modified level" {
		t.Errorf("heard %q", story(event))
	}
	others.expect(t, "published 3 after 2 modified x")
	configMap.Update(map[string]string{"bad.json": ""})
	events.expect(t, "rejected 3")
	others.expect(t, "rejected 3")
}

func TestCoalescesWhileACallbackIsBusy(t *testing.T) {
	events, goOn := make(heard), make(chan struct{})
	config, configMap := open(t, map[string]string{"a": "1"})
	_, err := config.OnChange(func(event cmreload.Event) {
		events <- event
		<-goOn
	})
	if err != nil {
		t.Fatal(err)
	}
	others := make(heard, 64)
	if _, err := config.OnChange(others.hear); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	events.expect(t, "published 2 after 1 modified a")
	// It is busy now, and neither readers nor versions wait for it.
	for i := range 20 {
		version := mustUpdate(t, configMap, config,
			map[string]string{"a": fmt.Sprint(i), fmt.Sprint("key", i%3): "x"})
		if config.Current() != version {
			t.Fatal("a busy callback keeps a version from becoming current")
		}
	}
	if _, err := configMap.UpdateAndWait(config, map[string]string{"bad.json": "{"}); err == nil {
		t.Fatal("bad content was taken")
	}
	configMap.Delete("bad.json")
	last := mustUpdate(t, configMap, config, map[string]string{"a": "last"})
	toldOf(t, config, others, func(event cmreload.Event) bool { return event.Snapshot == last })
	goOn <- struct{}{}
	close(goOn)
	// The library may tell of the last version a moment after a reload did.
	event := events.next(t)
	if event.Previous.Version() != 2 || event.Snapshot.Version() < last.Version()-1 ||
		describe(event.Changes) != " modified a added key0 added key1 added key2" {
		t.Errorf("heard %q", story(event))
	}
	for event.Snapshot != last {
		event = events.next(t)
	}
}

func TestKeepsTheNewestRejectionThatWaits(t *testing.T) {
	events, goOn := make(heard), make(chan struct{})
	config, configMap := open(t, map[string]string{"a": "1"},
		cmreload.WithOnChange(func(event cmreload.Event) {
			if event.Cause != cmreload.CauseStart {
				events <- event
				<-goOn
			}
		}))
	others := make(heard, 8)
	if _, err := config.OnChange(others.hear); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	events.expect(t, "published 2 after 1 modified a")
	for _, key := range []string{"one.json", "two.json", "three.json"} {
		configMap.UpdateAndWait(config, map[string]string{key: "{"})
		configMap.Delete(key)
	}
	configMap.UpdateAndWait(config, map[string]string{"four.json": "{"})
	heardByAll(t, config, others, "four.json")
	goOn <- struct{}{}
	if event := events.expect(t, "rejected 2"); !containsText(event.Err.Error(), "four.json") {
		t.Errorf("rejected since %v", event.Err)
	}
	close(goOn)
}

// heardByAll waits until every subscription has been told of the rejection of a key: the library
// tells a moment after a reload has returned. others hears of all.
func heardByAll(t *testing.T, config *cmreload.Config, others heard, key string) {
	t.Helper()
	toldOf(t, config, others, func(event cmreload.Event) bool {
		return event.Err != nil && containsText(event.Err.Error(), key)
	})
}

// toldOf returns when others have heard an event, and everybody else too.
func toldOf(t *testing.T, config *cmreload.Config, others heard, isIt func(cmreload.Event) bool) {
	t.Helper()
	for event := others.next(t); !isIt(event); {
		event = others.next(t)
	}
	// Somebody new is let in only when the rest has been told.
	stop, err := config.OnChange(func(cmreload.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	stop()
}

func TestChangesYieldsFromItsCallOn(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	changes := config.Changes(within(t))
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	mustUpdate(t, configMap, config, map[string]string{"a": "3"})
	for range 2 { // each loop tells of all since the call
		for event := range changes {
			if event.Previous.Version() != 1 || event.Snapshot.Version() < 2 {
				t.Errorf("the first event is %q", story(event))
			}
			break
		}
	}
}

func TestChangesNeverMissesTheLast(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "0"})
	const last = "200"
	before := config.Version()
	changes := config.Changes(within(t))
	written := make(chan struct{})
	// The last version may be told before its update has tidied up.
	defer func() { <-written }()
	go func() {
		defer close(written)
		for i := range 201 {
			configMap.Update(map[string]string{"a": fmt.Sprint(i)})
		}
	}()
	for event := range changes {
		if event.Kind != cmreload.EventPublished || event.Previous.Version() != before ||
			event.Snapshot.Version() <= before {
			t.Errorf("after version %d came %q", before, story(event))
		}
		before = event.Snapshot.Version()
		if text, _ := event.Snapshot.String("a"); text == last {
			return
		}
	}
	t.Error("the last update did not come")
}

func TestStopEndsACallback(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	var calls atomic.Int64
	stop, err := config.OnChange(func(cmreload.Event) { calls.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	stop()
	stop()
	events := make(heard, 8)
	if _, err := config.OnChange(events.hear); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	events.expect(t, "published 2 after 1 modified a")
	if calls.Load() != 0 {
		t.Error("it was called after it was stopped")
	}
}

func TestACallbackMayDoEverything(t *testing.T) {
	done := make(chan error, 1)
	config, configMap := open(t, map[string]string{"a": "1"})
	var stop func()
	stop, err := config.OnChange(func(event cmreload.Event) {
		if _, err := config.Reload(context.Background()); err != nil {
			done <- err
		}
		config.Stats()
		_, release := config.Hold()
		release()
		stop()
		done <- config.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	configMap.Update(map[string]string{"a": "2"})
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-within(t).Done():
		t.Fatal("the callback hangs")
	}
}

// mustPanic waits until that many panics are counted: before, what comes next may be told as one
// with what came last, and panic once for both.
func mustPanic(t *testing.T, config *cmreload.Config, count uint64) {
	t.Helper()
	ctx := within(t)
	for config.Stats().Panics != count {
		if ctx.Err() != nil {
			t.Fatalf("%d panics were counted, not %d", config.Stats().Panics, count)
		}
		runtime.Gosched()
	}
}

func TestAPanicIsRecoveredLoggedAndCounted(t *testing.T) {
	var log strings.Builder
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"password": "hunter2"},
		cmreload.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		cmreload.WithOnChange(func(event cmreload.Event) {
			text, _ := event.Snapshot.String("password")
			panic(text)
		}),
		cmreload.WithOnChange(func(event cmreload.Event) {
			var none []int
			if event.Snapshot.Version() == 2 {
				_ = none[event.Snapshot.Version()]
			}
		}),
		cmreload.WithOnChange(events.hear))
	events.expect(t, "published start 1 added password")
	mustPanic(t, config, 1)
	mustUpdate(t, configMap, config, map[string]string{"password": "hunter3"})
	events.expect(t, "published 2 after 1 modified password")
	mustPanic(t, config, 3)
	mustUpdate(t, configMap, config, map[string]string{"password": "hunter4"})
	events.expect(t, "published 3 after 2 modified password")
	mustPanic(t, config, 4)
	config.Close()
	if text := log.String(); !containsText(text, "index out of range") ||
		!containsText(text, "panic=string") ||
		!containsText(text, "subscription_test.go") || containsText(text, "hunter") {
		t.Errorf("the log is %s", text)
	}
}

func BenchmarkChange(b *testing.B) {
	events := make(chan struct{})
	configMap := cmreloadtest.NewConfigMap(b, map[string]string{"a": "", "b": "", "c": ""})
	config, err := cmreload.Open(configMap.Path())
	if err != nil {
		b.Fatal(err)
	}
	defer config.Close()
	config.OnChange(func(cmreload.Event) { events <- struct{}{} })
	b.ResetTimer()
	for i := range b.N {
		configMap.Update(map[string]string{"a": fmt.Sprint(i)})
		<-events
	}
}

func TestNothingComesOnceTheContextIsDone(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "0"})
	for i := range 20 {
		ctx, cancel := context.WithCancel(within(t))
		defer cancel()
		changes := config.Changes(ctx)
		mustUpdate(t, configMap, config, map[string]string{"a": fmt.Sprint("before ", i)})
		heard := 0
		for range changes {
			heard++
			mustUpdate(t, configMap, config, map[string]string{"a": fmt.Sprint("within ", i)})
			cancel()
		}
		for range changes {
			heard++
		}
		if heard != 1 {
			t.Fatalf("%d events were heard", heard)
		}
	}
}
