package scenarios

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"cmreload"
)

// What a story expects.
var expectations = map[string]func(){
	"version":   expectNextVersion,
	"changes":   expectChanges,
	"rejected":  expectRejected,
	"lost":      func() { expectSource(cmreload.EventSourceLost) },
	"recovered": func() { expectSource(cmreload.EventSourceRecovered) },
	"quiet":     expectQuiet,

	"value":      func() { expectText(atHand()) },
	"held":       func() { expectText(stage.held) },
	"int64":      func() { expectScalar(atHand().Int(word(2))) },
	"double":     expectFloat,
	"bool":       func() { expectScalar(atHand().Bool(word(2))) },
	"duration":   func() { d, err := atHand().Duration(word(2)); expectScalar(d.Nanoseconds(), err) },
	"quantity":   func() { expectScalar(atHand().Quantity(word(2))) },
	"bytes":      expectBytes,
	"json":       expectJSON,
	"type":       expectType,
	"keys":       expectKeys,
	"generation": expectGeneration,

	"healthy":   func() { expectHealthy(true) },
	"unhealthy": func() { expectHealthy(false) },
	"polling":   func() { expectCount(func(s cmreload.Stats) int64 { return int64(s.Polling) }) },
	"overflows": func() { expectCount(func(s cmreload.Stats) int64 { return int64(s.Overflows) }) },
	"log":       expectLog,
}

func expect() {
	perform, ok := expectations[word(1)]
	if !ok {
		fail("nothing is known about %s", word(1))
	}
	started()
	perform()
}

// ---- events ----

// expectVersion passes over older versions only: how many swaps make one version is the library's
// business.
func expectVersion(version uint64, what string) {
	for {
		event := nextEvent(what)
		if event.Kind != cmreload.EventPublished || event.Snapshot.Version() > version {
			unexpected(event, what)
		}
		stage.atHand = &event
		if event.Snapshot.Version() == version {
			return
		}
	}
}

func expectNextVersion() {
	event := nextEvent("a version")
	if event.Kind != cmreload.EventPublished || event.Snapshot.Version() != uint64(number(2)) {
		unexpected(event, "another version")
	}
	if has(3) && strings.ToLower(word(3)) != event.Cause.String() {
		fail("the cause is %v", event.Cause)
	}
	noMoreThan(4)
	stage.atHand = &event
}

func expectChanges() {
	wanted := strings.Join(story.line.words[2:], " ")
	if got := describe(stage.atHand.Changes); got != wanted {
		fail("the changes are: %s", got)
	}
}

func expectRejected() {
	event := nextEvent("a rejection")
	if event.Kind != cmreload.EventRejected {
		unexpected(event, "a rejection")
	}
	if status := statusName(event.Err); status != word(2) {
		fail("rejected as %s (%v)", status, event.Err)
	}
	expectKey(3, failureOf(event.Err))
	expectPlace(4, failureOf(event.Err))
	if event.Snapshot.Version() != atHand().Version() {
		fail("the event is of version %d, version %d was current", event.Snapshot.Version(),
			atHand().Version())
	}
}

func expectSource(kind cmreload.EventKind) {
	event := nextEvent(kind.String())
	if event.Kind != kind {
		unexpected(event, kind.String())
	}
	expectKey(2, failureOf(event.Err))
	noMoreThan(3)
}

func expectQuiet() {
	version := atHand().Version()
	reload()
	if current := started().Version(); current != version {
		fail("version %d was published", current)
	}
	for _, event := range stage.heard.all() {
		unexpected(event, "nothing")
	}
}

// ---- values ----

// readsAs gives a path as text; what cannot be read so reads as the name of the status.
func readsAs(version *cmreload.Snapshot, path string) string {
	text, err := version.String(path)
	if err != nil {
		return statusName(err)
	}
	return text
}

func expectText(version *cmreload.Snapshot) {
	if got := readsAs(version, word(2)); got != repeated(3) {
		fail("%s is %.200s", word(2), got)
	}
}

// awaitValue passes over versions until one has the value.
func awaitValue() {
	if word(1) != "value" {
		fail("nothing is known about %s", word(1))
	}
	noMoreThan(4)
	for readsAs(atHand(), word(2)) != word(3) {
		event := nextEvent("a version with the value")
		if event.Kind != cmreload.EventPublished {
			unexpected(event, "a version")
		}
		stage.atHand = &event
	}
}

// expectScalar compares the last word with what a getter gave, or with the name of its status.
func expectScalar[T any](value T, err error) {
	got := fmt.Sprint(value)
	if err != nil {
		got = statusName(err)
	}
	if last := len(story.line.words) - 1; got != word(last) {
		fail("it reads as %s", got)
	}
	noMoreThan(4)
}

func expectFloat() {
	value, err := atHand().Float(word(2))
	if wanted, parseError := strconv.ParseFloat(word(3), 64); parseError == nil && err == nil {
		if value != wanted {
			fail("%s reads as %.17g", word(2), value)
		}
		return
	}
	expectScalar(value, err)
}

func expectBytes() {
	bytes, err := atHand().Bytes(word(2))
	must(err)
	if string(bytes) != repeated(3) {
		fail("%s has %d other bytes", word(2), len(bytes))
	}
}

func expectJSON() {
	var got string
	if word(2) == "" {
		text, err := atHand().MarshalJSON()
		must(err)
		got = string(text)
		if !json.Valid(text) {
			fail("that is no JSON")
		}
	} else {
		value, err := atHand().Value(word(2))
		must(err)
		got = value.JSON()
	}
	if got != word(3) {
		fail("%s is %.400s", word(2), got)
	}
	noMoreThan(4)
}

var typeNames = map[cmreload.Kind]string{
	cmreload.KindNone: "none", cmreload.KindNull: "null", cmreload.KindBool: "bool",
	cmreload.KindInt: "int64", cmreload.KindFloat: "double", cmreload.KindString: "string",
	cmreload.KindArray: "array", cmreload.KindObject: "object", cmreload.KindBytes: "bytes",
}

func expectType() {
	value, _ := atHand().Value(word(2))
	expectScalar(typeNames[value.Kind()], nil)
}

func expectKeys() {
	keys := slices.Collect(atHand().Keys())
	if !slices.Equal(keys, story.line.words[2:]) {
		fail("the keys are %q", keys)
	}
}

func expectGeneration() {
	target, err := os.Readlink(place(word(2) + "/..data"))
	must(err)
	if got := atHand().Generation(); got != target {
		fail("the generation is '%s', not %s", got, target)
	}
}

// ---- what can be observed ----

func expectHealthy(isHealthy bool) {
	if started().Stats().Healthy != isHealthy {
		fail("healthy is %v", !isHealthy)
	}
}

// expectCount waits: what was dropped stands at the end of what the kernel kept, and a version may
// be told before that; how sources are watched may change with the next look at them.
func expectCount(of func(cmreload.Stats) int64) {
	deadline := time.Now().Add(story.patience)
	for of(started().Stats()) != number(2) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	expectScalar(of(started().Stats()), nil)
}

func expectLog() {
	level, text := word(2), word(3)
	count := func(lines *[]logLine) (found int64) {
		for _, line := range *lines {
			if line.level == level && strings.Contains(line.text, text) {
				found++
			}
		}
		return found
	}
	wanted := int64(1)
	if has(4) {
		if word(4) != "times" {
			fail("'%s' where `times COUNT` may stand", word(4))
		}
		wanted = number(5)
	}
	// The library logs once all have been told: a reload may have returned before.
	isLogged := stage.log.until(func(lines *[]logLine) bool { return count(lines) >= wanted })
	if !has(4) {
		if !isLogged {
			fail("nothing such was logged")
		}
		return
	}
	lines := stage.log.all()
	if found := count(&lines); found != wanted {
		fail("it was logged %d times", found)
	}
}
