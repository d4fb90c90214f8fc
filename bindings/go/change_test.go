package cmreload_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"cmreload"
)

// versions lists what a history holds.
func versions(config *cmreload.Config) (numbers []uint64, texts string) {
	for version := range config.History() {
		numbers = append(numbers, version.Version())
		text, _ := version.String("a")
		texts += text
	}
	return numbers, texts
}

func TestKeepsAHistory(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithHistory(2))
	for i := range 4 {
		mustUpdate(t, configMap, config, map[string]string{"a": fmt.Sprint(i + 2)})
	}
	if numbers, texts := versions(config); fmt.Sprint(numbers) != "[5 4 3]" || texts != "543" {
		t.Errorf("the history is %v, %s", numbers, texts)
	}
	for version := range config.History() {
		if version != config.Current() {
			t.Error("the current version is copied again")
		}
		break
	}
	if held := config.Stats().HeldSnapshots; held != 0 {
		t.Errorf("%d versions are held", held)
	}
	config.Close()
	if numbers, _ := versions(config); numbers != nil {
		t.Errorf("the history of a closed one is %v", numbers)
	}
}

func TestRollsBack(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithOnChange(events.hear))
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	mustUpdate(t, configMap, config, map[string]string{"a": "3"})
	version, err := config.Rollback(0)
	if err != nil || version.Version() != 4 || version != config.Current() {
		t.Fatalf("%v, %v", version, err)
	}
	expectText(t, version, "a", "2")
	if version, err = config.Rollback(1); err != nil {
		t.Fatal(err)
	}
	expectText(t, version, "a", "1")
	if _, err := config.Rollback(1000); statusIsNot(err, cmreload.ErrNotFound) {
		t.Errorf("to a version that never was: %v", err)
	}
	for event := events.next(t); event.Cause != cmreload.CauseRollback || event.Snapshot != version; {
		event = events.next(t)
	}
	// What was left comes back only after something else.
	if same, err := config.Reload(within(t)); err != nil || same != version {
		t.Errorf("what was left came back: %v, %v", same, err)
	}
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"a": "4"}), "a", "4")
	config.Close()
	if _, err := config.Rollback(0); statusIsNot(err, cmreload.ErrState) {
		t.Errorf("of a closed one: %v", err)
	}
}

func TestTakesBackWhatNobodyConfirms(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithConfirm(time.Millisecond))
	if _, err := config.OnChange(events.hear); err != nil {
		t.Fatal(err)
	}
	configMap.Update(map[string]string{"a": "2"})
	event := events.next(t)
	for event.Cause != cmreload.CauseRollback {
		event = events.next(t)
	}
	expectText(t, event.Snapshot, "a", "1")
}

func TestKeepsWhatIsConfirmed(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithConfirm(time.Hour))
	version := mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	if err := config.Confirm(version.Version()); err != nil {
		t.Error(err)
	}
	if err := config.Confirm(1000); statusIsNot(err, cmreload.ErrNotFound) {
		t.Errorf("a version that never was: %v", err)
	}
	config.Close()
	if err := config.Confirm(1); statusIsNot(err, cmreload.ErrState) {
		t.Errorf("of a closed one: %v", err)
	}
}

func TestDrains(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"})
	if held, err := config.Drain(within(t)); held != 0 || err != nil {
		t.Errorf("at once: %d, %v", held, err)
	}
	_, release := config.Hold()
	mustUpdate(t, configMap, config, map[string]string{"a": "2"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if held, err := config.Drain(ctx); held != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("while a version is held: %d, %v", held, err)
	}
	if held, err := config.DrainBefore(within(t), 1); held != 0 || err != nil {
		t.Errorf("before the version that is held: %d, %v", held, err)
	}
	drained := make(chan error)
	go func() {
		_, err := config.Drain(within(t))
		drained <- err
	}()
	release()
	if err := <-drained; err != nil {
		t.Error(err)
	}
	_, release = config.Hold()
	defer release()
	mustUpdate(t, configMap, config, map[string]string{"a": "3"})
	go func() {
		_, err := config.Drain(context.Background())
		drained <- err
	}()
	config.Close()
	if err := <-drained; statusIsNot(err, cmreload.ErrState) {
		t.Errorf("while it is closed: %v", err)
	}
}

func TestAVersionWaitsForTheHoldersOfTheOneBefore(t *testing.T) {
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithDrain(time.Hour))
	version, release := config.Hold()
	configMap.Update(map[string]string{"a": "2"})
	reloaded := make(chan error)
	go func() {
		_, err := config.Reload(within(t))
		reloaded <- err
	}()
	for config.Stats().HeldSnapshots != 1 {
		t.Fatal("nothing is held")
	}
	if config.Current() != version {
		t.Error("the version did not wait")
	}
	release()
	if err := <-reloaded; err != nil || config.Version() != 2 {
		t.Errorf("%v, %v", config.Current(), err)
	}
}
