package cmreload_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cmreload"
)

func TestWritesMetrics(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithName("one"))
	other, _ := open(t, map[string]string{"a": "1"}, cmreload.WithName("two"))
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	configMap.UpdateAndWait(config, map[string]string{"b.json": "{"})
	get := func(handler http.Handler) string {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if kind := answer.Header().Get("Content-Type"); !strings.Contains(kind, "version=0.0.4") {
			t.Errorf("the type is %s", kind)
		}
		return answer.Body.String()
	}
	expect := func(text string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("%s is missing in:\n%s", line, text)
			}
		}
	}
	expect(get(config.MetricsHandler()),
		`config_version{watcher="one"} 2`,
		`config_reload_total{watcher="one",status="rejected"} 1`,
		`config_last_reload_successful{watcher="one"} 0`)
	expect(get(cmreload.MetricsHandler()),
		`config_version{watcher="one"} 2`,
		`config_version{watcher="two"} 1`)
	if strings.Contains(string(other.Metrics()), "one") {
		t.Error("the metrics of one tell of another")
	}
	config.Close()
	if text := config.Metrics(); text != nil {
		t.Errorf("the metrics of a closed one: %s", text)
	}
}

func TestMetricsOfMany(t *testing.T) {
	for i := range 20 { // more than a first guess has room for
		open(t, nil, cmreload.WithName(fmt.Sprint("many", i)))
	}
	if text := string(cmreload.Metrics()); strings.Count(text, "config_version{watcher=\"many") != 20 {
		t.Errorf("the metrics are\n%s", text)
	}
}
