package scenarios

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The verbs that change the disk, and what they need of the machine.
var worldVerbs = map[string]func(){
	"mount":   func() { chooseMount(word(1)) },
	"write":   func() { staged(word(1)).content = repeated(2) },
	"mode":    func() { staged(word(1)).mode = mode(2) },
	"remove":  removeKey,
	"swap":    swap,
	"kubelet": kubelet,
	"storm":   storm,

	"directory": func() { must(os.MkdirAll(place(word(1)), 0o755)) },
	"file":      func() { writeFile(place(word(1)), os.O_TRUNC, repeated(2)) },
	"replace":   replaceFile,
	"overwrite": overwriteFile,
	"touch":     func() { now := time.Now(); must(os.Chtimes(place(word(1)), now, now)) },
	"chmod":     func() { must(os.Chmod(place(word(2)), os.FileMode(mode(1)))) },
	"move":      func() { must(os.Rename(place(word(1)), place(word(2)))) },
	"delete":    deleteTree,
	"link":      link,
	"fifo":      func() { must(syscall.Mkfifo(place(word(1)), 0o644)) },
	"socket":    makeSocket,
	"bind": func() {
		must(syscall.Mount(place(word(1)), place(word(2)), "", syscall.MS_BIND,
			""))
	},
	"overlay": func() { mountOverlay(place(word(1)), place(word(2))) },
	"unbind":  func() { must(syscall.Unmount(place(word(1)), syscall.MNT_DETACH)) },

	"environment": func() { must(os.Setenv(word(1), word(2))) },
	"churn":       beginChurn,
	"calm":        endChurn,
	"exhaust":     exhaustInotify,
	"free":        freeInotify,
	"needs":       need,
}

func mode(index int) uint32 {
	value, err := strconv.ParseUint(word(index), 8, 32)
	must(err)
	return uint32(value)
}

func writeFile(path string, flags int, content string) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o644)
	must(err)
	_, err = file.WriteString(content)
	must(err)
	must(file.Close())
}

func replaceFile() {
	path := place(word(1))
	writeFile(path+"~", os.O_TRUNC, repeated(2))
	must(os.Rename(path+"~", path))
}

// overwriteFile writes other bytes of the same number, and puts the old times back.
func overwriteFile() {
	path, content := place(word(1)), repeated(2)
	before, err := os.Stat(path)
	must(err)
	if before.Size() != int64(len(content)) {
		fail("%s has %d bytes, not %d", word(1), before.Size(), len(content))
	}
	writeFile(path, 0, content)
	must(os.Chtimes(path, before.ModTime(), before.ModTime()))
}

func deleteTree() {
	_, err := os.Lstat(place(word(1)))
	must(err)
	must(os.RemoveAll(place(word(1))))
}

// link makes a symbolic link. One that is there already is replaced by a rename.
func link() {
	path := place(word(1))
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.Symlink(word(2), path+"~"))
	must(os.Rename(path+"~", path))
}

func makeSocket() {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: place(word(1)), Net: "unix"})
	must(err)
	listener.SetUnlinkOnClose(false)
	must(listener.Close())
}

// ---- what never rests ----

// churning is a file that is written again and again by another goroutine.
var churning struct {
	end  chan struct{}
	done sync.WaitGroup
}

func beginChurn() {
	path := place(word(1))
	churning.end = make(chan struct{})
	churning.done.Add(1)
	go func() {
		defer churning.done.Done()
		turns := time.NewTicker(time.Millisecond)
		defer turns.Stop()
		for turn := 0; ; turn++ {
			select {
			case <-churning.end:
				return
			case <-turns.C:
				os.WriteFile(path, fmt.Appendf(nil, "%d", turn), 0o644)
			}
		}
	}()
}

func endChurn() {
	close(churning.end)
	churning.done.Wait()
}

// ---- what the machine allows ----

func need() {
	switch word(1) {
	case "process", "mounts": // each story has a process to itself here, which run gave its mounts
	case "unprivileged":
		becomeNobody(false)
	case "private-user":
		becomeNobody(true)
	default:
		fail("nothing is known about %s", word(1))
	}
}

// mountOverlay mounts a directory with a layer over it that takes what is written.
func mountOverlay(below, path string) {
	upper, work := filepath.Join(path, "upper"), filepath.Join(path, "work")
	must(os.Mkdir(path, 0o755))
	must(syscall.Mount("none", path, "tmpfs", 0, ""))
	must(os.Mkdir(upper, 0o755))
	must(os.Mkdir(work, 0o755))
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", below, upper, work)
	if syscall.Mount("none", path, "overlay", 0, options) != nil {
		skip("needs overlayfs")
	}
}

// becomeNobody becomes a user whom permissions bind and who shares no limit with anybody.
func becomeNobody(isPrivate bool) {
	if os.Geteuid() != 0 {
		if isPrivate {
			skip("needs root, to become a user of its own")
		}
		return
	}
	user := 600_000 + os.Getpid()
	must(os.Chown(story.directory, user, user))
	must(syscall.Setgroups(nil))
	must(syscall.Setgid(user))
	must(syscall.Setuid(user))
}

// taken are the inotify instances that were taken.
var taken []int

// exhaustInotify takes every inotify instance that the user may have.
func exhaustInotify() {
	for {
		descriptor, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
		if err == syscall.EMFILE {
			return
		}
		must(err)
		taken = append(taken, descriptor)
	}
}

// freeInotify gives all back.
func freeInotify() {
	for _, descriptor := range taken {
		must(syscall.Close(descriptor))
	}
	taken = nil
}
