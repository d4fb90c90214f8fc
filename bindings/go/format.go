package cmreload

import (
	"encoding/json"
	"errors"
	"reflect"

	"cmreload/internal/abi"
)

// A Format is how a value is written. The end of a key says which one it is: .json, .yaml or .yml,
// .toml, .properties, .env, .ini; anything else is text.
type Format int32

// The formats.
const (
	FormatText       Format = 0
	FormatJSON       Format = 1
	FormatYAML       Format = 2
	FormatTOML       Format = 3
	FormatProperties Format = 4
	FormatDotenv     Format = 5
	FormatINI        Format = 6
)

// WithFormat says that the values of keys are of a format, whatever the end of their names says.
// pattern is a glob for the whole key: "*.conf". Of several that match a key the last one counts.
func WithFormat(pattern string, number Format) Option {
	return func(s *settings) { s.formats = append(s.formats, format{pattern: pattern, number: number}) }
}

// WithParser gives the values of keys to a parser of the program's, as WithFormat gives them a
// format. What it returns is read as what package [encoding/json] makes of it; a [json.RawMessage]
// stands for itself. An error rejects the value as [ErrParse]; the Line and Column of an [*Error]
// are kept.
//
// parse runs on a thread of the library's, one value after the other, when a value is new. It must
// not call methods of the Config but Current and RequestReload. A panic rejects the value; it is
// recovered, logged and counted.
func WithParser(pattern string, parse func(key string, content []byte) (any, error)) Option {
	return func(s *settings) { s.formats = append(s.formats, format{pattern: pattern, parse: parse}) }
}

// Parse is called by the library for keys that have a parser.
func (r *receiver) Parse(key string, content []byte) (text []byte, failure *abi.Failure) {
	c := (*Config)(r)
	defer func() {
		if c.recovered("a parser panicked", recover()) {
			failure = &abi.Failure{Message: "a parser panicked"}
		}
	}()
	value, err := c.parse(key, content)
	if err != nil {
		return nil, failureOf(err)
	}
	if raw, ok := value.(json.RawMessage); ok {
		return raw, nil // the library says better where it is wrong
	}
	if text, err = json.Marshal(value); err != nil {
		// Its own text may quote the value.
		return nil, failureOf(errors.New(reflect.TypeOf(value).String() + " is not fit for JSON"))
	}
	return text, nil
}

// parse asks the parser that was given last for such keys, as the library did to come here.
func (c *Config) parse(key string, content []byte) (any, error) {
	for i := len(c.formats) - 1; i >= 0; i-- {
		if format := c.formats[i]; format.parse != nil && pattern(format.pattern).matches(key) {
			return format.parse(key, content)
		}
	}
	return nil, errors.New("there is no parser")
}
