package cmreload_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"cmreload"
	"cmreload/internal/abi"
	"cmreload/internal/reference"
)

// What the binding reads in Go must be what the library's own getters read.

// texts are where reading goes one way or the other.
var texts = []string{
	"", " ", "0", "1", "-1", "+1", "007", "100", " 100\n", "1 0", "0x10", "1_000", "inf", "nan", "-",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"18446744073709551615", "18446744073709551616", "99999999999999999999999999999999999999",
	"1.0", "1.5", ".5", "5.", "1e3", "1E+3", "1e-3", "1e", "1e400", "-1e400", "1e-400", "4.9e-324",
	"1234567890123456789e0", "9007199254740993.0", "9007199254740992.5", "-9223372036854775808.0",
	"9223372036854775807.5", "9223372036854775808.5", "12345678901234567890.5", "0e99999999999",
	"1200e-2", "-0.0", "1.e1", "1E1k",
	"9007199254740993", "9223372036854775807.0", "9.3e18", "2e9", "1.7976931348623157e308",
	"true", "True", "YES", "no", "oFF", "on", "tru", "y", "2",
	"1h30m", "250ms", "-1.5s", "1us", "1µs", "1μs", "1ns", "0.5ns", "1.000000001s", "1h 30m", "1d",
	"1h1", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "-2562047h47m16.854775808s",
	"9223372036", "9223372037", "9223372036.854775807", "1.5e2", ".5s", ".s", "1.h", "1e3s",
	"64Mi", "1k", "1K", "1Ki", "100m", "-100m", "1n", "1e3", "1e-3", "1E", "1Ei", "7Ei", "8Ei", "9E",
	"10E", "0.1Ki", "1.5Gi", "1.0000000001Ki", "1e18", "1e19", "1e1000000000000", "0e99999", "1ei",
	"12.345m", "9223372036854775807m", "1mi", "i", "Mi", "1e+", "000000000000000000000000001k",
	"é", "\u00a01", "1\u00a0", "１", "\x00", "1\x00", "\v1\f", "\"1\"", "null", "[1]", "{}",
}

func TestReadsTextAsTheLibraryDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make(map[string]string)
	for i, text := range texts {
		data[fmt.Sprintf("text%d", i)] = text
	}
	for i := range 4000 {
		data[fmt.Sprintf("random%d", i)] = mutated(random)
	}
	// The same texts as strings within a value.
	var strs []string
	for _, text := range data {
		strs = append(strs, strconv.Quote(strings.ToValidUTF8(strings.Map(dropControls, text), "")))
	}
	data["strings.json"] = "[" + strings.Join(strs, ",") + "]"
	compare(t, data)
}

func TestReadsParsedValuesAsTheLibraryDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	data := map[string]string{
		"numbers.json": `[0, -0, 1, -1, 0.0, -0.0, 1.5, 2.0, 1e3, 1e18, 1e19, 9223372036854775807,
			-9223372036854775808, 0.5, 1e-7, 1.7976931348623157e308, 5e-324, 9007199254740993, 1e22,
			9223372036, 9223372037, 9.3e9, -2.5, 123456789.123456789, 4611686018427387904.0,
			-9223372036854775809, -9223372036854775808.0, 9223372036854775808]`,
		"scalars.json": `[null, true, false, "", "\u0000", "a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00",
			[], {}]`,
		"escapes.json": `{"a/b": 1, "m~n": {"~1": [2]}, "": 3, "\u0000": 4, "é\n": 5, "#": {"#": 6}}`,
		"string.json":  `" text "`,
		"escaped.json": `"a\u0020b"`,
		"number.json":  ` 12 `,
		"null.json":    `null`,
		"empty.json":   `{}`,
		"bytes":        "\xff\xfe",
		"bom":          "\xef\xbb\xbftext",
		"bom.json":     "\xef\xbb\xbf[1]",
		"a#b":          "1",
		"a":            "2",
		"x.json":       `{"y": {"#": 1}, "z": [[1, [2]], {"a": [3]}, 4]}`,
		"x.json#":      "text",
		"x.json#/y":    "a key that looks like a path",
		"a.yaml": "a: &x [1, 0x10, 1.5, yes, ~, !!str 1, 2026-01-02]\nb: *x\n'c/d': {<<: {e: 1}}\n" +
			"h: |\n  text\n",
		"a.toml":         "a = 1_000\nb = 1979-05-27T07:32:00Z\n[c.d]\ne = [0.5, 1e3, true]\n",
		"a.properties":   "a.b = 1\nc : \\u00e9\n",
		"a.env":          "export A=\"x y\"\nB=1 # c\n",
		"a.ini":          "a=1\n[s]\nb = 2\n",
		"text.yaml":      "just text",
		"duplicate.json": `{"a": 1, "b": 2, "a": {"c": 3}}`,
	}
	for i := range 20 {
		var elements []string
		for range 40 {
			elements = append(elements, document(random, 4))
		}
		data[fmt.Sprintf("random%d.json", i)] = "[" + strings.Join(elements, ",") + "]"
	}
	compare(t, data, "x.json#/y/#", "x.json#/z/0/1/0", "x.json#/z/1/a/0", "x.json#/z/01",
		"x.json#/z/-",
		"x.json#/z/3", "x.json#/", "x.json#/z/", "x.json#z", "a#b", "a#", "a#/",
		"#", "##", "", "x.json##",
		"escapes.json#/a~1b", "escapes.json#/m~0n/~01/0", "escapes.json#/m~0n/~1", "escapes.json#/m~n",
		"escapes.json#/", "escapes.json#/é\n", "escapes.json#/#/#", "escapes.json#/m~2n",
		"number.json#/0",
		"string.json#", "bytes#", "bytes#/0", "absent", "absent#/a")
}

// compare reads everything in both ways: every key, every value within, and the paths besides.
func compare(t *testing.T, data map[string]string, paths ...string) {
	t.Helper()
	config, err := cmreload.Open("", cmreload.WithDefaults(data))
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	version := config.Current()
	held := config.Watcher().Acquire()
	defer held.Release()
	for key, value := range version.All() {
		paths = append(paths, key)
		if value.Kind() == cmreload.KindArray || value.Kind() == cmreload.KindObject {
			paths = appendPaths(paths, key+"#", value)
		}
	}
	library := reference.Of(held)
	for _, path := range paths {
		comparePath(t, version, library, path)
	}
	whole, _ := version.MarshalJSON()
	if wanted, _ := library.JSON(""); string(whole) != wanted {
		t.Errorf("the whole as JSON differs: %s, not %s", whole, wanted)
	}
	described := abi.Description{
		Version: version.Version(), PublishedNS: version.Published().UnixNano(),
		Checksum: version.Checksum(), Generation: version.Generation(), Count: version.Len(),
	}
	if described != held.Describe() {
		t.Errorf("the version is described in another way: %v", version)
	}
	t.Logf("%d paths", len(paths))
}

// appendPaths adds the paths of all that is below a value.
func appendPaths(paths []string, path string, value cmreload.Value) []string {
	for index, element := range value.Elements() {
		place := path + "/" + strconv.Itoa(index)
		paths = appendPaths(append(paths, place), place, element)
	}
	for name, member := range value.Members() {
		place := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if !strings.Contains(place, "\x00") { // which C cannot ask for
			paths = appendPaths(append(paths, place), place, member)
		}
	}
	return paths
}

func comparePath(t *testing.T, version *cmreload.Snapshot, library reference.Snapshot,
	path string) {
	t.Helper()
	same := func(getter string, got any, err error, wanted any, status int32) {
		t.Helper()
		if int32(statusOf(err)) != status || err == nil && got != wanted {
			t.Errorf("%s of %q: %v (%v), the library gives %v (%d)", getter, path, got, err, wanted, status)
		}
	}
	integer, err := version.Int(path)
	wantedInteger, status := library.Int64(path)
	same("int64", integer, err, wantedInteger, status)

	number, err := version.Float(path)
	wantedNumber, status := library.Double(path)
	same("double", math.Float64bits(number), err, math.Float64bits(wantedNumber), status)

	truth, err := version.Bool(path)
	wantedTruth, status := library.Bool(path)
	same("bool", truth, err, wantedTruth, status)

	duration, err := version.Duration(path)
	wantedDuration, status := library.Duration(path)
	same("duration", int64(duration), err, wantedDuration, status)

	quantity, err := version.Quantity(path)
	wantedQuantity, status := library.Quantity(path)
	same("quantity", quantity, err, wantedQuantity, status)

	value, err := version.Value(path)
	if path != "" {
		wantedJSON, status := library.JSON(path)
		same("json", value.JSON(), err, wantedJSON, status)
	}
	if wanted := library.Type(path); int32(value.Kind())-1 != wanted {
		t.Errorf("%q is %v, the library says type %d", path, value.Kind(), wanted)
	}
}

// statusOf gives the status that the library would give.
func statusOf(err error) cmreload.Status {
	for _, status := range []cmreload.Status{cmreload.ErrNotFound, cmreload.ErrRange,
		cmreload.ErrType} {
		if errors.Is(err, status) {
			return status
		}
	}
	return 0
}

// mutated gives a text that is almost one of those above.
func mutated(random *rand.Rand) string {
	const alphabet = "0123456789012345678901234567890123456789..+-eEmsunhµkKMGTPi xyonrtuefals"
	text := []rune(texts[random.IntN(len(texts))])
	for range 1 + random.IntN(3) {
		at := random.IntN(len(text) + 1)
		character := []rune(alphabet)[random.IntN(len([]rune(alphabet)))]
		switch {
		case random.IntN(3) == 0 && at < len(text):
			text = append(text[:at:at], text[at+1:]...)
		case random.IntN(2) == 0 && at < len(text):
			text[at] = character
		default:
			text = append(text[:at:at], append([]rune{character}, text[at:]...)...)
		}
	}
	return string(text)
}

func dropControls(r rune) rune {
	if r < ' ' || r == 0x7F {
		return -1
	}
	return r
}

// document gives a JSON text that is at most as deep.
func document(random *rand.Rand, depth int) string {
	kind := random.IntN(8)
	if depth == 0 {
		kind = random.IntN(6)
	}
	switch kind {
	case 0:
		return []string{"null", "true", "false"}[random.IntN(3)]
	case 1:
		return strconv.FormatInt(random.Int64()>>random.IntN(64), 10)
	case 2:
		number := math.Float64frombits(random.Uint64())
		if math.IsInf(number, 0) || math.IsNaN(number) {
			number = 0.1
		}
		return strconv.FormatFloat(number, 'g', -1, 64)
	case 3, 4, 5:
		return `"` + strings.Map(dropControls,
			strings.NewReplacer(`\`, "", `"`, `\"`).Replace(mutated(random))) + `"`
	case 6:
		var elements []string
		for range random.IntN(6) {
			elements = append(elements, document(random, depth-1))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	default:
		var members []string
		for i := range random.IntN(6) {
			members = append(members, fmt.Sprintf(`"m%d~/": %s`, i, document(random, depth-1)))
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
}
