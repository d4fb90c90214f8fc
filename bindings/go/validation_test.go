package cmreload_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

var errOdd = errors.New("a must be even")

// even refuses versions in which a is odd.
func even(candidate *cmreload.Snapshot) error {
	number, err := candidate.Int("a")
	if err != nil {
		return err
	}
	if number%2 != 0 {
		return errOdd
	}
	return nil
}

func TestAValidatorHasTheLastWord(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"a": "2"},
		cmreload.WithValidator(even), cmreload.WithOnChange(events.hear),
		cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
			if candidate.Version() != 0 {
				return fmt.Errorf("the candidate is %v", candidate)
			}
			return nil
		}))
	events.expect(t, "published start 1 added a")
	before := config.Current()
	_, err := configMap.UpdateAndWait(config, map[string]string{"a": "3"})
	if !errors.Is(err, errOdd) || statusIsNot(err, cmreload.ErrRejected) ||
		!strings.Contains(err.Error(), errOdd.Error()) {
		t.Errorf("rejected since %v", err)
	}
	if event := events.expect(t, "rejected 1"); !errors.Is(event.Err, errOdd) {
		t.Errorf("the event says %v", event.Err)
	}
	if config.Current() != before {
		t.Errorf("%v is current", config.Current())
	}
	_, err = configMap.UpdateAndWait(config, map[string]string{"a": "hunter2"})
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Key != "a" ||
		failure.Message != "text cannot be read as int64" ||
		errors.Is(err, errOdd) || statusIsNot(err, cmreload.ErrType) {
		t.Errorf("rejected since %v", err)
	}
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"a": "4"}), "a", "4")
	odd := cmreloadtest.NewConfigMap(t, map[string]string{"a": "1"})
	if _, err := cmreload.Open(odd.Path(), cmreload.WithValidator(even)); !errors.Is(err, errOdd) {
		t.Errorf("Open: %v", err)
	}
}

func TestALongVetoIsCutBetweenCharacters(t *testing.T) {
	long := errors.New(strings.Repeat("é", 600))
	configMap := cmreloadtest.NewConfigMap(t, nil)
	_, err := cmreload.Open(configMap.Path(),
		cmreload.WithValidator(func(*cmreload.Snapshot) error { return long }))
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Message != strings.Repeat("é", 255) ||
		!errors.Is(err, long) {
		t.Errorf("%v", err)
	}
}

func TestAValidatorThatPanicsRejects(t *testing.T) {
	var shouldPanic atomic.Bool
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithLogger(discard),
		cmreload.WithValidator(func(*cmreload.Snapshot) error {
			if shouldPanic.Load() {
				panic("hunter2")
			}
			return nil
		}))
	shouldPanic.Store(true)
	_, err := configMap.UpdateAndWait(config, map[string]string{"a": "2"})
	if statusIsNot(err, cmreload.ErrRejected) || strings.Contains(err.Error(), "hunter2") ||
		config.Stats().Panics == 0 {
		t.Errorf("%v, %+v", err, config.Stats())
	}
	shouldPanic.Store(false)
	mustUpdate(t, configMap, config, map[string]string{"a": "3"})
}

// A complaint is an error that cannot be read where it is nil.
type complaint struct{ text string }

func (c *complaint) Error() string { return c.text }

func TestAnErrorThatCannotBeReadRejects(t *testing.T) {
	for _, err := range []error{
		(*complaint)(nil), (*cmreload.Error)(nil), (*cmreload.TypeError)(nil),
	} {
		config, configMap := open(t, map[string]string{"a": "2"}, cmreload.WithLogger(discard),
			cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
				if even(candidate) != nil {
					return err
				}
				return nil
			}))
		_, rejected := configMap.UpdateAndWait(config, map[string]string{"a": "3"})
		if statusIsNot(rejected, cmreload.ErrRejected) || config.Stats().Panics == 0 {
			t.Errorf("%T: %v, %+v", err, rejected, config.Stats())
		}
	}
}

func TestAVetoIsToldWithWhatIsWrappedAroundIt(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "2"},
		cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
			if err := even(candidate); err != nil {
				return fmt.Errorf("the number: %w", err)
			}
			return nil
		}))
	for content, wanted := range map[string]string{
		"3": "the number: a must be even", "x": "a: the number: text cannot be read as int64",
	} {
		_, err := configMap.UpdateAndWait(config, map[string]string{"a": content})
		if err == nil || err.Error() != wanted {
			t.Errorf("%v, not %s", err, wanted)
		}
	}
	_, err := cmreload.Open(configMap.Path(),
		cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
			return fmt.Errorf("the other: %w", candidate.Unmarshal("c", new(int)))
		}))
	if err == nil || err.Error() != "c: the other: is missing" {
		t.Error(err)
	}
}

const portSchema = `{
	"type": "object",
	"properties": {
		"PORT": {"type": "integer", "minimum": 1024},
		"features.json": {"$ref": "https://example.com/features"},
		"HOST": {"format": "hostname"}
	},
	"required": ["PORT"]
}`

const featuresSchema = `{"type": "object", "additionalProperties": {"type": "boolean"}}`

func TestValidatesBySchemas(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"PORT": "8080", "features.json": `{"dark": true}`},
		cmreload.WithSchema(portSchema), cmreload.WithOnChange(events.hear),
		cmreload.WithSchemaReference("https://example.com/features", []byte(featuresSchema)),
		cmreload.WithSchemaFor("limits.json#/requests", `{"maximum": 10}`),
		cmreload.WithFormatAssertion())
	events.next(t)
	if config.Violations() != nil {
		t.Errorf("%+v", config.Violations())
	}
	_, err := configMap.UpdateAndWait(config, map[string]string{
		"PORT": "80", "features.json": "{\n \"dark\": \"hunter2\"}", "limits.json": `{"requests": 11}`,
		"HOST": "-",
	})
	var rejected *cmreload.Error
	if !errors.As(err, &rejected) || rejected.Status != cmreload.ErrRejected {
		t.Fatalf("%v", err)
	}
	keywords := make(map[string]string)
	for _, violation := range rejected.Violations {
		keywords[violation.Key+violation.InstancePath] = violation.Keyword
		if violation.Keyword == "type" && (violation.Line != 2 || violation.Column != 10 ||
			violation.SchemaPath == "" || violation.Expected == "") {
			t.Errorf("%+v", violation)
		}
	}
	wanted := "map[HOST:format PORT:minimum features.json/dark:type limits.json/requests:maximum]"
	if fmt.Sprint(keywords) != wanted {
		t.Errorf("broken are %v: %v", keywords, err)
	}
	if strings.Contains(fmt.Sprintf("%+v", rejected), "hunter2") {
		t.Errorf("a value is told: %+v", rejected)
	}
	event := events.next(t)
	if !errors.As(event.Err, &rejected) || len(rejected.Violations) != 4 ||
		len(config.Violations()) != 4 {
		t.Errorf("the event says %+v, the Config %+v", event.Err, config.Violations())
	}
	_, err = cmreload.Open(configMap.Path(), cmreload.WithSchema(`{"required": ["absent"]}`))
	if !errors.As(err, &rejected) || len(rejected.Violations) != 1 ||
		rejected.Violations[0].Keyword != "required" {
		t.Errorf("Open: %+v", err)
	}
}

func TestSchemasMayBeSetLater(t *testing.T) {
	config, configMap := open(t, map[string]string{"PORT": "8080"})
	if err := config.SetSchema("PORT", `{"maximum": 1000}`); statusIsNot(err, cmreload.ErrRejected) {
		t.Errorf("what the current version breaks: %v", err)
	}
	if err := config.SetSchema("PORT", `{"maximum": 9000}`); err != nil {
		t.Fatal(err)
	}
	if _, err := configMap.UpdateAndWait(config, map[string]string{"PORT": "9001"}); statusIsNot(err,
		cmreload.ErrRejected) {
		t.Errorf("what breaks it: %v", err)
	}
	if err := config.SetSchema("PORT", ""); err != nil {
		t.Fatal(err)
	}
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"PORT": "9002"}), "PORT", "9002")
	config.Close()
	if err := config.SetSchema("PORT", ""); statusIsNot(err, cmreload.ErrState) ||
		config.Violations() != nil {
		t.Errorf("a closed one: %v", err)
	}
}

func TestWrongSchemasAreRefused(t *testing.T) {
	for name, option := range map[string]cmreload.Option{
		"no JSON":        cmreload.WithSchema("{"),
		"nothing":        cmreload.WithSchema[[]byte](nil),
		"no schema":      cmreload.WithSchema(`{"type": 1}`),
		"no path":        cmreload.WithSchemaFor("a\x00", "{}"),
		"no URI":         cmreload.WithSchemaReference("%%", "{}"),
		"leads to none":  cmreload.WithSchema(`{"$ref": "https://example.com/absent"}`),
		"no linear time": cmreload.WithSchema(`{"pattern": "(?=a)"}`),
	} {
		if _, err := cmreload.Open(t.TempDir(), option); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
