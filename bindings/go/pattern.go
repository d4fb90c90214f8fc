package cmreload

import (
	"strings"
	"unicode/utf8"
)

// A pattern is a glob over a whole key, by the rules of the library's own, which are those of
// fnmatch(3) without flags: * any run, ? one character, [a-z] and [!a-z] one of a set, [[:digit:]]
// one of a class, \ takes the next character literally. A slash and a leading dot are ordinary.
type pattern string

// newPatterns refuses what is malformed: it is most likely a slip.
func newPatterns(globs []string) ([]pattern, error) {
	var patterns []pattern
	for _, glob := range globs {
		if reason := malformed(glob); reason != "" {
			return nil, &Error{
				Status: ErrInvalidArgument, Key: glob, Message: "the key pattern " + reason,
			}
		}
		patterns = append(patterns, pattern(glob))
	}
	return patterns, nil
}

// matching gives the changes of keys that match one of the patterns; all, where there are none.
func matching(changes []Change, patterns []pattern) []Change {
	if patterns == nil {
		return changes
	}
	var wanted []Change
	for _, change := range changes {
		for _, p := range patterns {
			if p.matches(change.Key) {
				wanted = append(wanted, change)
				break
			}
		}
	}
	return wanted
}

// matches says whether the whole of key matches. Of several stars only the last ever needs to be
// tried again: the time is at most the length of the key times that of the pattern.
func (p pattern) matches(key string) bool {
	rest := string(p)
	afterStar, resume, hasStar := "", "", false
	for {
		if strings.HasPrefix(rest, "*") {
			rest = rest[1:]
			afterStar, resume, hasStar = rest, key, true
			continue
		}
		if key == "" {
			return rest == ""
		}
		if rest != "" {
			character, size := utf8.DecodeRuneInString(key)
			if contains, after := element(rest, character); contains {
				rest, key = after, key[size:]
				continue
			}
		}
		if !hasStar {
			return false
		}
		_, size := utf8.DecodeRuneInString(resume)
		resume = resume[size:]
		rest, key = afterStar, resume
	}
}

// element says whether the first element of a pattern, which is no star, contains the character,
// and what follows the element.
func element(rest string, character rune) (contains bool, after string) {
	switch rest[0] {
	case '?':
		return true, rest[1:]
	case '[':
		return set(rest[1:], character)
	default:
		wanted, after := literal(rest)
		return wanted == character, after
	}
}

// set says the same of a set, from behind its bracket on.
func set(rest string, character rune) (contains bool, after string) {
	isNegated := rest[0] == '!' || rest[0] == '^'
	if isNegated {
		rest = rest[1:]
	}
	found := false
	for isFirst := true; isFirst || rest[0] != ']'; isFirst = false {
		if class, after, ok := namedClass(rest); ok {
			found = found || class(character)
			rest = after
			continue
		}
		low, after := literal(rest)
		high := low
		if isRange(after) {
			high, after = literal(after[1:])
		}
		found = found || low <= character && character <= high
		rest = after
	}
	return found != isNegated, rest[1:]
}

// literal gives a character that stands for itself, behind a backslash or without.
func literal(rest string) (character rune, after string) {
	if rest[0] == '\\' && len(rest) > 1 {
		rest = rest[1:]
	}
	character, size := utf8.DecodeRuneInString(rest)
	return character, rest[size:]
}

// isRange says whether a - begins the text that joins two ends: before a ] it is an ordinary
// character.
func isRange(rest string) bool { return len(rest) > 1 && rest[0] == '-' && rest[1] != ']' }

// namedClass reads [:name:] within a set: the classes of POSIX, over ASCII.
func namedClass(rest string) (contains func(rune) bool, after string, ok bool) {
	name, isClass := strings.CutPrefix(rest, "[:")
	name, after, isClosed := strings.Cut(name, ":]")
	if !isClass || !isClosed {
		return nil, "", false
	}
	contains, ok = classes[name]
	return contains, after, ok
}

func between(low, high rune) func(rune) bool {
	return func(r rune) bool { return low <= r && r <= high }
}

func oneOf(classes ...func(rune) bool) func(rune) bool {
	return func(r rune) bool {
		for _, contains := range classes {
			if contains(r) {
				return true
			}
		}
		return false
	}
}

var classes = func() map[string]func(rune) bool {
	lower, upper, digit := between('a', 'z'), between('A', 'Z'), between('0', '9')
	alnum, graph := oneOf(lower, upper, digit), between('!', '~')
	blank := oneOf(between(' ', ' '), between('\t', '\t'))
	return map[string]func(rune) bool{
		"alnum":  alnum,
		"alpha":  oneOf(lower, upper),
		"blank":  blank,
		"cntrl":  oneOf(between(0, 0x1F), between(0x7F, 0x7F)),
		"digit":  digit,
		"graph":  graph,
		"lower":  lower,
		"print":  between(' ', '~'),
		"punct":  func(r rune) bool { return graph(r) && !alnum(r) },
		"space":  oneOf(blank, between('\t', '\r')),
		"upper":  upper,
		"xdigit": oneOf(digit, between('a', 'f'), between('A', 'F')),
	}
}()

// malformed says what is wrong with a pattern, or "".
func malformed(glob string) string {
	switch {
	case glob == "":
		return "is empty"
	case !utf8.ValidString(glob):
		return "is not UTF-8"
	case len(glob) > 4095:
		return "is longer than 4095 bytes"
	case strings.IndexByte(glob, 0) >= 0:
		return "has a NUL in it"
	}
	for rest := glob; rest != ""; {
		var reason string
		switch rest[0] {
		case '*', '?':
			rest = rest[1:]
		case '[':
			rest, reason = checkSet(rest[1:])
		default:
			rest, reason = checkLiteral(rest)
		}
		if reason != "" {
			return reason
		}
	}
	return ""
}

func checkSet(rest string) (after, reason string) {
	if rest != "" && (rest[0] == '!' || rest[0] == '^') {
		rest = rest[1:]
	}
	for isFirst := true; rest != ""; isFirst = false {
		if rest[0] == ']' && !isFirst {
			return rest[1:], ""
		}
		if _, after, ok := namedClass(rest); ok {
			rest = after
			continue
		}
		switch {
		case strings.HasPrefix(rest, "[:"):
			return "", "names a class of characters that does not exist"
		case strings.HasPrefix(rest, "[."), strings.HasPrefix(rest, "[="):
			return "", "has a collating element, which keys do not know"
		}
		low := rest
		if rest, reason = checkLiteral(rest); reason != "" {
			return "", reason
		}
		if isRange(rest) {
			high := rest[1:]
			if rest, reason = checkLiteral(high); reason != "" {
				return "", reason
			}
			first, _ := literal(low)
			last, _ := literal(high)
			if last < first {
				return "", "has a range whose end comes before its beginning"
			}
		}
	}
	return "", "has a [ without its ]"
}

func checkLiteral(rest string) (after, reason string) {
	if rest == `\` {
		return "", "ends with a backslash that escapes nothing"
	}
	_, after = literal(rest)
	return after, ""
}
