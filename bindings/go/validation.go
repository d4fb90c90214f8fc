package cmreload

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"cmreload/internal/abi"
)

// A candidate is asked for its consent to be published by validators and bindings. A binding
// prepares what it will be when the candidate is published.
type binding interface {
	// prepare reads a candidate.
	prepare(candidate *Snapshot) error
	// publish makes a version, the candidate if there was one, the binding's.
	publish(version *Snapshot)
}

// A veto is what a validator said last.
type veto struct {
	message string
	err     error
}

// Validate is called by the library before it publishes.
func (r *receiver) Validate(source abi.Snapshot) *abi.Failure {
	c := (*Config)(r)
	c.publishing.Lock()
	candidate := newSnapshot(source, c.current.Load())
	c.candidate = candidate
	c.publishing.Unlock()
	failure, err := c.validate(candidate)
	if err != nil {
		c.veto.Store(&veto{failure.Message, err})
	}
	return failure
}

// validate asks all, and what the error says, which is the program's code too.
func (c *Config) validate(candidate *Snapshot) (failure *abi.Failure, err error) {
	defer func() {
		if c.recovered("a validator panicked", recover()) {
			err = errors.New("a validator panicked")
			failure = failureOf(err)
		}
	}()
	if err := c.ask(candidate); err != nil {
		return failureOf(err), err
	}
	return nil, nil
}

func (c *Config) ask(candidate *Snapshot) error {
	c.mutex.Lock()
	validators := c.validators
	c.mutex.Unlock()
	for _, validator := range validators {
		if err := validator(candidate); err != nil {
			return err
		}
	}
	for _, b := range c.copyBindings() {
		if err := b.prepare(candidate); err != nil {
			return err
		}
	}
	return nil
}

// failureOf tells the library of an error. Its own are told by their parts, with what the program
// wrapped around them.
func failureOf(err error) *abi.Failure {
	var own *Error
	var wrong *TypeError
	switch {
	case errors.As(err, &own):
		return &abi.Failure{
			Key: own.Key, Line: uint32(own.Line), Column: uint32(own.Column),
			Message: strings.Replace(err.Error(), own.Error(), own.message(), 1),
		}
	case errors.As(err, &wrong):
		return &abi.Failure{
			Key: wrong.Path, Message: strings.Replace(err.Error(), wrong.Error(), wrong.message(), 1),
		}
	default:
		return &abi.Failure{Message: err.Error()}
	}
}

// rejection turns what the library says of content into an error; nil stays nil. Where it repeats
// what a validator said, that is in it.
func (c *Config) rejection(failure *abi.Failure, violations []abi.Violation) error {
	if failure == nil {
		return nil
	}
	err := newError(failure)
	for _, violation := range violations {
		err.Violations = append(err.Violations, Violation(violation))
	}
	// The library cuts what is too long.
	veto := c.veto.Load()
	if err.Status == ErrRejected && veto != nil && strings.HasPrefix(veto.message, err.Message) {
		err.cause = veto.err
	}
	return err
}

// rejectionNow is rejection of what was rejected last.
func (c *Config) rejectionNow(failure *abi.Failure) error {
	err := c.rejection(failure, nil)
	if rejected, ok := err.(*Error); ok && rejected.Status == ErrRejected {
		rejected.Violations = c.violations()
	}
	return err
}

// Violations tells which rules of schemas the newest rejection breaks, at most a hundred; none when
// no schema rejects anything now.
func (c *Config) Violations() []Violation {
	if c.enter() != nil {
		return nil
	}
	defer c.leave()
	return c.violations()
}

func (c *Config) violations() (found []Violation) {
	// It is the library's own JSON; without any nothing is found.
	_ = json.Unmarshal(c.watcher.Violations(), &found)
	return found
}

// SetSchema sets the schema for the value at a path from now on, or for the whole where path is "",
// if the current version satisfies it; a schema of "" takes away the one that is there. See
// [WithSchema].
func (c *Config) SetSchema(path, schema string) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return errorOf(c.watcher.SetSchema(path, schema))
}

// copyBindings gives the bindings that there are.
func (c *Config) copyBindings() []binding {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.bindings
}

// addBinding lets a binding follow from now on, if the current version has its consent.
func (c *Config) addBinding(added binding) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	c.mutex.Lock()
	c.bindings = append(slices.Clip(c.bindings), added)
	c.mutex.Unlock()
	// The library waits until no load is under way, and asks for consent to the current version: no
	// version can be published without the binding's.
	if failure := c.watcher.SetValidator(); failure != nil {
		c.mutex.Lock()
		c.bindings = slices.DeleteFunc(slices.Clone(c.bindings),
			func(b binding) bool { return b == added })
		c.mutex.Unlock()
		return c.rejection(failure, nil)
	}
	c.publishing.Lock()
	defer c.publishing.Unlock()
	added.publish(c.current.Load())
	return nil
}
