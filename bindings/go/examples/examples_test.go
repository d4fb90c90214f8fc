// Package examples runs the example programs for real.
package examples

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"cmreload/cmreloadtest"
)

// patience is how long anything may take that must happen.
const patience = 20 * time.Second

var programs string // the folder where they are

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "cmreload-examples-")
	if err == nil {
		var output []byte
		output, err = exec.Command("go", "build", "-o", folder, "./...").CombinedOutput()
		os.Stderr.Write(output)
	}
	result := 1
	if err == nil {
		programs = folder
		result = m.Run()
	}
	os.RemoveAll(folder)
	os.Exit(result)
}

// A program is one that runs, and what it says.
type program struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string
}

func start(t *testing.T, name string, environment []string, arguments ...string) *program {
	t.Helper()
	p := &program{t, exec.Command(filepath.Join(programs, name), arguments...), make(chan string, 100)}
	p.command.Env = append(os.Environ(), environment...)
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stdout, p.command.Stderr = input, input
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	input.Close()
	t.Cleanup(func() { p.command.Process.Kill(); output.Close() })
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
		close(p.lines)
	}()
	return p
}

// hears waits for a line that begins so, and passes over others.
func (p *program) hears(beginning string) string {
	p.t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case line, ok := <-p.lines:
			if strings.HasPrefix(line, beginning) {
				return line
			}
			if !ok {
				p.t.Fatalf("it ended without %q", beginning)
			}
		case <-deadline:
			p.t.Fatalf("%q did not come", beginning)
		}
	}
}

// ends sends a signal, if there is one, and looks at the exit status.
func (p *program) ends(by os.Signal, status int) {
	p.t.Helper()
	if by != nil {
		p.command.Process.Signal(by)
	}
	watchdog := time.AfterFunc(patience, func() { p.command.Process.Kill() })
	defer watchdog.Stop()
	var exit *exec.ExitError
	if err := p.command.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Error(err)
	}
	if got := p.command.ProcessState.ExitCode(); got != status {
		p.t.Errorf("exit status %d, not %d: %v", got, status, p.command.ProcessState)
	}
}

func TestWatch(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t,
		map[string]string{"log_level": "info", "banner": "Welcome"})
	watch := start(t, "watch", nil, configMap.Path())
	watch.hears("version 1")
	watch.hears("  banner = Welcome")
	watch.hears("  log_level = info")
	configMap.Update(map[string]string{"log_level": "debug"})
	watch.hears("version 2")
	watch.hears("  log_level = debug")
	configMap.Update(map[string]string{"broken.json": "{"})
	watch.hears("keeping version 2: broken.json:1:2: ")
	configMap.Delete("broken.json", "banner")
	watch.hears("version 3")
	watch.hears("  banner is gone")
	watch.ends(syscall.SIGTERM, 0)

	watch = start(t, "watch", nil, configMap.Path()+"/absent")
	watch.hears("watch: " + configMap.Path() + "/absent: ")
	watch.ends(nil, 1)
	start(t, "watch", nil).ends(nil, 2)
}

func TestWrite(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("two\nlines"), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, "cmr-write", nil, directory, "log_level=info", "text=@"+file, "user/labels=a").ends(nil,
		0)
	for path, wanted := range map[string]string{"log_level": "info", "text": "two\nlines",
		"user/labels": "a"} {
		if content, err := os.ReadFile(filepath.Join(directory, path)); string(content) != wanted {
			t.Errorf("%s is %q, %v", path, content, err)
		}
	}
	for _, arguments := range [][]string{
		{directory, "a"}, {directory, "a=@" + directory + "/absent"}, {directory,
			"..a=1"}, {directory + "/absent", "a=1"},
	} {
		start(t, "cmr-write", nil, arguments...).ends(nil, 1)
	}
	start(t, "cmr-write", nil).ends(nil, 2)
}

func TestService(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t, map[string]string{
		"LOG_LEVEL": "info", "MAX_CONNECTIONS": "50",
		"features.json": `{"dark_mode": true, "beta": false}`,
	})
	service := start(t, "service", []string{"CONFIG_PATH=" + configMap.Path(), "PORT=0"})
	address := service.hears("serving on ")
	url := "http://127.0.0.1" + address[strings.LastIndexByte(address, ':'):]

	call := func(method, path, version string, status int, wanted string) {
		t.Helper()
		request, _ := http.NewRequest(method, url+path, nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != status || response.Header.Get("X-Config-Version") != version ||
			!alike(body, wanted) {
			t.Errorf("%s %s: %s, version %s, %s", method, path, response.Status,
				response.Header.Get("X-Config-Version"), body)
		}
	}
	call("GET", "/health", "1", 200, `{"status": "healthy", "configurationHealthy": true}`)
	call("GET", "/feature/dark_mode", "1", 200, `{"feature": "dark_mode", "enabled": true}`)
	call("GET", "/feature/absent", "1", 200, `{"feature": "absent", "enabled": false}`)
	call("GET", "/config", "1", 200, `{
		"settings": {"logLevel": "INFO", "maxConnections": 50,
			"featureFlags": {"dark_mode": true, "beta": false}},
		"rawConfig": {"LOG_LEVEL": "info", "MAX_CONNECTIONS": "50",
			"features.json": {"dark_mode": true, "beta": false}}}`)

	configMap.Update(map[string]string{"features.json": `{"dark_mode": false}`, "LOG_LEVEL": "debug"})
	call("POST", "/-/reload", "2", 200, "Configuration reloaded")
	call("GET", "/feature/dark_mode", "2", 200, `{"feature": "dark_mode", "enabled": false}`)
	call("GET", "/-/reload", "2", 405, "Method not allowed\n")

	configMap.Update(map[string]string{"MAX_CONNECTIONS": "0"})
	call("POST", "/reload", "2", 500, "MAX_CONNECTIONS must be between 1 and 10000\n")
	call("GET", "/health", "2", 200, `{"status": "healthy", "configurationHealthy": false}`)

	configMap.Update(map[string]string{"MAX_CONNECTIONS": "70", "LOG_LEVEL": "info"})
	service.command.Process.Signal(syscall.SIGHUP)
	call("POST", "/reload", "3", 200, "Configuration reloaded")
	service.ends(syscall.SIGTERM, 0)

	broken := cmreloadtest.NewConfigMap(t, map[string]string{"LOG_LEVEL": "loud"})
	service = start(t, "service", []string{"CONFIG_PATH=" + broken.Path(), "PORT=0"})
	service.hears("time=")
	service.ends(nil, 1)
}

// alike compares as JSON, where both are JSON.
func alike(got []byte, wanted string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(wanted), &b) != nil {
		return string(got) == wanted
	}
	return reflect.DeepEqual(a, b)
}
