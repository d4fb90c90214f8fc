package scenarios

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cmreload"
)

// A mount is staged key by key, then published whole by swap, or by the numbered steps of the
// kubelet's atomic_writer.go one at a time, so that a story can stop between any two.
type mount struct {
	name  string
	keys  []*key
	fresh string // the timestamped directory that is being written
	old   string // the one that the rename left behind
}

type key struct {
	name, content string
	mode          uint32
}

var (
	mounts = map[string]*mount{}
	chosen *mount
	serial int
)

func chooseMount(name string) {
	if mounts[name] == nil {
		mounts[name] = &mount{name: name}
	}
	chosen = mounts[name]
	must(os.MkdirAll(place(name), 0o755))
}

// within gives a path below the mount.
func within(name string) string {
	if chosen == nil {
		fail("no mount yet")
	}
	return place(chosen.name + "/" + name)
}

// staged gives a key of the mount, a new one where there is none.
func staged(name string) *key {
	within("")
	for _, key := range chosen.keys {
		if key.name == name {
			return key
		}
	}
	chosen.keys = append(chosen.keys, &key{name: name, mode: 0o644})
	return chosen.keys[len(chosen.keys)-1]
}

func removeKey() {
	before := len(chosen.keys)
	chosen.keys = slices.DeleteFunc(chosen.keys, func(k *key) bool { return k.name == word(1) })
	if len(chosen.keys) == before {
		fail("there is no key %s", word(1))
	}
}

func swap() {
	var files []cmreload.File
	path := within("")
	for _, key := range chosen.keys {
		files = append(files, cmreload.File{
			Key: key.name, Content: []byte(key.content), Mode: fs.FileMode(key.mode),
		})
	}
	must(cmreload.WriteMount(path, files...))
}

func kubelet() {
	within("")
	switch word(1) {
	case "directory":
		makeDirectory()
	case "payload":
		writePayload()
	case "data_tmp": // step 8
		must(os.Symlink(chosen.fresh, within("..data_tmp")))
	case "rename": // step 9
		chosen.old, _ = os.Readlink(within("..data"))
		must(os.Rename(within("..data_tmp"), within("..data")))
	case "links": // step 10; before the rename on older kubelets
		for _, key := range chosen.keys {
			if err := os.Symlink("..data/"+key.visible(), within(key.visible())); !os.IsExist(err) {
				must(err)
			}
		}
	case "unlinks":
		removeLinks()
	case "remove_old": // step 12
		must(os.RemoveAll(within(chosen.old)))
	default:
		fail("the kubelet has no step %s", word(1))
	}
}

// visible gives the name of the link that users see: a key in a directory is seen through that.
func (k *key) visible() string {
	name, _, _ := strings.Cut(k.name, "/")
	return name
}

func makeDirectory() { // step 5
	serial++
	chosen.fresh = fmt.Sprintf("..2026_01_02_03_04_05.%09d", serial)
	must(os.Mkdir(within(chosen.fresh), 0o755))
}

func writePayload() { // steps 6 and 7
	for _, key := range chosen.keys {
		path := within(chosen.fresh + "/" + key.name)
		writeFile(path, os.O_EXCL, key.content)
		must(os.Chmod(path, os.FileMode(key.mode)))
	}
}

func removeLinks() { // step 11
	entries, err := os.ReadDir(within(""))
	must(err)
	for _, entry := range entries {
		isWanted := strings.HasPrefix(entry.Name(), "..") || slices.ContainsFunc(chosen.keys,
			func(k *key) bool { return k.visible() == entry.Name() })
		if !isWanted && entry.Type() == fs.ModeSymlink {
			must(os.Remove(within(entry.Name())))
		}
	}
}

// ---- a storm ----

// storm swaps while this process stands still, after more happened in the mount than the kernel
// keeps notifications of: of the swap itself there is none.
func storm() {
	path := within("")
	makeDirectory()
	writePayload()
	must(os.Symlink(chosen.fresh, within("..data_tmp")))
	writeFile(within("..one"), 0, "")
	program, err := os.Executable()
	must(err)
	other := exec.Command(program)
	other.Dir = path
	other.Env = append(os.Environ(), stormVariable+"="+strconv.Itoa(os.Getpid()))
	output, err := other.CombinedOutput()
	if err != nil {
		fail("the storm did not come: %s", output)
	}
}

// raiseStorm is the other process of a storm; it is in the mount.
func raiseStorm() {
	story.line = &line{words: []string{"storm"}}
	process, err := strconv.Atoi(os.Getenv(stormVariable))
	must(err)
	must(syscall.Kill(process, syscall.SIGSTOP))
	defer syscall.Kill(process, syscall.SIGCONT)
	for !standsStill(process) {
		time.Sleep(time.Millisecond)
	}
	// Twice as many: a thread that stops a moment after the others takes some of them.
	for range queueLength() {
		must(os.Rename("..one", "..other"))
		must(os.Rename("..other", "..one"))
	}
	must(os.Rename("..data_tmp", "..data"))
}

func standsStill(process int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(process), "stat"))
	must(err)
	return strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')'):]), ") T")
}

// queueLength says how many notifications the kernel keeps.
func queueLength() int {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	must(err)
	length, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(err)
	return length
}
