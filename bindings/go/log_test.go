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
