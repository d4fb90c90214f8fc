package cmreload

import "strings"

// Where a value is: a key, or KEY#/pointer with an RFC 6901 pointer into the value that the key
// parsed to. A path that is itself a key, whole, means that key; otherwise the longest key that
// stands before a # does. Nothing is allocated: the pointer is unescaped while it is compared.

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// find gives the value at a path, or nothing.
func (s *Snapshot) find(path string) Value {
	if d := s.index[path]; d != nil {
		return d.root()
	}
	for end := len(path); ; {
		end = strings.LastIndexByte(path[:end], '#')
		if end < 0 {
			return Value{}
		}
		pointer := path[end+1:]
		if pointer != "" && pointer[0] != '/' {
			continue
		}
		if d := s.index[path[:end]]; d != nil {
			return d.root().pointed(pointer)
		}
	}
}

// pointed gives the value that a pointer leads to from here, or nothing.
func (v Value) pointed(pointer string) Value {
	for pointer != "" && v.document != nil {
		token := pointer[1:]
		pointer = ""
		if end := strings.IndexByte(token, '/'); end >= 0 {
			token, pointer = token[:end], token[end:]
		}
		v = v.child(token)
	}
	return v
}

// child gives the member that a token of a pointer names, or the element that it counts.
func (v Value) child(token string) Value {
	switch v.Kind() {
	case KindArray:
		if index, ok := elementIndex(token); ok {
			return v.At(index)
		}
	case KindObject:
		if strings.IndexByte(token, '~') < 0 {
			return v.Member(token)
		}
		for name, member := range v.Members() {
			if isUnescaped(token, name) {
				return member
			}
		}
	}
	return Value{}
}

// isUnescaped says whether token is name once ~1 is read as a slash and ~0 as a tilde.
func isUnescaped(token, name string) bool {
	for i := range len(name) {
		if token == "" {
			return false
		}
		read, size := token[0], 1
		if read == '~' {
			if len(token) < 2 || token[1] != '0' && token[1] != '1' {
				return false
			}
			read, size = "~/"[token[1]-'0'], 2
		}
		if read != name[i] {
			return false
		}
		token = token[size:]
	}
	return token == ""
}

// elementIndex reads digits without a zero in front. -, the element after the last, never exists.
func elementIndex(token string) (index int, ok bool) {
	if token == "" || len(token) > 10 || token[0] == '0' && len(token) > 1 {
		return 0, false
	}
	for i := range len(token) {
		if !isDigit(token[i]) {
			return 0, false
		}
		index = index*10 + int(token[i]-'0')
	}
	return index, true
}
