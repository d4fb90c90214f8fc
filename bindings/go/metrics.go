package cmreload

import (
	"net/http"

	"cmreload/internal/abi"
)

// Metrics writes what all Configs of the process have done, as Prometheus reads it: its text format
// 0.0.4. A Config with a name has it in a label, watcher="settings".
//
//	config_reload_total{status="success|rejected|unchanged"}
//	config_reload_duration_seconds
//	config_version
//	config_last_reload_successful
//	config_last_reload_success_timestamp_seconds
//	config_info{checksum,generation}
//	config_source_errors_total
//	config_watch_mode{mode="inotify|polling"}
func Metrics() []byte { return abi.Metrics() }

// Metrics writes what the Config has done, as the function Metrics does for all; nothing after
// Close.
func (c *Config) Metrics() []byte {
	if c.enter() != nil {
		return nil
	}
	defer c.leave()
	return c.watcher.Metrics()
}

// MetricsHandler answers with the function Metrics:
//
//	mux.Handle("/metrics", cmreload.MetricsHandler())
func MetricsHandler() http.Handler { return metricsHandler(Metrics) }

// MetricsHandler answers with the Config's Metrics.
func (c *Config) MetricsHandler() http.Handler { return metricsHandler(c.Metrics) }

func metricsHandler(metrics func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(metrics())
	})
}
