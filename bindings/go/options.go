package cmreload

import (
	"log/slog"
	"math"
	"time"

	"cmreload/internal/abi"
)

// An Option says what [Open] is to follow, and how.
//
// Sources are layers: one that is given later wins, key by key. The mount that Open is given is the
// first of them; defaults lie under all.
type Option func(*settings)

// settings are what the options say.
type settings struct {
	name        string
	sources     []source
	allOptional bool
	values      []value
	formats     []format
	references  []schema // by the URI that leads to them
	schemas     []schema // by path
	validators  []func(*Snapshot) error
	callbacks   []callback
	logger      *slog.Logger
}

type source struct {
	add        func(abi.Watcher) *abi.Failure
	isOptional bool
}

// A value is one of the library's numeric options.
type value struct {
	name   string // of the Go function, for the error
	option abi.Option
	number int64
}

// A format is one that the library has, or a parser of the program's.
type format struct {
	pattern string
	number  Format
	parse   func(key string, content []byte) (any, error) // nil: number counts
}

type schema struct{ of, text string }

type callback struct {
	f    func(Event)
	keys []string
}

func withSource(add func(abi.Watcher) *abi.Failure) Option {
	return func(s *settings) { s.sources = append(s.sources, source{add: add}) }
}

func withValue(name string, option abi.Option, number int64) Option {
	return func(s *settings) { s.values = append(s.values, value{name, option, number}) }
}

// milliseconds rounds up: what is not nothing is at least one.
func milliseconds(d time.Duration) int64 {
	if d > math.MaxInt64-time.Millisecond {
		return d.Milliseconds()
	}
	return (d + time.Millisecond - 1).Milliseconds()
}

// apply says to the library what the options say.
func (s *settings) apply(watcher abi.Watcher) error {
	if s.name != "" {
		if failure := watcher.SetName(s.name); failure != nil {
			return errorOf(failure)
		}
	}
	for _, v := range s.values {
		if failure := watcher.SetOption(v.option, v.number); failure != nil {
			failure.Key = v.name
			return errorOf(failure)
		}
	}
	for _, format := range s.formats {
		set := func() *abi.Failure { return watcher.SetFormat(format.pattern, int32(format.number)) }
		if format.parse != nil {
			set = func() *abi.Failure { return watcher.SetParser(format.pattern) }
		}
		if failure := set(); failure != nil {
			return errorOf(failure)
		}
	}
	for _, reference := range s.references {
		if failure := watcher.AddSchema(reference.of, reference.text); failure != nil {
			return errorOf(failure)
		}
	}
	for _, schema := range s.schemas {
		if schema.text == "" { // which would take one away
			return &Error{Status: ErrInvalidArgument, Key: schema.of, Message: "the schema is empty"}
		}
		if failure := watcher.SetSchema(schema.of, schema.text); failure != nil {
			return errorOf(failure)
		}
	}
	for _, from := range s.sources {
		optional := int64(0)
		if from.isOptional || s.allOptional {
			optional = 1
		}
		if failure := watcher.SetOption(abi.OptionOptional, optional); failure != nil {
			return errorOf(failure)
		}
		if failure := from.add(watcher); failure != nil {
			return errorOf(failure)
		}
	}
	return nil
}

// WithName gives the configuration a name for logs and metrics.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithMount adds a directory, each file in it being a key: a ConfigMap, Secret or projected volume
// as the kubelet mounts it, or a plain directory. In a kubelet's volume all keys are read from the
// one generation that its ..data link names.
func WithMount(path string) Option {
	return withSource(func(w abi.Watcher) *abi.Failure { return w.AddMount(path) })
}

// WithFile adds one file, whose base name is the key. A file inside a kubelet's volume is that
// volume restricted to one key.
func WithFile(path string) Option {
	return withSource(func(w abi.Watcher) *abi.Failure { return w.AddFile(path) })
}

// WithEnvironment adds the environment variables whose names begin with prefix: with "APP_", APP_X
// gives key X. They are read once.
func WithEnvironment(prefix string) Option {
	return withSource(func(w abi.Watcher) *abi.Failure { return w.AddEnvironment(prefix) })
}

// WithDefaults adds keys with the content that they have where no source has them. A key that ends
// in .json is parsed as JSON here too.
func WithDefaults(defaults map[string]string) Option {
	return func(s *settings) {
		for key, content := range defaults {
			withSource(func(w abi.Watcher) *abi.Failure { return w.AddDefault(key, content) })(s)
		}
	}
}

// WithOptional lets the sources that it is given be missing at first, as if they were empty:
//
//	cmreload.WithOptional(cmreload.WithMount("/etc/overrides"))
//
// Without any it means all sources.
func WithOptional(sources ...Option) Option {
	return func(s *settings) {
		if len(sources) == 0 {
			s.allOptional = true
			return
		}
		first := len(s.sources)
		for _, add := range sources {
			add(s)
		}
		for i := first; i < len(s.sources); i++ {
			s.sources[i].isOptional = true
		}
	}
}

// WithSchema validates every version as a whole by a JSON Schema (draft 2020-12) before it is
// published: one object with a member for each key, a parsed value or text. Text is taken as what
// it reads as where the schema asks for an integer, number, boolean or null: PORT = 8080 satisfies
// {"type": "integer"}. Nothing is ever fetched: see [WithSchemaReference].
//
// What is wrong with a version is told by [Error.Violations].
func WithSchema[S ~string | ~[]byte](text S) Option { return WithSchemaFor("", text) }

// WithSchemaFor validates the value at a path in the same way, where there is one.
func WithSchemaFor[S ~string | ~[]byte](path string, text S) Option {
	return func(s *settings) { s.schemas = append(s.schemas, schema{path, string(text)}) }
}

// WithSchemaReference adds a schema that a $ref may lead to, by the URI id.
func WithSchemaReference[S ~string | ~[]byte](id string, text S) Option {
	return func(s *settings) { s.references = append(s.references, schema{id, string(text)}) }
}

// WithFormatAssertion lets the keyword format of schemas reject what it names wrong, instead of
// annotating it: date-time, date, time, duration, email, hostname, ipv4, ipv6, uri, uuid, regex and
// json-pointer.
func WithFormatAssertion() Option {
	return withValue("WithFormatAssertion", abi.OptionAssertFormat, 1)
}

// WithValidator lets f have the last word on every version before it is published, after schemas:
// an error rejects it, and the version before stays. Of several validators all must agree. The
// candidate has version 0.
//
// f runs on a thread of the library's, one candidate after the other, and must not call methods of
// the Config but Current and RequestReload. A panic rejects the candidate; it is recovered, logged
// and counted.
func WithValidator(f func(candidate *Snapshot) error) Option {
	return func(s *settings) { s.validators = append(s.validators, f) }
}

// WithOnChange calls f as [Config.OnChange] does, and first with version 1, on the goroutine that
// is in Open, before that returns: settings are applied before the service serves.
func WithOnChange(f func(Event), keys ...string) Option {
	return func(s *settings) { s.callbacks = append(s.callbacks, callback{f, keys}) }
}

// WithLogger receives the library's log. The library has one log for the whole process: lines that
// are about no certain configuration, or about one without a name, go to the loggers of all that
// are open. No value of a key is ever logged. The logger's handler may be called on any thread,
// must not wait and must not call methods of a Config other than Current.
func WithLogger(logger *slog.Logger) Option { return func(s *settings) { s.logger = logger } }

// WithSettle says how long plain directories and files must have been quiet before they are loaded,
// 100 ms unless told otherwise; a kubelet's volume never waits.
func WithSettle(quiet time.Duration) Option {
	return withValue("WithSettle", abi.OptionSettle, milliseconds(quiet))
}

// WithRescan says how often all sources are looked at behind the kernel's notifications, 10 s
// unless told otherwise; 0 is never.
func WithRescan(interval time.Duration) Option {
	return withValue("WithRescan", abi.OptionRescan, milliseconds(interval))
}

// WithPoll says how often a source is looked at where the kernel cannot notify, 1 s unless told
// otherwise.
func WithPoll(interval time.Duration) Option {
	return withValue("WithPoll", abi.OptionPoll, milliseconds(interval))
}

// WithHistory says how many versions before the current one are kept, to look back and to go back:
// 10 unless told otherwise.
func WithHistory(versions int) Option {
	return withValue("WithHistory", abi.OptionHistory, int64(versions))
}

// WithDrain lets a version wait, before it is published, until nobody holds the current one, but no
// longer than limit: see [Config.Hold] and [Config.Middleware].
func WithDrain(limit time.Duration) Option {
	return withValue("WithDrain", abi.OptionDrain, milliseconds(limit))
}

// WithConfirm takes back every version that a change published unless [Config.Confirm] is called
// within limit.
func WithConfirm(limit time.Duration) Option {
	return withValue("WithConfirm", abi.OptionConfirm, milliseconds(limit))
}

// WithSensitive says that the values are secrets: the library wipes its memory of them before it
// frees it, the checksum is in no metric, and no violation tells names of members within values.
// What versions were copied to is Go's memory, which is not wiped.
func WithSensitive() Option { return withValue("WithSensitive", abi.OptionSensitive, 1) }

// WithJSONSniffing parses keys that no suffix gives a format as JSON when they are JSON.
func WithJSONSniffing() Option { return withValue("WithJSONSniffing", abi.OptionSniffJSON, 1) }

// WithLenientParsing keeps what does not parse as text instead of rejecting the version.
func WithLenientParsing() Option { return withValue("WithLenientParsing", abi.OptionLenient, 1) }

// WithEnvironmentExpansion replaces $(NAME) in the text of keys that are text by the environment
// variable's value, as Kubernetes does. What names no variable stays, and is logged.
func WithEnvironmentExpansion() Option {
	return withValue("WithEnvironmentExpansion", abi.OptionExpandEnvironment, 1)
}

// WithMaxValueBytes limits the size of one key, to 4 MiB unless told otherwise.
func WithMaxValueBytes(bytes int64) Option {
	return withValue("WithMaxValueBytes", abi.OptionMaxValueBytes, bytes)
}

// WithMaxTotalBytes limits the size of all keys together, to 32 MiB unless told otherwise.
func WithMaxTotalBytes(bytes int64) Option {
	return withValue("WithMaxTotalBytes", abi.OptionMaxTotalBytes, bytes)
}

// WithMaxKeys limits the number of keys, to 65,536 unless told otherwise.
func WithMaxKeys(keys int64) Option { return withValue("WithMaxKeys", abi.OptionMaxKeys, keys) }

// WithMaxDepth limits how deep arrays and objects may lie in each other, to 128 unless told
// otherwise.
func WithMaxDepth(depth int64) Option {
	return withValue("WithMaxDepth", abi.OptionMaxDepth, depth)
}
