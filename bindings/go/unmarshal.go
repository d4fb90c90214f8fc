package cmreload

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Unmarshal stores the value at path in what target points to.
//
// Booleans, numbers, strings and [time.Duration] read as the getters of their names do, and what
// does not fit is refused. A type with UnmarshalText, slog.Level say, reads text itself; one that
// has UnmarshalJSON only, json.RawMessage too, is given it as a JSON string. Other structs, maps and
// slices take a parsed value as package [encoding/json] does, with its tags; where there is text
// instead, it must be JSON. A pointer is set to a new value, and to nil for null.
//
// With the path "" the target is a struct whose fields say where they come from:
//
//	type Settings struct {
//		LogLevel slog.Level     `config:"LOG_LEVEL"`
//		Limit    int            `config:"MAX_CONNECTIONS" default:"100"`
//		Memory   int64          `config:"MEMORY,quantity" default:"64Mi"`
//		Proxy    *string        `config:"PROXY"`
//		Features struct {
//			DarkMode bool `json:"dark_mode"`
//		} `config:"features.json"`
//		Database DatabaseSettings
//	}
//
// Each field with a config tag has a path; the option quantity reads a number as Kubernetes writes
// quantities. Where there is nothing at the path, the field takes its default, as if that text
// were there; a pointer without one is nil; any other field is missing, which is an error. Structs
// without a tag, embedded ones and pointers to such too, hold more fields of the same configuration.
// All other fields are left alone.
//
// A struct that has a method Validate() error is asked when its fields are set, inner ones first;
// of what package json sets only the whole is.
func (s *Snapshot) Unmarshal(path string, target any) error {
	pointer := reflect.ValueOf(target)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return &Error{Status: ErrInvalidArgument, Key: path, Message: "the target is no pointer"}
	}
	if path == "" {
		return s.decodeStruct(pointer.Elem())
	}
	value := s.find(path)
	if value.document == nil {
		return missing(path)
	}
	return value.decode(pointer.Elem())
}

func missing(path string) error {
	return &Error{Status: ErrNotFound, Key: path, Message: "is missing"}
}

// decodeStruct fills the fields that have tags.
func (s *Snapshot) decodeStruct(target reflect.Value) error {
	if target.Kind() != reflect.Struct {
		return &Error{
			Status:  ErrInvalidArgument,
			Message: fmt.Sprintf("the whole configuration goes into a struct, not %v", target.Type()),
		}
	}
	for i := range target.NumField() {
		field := target.Type().Field(i)
		tag, isTagged := field.Tag.Lookup("config")
		var err error
		switch {
		case isTagged && tag == "-":
		case isTagged:
			err = s.decodeField(field, tag, target.Field(i))
		case field.Type.Kind() == reflect.Struct && (field.IsExported() || field.Anonymous):
			err = s.decodeStruct(target.Field(i))
		case field.Anonymous && pointsToTags(field.Type) && !field.IsExported():
			err = &Error{
				Status:  ErrInvalidArgument,
				Message: fmt.Sprintf("the embedded %v cannot be set: it is not exported", field.Type),
			}
		case field.Anonymous && pointsToTags(field.Type):
			target.Field(i).Set(reflect.New(field.Type.Elem()))
			err = s.decodeStruct(target.Field(i).Elem())
		}
		if err != nil {
			return err
		}
	}
	return validate(target)
}

// pointsToTags says whether a type is a pointer to a struct with fields of the configuration.
func pointsToTags(kind reflect.Type) bool {
	return kind.Kind() == reflect.Pointer && kind.Elem().Kind() == reflect.Struct &&
		hasTags(kind.Elem())
}

// hasTags says whether a struct, or one within it, has fields of the configuration.
func hasTags(kind reflect.Type) bool {
	for i := range kind.NumField() {
		field := kind.Field(i)
		_, isTagged := field.Tag.Lookup("config")
		if isTagged || field.Type.Kind() == reflect.Struct && hasTags(field.Type) {
			return true
		}
	}
	return false
}

// decodeField fills one field.
func (s *Snapshot) decodeField(field reflect.StructField, tag string, target reflect.Value) error {
	path, option, _ := strings.Cut(tag, ",")
	if !field.IsExported() || option != "" && option != "quantity" {
		return &Error{
			Status: ErrInvalidArgument, Key: path,
			Message: fmt.Sprintf("the field %s is not exported, or has an unknown option", field.Name),
		}
	}
	value := s.find(path)
	if value.document == nil {
		text, hasDefault := field.Tag.Lookup("default")
		switch {
		case hasDefault:
			value = (&document{key: path, content: text, kind: KindString, text: trimmed(text)}).root()
		case field.Type.Kind() == reflect.Pointer:
			target.SetZero()
			return nil
		default:
			return missing(path)
		}
	}
	if option == "quantity" {
		return value.decodeQuantity(target)
	}
	return value.decode(target)
}

// validate asks a struct that can say.
func validate(target reflect.Value) error {
	if !target.CanAddr() || !target.Addr().CanInterface() {
		return nil
	}
	if validator, ok := target.Addr().Interface().(interface{ Validate() error }); ok {
		return validator.Validate()
	}
	return nil
}

var durationType = reflect.TypeFor[time.Duration]()

// decode stores the value.
func (v Value) decode(target reflect.Value) error {
	if target.Kind() == reflect.Pointer {
		if v.Kind() == KindNull {
			target.SetZero()
			return nil
		}
		target.Set(reflect.New(target.Type().Elem()))
		return v.decode(target.Elem())
	}
	itself := target.Addr().Interface()
	if unmarshaler, ok := itself.(encoding.TextUnmarshaler); ok && v.Kind() == KindString {
		return v.cannot(target, unmarshaler.UnmarshalText([]byte(v.string())))
	}
	if _, ok := itself.(json.Unmarshaler); ok {
		return v.decodeJSON(v.JSON(), target)
	}
	if target.Type() == durationType {
		duration, status := v.duration()
		target.SetInt(int64(duration))
		return v.failed(target, status)
	}
	switch target.Kind() {
	case reflect.Bool:
		truth, status := v.bool()
		target.SetBool(truth)
		return v.failed(target, status)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		number, status := v.int()
		return v.setInt(target, number, status)
	case reflect.Float32, reflect.Float64:
		number, status := v.float()
		if status == noStatus && target.OverflowFloat(number) {
			status = ErrRange
		}
		target.SetFloat(number)
		return v.failed(target, status)
	case reflect.String:
		text, status := v.text()
		target.SetString(text)
		return v.failed(target, status)
	case reflect.Interface:
		if target.NumMethod() == 0 {
			if v.Kind() == KindNull {
				target.SetZero()
			} else {
				target.Set(reflect.ValueOf(v.Any()))
			}
			return nil
		}
	case reflect.Slice:
		hasBytes := v.Kind() == KindString || v.Kind() == KindBytes
		if hasBytes && target.Type().Elem().Kind() == reflect.Uint8 {
			target.SetBytes([]byte(v.bytes()))
			return nil
		}
	}
	if v.Kind() == KindString {
		return v.decodeJSON(v.string(), target)
	}
	return v.decodeJSON(v.JSON(), target)
}

// decodeQuantity stores a number that is written as a quantity.
func (v Value) decodeQuantity(target reflect.Value) error {
	if target.Kind() == reflect.Pointer {
		if v.Kind() == KindNull {
			target.SetZero()
			return nil
		}
		target.Set(reflect.New(target.Type().Elem()))
		return v.decodeQuantity(target.Elem())
	}
	number, status := v.quantity()
	return v.setInt(target, number, status)
}

// setInt stores an integer in whichever kind of integer the target is.
func (v Value) setInt(target reflect.Value, number int64, status Status) error {
	switch {
	case status != noStatus:
	case target.CanInt() && !target.OverflowInt(number):
		target.SetInt(number)
	case target.CanUint() && number >= 0 && !target.OverflowUint(uint64(number)):
		target.SetUint(uint64(number))
	case target.CanInt() || target.CanUint():
		status = ErrRange
	default:
		status = ErrType
	}
	return v.failed(target, status)
}

// decodeJSON leaves the value to package json.
func (v Value) decodeJSON(text string, target reflect.Value) error {
	err := json.Unmarshal([]byte(text), target.Addr().Interface())
	if err == nil && target.Kind() == reflect.Struct {
		return validate(target)
	}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return v.cannot(target, err)
	}
	path := v.path() + "/" + strings.ReplaceAll(wrong.Field, ".", "/")
	if v.at == 0 {
		path = v.path() + "#/" + strings.ReplaceAll(wrong.Field, ".", "/")
	}
	status := ErrType
	if written, isNumber := strings.CutPrefix(wrong.Value, "number "); isNumber {
		number, read := parseInt(written)
		field := reflect.New(wrong.Type).Elem()
		if field.CanFloat() || errors.Is(v.setInt(field, number, read), ErrRange) {
			status = ErrRange
		}
	}
	// Its own text may quote the value.
	return &TypeError{Path: path, Want: wrong.Type.String(), Have: jsonKind(wrong.Value), Err: status}
}

// jsonKind translates what package json calls a value: "string", "number 1.5".
func jsonKind(description string) Kind {
	name, _, _ := strings.Cut(description, " ")
	switch name {
	case "bool":
		return KindBool
	case "number":
		return KindFloat
	case "string":
		return KindString
	case "array":
		return KindArray
	case "object":
		return KindObject
	default:
		return KindNull
	}
}

// failed is the error of a read.
func (v Value) failed(target reflect.Value, status Status) error {
	if status == noStatus {
		return nil
	}
	return v.cannot(target, status)
}

func (v Value) cannot(target reflect.Value, err error) error {
	if err == nil {
		return nil
	}
	return &TypeError{Path: v.path(), Want: target.Type().String(), Have: v.Kind(), Err: err}
}
