package cmreload_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"cmreload"
)

type settings struct {
	LogLevel slog.Level    `config:"LOG_LEVEL"`
	Limit    uint16        `config:"MAX_CONNECTIONS" default:"10"`
	Memory   int64         `config:"MEMORY,quantity" default:"1Ki"`
	Cache    *int          `config:"CACHE,quantity"`
	Ratio    float32       `config:"RATIO"`
	Verbose  bool          `config:"VERBOSE" default:"off"`
	Timeout  time.Duration `config:"TIMEOUT" default:"5s"`
	Proxy    *string       `config:"PROXY"`
	Address  *netip.Addr   `config:"ADDRESS"`
	Key      []byte        `config:"binary"`
	Features struct {
		DarkMode bool  `json:"dark_mode"`
		Limits   []any `json:"limits"`
	} `config:"features.json"`
	Deep   string    `config:"features.json#/limits/2/deep"`
	Names  []string  `config:"NAMES" default:"[\"a\", \"b\"]"`
	Any    any       `config:"features.json#/limits/1"`
	When   time.Time `config:"WHEN" default:"2026-01-02T03:04:05Z"`
	Nested struct {
		Level string `config:"LOG_LEVEL"`
	}
	Skipped struct{ X int } `config:"-"`
	embedded
	Untouched int
}

type embedded struct {
	Twice string `config:"LOG_LEVEL"`
}

// Base is embedded by pointer: it is made when it has fields of the configuration.
type Base struct {
	Level string `config:"LOG_LEVEL"`
}

func (b Base) Validate() error {
	if b.Level == "" {
		return errors.New("there is no level")
	}
	return nil
}

// Bare has no fields of the configuration.
type Bare struct{ X int }

func TestUnmarshalsIntoWhatIsEmbeddedByPointer(t *testing.T) {
	config, _ := open(t, sample)
	var got struct {
		*Base
		*Bare
	}
	if err := config.Current().Unmarshal("", &got); err != nil {
		t.Fatal(err)
	}
	if got.Base == nil || got.Level != "info" || got.Bare != nil {
		t.Errorf("got %+v, %+v", got.Base, got.Bare)
	}
}

func TestUnmarshalsIntoAStruct(t *testing.T) {
	config, _ := open(t, sample)
	got := settings{Untouched: 7}
	if err := config.Current().Unmarshal("", &got); err != nil {
		t.Fatal(err)
	}
	wanted := settings{
		LogLevel: slog.LevelInfo, Limit: 100, Memory: 64 << 20, Ratio: 0.25, Verbose: true,
		Timeout: 90 * time.Second, Key: []byte("\xff\x00\n"), Deep: `a"b`, Names: []string{"a",
			"b"}, Any: 2.5,
		When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), embedded: embedded{"info"}, Untouched: 7,
	}
	wanted.Features.DarkMode = true
	wanted.Features.Limits = []any{1.0, 2.5, map[string]any{"deep": `a"b`}}
	wanted.Nested.Level = "info"
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("%+v, not %+v", got, wanted)
	}
}

func TestUnmarshalsPointers(t *testing.T) {
	config, _ := open(t, map[string]string{
		"LOG_LEVEL": "warn", "RATIO": "1", "CACHE": "1k", "PROXY": "p", "ADDRESS": "::1",
		"binary":        "text",
		"features.json": `{"limits": [1, 2, {"deep": ""}]}`, "null.json": "null",
	})
	var got settings
	if err := config.Current().Unmarshal("", &got); err != nil {
		t.Fatal(err)
	}
	if *got.Cache != 1000 || *got.Proxy != "p" || *got.Address != netip.IPv6Loopback() ||
		string(got.Key) != "text" {
		t.Errorf("%+v", got)
	}
	number := new(int)
	if err := config.Current().Unmarshal("null.json", &number); err != nil || number != nil {
		t.Errorf("null is %v, %v", number, err)
	}
	quantity := struct {
		X *int `config:"null.json,quantity"`
	}{new(int)}
	if err := config.Current().Unmarshal("", &quantity); err != nil || quantity.X != nil {
		t.Errorf("null is the quantity %v, %v", quantity.X, err)
	}
}

func TestUnmarshalsOneValue(t *testing.T) {
	config, _ := open(t, sample)
	version := config.Current()
	var number int8
	var truth bool
	var limits []asWritten
	var object map[string]any
	var text string
	var anything any
	for path, target := range map[string]any{
		"MAX_CONNECTIONS": &number, "VERBOSE": &truth, "features.json#/limits": &limits,
		"features.json": &object, "LOG_LEVEL": &text, "MEMORY": &anything,
	} {
		if err := version.Unmarshal(path, target); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if number != 100 || !truth || len(limits) != 3 || object["dark_mode"] != true || text != "info" ||
		anything != "64Mi" {
		t.Error(number, truth, limits, object, text, anything)
	}
}

// asWritten takes whatever there is as it is written.
type asWritten string

func (a *asWritten) UnmarshalJSON(text []byte) error { *a = asWritten(text); return nil }

func TestSaysWhatCannotBeUnmarshalled(t *testing.T) {
	config, _ := open(t, map[string]string{
		"text": "hunter2", "big": "300", "negative": "-1",
		"a.json": `{"b": {"c": ["hunter2"]}, "n": 1.5}`,
		"b.json": `{"N": 300, "U": -1, "F": 1e300, "X": 1.5, "Big": 1e40}`,
	})
	version := config.Current()
	for _, c := range []struct {
		path   string
		target any
		status cmreload.Status
		text   string
	}{
		{"absent", new(int), cmreload.ErrNotFound, "absent: is missing"},
		{"text", new(int), cmreload.ErrType, "text: text cannot be read as int"},
		{"text", new(slog.Level), cmreload.ErrType, "text: text cannot be read as slog.Level"},
		{"text", new([]int), cmreload.ErrType, "text: text cannot be read as []int"},
		{"text", new(chan int), cmreload.ErrType, "text: text cannot be read as chan int"},
		{"text", new(fmt.Stringer), cmreload.ErrType, "text: text cannot be read as fmt.Stringer"},
		{"big", new(int8), cmreload.ErrRange, "big: the number does not fit int8"},
		{"negative", new(uint), cmreload.ErrRange, "negative: the number does not fit uint"},
		{"a.json", new(string), cmreload.ErrType, "a.json: an object cannot be read as string"},
		{"a.json#/n", new(int), cmreload.ErrType, "a.json#/n: a number cannot be read as int"},
		{"a.json", new(struct {
			B struct {
				C int `json:"c"`
			} `json:"b"`
		}), cmreload.ErrType, "a.json#/b/c: an array cannot be read as int"},
		{"a.json#/b", new(struct {
			C string `json:"c"`
		}), cmreload.ErrType, "a.json#/b/c: an array cannot be read as string"},
		{"b.json", new(struct{ N int8 }), cmreload.ErrRange, "b.json#/N: the number does not fit int8"},
		{"b.json", new(struct{ U uint }), cmreload.ErrRange, "b.json#/U: the number does not fit uint"},
		{"b.json", new(struct{ F float32 }), cmreload.ErrRange,
			"b.json#/F: the number does not fit float32"},
		{"b.json", new(struct{ Big int }), cmreload.ErrRange, "b.json#/Big: the number does not fit int"},
		{"b.json", new(struct{ X int }), cmreload.ErrType, "b.json#/X: a number cannot be read as int"},
		{"b.json", new(struct{ N string }), cmreload.ErrType,
			"b.json#/N: a number cannot be read as string"},
		{"", new(int), cmreload.ErrInvalidArgument,
			"the whole configuration goes into a struct, not int"},
		{"text", nil, cmreload.ErrInvalidArgument, "text: the target is no pointer"},
		{"text", 1, cmreload.ErrInvalidArgument, "text: the target is no pointer"},
		{"", new(struct {
			X int `config:"absent"`
		}), cmreload.ErrNotFound, "absent: is missing"},
		{"", new(struct {
			X int `config:"text,quantity"`
		}), cmreload.ErrType, "text: text cannot be read as int"},
		{"", new(struct {
			X string `config:"big,quantity"`
		}), cmreload.ErrType, "big: text cannot be read as string"},
		{"", new(struct {
			X int `config:"absent" default:"hunter2"`
		}), cmreload.ErrType, "absent: text cannot be read as int"},
		{"", new(struct {
			x int `config:"big"`
		}), cmreload.ErrInvalidArgument, "big: the field x is not exported, or has an unknown option"},
		{"", new(struct {
			X int `config:"big,small"`
		}), cmreload.ErrInvalidArgument, "big: the field X is not exported, or has an unknown option"},
	} {
		err := version.Unmarshal(c.path, c.target)
		if statusIsNot(err, c.status) || err.Error() != c.text {
			t.Errorf("%q into a %T: %v", c.path, c.target, err)
		}
	}
}

func TestTextGoesToUnmarshalText(t *testing.T) {
	config, _ := open(t, map[string]string{"n": "123"})
	var number big.Int // has UnmarshalJSON too, which takes no quotes
	if err := config.Current().Unmarshal("n", &number); err != nil || number.Int64() != 123 {
		t.Errorf("%v, %v", &number, err)
	}
}

type validated struct {
	Limit int `config:"LIMIT"`
	Inner innerValidated
}

type innerValidated struct {
	Name string `config:"NAME"`
}

var errTooLarge, errNoName = errors.New("the limit is too large"), errors.New("there is no name")

func (v *validated) Validate() error {
	if v.Limit > 100 {
		return errTooLarge
	}
	return nil
}

func (v innerValidated) Validate() error {
	if v.Name == "" {
		return errNoName
	}
	return nil
}

func TestAsksStructsWhetherTheyAreValid(t *testing.T) {
	for _, c := range []struct {
		limit, name string
		wanted      error
	}{
		{"100", "a", nil}, {"101", "a", errTooLarge}, {"100", "", errNoName}, {"101", "", errNoName},
	} {
		config, _ := open(t, map[string]string{"LIMIT": c.limit, "NAME": c.name})
		if err := config.Current().Unmarshal("", new(validated)); err != c.wanted {
			t.Errorf("%v, not %v", err, c.wanted)
		}
	}
}

func TestAsksStructsOfParsedValuesWhetherTheyAreValid(t *testing.T) {
	config, _ := open(t, map[string]string{"a.json": `{"Limit": 101}`, "text": `{"Limit": 101}`})
	version := config.Current()
	for target, path := range map[any]string{
		new(validated): "a.json",
		new(struct {
			X *validated `config:"a.json"`
		}): "",
		new(struct {
			X validated `config:"text"`
		}): "",
		new(struct {
			X validated `config:"absent" default:"{\"Limit\": 101}"`
		}): "",
	} {
		if err := version.Unmarshal(path, target); err != errTooLarge {
			t.Errorf("%T: %v", target, err)
		}
	}
}

func TestWhatIsNotThereIsNotLeftFromBefore(t *testing.T) {
	config, _ := open(t, map[string]string{"null.json": "null"})
	got := struct {
		Absent *int `config:"absent"`
		Null   any  `config:"null.json"`
	}{new(int), "before"}
	if err := config.Current().Unmarshal("", &got); err != nil {
		t.Fatal(err)
	}
	if got.Absent != nil || got.Null != nil {
		t.Errorf("%+v", got)
	}
}

// Around has fields of the configuration within a struct only.
type Around struct{ Within Base }

func TestWhatIsEmbeddedByPointerIsSetOrRefused(t *testing.T) {
	config, _ := open(t, sample)
	var around struct{ *Around }
	err := config.Current().Unmarshal("", &around)
	if err != nil || around.Around == nil || around.Within.Level != "info" {
		t.Errorf("%+v, %v", around.Around, err)
	}
	err = config.Current().Unmarshal("", new(struct{ *embedded }))
	if statusIsNot(err, cmreload.ErrInvalidArgument) ||
		err.Error() != "the embedded *cmreload_test.embedded cannot be set: it is not exported" {
		t.Errorf("a type that is not exported: %v", err)
	}
}
