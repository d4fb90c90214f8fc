package cmreload_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cmreload"
	"cmreload/cmreloadtest"
)

// footprint is what must not grow.
type footprint struct{ goroutines, threads, descriptors int }

func currentFootprint(t *testing.T) footprint {
	t.Helper()
	count := func(folder string) int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	return footprint{runtime.NumGoroutine(), count("/proc/self/task"), count("/proc/self/fd")}
}

func TestAThousandConfigsLeaveNothingBehind(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t, map[string]string{"a": "1"})
	cycle := func() {
		config, err := cmreload.Open(configMap.Path(), cmreload.WithOnChange(func(cmreload.Event) {}))
		if err != nil {
			t.Fatal(err)
		}
		config.OnChange(func(cmreload.Event) {})
		if _, err := config.Reload(within(t)); err != nil {
			t.Fatal(err)
		}
		config.Close()
		if _, err := cmreload.Open(configMap.Path() + "/absent"); err == nil {
			t.Fatal("an absent mount opens")
		}
	}
	// One that stays open keeps the library's threads: what else there is has come by cycles.
	config, err := cmreload.Open(configMap.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	for range 50 {
		cycle()
	}
	before := currentFootprint(t)
	for range 1000 {
		cycle()
	}
	// Goroutines end a moment after Close, and descriptors after the load that opened them; threads
	// of Go's that were needed once are kept by it. Its runtime may begin a goroutine of its own.
	isNoMore := func(after footprint) bool {
		return after.goroutines <= before.goroutines+2 && after.descriptors <= before.descriptors &&
			after.threads <= before.threads+2
	}
	after := currentFootprint(t)
	for deadline := time.Now().Add(patience); !isNoMore(after) && time.Now().Before(deadline); {
		runtime.Gosched()
		after = currentFootprint(t)
	}
	if !isNoMore(after) {
		t.Errorf("%+v became %+v", before, after)
	}
}

func TestReadersSeeOneVersionWhateverHappens(t *testing.T) {
	const keys, updates = 5, 300 // make check does ten thousand
	rounds := updates
	if text := os.Getenv("CMRELOAD_UPDATES"); text != "" {
		rounds, _ = strconv.Atoi(text)
	}
	data := func(number int) map[string]string {
		data := map[string]string{"e.json": fmt.Sprintf(`{"n": [%d]}`, number)}
		for i := range keys - 1 {
			data[fmt.Sprint("key", i)] = strconv.Itoa(number)
		}
		return data
	}
	config, configMap := open(t, data(0))
	var readers sync.WaitGroup
	var over atomic.Bool
	for range 8 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			newest := int64(-1)
			for ; !over.Load(); runtime.Gosched() {
				version := config.Current()
				number, err := version.Int("e.json#/n/0")
				if err != nil || number < newest {
					t.Errorf("version %d has %d, %v; %d was seen before", version.Version(), number, err, newest)
					return
				}
				newest = number
				for i := range keys - 1 {
					if other, err := version.Int(fmt.Sprint("key", i)); err != nil || other != number {
						t.Errorf("version %d mixes %d and %d, %v", version.Version(), number, other, err)
						return
					}
				}
			}
		}()
	}
	for i := range rounds {
		configMap.Update(data(i + 1))
	}
	ctx := within(t)
	for number := int64(0); number != int64(rounds); {
		version, err := config.Reload(ctx)
		if err != nil {
			t.Fatal(err)
		}
		number, _ = version.Int("key0")
	}
	over.Store(true)
	readers.Wait()
}

func TestOtherProgramsAreNotAffected(t *testing.T) {
	if os.Getenv("CMRELOAD_CHILD") != "" {
		behaveAsChild()
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	children := make(chan error, 1)
	run := func() error {
		child := exec.Command(program, "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), "CMRELOAD_CHILD=1")
		output, err := child.StdoutPipe()
		if err != nil {
			return err
		}
		if err := child.Start(); err != nil {
			return err
		}
		line, _ := bufio.NewReader(output).ReadString('\n')
		if line != "ready\n" {
			return fmt.Errorf("the child says %q", line)
		}
		// It ends by a signal, which none of the library's threads has blocked for it.
		child.Process.Signal(syscall.SIGTERM)
		err = child.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			return fmt.Errorf("the child ended with %v", err)
		}
		return nil
	}
	config, configMap := open(t, map[string]string{"a": "1"})
	if _, err := config.OnChange(func(cmreload.Event) { children <- run() }); err != nil {
		t.Fatal(err)
	}
	if err := run(); err != nil {
		t.Error(err)
	}
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	if err := <-children; err != nil {
		t.Errorf("from a callback: %v", err)
	}
}

// behaveAsChild looks at what it inherited, says so, and waits for its end.
func behaveAsChild() {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if target, _ := os.Readlink(link); target == "anon_inode:inotify" {
			fmt.Println("an inotify instance was inherited")
		}
	}
	fmt.Println("ready")
	select {}
}
