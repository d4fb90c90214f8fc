package cmreload_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"cmreload"
	"cmreload/cmreloadtest"
)

// patience is how long anything may take that must happen; nothing waits for it to pass.
const patience = 10 * time.Second

// open opens a ConfigMap for as long as the test takes.
func open(
	t testing.TB, data map[string]string, options ...cmreload.Option,
) (*cmreload.Config, *cmreloadtest.ConfigMap) {
	t.Helper()
	configMap := cmreloadtest.NewConfigMap(t, data)
	config, err := cmreload.Open(configMap.Path(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { config.Close() })
	return config, configMap
}

// within is a context that ends when patience does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func statusIsNot(err error, status cmreload.Status) bool { return !errors.Is(err, status) }

func mustUpdate(
	t testing.TB, configMap *cmreloadtest.ConfigMap, config *cmreload.Config, data map[string]string,
) *cmreload.Snapshot {
	t.Helper()
	version, err := configMap.UpdateAndWait(config, data)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func expectText(t testing.TB, version *cmreload.Snapshot, path, wanted string) {
	t.Helper()
	if got, err := version.String(path); err != nil || got != wanted {
		t.Errorf("%s is %q (%v), not %q", path, got, err, wanted)
	}
}

func TestFollowsAMount(t *testing.T) {
	config, configMap := open(t, map[string]string{"LOG_LEVEL": "info\n"})
	first := config.Current()
	expectText(t, first, "LOG_LEVEL", "info")
	if first.Version() != 1 || first.Generation() == "" || len(first.Checksum()) != 32 ||
		time.Since(first.Published()) > time.Hour {
		t.Errorf("the first version is %+v", first)
	}
	configMap.Update(map[string]string{"LOG_LEVEL": "debug"})
	second, err := config.Wait(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	expectText(t, second, "LOG_LEVEL", "debug")
	expectText(t, first, "LOG_LEVEL", "info")
	if config.Current() != second || config.Version() != 2 {
		t.Errorf("the current version is %v", config.Current())
	}
}

func TestLayersSources(t *testing.T) {
	t.Setenv("CMRELOAD_TEST_a", "environment")
	directory := t.TempDir()
	file := filepath.Join(directory, "b")
	if err := os.WriteFile(file, []byte("file"), 0o644); err != nil {
		t.Fatal(err)
	}
	config, _ := open(t, map[string]string{"a": "mount", "b": "mount", "c": "mount"},
		cmreload.WithFile(file),
		cmreload.WithEnvironment("CMRELOAD_TEST_"),
		cmreload.WithDefaults(map[string]string{"c": "default", "d": "default"}),
		cmreload.WithMount(directory),
		cmreload.WithName("layers"))
	expectText(t, config.Current(), "a", "environment")
	expectText(t, config.Current(), "b", "file")
	expectText(t, config.Current(), "c", "mount")
	expectText(t, config.Current(), "d", "default")
}

func TestOptionalSourcesMayBeMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := cmreload.Open(missing); !errors.Is(err, fs.ErrNotExist) ||
		statusIsNot(err, cmreload.ErrIO) {
		t.Errorf("a missing mount: %v", err)
	}
	for _, options := range [][]cmreload.Option{
		{cmreload.WithOptional()},
		{cmreload.WithOptional(cmreload.WithMount(missing), cmreload.WithFile(missing+"/file"))},
	} {
		path := missing
		if len(options) == 1 {
			path = ""
		}
		options = append(options, cmreload.WithMount(t.TempDir()))
		config, err := cmreload.Open(path, options...)
		if err != nil {
			t.Fatal(err)
		}
		config.Close()
	}
	_, err := cmreload.Open("", cmreload.WithOptional(cmreload.WithFile(missing)),
		cmreload.WithMount(missing))
	if statusIsNot(err, cmreload.ErrIO) {
		t.Errorf("a mount beside an optional file: %v", err)
	}
}

func TestRefusesWhatIsNoOption(t *testing.T) {
	for name, option := range map[string]cmreload.Option{
		"WithSettle":        cmreload.WithSettle(-time.Second),
		"WithRescan":        cmreload.WithRescan(1<<63 - 1),
		"WithPoll":          cmreload.WithPoll(0),
		"WithMaxValueBytes": cmreload.WithMaxValueBytes(0),
		"WithMaxTotalBytes": cmreload.WithMaxTotalBytes(-1),
		"WithMaxKeys":       cmreload.WithMaxKeys(0),
		"WithMaxDepth":      cmreload.WithMaxDepth(1_000_000),
	} {
		_, err := cmreload.Open(t.TempDir(), option)
		var failure *cmreload.Error
		if !errors.As(err, &failure) || failure.Status != cmreload.ErrInvalidArgument ||
			failure.Key != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{"a\x00b", string(make([]byte, 5000))} {
		if _, err := cmreload.Open(path); err == nil {
			t.Errorf("the path %.3q is accepted", path)
		}
	}
}

func TestOptionsReachTheLibrary(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "[1]", "b.json": "{"},
		cmreload.WithJSONSniffing(), cmreload.WithLenientParsing(), cmreload.WithMaxValueBytes(10),
		cmreload.WithMaxTotalBytes(25), cmreload.WithMaxKeys(3), cmreload.WithMaxDepth(2),
		cmreload.WithSettle(time.Millisecond), cmreload.WithRescan(time.Minute),
		cmreload.WithPoll(time.Second))
	if element, err := config.Current().Int("a#/0"); err != nil || element != 1 {
		t.Errorf("a is not sniffed: %v", err)
	}
	expectText(t, config.Current(), "b.json", "{")
	for name, data := range map[string]map[string]string{
		"value": {"c": "12345678901"},
		"total": {"c": "1234567890", "a": "1234567890", "b.json": "1234567890"},
		"keys":  {"c": "", "d": ""},
	} {
		if _, err := configMap.UpdateAndWait(config, data); statusIsNot(err, cmreload.ErrLimit) {
			t.Errorf("the limit of %s: %v", name, err)
		}
		configMap.Delete("c", "d")
		mustUpdate(t, configMap, config, map[string]string{"a": "[1]", "b.json": "{"})
	}
}

func TestReloadsOnDemand(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	same, err := config.Reload(context.Background())
	if err != nil || same != config.Current() || same.Version() != 1 {
		t.Errorf("an idle reload gives %v, %v", same, err)
	}
	configMap.Update(map[string]string{"a": "2"})
	newer, err := config.Reload(within(t))
	if err != nil || newer.Version() != 2 || config.Current() != newer {
		t.Errorf("a reload gives %v, %v", newer, err)
	}
	expectText(t, newer, "a", "2")
	configMap.Update(map[string]string{"bad.json": "{\n  1"})
	_, err = config.Reload(within(t))
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Status != cmreload.ErrParse || failure.Key != "bad.json" ||
		failure.Line != 2 || failure.Column != 3 {
		t.Errorf("bad content: %#v", err)
	}
	if config.Current() != newer || config.Stats().Healthy {
		t.Errorf("after bad content: %v, %+v", config.Current(), config.Stats())
	}
	configMap.Delete("bad.json")
	config.RequestReload()
	configMap.Update(map[string]string{"a": "3"})
	if version, err := config.Wait(within(t), 2); err != nil || !config.Stats().Healthy {
		t.Errorf("after good content: %v, %v, %+v", version, err, config.Stats())
	}
}

func TestContextsEndEveryWait(t *testing.T) {
	config, _ := open(t, map[string]string{"a": "1"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := config.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	if version, err := config.Wait(ctx, 0); err != nil || version.Version() != 1 {
		t.Errorf("Wait for what is there: %v, %v", version, err)
	}
	for range config.Changes(ctx) {
		t.Error("an event came")
	}
	// The load may be over before anybody looks at the context.
	if _, err := config.Reload(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Reload: %v", err)
	}
}

func TestCloseEndsEveryWait(t *testing.T) {
	config, _ := open(t, map[string]string{"a": "1"})
	ended := make(chan error)
	wait := func(f func() error) { go func() { ended <- f() }() }
	wait(func() error { _, err := config.Wait(context.Background(), 1); return err })
	wait(func() error {
		for range config.Changes(context.Background()) {
		}
		return cmreload.ErrState
	})
	wait(func() error { return config.Close() })
	for range 3 {
		select {
		case err := <-ended:
			if err != nil && statusIsNot(err, cmreload.ErrState) {
				t.Error(err)
			}
		case <-within(t).Done():
			t.Fatal("somebody waits still")
		}
	}
}

func TestClosesWhatCouldNotBeOpened(t *testing.T) {
	config, err := cmreload.Open(t.TempDir() + "/missing")
	if config != nil || err == nil {
		t.Fatalf("opened %v, %v", config, err)
	}
	if err := config.Close(); err != nil { // as whoever defers it before looking at the error
		t.Error(err)
	}
}

func TestAClosedConfigAnswers(t *testing.T) {
	config, _ := open(t, map[string]string{"a": "1"})
	version := config.Current()
	if err := errors.Join(config.Close(), config.Close()); err != nil {
		t.Error(err)
	}
	if config.Current() != version {
		t.Error("the current version is another one")
	}
	expectText(t, version, "a", "1")
	if _, err := config.Reload(context.Background()); statusIsNot(err, cmreload.ErrState) {
		t.Errorf("Reload: %v", err)
	}
	if _, err := config.Wait(context.Background(), 1); statusIsNot(err, cmreload.ErrState) {
		t.Errorf("Wait: %v", err)
	}
	held, release := config.Hold()
	release()
	if stats := config.Stats(); held != version || stats.Version != 1 || stats.ReloadsSucceeded != 1 {
		t.Errorf("Hold gives %v, Stats %+v", held, stats)
	}
	config.RequestReload()
	for range config.Changes(context.Background()) {
		t.Error("an event came")
	}
	if _, err := config.OnChange(func(cmreload.Event) { t.Error("a callback came") }); err != nil {
		t.Errorf("OnChange: %v", err)
	}
}

func TestHoldsAVersion(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	version, release := config.Hold()
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	if stats := config.Stats(); stats.HeldSnapshots != 1 || version.Version() != 1 {
		t.Errorf("%v is held, %+v", version, stats)
	}
	release()
	release()
	if stats := config.Stats(); stats.HeldSnapshots != 0 {
		t.Errorf("released twice: %+v", stats)
	}
	current, release := config.Hold()
	defer release()
	if current != config.Current() {
		t.Errorf("%v is held, %v is current", current, config.Current())
	}
}

func TestUnchangedKeysAreShared(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1", "big.json": `{"b": [1, 2, 3]}`})
	before, _ := config.Current().Value("big.json")
	after, _ := mustUpdate(t, configMap, config, map[string]string{"a": "2"}).Value("big.json")
	if before != after {
		t.Error("what did not change was copied again")
	}
}

func TestNeverTellsAValue(t *testing.T) {
	config, configMap := open(t,
		map[string]string{"password": "hunter2", "a.json": `{"b": "hunter2"}`})
	version := config.Current()
	value, _ := version.Value("password")
	_, wrong := version.Int("password")
	_, wrongPart := version.Bool("a.json#/b")
	var target struct {
		B int `json:"b"`
	}
	wrongField := version.Unmarshal("a.json", &target)
	_, parse := configMap.UpdateAndWait(config, map[string]string{"a.json": `{"b": hunter2}`})
	for _, printed := range []any{
		version, value, *version, []any{version}, wrong, wrongPart, wrongField, parse,
		version.LogValue(), config.Stats(), config,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			text := fmt.Sprintf(verb, printed)
			if slices.ContainsFunc([]string{"hunter2", "68756e746572"}, func(secret string) bool {
				return containsText(text, secret)
			}) {
				t.Errorf("%s of a %T tells the value: %s", verb, printed, text)
			}
		}
	}
}
