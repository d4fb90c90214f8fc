package cmreload_test

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

// logTo gives a logger that writes lines without a time.
func logTo(buffer *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(buffer, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, attribute slog.Attr) slog.Attr {
			if attribute.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attribute
		},
	}))
}

func TestLogsWhatTheLibrarySays(t *testing.T) {
	var named, unnamed, shared bytes.Buffer
	logger := logTo(&shared)
	config, configMap := open(t, map[string]string{"a": "1"},
		cmreload.WithName("one"), cmreload.WithLogger(logTo(&named)))
	other, otherMap := open(t, map[string]string{"a": "1"}, cmreload.WithLogger(logTo(&unnamed)))
	third, _ := open(t, nil, cmreload.WithLogger(logger))
	fourth, _ := open(t, nil, cmreload.WithLogger(logger))
	configMap.UpdateAndWait(config, map[string]string{"b.json": "hunter2"})
	otherMap.UpdateAndWait(other, map[string]string{"c.json": "hunter2"})
	for _, config := range []*cmreload.Config{config, other, third, fourth} {
		config.Close() // no line is written to its logger afterwards
	}
	if text := named.String(); strings.Count(text, "b.json") != 1 ||
		!strings.Contains(text, "level=ERROR msg=\"rejected: b.json:1:1:") ||
		!strings.Contains(text, "watcher=one") || !strings.Contains(text, "level=INFO") {
		t.Errorf("the log of the one with a name: %s", text)
	}
	if text := unnamed.String(); strings.Contains(text, "b.json") ||
		strings.Count(text, "rejected: c.json") != 1 {
		t.Errorf("the log of the one without: %s", text)
	}
	if text := shared.String(); strings.Count(text, "rejected: c.json") != 1 {
		t.Errorf("the log of two: %s", text)
	}
	if all := named.String() + unnamed.String() + shared.String(); strings.Contains(all, "hunter2") {
		t.Errorf("a value was logged: %s", all)
	}
	length := named.Len() + unnamed.Len() + shared.Len()
	last, lastMap := open(t, nil)
	lastMap.UpdateAndWait(last, map[string]string{"b.json": "{"})
	if named.Len()+unnamed.Len()+shared.Len() != length {
		t.Error("a closed configuration is logged")
	}
}

func TestLogsWhyItDoesNotOpen(t *testing.T) {
	var log bytes.Buffer
	configMap := cmreloadtest.NewConfigMap(t,
		map[string]string{"a.json": `{"b": 1, "b": 2}`, "c.json": "{"})
	if _, err := cmreload.Open(configMap.Path(), cmreload.WithLogger(logTo(&log))); err == nil {
		t.Fatal("it opens")
	}
	if !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the log: %s", &log)
	}
}

func TestNoHandlerLogsValues(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	config, configMap := open(t, map[string]string{"a": "hunter2", "b.json": `["hunter2"]`},
		cmreload.WithOnChange(func(event cmreload.Event) { logger.Info("heard", "event", event) }))
	value, err := config.Current().Value("b.json")
	if err != nil {
		t.Fatal(err)
	}
	_, err = configMap.UpdateAndWait(config, map[string]string{"b.json": "hunter2"})
	logger.Info("asked", "config", config, "snapshot", config.Current(), "value", value, "reason",
		err, "event", cmreload.Event{Kind: cmreload.EventRejected, Snapshot: config.Current(), Err: err})
	if text := log.String(); containsText(text, "hunter2") ||
		!containsText(text, `"kind":"published","cause":"start","snapshot":{"version":1,`) ||
		!containsText(text, `"value":"cmreload.Value(an array)"`) ||
		!containsText(text, `"reason":"b.json:1:1: `) {
		t.Error(text)
	}
}
