package cmreload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

func TestReadsEveryFormatByTheSamePaths(t *testing.T) {
	config, _ := open(t, map[string]string{
		"a.json": `{"port": 80}`, "a.yaml": "port: 80", "a.yml": "port: 80", "a.toml": "port = 80",
		"a.properties": "port=80", "a.env": "port=80", "a.ini": "port=80", "a.conf": "port: 80",
		"b.conf": "port = 80", "a.text": "port = 80",
	}, cmreload.WithFormat("*.conf", cmreload.FormatYAML), cmreload.WithFormat("b.*", cmreload.FormatTOML))
	for key, value := range config.Current().All() {
		number, err := value.Member("port").Int()
		if key == "a.text" {
			if err != cmreload.ErrNotFound {
				t.Errorf("%s: %v", key, err)
			}
		} else if err != nil || number != 80 {
			t.Errorf("%s: %d, %v", key, number, err)
		}
	}
	if _, err := cmreload.Open(t.TempDir(), cmreload.WithFormat("*", 99)); statusIsNot(err, cmreload.ErrInvalidArgument) {
		t.Errorf("a format that there is not: %v", err)
	}
}

// words parses to the words of a text.
func words(_ string, content []byte) (any, error) {
	before, _, isLoud := bytes.Cut(content, []byte("!"))
	if isLoud {
		line := 1 + bytes.Count(before, []byte("\n"))
		return nil, &cmreload.Error{Line: line, Column: 1, Message: "no exclamations"}
	}
	return strings.Fields(string(content)), nil
}

func TestAParserOfOnesOwn(t *testing.T) {
	config, configMap := open(t,
		map[string]string{"a.words": "one two", "b.raw": `{"c": [1]}`, "c": "text"},
		cmreload.WithParser("*", func(string, []byte) (any, error) { return nil, nil }),
		cmreload.WithFormat("c", cmreload.FormatText),
		cmreload.WithParser("*.words", words),
		cmreload.WithParser("*.raw", func(key string, content []byte) (any, error) {
			return json.RawMessage(content), nil
		}))
	version := config.Current()
	expectText(t, version, "a.words#/1", "two")
	expectText(t, version, "c", "text")
	if number, err := version.Int("b.raw#/c/0"); number != 1 || err != nil {
		t.Errorf("raw JSON: %d, %v", number, err)
	}
	_, err := configMap.UpdateAndWait(config, map[string]string{"a.words": "three\nfour!"})
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Status != cmreload.ErrParse || failure.Key != "a.words" ||
		failure.Line != 2 || failure.Message != "no exclamations" {
		t.Errorf("what it refuses: %#v", err)
	}
	_, err = configMap.UpdateAndWait(config, map[string]string{"a.words": "five", "b.raw": "{"})
	if statusIsNot(err, cmreload.ErrParse) {
		t.Errorf("what is no JSON: %v", err)
	}
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"b.raw": "[]"}), "a.words#/0", "five")
}

func TestAParserThatPanicsRejects(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t, map[string]string{"a.words": "hunter2"})
	for name, parse := range map[string]func(string, []byte) (any, error){
		"a panic":     func(_ string, content []byte) (any, error) { panic(string(content)) },
		"no JSON":     func(_ string, content []byte) (any, error) { return func() {}, nil },
		"a bad quote": func(_ string, content []byte) (any, error) { return json.RawMessage(content), nil },
	} {
		_, err := cmreload.Open(configMap.Path(),
			cmreload.WithParser("*", parse), cmreload.WithLogger(discard))
		if statusIsNot(err, cmreload.ErrParse) || containsText(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASecretIsReadAsAnythingElse(t *testing.T) {
	config, configMap := open(t, map[string]string{"password": "hunter2"}, cmreload.WithSensitive())
	expectText(t, config.Current(), "password", "hunter2")
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"password": "hunter3"}), "password", "hunter3")
	if checksum := config.Current().Checksum(); containsText(string(config.Metrics()), checksum) {
		t.Error("the checksum is in the metrics")
	}
}
