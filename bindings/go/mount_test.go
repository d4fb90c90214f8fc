package cmreload_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cmreload"
)

func TestWritesAMountAsTheKubeletDoes(t *testing.T) {
	path := t.TempDir()
	files := []cmreload.File{
		{Key: "a", Content: []byte("1")}, {Key: "user/labels", Content: []byte("x\x00y"),
			Mode: 0o600}, {Key: "empty"},
	}
	if err := cmreload.WriteMount(path, files...); err != nil {
		t.Fatal(err)
	}
	generation, err := os.Readlink(filepath.Join(path, "..data"))
	if err != nil || !strings.HasPrefix(generation, "..2") {
		t.Errorf("..data leads to %q, %v", generation, err)
	}
	if target, _ := os.Readlink(filepath.Join(path, "user")); target != "..data/user" {
		t.Errorf("user leads to %q", target)
	}
	if content, err := os.ReadFile(filepath.Join(path, "user/labels")); string(content) != "x\x00y" {
		t.Errorf("user/labels is %q, %v", content, err)
	}
	if info, err := os.Stat(filepath.Join(path, "user/labels")); err != nil || info.Mode() != 0o600 {
		t.Errorf("user/labels is %v, %v", info, err)
	}
	if err := cmreload.WriteMount(path, files...); err != nil {
		t.Error(err)
	}
	if same, _ := os.Readlink(filepath.Join(path, "..data")); same != generation {
		t.Error("unchanged content was written")
	}
	if err := cmreload.WriteMount(path); err != nil {
		t.Error(err)
	}
	if entries, _ := filepath.Glob(filepath.Join(path, "[^.]*")); len(entries) != 0 {
		t.Errorf("%q are left", entries)
	}
}

func TestRefusesWhatIsNoMount(t *testing.T) {
	path := t.TempDir()
	for name, err := range map[string]error{
		"no directory":  cmreload.WriteMount(filepath.Join(path, "absent"), cmreload.File{Key: "a"}),
		"no path":       cmreload.WriteMount(""),
		"a NUL in one":  cmreload.WriteMount(path+"\x00", cmreload.File{Key: "a"}),
		"no key":        cmreload.WriteMount(path, cmreload.File{}),
		"two dots":      cmreload.WriteMount(path, cmreload.File{Key: "..a"}),
		"a NUL":         cmreload.WriteMount(path, cmreload.File{Key: "a\x00b"}),
		"the same key":  cmreload.WriteMount(path, cmreload.File{Key: "a"}, cmreload.File{Key: "a"}),
		"no such mode":  cmreload.WriteMount(path, cmreload.File{Key: "a", Mode: os.ModeDir}),
		"a key outside": cmreload.WriteMount(path, cmreload.File{Key: "a/../../b"}),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
