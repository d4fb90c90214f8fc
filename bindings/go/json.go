package cmreload

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The library writes what a key parsed to, from whatever format, as JSON without white space. That
// text is kept, and a flat tree over it: every value knows where its text begins and ends, so that
// strings, numbers and the JSON of any part are read where they stand. The text is the library's
// own: nothing here looks for mistakes in it.

// A tree is a value and all that is below it, in the order in which they are written. An array's
// elements follow it; the members of an object follow it as pairs of a name, which is a string, and
// a value.
type tree struct {
	nodes []node
	// unescaped holds the strings that are written with escapes.
	unescaped []string
}

// A node is one value, or the name of a member.
type node struct {
	start, end int   // its text
	next       int32 // the index of what follows it and all that is below it
	count      int32 // elements, members; of an escaped string its index in unescaped
	kind       Kind
	isEscaped  bool
}

// parseJSON builds the tree of a text.
func parseJSON(text string) tree {
	// Every comma begins a value, every colon one behind a name, every bracket may. Only such
	// characters inside strings make this too many.
	most := 1 + strings.Count(text, ",") + strings.Count(text, ":") +
		strings.Count(text, "[") + strings.Count(text, "{")
	p := parser{text: text, tree: tree{nodes: make([]node, 0, most)}}
	p.value()
	return p.tree
}

type parser struct {
	text string
	at   int
	tree tree
}

func (p *parser) value() {
	switch p.text[p.at] {
	case '{':
		p.container(KindObject, '}')
	case '[':
		p.container(KindArray, ']')
	case '"':
		p.string()
	case 'n':
		p.scalar(KindNull, len("null"))
	case 't':
		p.scalar(KindBool, len("true"))
	case 'f':
		p.scalar(KindBool, len("false"))
	default:
		p.number()
	}
}

func (p *parser) container(kind Kind, last byte) {
	index := len(p.tree.nodes)
	p.tree.nodes = append(p.tree.nodes, node{kind: kind, start: p.at})
	p.at++
	count := int32(0)
	for p.text[p.at] != last {
		if count > 0 {
			p.at++ // the comma
		}
		if kind == KindObject {
			p.string()
			p.at++ // the colon
		}
		p.value()
		count++
	}
	p.at++
	n := &p.tree.nodes[index]
	n.end, n.count, n.next = p.at, count, int32(len(p.tree.nodes))
}

func (p *parser) scalar(kind Kind, size int) {
	start := p.at
	p.at += size
	next := int32(len(p.tree.nodes) + 1)
	p.tree.nodes = append(p.tree.nodes, node{kind: kind, start: start, end: p.at, next: next})
}

func (p *parser) number() {
	kind, size := KindInt, 1
	for p.at+size < len(p.text) && strings.IndexByte(",]}", p.text[p.at+size]) < 0 {
		if p.text[p.at+size] == '.' || p.text[p.at+size] == 'e' {
			kind = KindFloat
		}
		size++
	}
	p.scalar(kind, size)
}

func (p *parser) string() {
	size, isEscaped := 1, false
	for p.text[p.at+size] != '"' {
		if p.text[p.at+size] == '\\' {
			isEscaped = true
			size++
		}
		size++
	}
	p.scalar(KindString, size+1)
	if isEscaped {
		n := &p.tree.nodes[len(p.tree.nodes)-1]
		n.isEscaped, n.count = true, int32(len(p.tree.unescaped))
		p.tree.unescaped = append(p.tree.unescaped, unescape(p.text[n.start+1:n.end-1]))
	}
}

// unescape reads the inside of a string that has escapes.
func unescape(text string) string {
	plain := make([]byte, 0, len(text))
	for {
		before, escape, found := strings.Cut(text, `\`)
		plain = append(plain, before...)
		if !found {
			return string(plain)
		}
		if escape[0] != 'u' {
			plain = append(plain, escaped[escape[0]])
			text = escape[1:]
			continue
		}
		character, size := hexadecimal(escape[1:5]), 5
		if utf16.IsSurrogate(character) {
			character, size = utf16.DecodeRune(character, hexadecimal(escape[7:11])), 11
		}
		plain = utf8.AppendRune(plain, character)
		text = escape[size:]
	}
}

// escaped is what stands for a byte behind a backslash.
var escaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func hexadecimal(digits string) (value rune) {
	for i := range len(digits) {
		digit := digits[i]
		switch {
		case digit >= 'a':
			digit -= 'a' - 10
		case digit >= 'A':
			digit -= 'A' - 10
		default:
			digit -= '0'
		}
		value = value<<4 | rune(digit)
	}
	return value
}

// appendQuoted writes a string as the library does: only what must be escaped is.
func appendQuoted(json []byte, text string) []byte {
	const digits = "0123456789abcdef"
	json = append(json, '"')
	plain := 0
	for i := range len(text) {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		json = append(json, text[plain:i]...)
		plain = i + 1
		if letter := strings.IndexByte("\"\\\b\t\n\f\r", b); letter >= 0 {
			json = append(json, '\\', `"\btnfr`[letter])
		} else {
			json = append(json, '\\', 'u', '0', '0', digits[b>>4], digits[b&0xF])
		}
	}
	json = append(json, text[plain:]...)
	return append(json, '"')
}
