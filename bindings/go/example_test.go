package cmreload_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"cmreload"
)

// mount makes a ConfigMap's directory for an example.
func mount(keysAndContents ...string) string {
	path, err := os.MkdirTemp("", "cmreload-example-")
	if err != nil {
		panic(err)
	}
	write(path, keysAndContents...)
	return path
}

// write updates it, as the kubelet does.
func write(path string, keysAndContents ...string) {
	var files []cmreload.File
	for i := 0; i < len(keysAndContents); i += 2 {
		files = append(files,
			cmreload.File{Key: keysAndContents[i], Content: []byte(keysAndContents[i+1])})
	}
	if err := cmreload.WriteMount(path, files...); err != nil {
		panic(err)
	}
}

func Example() {
	path := mount("LOG_LEVEL", "info", "features.json", `{"dark_mode": true}`)
	defer os.RemoveAll(path)

	config, err := cmreload.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close()

	level, _ := config.Current().String("LOG_LEVEL")
	dark, _ := config.Current().Bool("features.json#/dark_mode")
	fmt.Println(level, dark)

	_, err = config.Current().Int("MAX_CONNECTIONS")
	fmt.Println(errors.Is(err, cmreload.ErrNotFound))
	_, err = config.Current().Int("LOG_LEVEL")
	fmt.Println(err)
	// Output:
	// info true
	// true
	// LOG_LEVEL: text cannot be read as int64
}

// Settings of a program, each from a key.
type Settings struct {
	LogLevel slog.Level `config:"LOG_LEVEL" default:"info"`
	Limit    int        `config:"MAX_CONNECTIONS"`
	Features struct {
		DarkMode bool `json:"dark_mode"`
	} `config:"features.json"`
}

// Validate refuses a version before anybody sees it.
func (s *Settings) Validate() error {
	if s.Limit < 1 {
		return errors.New("MAX_CONNECTIONS must be at least 1")
	}
	return nil
}

func ExampleBind() {
	path := mount("MAX_CONNECTIONS", "100", "features.json", `{"dark_mode": true}`)
	defer os.RemoveAll(path)
	config, err := cmreload.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close()

	settings, err := cmreload.Bind[Settings](config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", *settings.Load())

	write(path, "MAX_CONNECTIONS", "0", "features.json", `{}`)
	_, err = config.Reload(context.Background())
	fmt.Println(err)
	fmt.Println(settings.Load().Limit)
	// Output:
	// {LogLevel:INFO Limit:100 Features:{DarkMode:true}}
	// MAX_CONNECTIONS must be at least 1
	// 100
}

func ExampleConfig_Changes() {
	path := mount("LOG_LEVEL", "info", "TIMEOUT", "1s")
	defer os.RemoveAll(path)
	config, err := cmreload.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close()

	changes := config.Changes(context.Background())
	write(path, "LOG_LEVEL", "debug", "RETRIES", "3")
	for event := range changes {
		fmt.Println(event.Kind, event.Snapshot.Version())
		for _, change := range event.Changes {
			fmt.Println(change.Kind, change.Key)
		}
		break
	}
	// Output:
	// published 2
	// modified LOG_LEVEL
	// added RETRIES
	// removed TIMEOUT
}

func ExampleConfig_OnChange() {
	path := mount("features.json", `{"dark_mode": false}`)
	defer os.RemoveAll(path)
	config, err := cmreload.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close()

	applied := make(chan bool)
	stop, err := config.OnChange(func(event cmreload.Event) {
		dark, _ := event.Snapshot.Bool("features.json#/dark_mode")
		applied <- dark
	}, "features.*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	write(path, "features.json", `{"dark_mode": true}`)
	fmt.Println(<-applied)
	// Output: true
}

func ExampleWithValidator() {
	path := mount("PORT", "80")
	defer os.RemoveAll(path)

	_, err := cmreload.Open(path, cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
		port, err := candidate.Int("PORT")
		if err != nil {
			return err
		}
		if port < 1024 {
			return errors.New("PORT needs privileges that this service does not have")
		}
		return nil
	}))
	fmt.Println(err)
	fmt.Println(errors.Is(err, cmreload.ErrRejected))
	// Output:
	// PORT needs privileges that this service does not have
	// true
}

func ExampleConfig_Middleware() {
	path := mount("GREETING", "Hello")
	defer os.RemoveAll(path)
	config, err := cmreload.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		greeting, _ := cmreload.FromContext(r.Context()).String("GREETING")
		fmt.Fprint(w, greeting)
	})
	mux.Handle("/-/reload", config.ReloadHandler())
	handler := config.Middleware(mux)

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(answer.Body, answer.Header().Get("X-Config-Version"))
	// Output: Hello 1
}
