package cmreload

import (
	"context"
	"iter"
	"math"

	"cmreload/internal/abi"
)

// Wait waits for a version newer than after, and gives the one that is current then.
func (c *Config) Wait(ctx context.Context, after uint64) (*Snapshot, error) {
	for {
		current, newer := c.orNewer(after)
		if newer == nil {
			return current, nil
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.done:
			return nil, errClosed()
		}
	}
}

// orNewer gives the current version if it is newer than after, otherwise what is closed when there is
// one that is newer than the current one.
func (c *Config) orNewer(after uint64) (*Snapshot, <-chan struct{}) {
	c.publishing.Lock()
	defer c.publishing.Unlock()
	current := c.current.Load()
	if current.version > after {
		return current, nil
	}
	if c.newer == nil {
		c.newer = make(chan struct{})
	}
	return nil, c.newer
}

// Reload loads all sources anew and gives the version that is current then: the same as before when
// nothing changed. What is wrong with the content is an [*Error].
//
// When ctx is done first, the load goes on without the caller.
func (c *Config) Reload(ctx context.Context) (*Snapshot, error) {
	if ctx.Done() == nil {
		return c.reload()
	}
	type outcome struct {
		version *Snapshot
		err     error
	}
	ended := make(chan outcome, 1)
	go func() {
		version, err := c.reload()
		ended <- outcome{version, err}
	}()
	select {
	case outcome := <-ended:
		return outcome.version, outcome.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Config) reload() (*Snapshot, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	if failure := c.watcher.Reload(); failure != nil {
		return nil, c.rejectionNow(failure)
	}
	return c.newest(), nil
}

// newest gives the current version, as new as the library's.
func (c *Config) newest() *Snapshot {
	held := c.watcher.Acquire()
	defer held.Release()
	return c.atLeast(held.Version(), held)
}

// RequestReload asks for a reload and returns at once.
func (c *Config) RequestReload() {
	if c.enter() == nil {
		defer c.leave()
		c.watcher.RequestReload()
	}
}

// Rollback publishes the content of an older version as a new one; 0 means the newest older content
// that was not itself left by a rollback. A source that offers the content that was left again is
// without effect until it has offered another; other sources go on. What was published once is not
// validated again.
func (c *Config) Rollback(version uint64) (*Snapshot, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	if failure := c.watcher.Rollback(version); failure != nil {
		return nil, errorOf(failure)
	}
	return c.newest(), nil
}

// Confirm keeps a version that would otherwise be taken back: see [WithConfirm].
func (c *Config) Confirm(version uint64) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return errorOf(c.watcher.Confirm(version))
}

// History walks from the current version back, as far as versions are kept: see [WithHistory]. The
// versions before the current one are copied anew for each walk.
func (c *Config) History() iter.Seq[*Snapshot] {
	return func(yield func(*Snapshot) bool) {
		for index, last := 0, uint64(math.MaxUint64); ; index++ {
			version := c.former(index)
			if version == nil {
				return
			}
			// Versions that are published meanwhile push those that are known further back.
			if version.version < last {
				last = version.version
				if !yield(version) {
					return
				}
			}
		}
	}
}

// former gives a version by its age, or nil.
func (c *Config) former(index int) *Snapshot {
	if c.enter() != nil {
		return nil
	}
	defer c.leave()
	held, failure := c.watcher.History(index)
	if failure != nil {
		return nil
	}
	defer held.Release()
	current := c.Current()
	if held.Version() == current.version {
		return current
	}
	return newSnapshot(held, current)
}

// drainingMS is how long the library is asked to wait at a time, for it cannot be told that the
// caller does not want to any more.
const drainingMS = 100

// Drain waits until nobody holds a version older than the current one: see [Config.Hold]. When ctx
// is done first, held says how many versions still are.
func (c *Config) Drain(ctx context.Context) (held int, err error) {
	return c.DrainBefore(ctx, c.Version())
}

// DrainBefore waits until nobody holds a version older than version.
func (c *Config) DrainBefore(ctx context.Context, version uint64) (held int, err error) {
	for timeoutMS := int64(0); ; timeoutMS = drainingMS {
		var failure *abi.Failure
		if err := c.enter(); err != nil {
			return held, err
		}
		held, failure = c.watcher.Drain(version, timeoutMS)
		c.leave()
		switch {
		case failure == nil:
			return 0, nil
		case failure.Status != abi.Timeout:
			return held, errorOf(failure)
		case ctx.Err() != nil:
			return held, ctx.Err()
		}
	}
}
