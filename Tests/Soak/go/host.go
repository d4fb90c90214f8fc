// Host is a host in Go: what host.c does, through the package for Go.
//
//	host DIRECTORY BOARD HOST MOUNTS [FAULTS]
//
// On every fifth mount a callback panics, on every tenth one is slow; validators panic or fail at
// what is marked. FAULTS, of which "descriptors" is one: files that are never closed.
package main

/*
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>

static size_t allocated(void) {
	malloc_trim(0);
	struct mallinfo2 used = mallinfo2();
	return used.uordblks + used.hblkhd;
}

static void die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }
*/
import "C"

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"cmreload"
)

const (
	hosts, header, mount = 3, 16, 8
	slow                 = 20 * time.Millisecond
	look                 = time.Millisecond
	heldAtATime          = 64
)

// Words of the header, of a mount by the writer, of a host, and of a host for a mount.
const (
	leave     = 1
	rollbacks = 1
)
const (
	ready = iota
	events
	heap
	objects
	heldSnapshots
	reads
	visitors
	failures
)
const (
	generation = iota
	published
	rejected
	lost
	recovered
	rolledBack
	version
)

var (
	board     []atomic.Uint64
	mine      []atomic.Uint64
	directory string
	follows   []*follow
	faults    string
)

// A follow is one mount, and the Config that follows it.
type follow struct {
	index, keys    int
	path           string
	config         *cmreload.Config
	wanted, heard  []atomic.Uint64
	newest         *cmreload.Snapshot
	newestIs       int64 // its generation
	rolledBack     uint64
	panics         atomic.Uint64
	refusesByPanic bool
}

func holds(statement bool, what string, index int) bool {
	if !statement && mine[failures].Add(1) <= 20 {
		fmt.Printf("failed: %s: Go, mount %d\n", what, index)
	}
	return statement
}

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// generationOf gives the generation that all values carry, -1 when they do not agree or some are
// missing.
func generationOf(snapshot *cmreload.Snapshot, keys int) int64 {
	common := int64(-1)
	if snapshot.Len() != keys {
		return -1
	}
	for _, value := range snapshot.All() {
		number, last := value, value
		if value.Kind() == cmreload.KindObject {
			number, last = value.Member("gen"), value.Member("gen_end")
		}
		found, err := number.Int()
		if err != nil {
			text, _ := value.Text()
			_, digits, _ := strings.Cut(text, "gen=")
			digits, _, _ = strings.Cut(digits, ";")
			if found, err = strconv.ParseInt(strings.TrimSpace(digits), 10, 64); err != nil {
				return -1
			}
		} else if end, _ := last.Int(); end != found {
			return -1
		}
		if common >= 0 && common != found {
			return -1
		}
		common = found
	}
	return common
}

func isMarked(snapshot *cmreload.Snapshot) bool {
	text, _ := snapshot.String("LOG_LEVEL")
	return strings.HasSuffix(text, "!")
}

func (f *follow) validate(candidate *cmreload.Snapshot) error {
	switch {
	case !isMarked(candidate):
		return nil
	case f.refusesByPanic:
		f.panics.Add(1)
		panic("marked")
	default:
		return errors.New("marked")
	}
}

func (f *follow) fail(cmreload.Event) {
	f.panics.Add(1)
	panic("always")
}

func (f *follow) hear(event cmreload.Event) {
	mine[events].Add(1)
	switch event.Kind {
	case cmreload.EventPublished:
		f.hearPublished(event)
	case cmreload.EventRejected:
		f.heard[rejected].Add(1)
	case cmreload.EventSourceLost:
		f.heard[lost].Add(1)
	case cmreload.EventSourceRecovered:
		f.heard[recovered].Add(1)
	}
}

func (f *follow) hearPublished(event cmreload.Event) {
	found := generationOf(event.Snapshot, f.keys)
	back := event.Cause == cmreload.CauseRollback
	if !holds(found > 0, "torn: an event", f.index) {
		return
	}
	holds(event.Previous == f.newest, "out of order: the version before", f.index)
	holds(f.newest == nil || event.Snapshot.Version() > f.newest.Version(), "out of order: a version",
		f.index)
	holds(back == (found < f.newestIs) && found != f.newestIs, "out of order: a generation", f.index)
	// f.config is nil while Open tells of the first version.
	holds(f.config == nil || f.config.Version() >= event.Snapshot.Version(), "stale: what readers see",
		f.index)
	f.newest, f.newestIs = event.Snapshot, found
	f.heard[version].Store(event.Snapshot.Version())
	f.heard[generation].Store(uint64(found))
	f.heard[published].Add(1)
	if back {
		f.heard[rolledBack].Add(1)
	}
}

// look looks at a snapshot that is at least as new as told, and gives its generation.
func (f *follow) look(snapshot *cmreload.Snapshot, told uint64) int64 {
	mine[reads].Add(1)
	found := generationOf(snapshot, f.keys)
	holds(found > 0 && !isMarked(snapshot), "torn: a snapshot", f.index)
	holds(snapshot.Version() >= told, "stale: a snapshot", f.index)
	return found
}

func begin(index, host, count int) *follow {
	f := &follow{
		index: index, keys: 4, path: filepath.Join(directory, strconv.Itoa(index)),
		refusesByPanic: index%2 == 1,
	}
	rescan := time.Duration(0)
	if index%10 == 0 {
		f.keys = 20
	}
	if index%2 == 1 { // behind the others stands nothing that finds what a notification missed
		rescan = time.Second
	}
	mounts := board[header*(1+hosts):]
	f.wanted = mounts[mount*index:]
	f.heard = mounts[mount*(count*(1+host)+index):]
	options := []cmreload.Option{
		cmreload.WithRescan(rescan), cmreload.WithValidator(f.validate),
		cmreload.WithOnChange(f.hear), cmreload.WithLogger(slog.New(slog.DiscardHandler)),
	}
	if index%5 == 1 {
		options = append(options, cmreload.WithOnChange(f.fail))
	}
	if index%10 == 3 {
		options = append(options, cmreload.WithOnChange(func(cmreload.Event) { time.Sleep(slow) }))
	}
	config, err := cmreload.Open(f.path, options...)
	must(err)
	f.config = config
	return f
}

func (f *follow) rollBackAsTold() {
	if asked := f.wanted[rollbacks].Load(); asked != f.rolledBack {
		f.rolledBack = asked
		_, err := f.config.Rollback(0)
		holds(err == nil, "no way back", f.index)
	}
}

// visit watches for a moment. That cannot start while the mount is broken or gone.
func (f *follow) visit() {
	mine[visitors].Add(1)
	config, err := cmreload.Open(f.path)
	if err != nil {
		var reason *cmreload.Error
		fits := errors.As(err, &reason) &&
			(reason.Status == cmreload.ErrParse || reason.Status == cmreload.ErrIO)
		holds(fits, "a Config cannot be opened: "+err.Error(), f.index)
		return
	}
	defer config.Close()
	if current := config.Current(); current.Version() == 1 && current.Len() > 0 && !isMarked(current) {
		f.look(current, 1)
	}
}

// holdSnapshots reads the newest versions, and holds each for a while.
func holdSnapshots(left *atomic.Bool) {
	type held struct {
		where    *follow
		snapshot *cmreload.Snapshot
		release  func()
		found    int64
	}
	var ring [heldAtATime]held
	random := rand.New(rand.NewSource(1))
	for at := 0; !left.Load(); at = (at + 1) % heldAtATime {
		if old := ring[at]; old.release != nil {
			holds(old.where.look(old.snapshot, 0) == old.found, "torn: a snapshot that was held",
				old.where.index)
			old.release()
		}
		where := follows[random.Intn(len(follows))]
		told := where.heard[version].Load()
		snapshot, release := where.config.Hold()
		ring[at] = held{where, snapshot, release, where.look(snapshot, told)}
		time.Sleep(look)
	}
	for _, old := range ring {
		if old.release != nil {
			old.release()
		}
	}
}

func report() {
	held := 0
	for _, f := range follows {
		held += f.config.Stats().HeldSnapshots
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	mine[heldSnapshots].Store(uint64(held))
	mine[heap].Store(uint64(C.allocated()))
	mine[objects].Store(live[0].Value.Uint64())
}

func (f *follow) printStats() {
	stats := f.config.Stats()
	healthy := 0
	if stats.Healthy {
		healthy = 1
	}
	fmt.Println("mount", f.index, stats.Version, stats.ReloadsSucceeded, stats.ReloadsRejected,
		stats.SourceErrors, stats.Panics, f.panics.Load(), stats.HeldSnapshots, healthy)
}

func main() {
	C.die_with_parent()
	directory = os.Args[1]
	host, err := strconv.Atoi(os.Args[3])
	must(err)
	count, err := strconv.Atoi(os.Args[4])
	must(err)
	faults = strings.Join(os.Args[5:], " ")
	file, err := os.OpenFile(os.Args[2], os.O_RDWR, 0)
	must(err)
	words := (header + mount*count) * (hosts + 1)
	bytes, err := syscall.Mmap(int(file.Fd()), 0, words*8, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_SHARED)
	must(err)
	file.Close()
	board = unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&bytes[0])), words)
	mine = board[header*(1+host):]

	for index := range count {
		follows = append(follows, begin(index, host, count))
	}
	var left atomic.Bool
	var readers sync.WaitGroup
	readers.Add(1)
	go func() {
		defer readers.Done()
		holdSnapshots(&left)
	}()
	mine[ready].Store(1)
	random := rand.New(rand.NewSource(2))
	for round := 1; board[leave].Load() == 0; round++ {
		for _, f := range follows {
			f.rollBackAsTold()
		}
		if round%10 == 0 {
			follows[random.Intn(len(follows))].visit()
		}
		if round%100 == 0 {
			report()
			if strings.Contains(faults, "descriptors") {
				syscall.Open("/dev/null", syscall.O_RDONLY, 0)
			}
		}
		time.Sleep(look)
	}
	left.Store(true)
	readers.Wait()
	for _, f := range follows {
		f.printStats()
	}
	for _, f := range follows {
		f.config.Close()
	}
}
