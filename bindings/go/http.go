package cmreload

import (
	"context"
	"net/http"
	"strconv"
)

type contextKey struct{}

// A holdKey finds what lets go of the version that a request holds of a Config.
type holdKey struct{ of *Config }

// NewContext carries a version for [FromContext]: what Middleware does for HTTP, for other servers.
func NewContext(ctx context.Context, version *Snapshot) context.Context {
	return context.WithValue(ctx, contextKey{}, version)
}

// FromContext gives the version that a request began with, or nil where there is no
// [Config.Middleware] around.
func FromContext(ctx context.Context) *Snapshot {
	version, _ := ctx.Value(contextKey{}).(*Snapshot)
	return version
}

// Middleware lets each request see one version from beginning to end, by [FromContext], however
// often the configuration changes meanwhile. It holds the version as [Config.Hold] does, and tells
// it in the response as X-Config-Version.
func (c *Config) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version, release := c.Hold()
		defer release()
		w.Header().Set("X-Config-Version", strconv.FormatUint(version.Version(), 10))
		ctx := context.WithValue(r.Context(), holdKey{c}, release)
		next.ServeHTTP(w, r.WithContext(NewContext(ctx, version)))
	})
}

// ReloadHandler reloads on POST, as sidecars like configmap-reload ask for it:
//
//	mux.Handle("/-/reload", config.ReloadHandler())
//	mux.Handle("/reload", config.ReloadHandler())
//
// It answers 200 when the content is good, changed or not, 500 with the reason when it was
// rejected, and 405 to any other method. Within Middleware the request holds no version any more
// once it reloads.
func (c *Config) ReloadHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
			return
		}
		// Where a version waits until nobody holds the one before, it must not wait for this request.
		if release, ok := r.Context().Value(holdKey{c}).(func()); ok {
			release()
		}
		version, err := c.Reload(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("X-Config-Version", strconv.FormatUint(version.Version(), 10))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("Configuration reloaded"))
	})
}
