package scenarios

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"cmreload"
	"cmreload/internal/abi"
)

// The verbs about the configuration. Events are heard one after another, none is passed over: each
// must be expected by a line of the story. Values are read from the newest version so expected.
var stageVerbs = map[string]func(){
	"option":         option,
	"add":            add,
	"start":          start,
	"reload":         func() { _, err := reload(); expectOutcome(1, err) },
	"request-reload": func() { started().RequestReload() },
	"settle":         settle,
	"await":          awaitValue,
	"hold":           func() { stage.held = atHand() },
	"expect":         expect,
}

var stage struct {
	options    []cmreload.Option
	isOptional bool // of sources added from now on
	config     *cmreload.Config
	atHand     *cmreload.Event // what values are read from
	held       *cmreload.Snapshot
	heard      mailbox[cmreload.Event]
	log        mailbox[logLine]
}

type logLine struct{ level, text string }

// ---- hearing ----

// A mailbox is what other goroutines put in and the story takes out.
type mailbox[T any] struct {
	mutex sync.Mutex
	items []T
	news  chan struct{}
}

func (m *mailbox[T]) put(item T) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.items = append(m.items, item)
	if m.news != nil {
		close(m.news)
		m.news = nil
	}
}

// until waits for a look at the items that is satisfied; false when patience ended first.
func (m *mailbox[T]) until(satisfied func(items *[]T) bool) bool {
	for deadline := time.After(story.patience); ; {
		m.mutex.Lock()
		isSatisfied := satisfied(&m.items)
		if m.news == nil {
			m.news = make(chan struct{})
		}
		news := m.news
		m.mutex.Unlock()
		if isSatisfied {
			return true
		}
		select {
		case <-news:
		case <-deadline:
			return false
		}
	}
}

func (m *mailbox[T]) all() []T {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.items
}

func hear(event cmreload.Event) {
	if failure := failureOf(event.Err); failure != nil {
		stage.log.put(logLine{"EVENT", failure.Message})
	}
	stage.heard.put(event)
}

// logger notes warnings and errors.
type logger struct{ slog.Handler }

func (logger) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (logger) Handle(_ context.Context, record slog.Record) error {
	stage.log.put(logLine{record.Level.String(), record.Message})
	return nil
}

// nextEvent takes the next event, or fails the story when none comes.
func nextEvent(wanted string) (next cmreload.Event) {
	if !stage.heard.until(func(events *[]cmreload.Event) bool {
		if len(*events) == 0 {
			return false
		}
		next, *events = (*events)[0], (*events)[1:]
		return true
	}) {
		fail("no event came, %s was expected", wanted)
	}
	return next
}

func unexpected(event cmreload.Event, wanted string) {
	fail("%v of version %d came (%s, %v), %s was expected", event.Kind, event.Snapshot.Version(),
		describe(event.Changes), event.Err, wanted)
}

func describe(changes []cmreload.Change) string {
	var texts []string
	for _, change := range changes {
		texts = append(texts, "?+-~"[change.Kind&3:][:1]+change.Key)
	}
	if texts == nil {
		return "none"
	}
	return strings.Join(texts, " ")
}

// ---- the life of a configuration ----

func option() {
	value := number(2)
	span := time.Duration(value) * time.Millisecond
	var chosen cmreload.Option
	switch word(1) {
	case "SETTLE_MS":
		chosen = cmreload.WithSettle(span)
	case "RESCAN_MS":
		chosen = cmreload.WithRescan(span)
	case "POLL_MS":
		chosen = cmreload.WithPoll(span)
	case "OPTIONAL":
		stage.isOptional = value != 0
		return
	case "SNIFF_JSON":
		chosen = cmreload.WithJSONSniffing()
	case "LENIENT":
		chosen = cmreload.WithLenientParsing()
	case "EXPAND_ENVIRONMENT":
		chosen = cmreload.WithEnvironmentExpansion()
	case "MAX_VALUE_BYTES":
		chosen = cmreload.WithMaxValueBytes(value)
	case "MAX_TOTAL_BYTES":
		chosen = cmreload.WithMaxTotalBytes(value)
	case "MAX_KEYS":
		chosen = cmreload.WithMaxKeys(value)
	case "MAX_DEPTH":
		chosen = cmreload.WithMaxDepth(value)
	default:
		fail("there is no option %s", word(1))
	}
	stage.options = append(stage.options, chosen)
}

func add() {
	var source cmreload.Option
	switch word(1) {
	case "mount":
		source = cmreload.WithMount(place(word(2)))
	case "file":
		source = cmreload.WithFile(place(word(2)))
	case "environment":
		source = cmreload.WithEnvironment(word(2))
	case "default":
		source = cmreload.WithDefaults(map[string]string{word(2): word(3)})
	default:
		fail("no %s can be added", word(1))
	}
	if stage.isOptional {
		source = cmreload.WithOptional(source)
	}
	stage.options = append(stage.options, source)
}

// start opens the configuration. One that failed to open may be opened again.
func start() {
	config, err := cmreload.Open("", append(stage.options,
		cmreload.WithOnChange(hear), cmreload.WithLogger(slog.New(logger{})))...)
	expectOutcome(1, err)
	if err == nil {
		stage.config = config
		expectVersion(1, "version 1")
	}
}

func started() *cmreload.Config {
	if stage.config == nil {
		fail("not started")
	}
	return stage.config
}

// atHand gives the newest version that was expected.
func atHand() *cmreload.Snapshot {
	started()
	return stage.atHand.Snapshot
}

// reload tells how it went: whoever reloads knows that the attempt has ended, which is the way to
// see that nothing happens.
func reload() (*cmreload.Snapshot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), story.patience)
	defer cancel()
	return started().Reload(ctx)
}

// settle reloads, and takes the version that is current then.
func settle() {
	version, err := reload()
	must(err)
	if version.Version() != atHand().Version() {
		expectVersion(version.Version(), "the newest version")
	}
}

// endStage sees that nothing has happened that no line expected.
func endStage() {
	if stage.config != nil {
		stage.config.Close()
	}
	for _, event := range stage.heard.all() {
		unexpected(event, "the end")
	}
}

// ---- outcomes ----

// failureOf gives what the library said, or nil.
func failureOf(err error) *cmreload.Error {
	var failure *cmreload.Error
	errors.As(err, &failure)
	return failure
}

// statusName spells the status of an error as the C interface does.
func statusName(err error) string {
	var status cmreload.Status
	var wrong *cmreload.TypeError
	switch {
	case err == nil:
		status = 0
	case errors.As(err, &wrong) && errors.Is(err, cmreload.ErrRange):
		status = cmreload.ErrRange
	case errors.As(err, &wrong):
		status = cmreload.ErrType
	case !errors.As(err, &status):
		return fmt.Sprint(err)
	}
	return abi.StatusName(int32(status))
}

// expectOutcome reads `fails STATUS [KEY [LINE COLUMN]]` at index and after, or nothing for
// success.
func expectOutcome(index int, err error) {
	wanted := "CMR_OK"
	if has(index) && word(index) == "fails" {
		wanted = word(index + 1)
	} else {
		noMoreThan(index)
	}
	if statusName(err) != wanted {
		fail("%s (%v), %s was expected", statusName(err), err, wanted)
	}
	if has(index + 2) {
		expectKey(index+2, failureOf(err))
	}
	expectPlace(index+3, failureOf(err))
}

// expectKey reads a key, or the path of a source.
func expectKey(index int, failure *cmreload.Error) {
	if failure.Key != word(index) && failure.Key != place(word(index)) {
		fail("it is about '%s' (%s)", failure.Key, failure.Message)
	}
}

// expectPlace reads `[LINE COLUMN]`.
func expectPlace(index int, failure *cmreload.Error) {
	if has(index) && (int64(failure.Line) != number(index) ||
		int64(failure.Column) != number(index+1)) {
		fail("it is at %d:%d (%s)", failure.Line, failure.Column, failure.Message)
	}
	noMoreThan(index + 2)
}
