// Service is a small HTTP service as it would run in a pod. Its settings change while it runs; a
// request sees one version of them from beginning to end, and settings that are not valid never
// arrive.
//
//	CONFIG_PATH=/etc/config PORT=8080 service
//
//	GET  /health           whether it serves, and how its configuration is
//	GET  /config           the settings, and the configuration that they come from
//	GET  /feature/{name}   whether a feature is on
//	POST /-/reload         loads at once, for sidecars; /reload too
//	GET  /metrics          for Prometheus
//
// SIGHUP asks for a reload, SIGTERM and SIGINT end it when the requests that run are answered.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cmreload"
)

// Settings are what can change while the service runs.
type Settings struct {
	LogLevel       slog.Level      `config:"LOG_LEVEL"       default:"info" json:"logLevel"`
	MaxConnections int             `config:"MAX_CONNECTIONS" default:"100"  json:"maxConnections"`
	FeatureFlags   map[string]bool `config:"features.json"   default:"{}"   json:"featureFlags"`
}

// Validate refuses a version before anybody sees it.
func (s *Settings) Validate() error {
	if s.MaxConnections < 1 || s.MaxConnections > 10_000 {
		return errors.New("MAX_CONNECTIONS must be between 1 and 10000")
	}
	return nil
}

const shutdownTime = 10 * time.Second

func main() {
	if err := run(); err != nil {
		slog.Error("the service ends", "reason", err)
		os.Exit(1)
	}
}

func run() error {
	level := new(slog.LevelVar)
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))

	path := environment("CONFIG_PATH", "/etc/config")
	config, err := cmreload.Open(path, cmreload.WithLogger(logger))
	if err != nil {
		return err
	}
	defer config.Close()
	settings, err := cmreload.Bind[Settings](config)
	if err != nil {
		return err
	}
	level.Set(settings.Load().LogLevel)
	if _, err := config.OnChange(func(event cmreload.Event) {
		if event.Kind == cmreload.EventPublished {
			level.Set(settings.Load().LogLevel)
		}
	}); err != nil {
		return err
	}

	listener, err := net.Listen("tcp", ":"+environment("PORT", "8080"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(config)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println("serving on", listener.Addr())

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	for {
		select {
		case err := <-served:
			return err
		case received := <-signals:
			if received == syscall.SIGHUP {
				config.RequestReload()
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
			defer cancel()
			return server.Shutdown(ctx)
		}
	}
}

func handler(config *cmreload.Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		// A configuration that was rejected is no reason to stop serving: the good one stays.
		answer(w, map[string]any{"status": "healthy", "configurationHealthy": config.Stats().Healthy})
	})
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, r *http.Request) {
		version := cmreload.FromContext(r.Context())
		var settings Settings
		if err := version.Unmarshal("", &settings); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, map[string]any{"settings": settings, "rawConfig": version})
	})
	mux.HandleFunc("GET /feature/{name}", func(w http.ResponseWriter, r *http.Request) {
		features, _ := cmreload.FromContext(r.Context()).Value("features.json")
		name := r.PathValue("name")
		enabled, _ := features.Member(name).Bool() // false when there is no such feature
		answer(w, map[string]any{"feature": name, "enabled": enabled})
	})
	mux.Handle("GET /metrics", cmreload.MetricsHandler())
	mux.Handle("/-/reload", config.ReloadHandler())
	mux.Handle("/reload", config.ReloadHandler())
	return config.Middleware(mux)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

func environment(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}
