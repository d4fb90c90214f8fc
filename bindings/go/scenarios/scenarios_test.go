// Package scenarios tells the stories of Tests/Scenarios through this binding, each in a process
// and a directory of its own, so that none can hang or harm the next.
//
//	script_test.go   a file into lines of words
//	world_test.go    the verbs that change the disk
//	kubelet_test.go  those that change a mount, whole or in the kubelet's steps
//	stage_test.go    the verbs about the configuration
//	expect_test.go   what is expected of it
package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	folder  = "../../../Tests/Scenarios"
	longest = 60 * time.Second // of a story
)

// What the program that tells one story is told by its environment.
const (
	storyVariable     = "CMRELOAD_STORY"     // the file
	directoryVariable = "CMRELOAD_DIRECTORY" // the story's own; every path is below it
	patienceVariable  = "CMRELOAD_PATIENCE"  // how long any expected thing may take
	stormVariable     = "CMRELOAD_STORM"     // instead: the process that a storm comes over
)

// How a story ends.
const (
	exitFailed  = 1
	exitSkipped = 77
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(stormVariable) != "":
		raiseStorm()
	case os.Getenv(storyVariable) != "":
		tell(os.Getenv(storyVariable))
	default:
		os.Exit(m.Run())
	}
}

func TestScenarios(t *testing.T) {
	for _, path := range stories(t, folder) {
		script := mustRead(t, path)
		t.Run(script.title, func(t *testing.T) {
			switch result, reason := run(t, script, 5*time.Second); result {
			case 0:
			case exitSkipped:
				t.Skip(reason)
			default:
				t.Error(reason)
			}
		})
	}
}

// An expectation that cannot fail is none: these must, each at the line after its comment.
func TestFailingScenarios(t *testing.T) {
	for _, path := range stories(t, filepath.Join(folder, "failing")) {
		script := mustRead(t, path)
		t.Run(script.title, func(t *testing.T) {
			t.Parallel()
			result, reason := run(t, script, time.Second)
			place := fmt.Sprintf("%s:%d: ", path, script.failsHere)
			if result != exitFailed || !strings.Contains(reason, place) {
				t.Errorf("did not fail at %s but: %s", place, reason)
			}
		})
	}
}

func stories(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.scenario"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios in %s: %v", folder, err)
	}
	return paths
}

func mustRead(t *testing.T, path string) *script {
	t.Helper()
	script, err := readScript(path)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// run tells a story in a process of its own; reason is what that wrote.
func run(t *testing.T, script *script, patience time.Duration) (result int, reason string) {
	t.Helper()
	// Not the test's own directory, which others may not enter: a story may become somebody else.
	directory, err := os.MkdirTemp("", "cmreload-scenario-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	var output bytes.Buffer
	story := exec.CommandContext(ctx, program)
	story.Env = append(os.Environ(),
		storyVariable+"="+script.path,
		directoryVariable+"="+directory,
		patienceVariable+"="+patience.String(),
		"GORACE=atexit_sleep_ms=0") // which waits for a second otherwise
	story.Stdout, story.Stderr = &output, &output
	if script.needs("mounts") {
		// All threads of a process must share the namespace: it is made before there are any.
		story.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	err = story.Run()
	if script.needs("mounts") && errors.Is(err, syscall.EPERM) {
		return exitSkipped, "needs the right to mount"
	}
	if err != nil && story.ProcessState == nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		fmt.Fprintf(&output, "%s: it took too long\n", script.path)
	}
	return story.ProcessState.ExitCode(), output.String()
}
