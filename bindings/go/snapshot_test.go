package cmreload_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"cmreload"
)

var sample = map[string]string{
	"LOG_LEVEL":       "info\n",
	"MAX_CONNECTIONS": "100",
	"RATIO":           "0.25",
	"VERBOSE":         "yes",
	"TIMEOUT":         "1m30s",
	"MEMORY":          "64Mi",
	"binary":          "\xff\x00\n",
	"features.json": `{"dark_mode": true, "limits": [1, 2.5, {"deep": "a\"b"}],
		"none": null, "a/b": 7}`,
}

func TestReadsByType(t *testing.T) {
	config, _ := open(t, sample)
	version := config.Current()
	expectText(t, version, "LOG_LEVEL", "info")
	expectText(t, version, "features.json#/limits/2/deep", `a"b`)
	if number, err := version.Int("MAX_CONNECTIONS"); number != 100 || err != nil {
		t.Errorf("Int: %v, %v", number, err)
	}
	if number, err := version.Float("RATIO"); number != 0.25 || err != nil {
		t.Errorf("Float: %v, %v", number, err)
	}
	if truth, err := version.Bool("VERBOSE"); !truth || err != nil {
		t.Errorf("Bool: %v, %v", truth, err)
	}
	if duration, err := version.Duration("TIMEOUT"); duration != 90*time.Second || err != nil {
		t.Errorf("Duration: %v, %v", duration, err)
	}
	if quantity, err := version.Quantity("MEMORY"); quantity != 64<<20 || err != nil {
		t.Errorf("Quantity: %v, %v", quantity, err)
	}
	if bytes, err := version.Bytes("binary"); string(bytes) != "\xff\x00\n" || err != nil {
		t.Errorf("Bytes: %q, %v", bytes, err)
	}
	if bytes, _ := version.Bytes("LOG_LEVEL"); string(bytes) != "info\n" {
		t.Errorf("Bytes of text: %q", bytes)
	}
}

func TestWhatIsMissingIsErrNotFound(t *testing.T) {
	config, _ := open(t, sample)
	version := config.Current()
	for _, path := range []string{"absent", "features.json#/absent", "features.json#/limits/3",
		"LOG_LEVEL#/a"} {
		for getter, err := range failures(version, path) {
			if err != cmreload.ErrNotFound {
				t.Errorf("%s of %s: %v", getter, path, err)
			}
		}
	}
	if _, err := version.Bytes("features.json#/dark_mode"); err != cmreload.ErrNotFound {
		t.Errorf("Bytes of a path: %v", err)
	}
}

func TestWhatHasAnotherTypeIsATypeError(t *testing.T) {
	config, _ := open(t, sample)
	for getter, err := range failures(config.Current(), "features.json#/limits") {
		var wrong *cmreload.TypeError
		if getter == "Value" {
			continue
		}
		if !errors.As(err, &wrong) || !errors.Is(err, cmreload.ErrType) ||
			errors.Is(err, cmreload.ErrRange) ||
			wrong.Path != "features.json#/limits" || wrong.Have != cmreload.KindArray {
			t.Errorf("%s: %#v", getter, err)
		}
	}
	config, _ = open(t, map[string]string{"a": "9223372036854775808"})
	_, err := config.Current().Int("a")
	if !errors.Is(err, cmreload.ErrRange) || errors.Is(err, cmreload.ErrType) ||
		err.Error() != "a: the number does not fit int64" {
		t.Errorf("a number that does not fit: %v", err)
	}
}

// failures gives what each getter says of a path.
func failures(version *cmreload.Snapshot, path string) map[string]error {
	failed := make(map[string]error)
	_, failed["String"] = version.String(path)
	_, failed["Int"] = version.Int(path)
	_, failed["Float"] = version.Float(path)
	_, failed["Bool"] = version.Bool(path)
	_, failed["Duration"] = version.Duration(path)
	_, failed["Quantity"] = version.Quantity(path)
	_, failed["Value"] = version.Value(path)
	return failed
}

func TestWalksOverValues(t *testing.T) {
	config, _ := open(t, sample)
	version := config.Current()
	keys := slices.Collect(version.Keys())
	if !slices.IsSorted(keys) || !slices.Equal(keys, slices.Sorted(maps.Keys(sample))) ||
		version.Len() != len(sample) {
		t.Errorf("the keys are %q", keys)
	}
	all := maps.Collect(version.All())
	features := all["features.json"]
	if features.Kind() != cmreload.KindObject || features.Len() != 4 {
		t.Errorf("features.json is %v with %d members", features, features.Len())
	}
	if number, err := features.Member("limits").At(1).Float(); number != 2.5 || err != nil {
		t.Errorf("a chain gives %v, %v", number, err)
	}
	nothing := features.Member("absent").At(1).Member("a")
	if _, err := nothing.Int(); err != cmreload.ErrNotFound || nothing.Kind() != cmreload.KindNone ||
		nothing.Len() != 0 || nothing.JSON() != "" || nothing.Any() != nil {
		t.Errorf("a chain into nothing gives %v", nothing)
	}
	_, err := features.Member("limits").At(2).Int()
	if err.Error() != "features.json#/limits/2: an object cannot be read as int64" {
		t.Error(err)
	}
	_, err = features.Member("a/b").Bool()
	if err.Error() != "features.json#/a~1b: an integer cannot be read as bool" {
		t.Error(err)
	}
	for _, empty := range []cmreload.Value{nothing, all["LOG_LEVEL"], features.Member("none")} {
		for range empty.Elements() {
			t.Error("an element came")
		}
		for range empty.Members() {
			t.Error("a member came")
		}
	}
	for range version.All() {
		break
	}
	for range version.Keys() {
		break
	}
	for range features.Members() {
		break
	}
	for range features.Member("limits").Elements() {
		break
	}
}

func TestCopiesValuesIntoGo(t *testing.T) {
	config, _ := open(t, sample)
	features, _ := config.Current().Value("features.json")
	wanted := map[string]any{
		"dark_mode": true, "limits": []any{int64(1), 2.5,
			map[string]any{"deep": `a"b`}}, "none": nil, "a/b": int64(7),
	}
	if got := features.Any(); !reflect.DeepEqual(got, wanted) {
		t.Errorf("%v, not %v", got, wanted)
	}
	binary, _ := config.Current().Value("binary")
	if got := binary.Any(); !reflect.DeepEqual(got, []byte("\xff\x00\n")) {
		t.Errorf("binary is %v", got)
	}
}

func TestBinaryWithinYAMLIsItsBase64(t *testing.T) {
	config, _ := open(t, map[string]string{"a.yaml": "b: !!binary /w ==\n"})
	expectText(t, config.Current(), "a.yaml#/b", "/w==")
}

func TestMarshalsAsJSON(t *testing.T) {
	config, _ := open(t, map[string]string{"a": "x\n\x01\"", "b.json": `{"c": [1, 2.0]}`, "d": "\xff"})
	features, _ := config.Current().Value("b.json#/c")
	for _, c := range []struct {
		value  any
		wanted string
	}{
		{config.Current(), `{"a":"x\n\u0001\"","b.json":{"c":[1,2.0]},"d":"/w=="}`},
		{features, `[1,2.0]`},
		{cmreload.Value{}, `null`},
	} {
		if got, err := json.Marshal(c.value); string(got) != c.wanted || err != nil {
			t.Errorf("%s, not %s (%v)", got, c.wanted, err)
		}
	}
}

func TestReadsAllocateNothing(t *testing.T) {
	config, _ := open(t, sample)
	var sum float64
	reads := map[string]func(){
		"Current": func() { sum += float64(config.Current().Version()) },
		"String":  func() { text, _ := config.Current().String("LOG_LEVEL"); sum += float64(len(text)) },
		"Int": func() {
			number,
				_ := config.Current().Int("MAX_CONNECTIONS")
			sum += float64(number)
		},
		"Float":    func() { number, _ := config.Current().Float("RATIO"); sum += number },
		"Bool":     func() { config.Current().Bool("VERBOSE") },
		"Duration": func() { config.Current().Duration("TIMEOUT") },
		"Quantity": func() { config.Current().Quantity("MEMORY") },
		"Value": func() {
			value,
				_ := config.Current().Value("features.json")
			sum += float64(value.Len())
		},
		"a string within a value": func() {
			text, _ := config.Current().String("features.json#/limits/2/deep")
			sum += float64(len(text))
		},
		"a number within a value": func() {
			number,
				_ := config.Current().Float("features.json#/limits/1")
			sum += number
		},
		"a chain": func() {
			value, _ := config.Current().Value("features.json")
			number, _ := value.Member("limits").At(0).Int()
			sum += float64(number)
		},
		"what is missing": func() { config.Current().String("absent") },
		"walking": func() {
			for _, value := range config.Current().All() {
				for _, member := range value.Members() {
					for _, element := range member.Elements() {
						sum += float64(element.Kind())
					}
				}
			}
		},
	}
	for name, read := range reads {
		if allocated := testing.AllocsPerRun(100, read); allocated != 0 {
			t.Errorf("%s allocates %v times", name, allocated)
		}
	}
	if math.IsNaN(sum) {
		t.Error("nothing was read")
	}
}
