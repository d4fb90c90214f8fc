package cmreload

import (
	"fmt"
	"strings"
	"syscall"

	"cmreload/internal/abi"
)

// A Status says in one word why the library refused something. Each is an error by itself, for
// [errors.Is]: what methods of this package return wraps one.
type Status int32

// The statuses, with the numbers that the library's C interface gives them.
const (
	ErrInvalidArgument Status = 1  // a value that is not allowed
	ErrNotFound        Status = 2  // no such key, path or version
	ErrType            Status = 3  // it is there, but cannot be read as that type
	ErrRange           Status = 4  // a number that does not fit
	ErrIO              Status = 5  // the operating system said no
	ErrParse           Status = 6  // content that is not what its format demands
	ErrRejected        Status = 7  // content that was parsed, but must not be published
	ErrLimit           Status = 8  // a limit of size, depth or count
	ErrState           Status = 9  // not now: the Config was closed, for one
	ErrTimeout         Status = 10 // the time was up
	ErrUnavailable     Status = 11 // something outside of the process cannot be reached
	ErrDenied          Status = 12 // no permission
	ErrNoMemory        Status = 13 // an allocation failed
)

var statusTexts = [...]string{
	ErrInvalidArgument: "invalid argument",
	ErrNotFound:        "not found",
	ErrType:            "cannot be read as that type",
	ErrRange:           "number out of range",
	ErrIO:              "input or output failed",
	ErrParse:           "does not parse",
	ErrRejected:        "rejected",
	ErrLimit:           "limit exceeded",
	ErrState:           "not possible in this state",
	ErrTimeout:         "timed out",
	ErrUnavailable:     "unavailable",
	ErrDenied:          "permission denied",
	ErrNoMemory:        "out of memory",
}

// Error says in a few words what the status means.
func (s Status) Error() string {
	if s > 0 && int(s) < len(statusTexts) {
		return statusTexts[s]
	}
	return abi.StatusName(int32(s))
}

// An Error is what the library says of a failure. It holds no value of a key.
//
// errors.Is finds its Status in it, and the [syscall.Errno] of what the operating system refused:
//
//	errors.Is(err, cmreload.ErrParse)
//	errors.Is(err, fs.ErrNotExist)
type Error struct {
	Status  Status
	Errno   syscall.Errno // of ErrIO and ErrDenied, otherwise 0
	Line    int           // where content does not parse, counted from 1, otherwise 0
	Column  int           // in bytes, counted from 1, otherwise 0
	Stage   string        // "load", "parse", "validate", "publish" and the like, or ""
	Key     string        // the key, path or source that it is about, or ""
	Message string        // one sentence for a person

	// Violations are all rules of schemas that the content breaks, at most 100 of them in an event.
	Violations []Violation

	cause error // what a validator returned
}

// A Violation is one rule of a schema that content breaks. What was found is told by type and
// length only, never by its text.
type Violation struct {
	Key          string `json:"key"`           // the key whose value breaks it
	InstancePath string `json:"instance_path"` // the JSON pointer to the value within the key
	SchemaPath   string `json:"schema_path"`   // the JSON pointer to the rule
	Keyword      string `json:"keyword"`       // the rule's name
	Expected     string `json:"expected"`      // what would have been right
	Line         int    `json:"line"`          // where the value begins, counted from 1; 0: in no text
	Column       int    `json:"column"`        // in bytes, counted from 1
}

// Error reads like "app.yaml:14:7: mapping values are not allowed here".
func (e *Error) Error() string {
	var text strings.Builder
	if e.Key != "" {
		text.WriteString(e.Key)
		if e.Line > 0 {
			fmt.Fprintf(&text, ":%d:%d", e.Line, e.Column)
		}
		text.WriteString(": ")
	}
	text.WriteString(e.message())
	return text.String()
}

func (e *Error) message() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Status.Error()
}

// Unwrap gives the status, the number of the operating system's error, and what a validator of the
// program's returned, as far as there are.
func (e *Error) Unwrap() []error {
	errs := []error{e.Status}
	if e.Errno != 0 {
		errs = append(errs, e.Errno)
	}
	if e.cause != nil {
		errs = append(errs, e.cause)
	}
	return errs
}

// errorOf turns what the library answered into an error; nil stays nil.
func errorOf(failure *abi.Failure) error {
	if failure == nil {
		return nil
	}
	return newError(failure)
}

func newError(failure *abi.Failure) *Error {
	return &Error{
		Status:  Status(failure.Status),
		Errno:   syscall.Errno(failure.Errno),
		Line:    int(failure.Line),
		Column:  int(failure.Column),
		Stage:   failure.Stage,
		Key:     failure.Key,
		Message: failure.Message,
	}
}

// A TypeError is what reading gives when there is something else at the path than was asked for.
// errors.Is finds [ErrRange] in it when it is a number that does not fit, and [ErrType] otherwise.
type TypeError struct {
	Path string // what was read
	Want string // what was asked for: "int64", "time.Duration"
	Have Kind   // what is there

	// Err is ErrType or ErrRange, or what an UnmarshalText or UnmarshalJSON of the program's
	// returned. It is left out of the text of the error, for it may quote the value.
	Err error
}

// Error tells path and types, never the value.
func (e *TypeError) Error() string {
	return e.Path + ": " + e.message()
}

func (e *TypeError) message() string {
	if e.Err == ErrRange {
		return "the number does not fit " + e.Want
	}
	return fmt.Sprintf("%v cannot be read as %s", e.Have, e.Want)
}

// Unwrap gives Err.
func (e *TypeError) Unwrap() error { return e.Err }

// Is says that whatever could not be read has the wrong type, but for numbers that do not fit.
func (e *TypeError) Is(target error) bool { return target == ErrType && e.Err != ErrRange }
