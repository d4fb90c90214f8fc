// Package cmreloadtest makes ConfigMaps for tests: mounts that change as the kubelet changes them,
// without a cluster.
//
//	func TestLogLevel(t *testing.T) {
//		configMap := cmreloadtest.NewConfigMap(t, map[string]string{"LOG_LEVEL": "info"})
//		config, err := cmreload.Open(configMap.Path())
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer config.Close()
//		configMap.UpdateAndWait(config, map[string]string{"LOG_LEVEL": "debug"})
//		...
//	}
package cmreloadtest

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"cmreload"
)

// patience is how long a reload may take: longer than any does, shorter than a test's.
const patience = 10 * time.Second

// A ConfigMap is one that is mounted in a directory of the test's own. Its methods may be called by
// any goroutine; what goes wrong in them fails the test, and ends the goroutine.
type ConfigMap struct {
	t    testing.TB
	path string

	mutex sync.Mutex
	data  map[string]string
}

// NewConfigMap mounts a ConfigMap with this data until the test ends.
func NewConfigMap(t testing.TB, data map[string]string) *ConfigMap {
	t.Helper()
	c := &ConfigMap{t: t, path: t.TempDir(), data: make(map[string]string)}
	c.Update(data)
	return c
}

// Path gives the directory where the ConfigMap is mounted.
func (c *ConfigMap) Path() string { return c.path }

// Update sets keys, leaves the others as they are, and publishes all of them at once.
func (c *ConfigMap) Update(data map[string]string) {
	c.t.Helper()
	c.write(func() { maps.Copy(c.data, data) })
}

// Delete removes keys, and publishes what is left.
func (c *ConfigMap) Delete(keys ...string) {
	c.t.Helper()
	c.write(func() {
		for _, key := range keys {
			delete(c.data, key)
		}
	})
}

// UpdateAndWait updates, waits until the configuration has taken it up or refused it, and gives the
// version that is current then. The error of a refusal is a [*cmreload.Error].
func (c *ConfigMap) UpdateAndWait(
	config *cmreload.Config, data map[string]string,
) (*cmreload.Snapshot, error) {
	c.t.Helper()
	c.Update(data)
	// A reload begins after the update, so that when it has ended the update has been seen.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return config.Reload(ctx)
}

// write changes the data and publishes it.
func (c *ConfigMap) write(change func()) {
	c.t.Helper()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	change()
	files := make([]cmreload.File, 0, len(c.data))
	for key, content := range c.data {
		files = append(files, cmreload.File{Key: key, Content: []byte(content)})
	}
	if err := cmreload.WriteMount(c.path, files...); err != nil {
		c.t.Fatalf("cmreloadtest: %v", err)
	}
}
