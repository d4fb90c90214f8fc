package cmreload

import "cmreload/internal/abi"

// What tests outside of the package may look at.

// Watcher gives the library's side of a Config.
func (c *Config) Watcher() abi.Watcher { return c.watcher }

// Matches says whether a well-formed pattern matches a key.
func Matches(glob, key string) bool { return pattern(glob).matches(key) }

// Malformed says what is wrong with a pattern, or "".
func Malformed(glob string) string { return malformed(glob) }
