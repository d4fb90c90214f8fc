package cmreload

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"time"

	"cmreload/internal/abi"
)

// A Kind says what a [Value] is. What YAML tags as !!binary within a document is text here, its
// base64, as in JSON.
type Kind uint8

// The kinds.
const (
	KindNone Kind = iota // nothing: the zero Value
	KindNull
	KindBool
	KindInt    // a number without fraction that fits an int64
	KindFloat  // any other number
	KindString // text, and the content of a key that is no more than text
	KindArray
	KindObject
	KindBytes // the content of a key that is not UTF-8
)

var kindNames = [...]string{
	"nothing", "null", "a bool", "an integer", "a number", "text", "an array", "an object", "bytes",
}

// String gives the kind as a message has it: "an integer".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// kindOf translates one of the C interface's types.
func kindOf(t abi.Type) Kind { return Kind(t + 1) }

// A Value is an immutable value of a snapshot, or a part of one: a number, a text, an array, an
// object. It is a small reference, to be passed around as it is, and lives as long as anybody wants
// it to. The zero Value is of KindNone, and so is what stands where there is nothing: a chain like
//
//	value.Member("server").Member("ports").At(0).Int()
//
// needs no check until its end.
type Value struct {
	document *document
	at       int32 // the index in the document's tree; text and bytes have none, and are at 0
}

func (v Value) node() *node { return &v.document.tree.nodes[v.at] }

// Kind says what the value is.
func (v Value) Kind() Kind {
	switch {
	case v.document == nil:
		return KindNone
	case v.at == 0:
		return v.document.kind
	default:
		return v.node().kind
	}
}

// Len counts the elements of an array or the members of an object; it is 0 for any other value.
func (v Value) Len() int {
	if kind := v.Kind(); kind != KindArray && kind != KindObject {
		return 0
	}
	return int(v.node().count)
}

// At gives an element of an array. Walking there takes time as index has size where the elements
// are themselves arrays or objects.
func (v Value) At(index int) Value {
	if index < 0 || v.Kind() != KindArray || index >= v.Len() {
		return Value{}
	}
	at := v.at + 1
	if n := v.node(); n.next-at == n.count {
		return Value{v.document, at + int32(index)} // all are scalars, a node each
	}
	for ; index > 0; index-- {
		at = v.document.tree.nodes[at].next
	}
	return Value{v.document, at}
}

// Elements walks over an array.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != KindArray {
			return
		}
		for index, at := 0, v.at+1; index < v.Len(); index++ {
			if !yield(index, Value{v.document, at}) {
				return
			}
			at = v.document.tree.nodes[at].next
		}
	}
}

// Member gives the value of an object's member.
func (v Value) Member(name string) Value {
	if v.Kind() != KindObject {
		return Value{}
	}
	tree := &v.document.tree
	for left, at := v.Len(), v.at+1; left > 0; left-- {
		if tree.string(at, v.document.json) == name {
			return Value{v.document, at + 1}
		}
		at = tree.nodes[at+1].next
	}
	return Value{}
}

// Members walks over an object, in the order in which its members are written.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != KindObject {
			return
		}
		for left, at := v.Len(), v.at+1; left > 0; left-- {
			if !yield(v.document.tree.string(at, v.document.json), Value{v.document, at + 1}) {
				return
			}
			at = v.document.tree.nodes[at+1].next
		}
	}
}

// string gives the text of a string node.
func (t *tree) string(at int32, json string) string {
	n := &t.nodes[at]
	if n.isEscaped {
		return t.unescaped[n.count]
	}
	return json[n.start+1 : n.end-1]
}

// Text gives a string; that of a text key is without the white space around it.
func (v Value) Text() (string, error) { return result(v, Value.text, "string") }

func (v Value) text() (string, Status) {
	if v.Kind() != KindString {
		return "", ErrType
	}
	return v.string(), noStatus
}

// string gives the text of a string.
func (v Value) string() string {
	if v.document.kind == KindString {
		return v.document.text
	}
	return v.document.tree.string(v.at, v.document.json)
}

// bytes gives the bytes of a string, or of a key exactly as they are stored.
func (v Value) bytes() string {
	if v.at == 0 {
		return v.document.content
	}
	return v.string()
}

// Int gives a number without fraction. A string reads by the rules for text.
func (v Value) Int() (int64, error) { return result(v, Value.int, "int64") }

func (v Value) int() (int64, Status) {
	switch v.Kind() {
	case KindInt:
		return parseInt(v.written())
	case KindFloat:
		return floatToInt(v.number())
	case KindString:
		return parseInt(v.string())
	default:
		return 0, ErrType
	}
}

// Float gives a number. A string reads by the rules for text.
func (v Value) Float() (float64, error) { return result(v, Value.float, "float64") }

func (v Value) float() (float64, Status) {
	switch v.Kind() {
	case KindInt, KindFloat:
		return v.number(), noStatus
	case KindString:
		return parseFloat(v.string())
	default:
		return 0, ErrType
	}
}

// Bool gives a truth value, which no number is. The strings true, yes, on and 1 are true, false,
// no, off and 0 are false, in upper or lower case.
func (v Value) Bool() (bool, error) { return result(v, Value.bool, "bool") }

func (v Value) bool() (bool, Status) {
	switch v.Kind() {
	case KindBool:
		return v.written() == "true", noStatus
	case KindString:
		return parseBool(v.string())
	default:
		return false, ErrType
	}
}

// Duration gives a time span, written as [time.ParseDuration] reads it: "1h30m", "250ms". A number,
// and text without a unit, is seconds.
func (v Value) Duration() (time.Duration, error) {
	return result(v, Value.duration, "time.Duration")
}

func (v Value) duration() (time.Duration, Status) {
	switch v.Kind() {
	case KindInt:
		seconds, _ := parseInt(v.written())
		return wholeSeconds(seconds)
	case KindFloat:
		return secondsToDuration(v.number())
	case KindString:
		return parseDuration(v.string())
	default:
		return 0, ErrType
	}
}

// Quantity gives a number as Kubernetes writes quantities: "64Mi", "1k", "2e3". Fractions are
// rounded away from zero, so that "100m" is 1.
func (v Value) Quantity() (int64, error) { return result(v, Value.quantity, "quantity") }

func (v Value) quantity() (int64, Status) {
	switch v.Kind() {
	case KindInt:
		return parseInt(v.written())
	case KindFloat:
		return floatToQuantity(v.number())
	case KindString:
		return parseQuantity(v.string())
	default:
		return 0, ErrType
	}
}

// written gives the text of a number or a truth value.
func (v Value) written() string {
	n := v.node()
	return v.document.json[n.start:n.end]
}

// number gives a number of the tree, which the library wrote so that it reads as the same one.
func (v Value) number() float64 {
	number, _ := strconv.ParseFloat(v.written(), 64)
	return number
}

// Any copies the value into Go's own types: nil, bool, int64, float64, string, []byte, []any and
// map[string]any.
func (v Value) Any() any {
	switch v.Kind() {
	case KindBool:
		return v.written() == "true"
	case KindInt:
		number, _ := parseInt(v.written())
		return number
	case KindFloat:
		return v.number()
	case KindString:
		return v.string()
	case KindArray:
		elements := make([]any, 0, v.Len())
		for _, element := range v.Elements() {
			elements = append(elements, element.Any())
		}
		return elements
	case KindObject:
		members := make(map[string]any, v.Len())
		for name, member := range v.Members() {
			members[name] = member.Any()
		}
		return members
	case KindBytes:
		return []byte(v.document.content)
	default:
		return nil
	}
}

// JSON gives the value as JSON without white space: text as a string, bytes as base64, as a
// ConfigMap's binaryData has them. It is "" for nothing.
func (v Value) JSON() string {
	switch {
	case v.document == nil:
		return ""
	case v.document.json == "":
		return string(v.document.appendJSON(nil))
	default:
		return v.written()
	}
}

// MarshalJSON makes a Value fit for [json.Marshal]; nothing becomes null.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.document == nil {
		return []byte("null"), nil
	}
	return []byte(v.JSON()), nil
}

var _ json.Marshaler = Value{}

// Format prints what the value is, not the value, which may be a secret.
func (v Value) Format(state fmt.State, _ rune) {
	fmt.Fprintf(state, "cmreload.Value(%v)", v.Kind())
}

// LogValue gives a log what the value is, not the value.
func (v Value) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(v)) }

// result reads a value that may be nothing.
func result[T any](v Value, as func(Value) (T, Status), want string) (T, error) {
	if v.document == nil {
		var none T
		return none, ErrNotFound
	}
	result, status := as(v)
	if status != noStatus {
		return result, &TypeError{Path: v.path(), Want: want, Have: v.Kind(), Err: status}
	}
	return result, nil
}

// path writes the path of the value: its key, and a pointer when it is a part of what that parsed
// to.
func (v Value) path() string {
	pointer := ""
	whole := v.document.root()
	for whole.at != v.at {
		if whole.Kind() == KindArray {
			for index, element := range whole.Elements() {
				if v.at < element.node().next {
					pointer += "/" + strconv.Itoa(index)
					whole = element
					break
				}
			}
			continue
		}
		for name, member := range whole.Members() {
			if v.at < member.node().next {
				pointer += "/" + pointerEscaper.Replace(name)
				whole = member
				break
			}
		}
	}
	if pointer == "" {
		return v.document.key
	}
	return v.document.key + "#" + pointer
}
