package cmreload_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

var errOdd = errors.New("a must be even")

// even refuses versions in which a is odd.
func even(candidate *cmreload.Snapshot) error {
	number, err := candidate.Int("a")
	if err != nil {
		return err
	}
	if number%2 != 0 {
		return errOdd
	}
	return nil
}

func TestAValidatorHasTheLastWord(t *testing.T) {
	events := make(heard, 8)
	config, configMap := open(t, map[string]string{"a": "2"},
		cmreload.WithValidator(even), cmreload.WithOnChange(events.hear),
		cmreload.WithValidator(func(candidate *cmreload.Snapshot) error {
			if candidate.Version() != 0 {
				return fmt.Errorf("the candidate is %v", candidate)
			}
			return nil
		}))
	events.expect(t, "published start 1 added a")
	before := config.Current()
	_, err := configMap.UpdateAndWait(config, map[string]string{"a": "3"})
	if !errors.Is(err, errOdd) || statusIsNot(err, cmreload.ErrRejected) || !strings.Contains(err.Error(), errOdd.Error()) {
		t.Errorf("rejected since %v", err)
	}
	if event := events.expect(t, "rejected 1"); !errors.Is(event.Err, errOdd) {
		t.Errorf("the event says %v", event.Err)
	}
	if config.Current() != before {
		t.Errorf("%v is current", config.Current())
	}
	_, err = configMap.UpdateAndWait(config, map[string]string{"a": "hunter2"})
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Key != "a" || failure.Message != "text cannot be read as int64" ||
		errors.Is(err, errOdd) || statusIsNot(err, cmreload.ErrType) {
		t.Errorf("rejected since %v", err)
	}
	expectText(t, mustUpdate(t, configMap, config, map[string]string{"a": "4"}), "a", "4")
	odd := cmreloadtest.NewConfigMap(t, map[string]string{"a": "1"})
	if _, err := cmreload.Open(odd.Path(), cmreload.WithValidator(even)); !errors.Is(err, errOdd) {
		t.Errorf("Open: %v", err)
	}
}

func TestALongVetoIsCutBetweenCharacters(t *testing.T) {
	long := errors.New(strings.Repeat("é", 600))
	configMap := cmreloadtest.NewConfigMap(t, nil)
	_, err := cmreload.Open(configMap.Path(), cmreload.WithValidator(func(*cmreload.Snapshot) error { return long }))
	var failure *cmreload.Error
	if !errors.As(err, &failure) || failure.Message != strings.Repeat("é", 255) || !errors.Is(err, long) {
		t.Errorf("%v", err)
	}
}

func TestAValidatorThatPanicsRejects(t *testing.T) {
	var shouldPanic atomic.Bool
	config, configMap := open(t, map[string]string{"a": "1"}, cmreload.WithLogger(discard),
		cmreload.WithValidator(func(*cmreload.Snapshot) error {
			if shouldPanic.Load() {
				panic("hunter2")
			}
			return nil
		}))
	shouldPanic.Store(true)
	_, err := configMap.UpdateAndWait(config, map[string]string{"a": "2"})
	if statusIsNot(err, cmreload.ErrRejected) || strings.Contains(err.Error(), "hunter2") || config.Stats().Panics == 0 {
		t.Errorf("%v, %+v", err, config.Stats())
	}
	shouldPanic.Store(false)
	mustUpdate(t, configMap, config, map[string]string{"a": "3"})
}
