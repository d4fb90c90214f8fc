package cmreload

import (
	"math"
	"strconv"
	"strings"
)

// What text means when it is read as a number or a truth value: the rules of the library's own
// getters, so that a value reads alike in every language; a test compares the two. The text of a
// key and a string inside a parsed value read by the same rules. White space around it is ignored;
// what does not fit is refused, never clamped. Each function gives the status of a failed read.

// noStatus is the status of a read that succeeded.
const noStatus Status = 0

// trimmed is text without the white space of ASCII at its ends.
func trimmed(text string) string {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

func isDigit(b byte) bool { return b-'0' < 10 }

// takeSign splits a sign off, if there is one.
func takeSign(text string) (isNegative bool, rest string) {
	if text != "" && (text[0] == '-' || text[0] == '+') {
		return text[0] == '-', text[1:]
	}
	return false, text
}

// takeDigits splits as many decimal digits off as there are.
func takeDigits(text string) (digits, rest string) {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	return text[:end], text[end:]
}

// takeFraction splits a point off and the digits behind it.
func takeFraction(text string) (digits, rest string) {
	if text != "" && text[0] == '.' {
		return takeDigits(text[1:])
	}
	return "", text
}

// number is what a number is written with.
type number struct {
	isNegative      bool
	whole, fraction string
	exponent        int
}

// splitNumber takes a number apart: [+-] digits [. digits] [e [+-] digits]. No hexadecimal digits,
// no separators, no infinity, all of which strconv would take.
func splitNumber(text string) (n number, isNumber bool) {
	var rest string
	n.isNegative, rest = takeSign(text)
	if n.whole, rest = takeDigits(rest); n.whole == "" {
		return n, false
	}
	if rest != "" && rest[0] == '.' {
		if n.fraction, rest = takeDigits(rest[1:]); n.fraction == "" {
			return n, false
		}
	}
	if rest == "" {
		return n, true
	}
	n.exponent, isNumber = writtenExponent(rest)
	return n, isNumber
}

// parseInt reads an integer, exact; a number with a point or an exponent is one when nothing is
// left behind the point.
func parseInt(text string) (int64, Status) {
	n, isNumber := splitNumber(trimmed(text))
	if !isNumber {
		return 0, ErrType
	}
	magnitude, isExact, fits := shifted(n.whole, n.fraction, n.exponent)
	if !fits {
		return 0, ErrRange
	}
	value, status := signed(magnitude, n.isNegative)
	if status == noStatus && !isExact {
		return 0, ErrType
	}
	return value, status
}

// signed is the integer of a magnitude and a sign.
func signed(magnitude uint64, isNegative bool) (int64, Status) {
	limit := uint64(math.MaxInt64)
	if isNegative {
		limit++
	}
	if magnitude > limit {
		return 0, ErrRange
	}
	if isNegative {
		return -int64(magnitude), noStatus
	}
	return int64(magnitude), noStatus
}

// floatToInt gives a number without fraction as an integer. The least int64 is left out: as a
// float64 it may just as well be what -9223372036854775809 was rounded to.
func floatToInt(number float64) (int64, Status) {
	if !(number > -0x1p63 && number < 0x1p63) {
		return 0, ErrRange
	}
	whole := int64(number)
	if float64(whole) != number {
		return 0, ErrType
	}
	return whole, noStatus
}

// parseFloat reads a number, the nearest float64.
func parseFloat(text string) (float64, Status) {
	text = trimmed(text)
	if _, isNumber := splitNumber(text); !isNumber {
		return 0, ErrType
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, ErrRange
	}
	return number, noStatus
}

// parseBool reads true, yes, on and 1, or false, no, off and 0, in upper or lower case.
func parseBool(text string) (bool, Status) {
	text = trimmed(text)
	for _, word := range [...]string{"true", "yes", "on", "1"} {
		if equalFoldASCII(text, word) {
			return true, noStatus
		}
	}
	for _, word := range [...]string{"false", "no", "off", "0"} {
		if equalFoldASCII(text, word) {
			return false, noStatus
		}
	}
	return false, ErrType
}

// equalFoldASCII compares with a word in lower case. Unlike strings.EqualFold it knows no letters
// outside of ASCII that fold to one within.
func equalFoldASCII(text, word string) bool {
	return len(text) == len(word) && strings.EqualFold(text, word)
}
