package cmreload

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"cmreload/internal/abi"
)

// The library has one log for the process. Its lines begin with the name of the watcher that they
// are about, where it has one: such a line goes to that Config's logger, any other to the loggers
// of all.

type listener struct {
	config *Config
	name   string // may be ""
}

var (
	// listeners are the Configs that are open and have a logger; a list is never changed.
	listeners atomic.Pointer[[]listener]
	// listening is held while the list is replaced.
	listening sync.Mutex
)

func (c *Config) startLogging(name string) {
	if c.logger != nil {
		replaceListeners(c, listener{c, name})
	}
}

// stopLogging returns when no line is being written to the logger any more.
func (c *Config) stopLogging() {
	if c.logger != nil {
		replaceListeners(c)
	}
}

// replaceListeners lets those given listen for a Config, and those before no longer.
func replaceListeners(config *Config, added ...listener) {
	listening.Lock()
	defer listening.Unlock()
	all := added
	if before := listeners.Load(); before != nil {
		for _, l := range *before {
			if l.config != config {
				all = append(all, l)
			}
		}
	}
	listeners.Store(&all)
	// Setting the receiver waits for lines that are being written to those before.
	if len(all) == 0 {
		abi.SetLog(nil)
	} else {
		abi.SetLog(writeLog)
	}
}

// levels are those of CMR_LOG_ERROR, _WARN, _INFO and _DEBUG, which count from 1.
var levels = [...]slog.Level{
	1: slog.LevelError, 2: slog.LevelWarn, 3: slog.LevelInfo, 4: slog.LevelDebug,
}

// writeLog receives a line of the library's.
func writeLog(number int32, line string) {
	level := slog.LevelDebug
	if number >= 1 && int(number) < len(levels) {
		level = levels[number]
	}
	all := *listeners.Load()
	for _, l := range all {
		if rest, ok := strings.CutPrefix(line, l.name+": "); ok && l.name != "" {
			l.config.logger.Log(context.Background(), level, rest, "watcher", l.name)
			return
		}
	}
	written := make(map[*slog.Logger]bool, len(all))
	for _, l := range all {
		if logger := l.config.logger; !written[logger] {
			written[logger] = true
			logger.Log(context.Background(), level, line)
		}
	}
}

// log writes what the binding itself has to say, which must not go unheard.
func (c *Config) log(message string, attributes ...any) {
	logger := c.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Error(message, attributes...)
}
