package cmreload_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"cmreload"
)

type limits struct {
	Limit   int           `config:"LIMIT"`
	Timeout time.Duration `config:"TIMEOUT" default:"1s"`
}

func (l *limits) Validate() error {
	if l.Limit > 100 {
		return errTooLarge
	}
	return nil
}

func TestABindingFollows(t *testing.T) {
	config, configMap := open(t, map[string]string{"LIMIT": "1"})
	settings, err := cmreload.Bind[limits](config)
	if err != nil {
		t.Fatal(err)
	}
	first := settings.Load()
	if *first != (limits{1, time.Second}) {
		t.Errorf("%+v", first)
	}
	mustUpdate(t, configMap, config, map[string]string{"LIMIT": "2", "TIMEOUT": "3s"})
	if got := *settings.Load(); got != (limits{2, 3 * time.Second}) {
		t.Errorf("%+v", got)
	}
	if first.Limit != 1 {
		t.Error("what was loaded changes")
	}
	// It is there before anybody hears of the version.
	heard := make(chan int64, 100)
	if _, err := config.OnChange(func(event cmreload.Event) {
		wanted, _ := event.Snapshot.Int("LIMIT")
		if int(wanted) > settings.Load().Limit {
			t.Errorf("version %v is told before it is bound", event.Snapshot)
		}
		heard <- wanted
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		mustUpdate(t, configMap, config, map[string]string{"LIMIT": fmt.Sprint(i + 3)})
		if settings.Load().Limit != i+3 {
			t.Fatalf("%d is not bound", i+3)
		}
	}
	for limit := int64(0); limit != 52; limit = <-heard { // what is told later is compared with less
	}
	if _, err := config.Rollback(0); err != nil || settings.Load().Limit != 51 {
		t.Errorf("after a rollback: %+v, %v", settings.Load(), err)
	}
}

func TestABindingVetoes(t *testing.T) {
	config, configMap := open(t, map[string]string{"LIMIT": "1", "other": ""})
	settings, err := cmreload.Bind[limits](config)
	if err != nil {
		t.Fatal(err)
	}
	for content, wanted := range map[string]error{"101": errTooLarge, "hunter2": cmreload.ErrType} {
		_, err := configMap.UpdateAndWait(config, map[string]string{"LIMIT": content})
		if !errors.Is(err, wanted) || statusIsNot(err, cmreload.ErrRejected) ||
			containsText(err.Error(), "hunter2") {
			t.Errorf("%s is rejected since %v", content, err)
		}
		if config.Version() != 1 || settings.Load().Limit != 1 {
			t.Errorf("%v, %+v", config.Current(), settings.Load())
		}
	}
	configMap.Delete("LIMIT")
	if _, err := config.Reload(within(t)); statusIsNot(err, cmreload.ErrNotFound) ||
		err.Error() != "LIMIT: is missing" {
		t.Errorf("without the key: %v", err)
	}
	if _, err := cmreload.Bind[validated](config); statusIsNot(err, cmreload.ErrNotFound) {
		t.Errorf("what cannot be bound: %v", err)
	}
	mustUpdate(t, configMap, config, map[string]string{"LIMIT": "5"})
	if settings.Load().Limit != 5 {
		t.Errorf("%+v", settings.Load())
	}
	config.Close()
	if _, err := cmreload.Bind[limits](config); statusIsNot(err, cmreload.ErrState) {
		t.Errorf("a closed one: %v", err)
	}
}

// jumpy panics where limits refuse.
type jumpy limits

func (j *jumpy) Validate() error {
	if err := (*limits)(j).Validate(); err != nil {
		panic(err)
	}
	return nil
}

func TestABindingThatPanicsAtARollbackStays(t *testing.T) {
	config, configMap := open(t, map[string]string{"LIMIT": "101"}, cmreload.WithLogger(discard))
	mustUpdate(t, configMap, config, map[string]string{"LIMIT": "5"})
	settings, err := cmreload.Bind[jumpy](config)
	if err != nil {
		t.Fatal(err)
	}
	version, err := config.Rollback(1)
	if err != nil || version.Version() != 3 || settings.Load().Limit != 5 ||
		config.Stats().Panics != 1 {
		t.Errorf("%v, %v, %+v, %+v", version, err, settings.Load(), config.Stats())
	}
}

func TestNoVersionGoesPastANewBinding(t *testing.T) {
	config, configMap := open(t, map[string]string{"LIMIT": "0"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			configMap.Update(map[string]string{"LIMIT": fmt.Sprint(i)})
		}
	}()
	for {
		settings, err := cmreload.Bind[limits](config)
		if err == nil {
			if version, _ := config.Current().Int("LIMIT"); version > 100 {
				t.Errorf("%+v is bound, %d is current", settings.Load(), version)
			}
		} else if !errors.Is(err, errTooLarge) {
			t.Fatal(err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
