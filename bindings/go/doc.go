// Package cmreload follows the configuration of a Kubernetes pod while the process runs: mounted
// ConfigMaps and Secrets, directories, files, environment variables and defaults.
//
//	config, err := cmreload.Open("/etc/config")
//	if err != nil {
//		return err
//	}
//	defer config.Close()
//	limit, err := config.Current().Int("MAX_CONNECTIONS")
//
// A [Config] always has a current version: a [Snapshot] of all keys, read from one generation of
// each source, parsed, immutable. When a source changes, the library loads again and publishes the
// next version; what cannot be read or parsed is rejected as a whole, and the version before stays.
// Each version is copied into Go's memory once, when it is published. Reading it is a look-up in a
// map: no lock, no cgo, no allocation.
//
// Programs hear of versions by [Config.Changes] or [Config.OnChange]. A request that must not see
// two versions keeps one [Snapshot] from beginning to end.
//
// # Threads
//
// The library has two threads for all Configs of a process. On them versions are copied, and lines
// written to loggers; callbacks run on goroutines of their own. A program that starts others with
// [os/exec] needs to do nothing.
//
// # Values and secrets
//
// No value of a key is written to an error, to the log, or by printing a [Config], [Snapshot] or
// [Value] with package fmt, nor by package slog when it logs one of them or an [Event]. What a
// version was copied to is Go's memory: it is not wiped.
package cmreload
