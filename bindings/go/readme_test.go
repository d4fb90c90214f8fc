package cmreload_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cmreload"
	"cmreload/cmreloadtest"
)

func TestTheProgramOfTheReadmeRuns(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	program, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("there is no program")
	}
	configMap := cmreloadtest.NewConfigMap(t,
		map[string]string{"MAX_CONNECTIONS": "7", "features.json": "{}"})
	program = strings.Replace(program, "/etc/config", configMap.Path(), 1)
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "program")
	if output, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%s", output)
	}
	run := exec.Command(binary)
	output, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(patience, func() { run.Process.Kill() }).Stop()
	lines := bufio.NewScanner(output)
	for _, wanted := range []string{"the limit is 7", "published version 2 with a limit of 8"} {
		if !lines.Scan() || lines.Text() != wanted {
			t.Errorf("it says %q, not %q", lines.Text(), wanted)
		}
		configMap.Update(map[string]string{"MAX_CONNECTIONS": "8"})
	}
	run.Process.Kill()
	run.Wait()
}

func TestVersionsAgree(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "libcmreload-"+cmreload.LibraryVersion()+"-linux") {
		t.Errorf("the README is not of version %s", cmreload.LibraryVersion())
	}
}
