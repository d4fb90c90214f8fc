package cmreload

import (
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
	err := c.validate(candidate)
	if err == nil {
		return nil
	}
	failure := failureOf(err)
	c.veto.Store(&veto{failure.Message, err})
	return failure
}

// validate asks all.
func (c *Config) validate(candidate *Snapshot) (err error) {
	defer func() {
		if c.recovered("a validator panicked", recover()) {
			err = errors.New("a validator panicked")
		}
	}()
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

// failureOf tells the library of an error. Its own are told by their parts.
func failureOf(err error) *abi.Failure {
	var own *Error
	var wrong *TypeError
	switch {
	case errors.As(err, &own):
		message := own.Message
		if message == "" {
			message = own.Status.Error()
		}
		return &abi.Failure{
			Key: own.Key, Line: uint32(own.Line), Column: uint32(own.Column), Message: message,
		}
	case errors.As(err, &wrong):
		return &abi.Failure{Key: wrong.Path, Message: wrong.message()}
	default:
		return &abi.Failure{Message: err.Error()}
	}
}

// errorOf turns what the library answered into an error, with what a validator said in it where the
// library repeats that.
func (c *Config) errorOf(failure *abi.Failure) error {
	err := errorOf(failure)
	if rejected, ok := err.(*Error); ok && rejected.Status == ErrRejected && rejected.Message != "" {
		// The library cuts what is too long.
		if veto := c.veto.Load(); veto != nil && strings.HasPrefix(veto.message, rejected.Message) {
			rejected.cause = veto.err
		}
	}
	return err
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
		return c.errorOf(failure)
	}
	c.publishing.Lock()
	defer c.publishing.Unlock()
	added.publish(c.current.Load())
	return nil
}
