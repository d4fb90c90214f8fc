package cmreload

import (
	"math"
	"time"
)

// Durations as [time.ParseDuration] reads them, but that a number without a unit is seconds, and
// that fractions are computed exactly: what is less than a nanosecond is dropped.

// parseDuration reads "1h30m", "250ms", "-1.5s".
func parseDuration(text string) (time.Duration, Status) {
	text = trimmed(text)
	isNegative, rest := takeSign(text)
	var total uint64
	for isFirst := true; isFirst || rest != ""; isFirst = false {
		var whole, fraction string
		whole, rest = takeDigits(rest)
		fraction, rest = takeFraction(rest)
		if whole == "" && fraction == "" {
			return 0, ErrType
		}
		unit := uint64(time.Second)
		if isFirst && rest != "" && rest[0]|0x20 == 'e' {
			seconds, status := parseFloat(text)
			if status != noStatus {
				return 0, status
			}
			return secondsToDuration(seconds)
		} else if !isFirst || rest != "" {
			var known bool
			if unit, rest, known = takeUnit(rest); !known {
				return 0, ErrType
			}
		}
		part, fits := magnitude(whole, unit)
		if fits {
			total, fits = sum(total, part)
		}
		if fits {
			total, fits = sum(total, fractionOf(fraction, unit, 0))
		}
		if !fits {
			return 0, ErrRange
		}
	}
	nanoseconds, status := signed(total, isNegative)
	return time.Duration(nanoseconds), status
}

// takeUnit splits off what is neither a digit nor a point, and says how many nanoseconds it is.
func takeUnit(text string) (nanoseconds uint64, rest string, known bool) {
	end := 0
	for end < len(text) && !isDigit(text[end]) && text[end] != '.' {
		end++
	}
	switch text[:end] {
	case "ns":
		return 1, text[end:], true
	case "us", "µs", "μs": // the micro sign, and the Greek letter that looks like it
		return uint64(time.Microsecond), text[end:], true
	case "ms":
		return uint64(time.Millisecond), text[end:], true
	case "s":
		return uint64(time.Second), text[end:], true
	case "m":
		return uint64(time.Minute), text[end:], true
	case "h":
		return uint64(time.Hour), text[end:], true
	}
	return 0, text, false
}

// secondsToDuration rounds to the nearest nanosecond: a float64 is seldom exactly what was written.
func secondsToDuration(seconds float64) (time.Duration, Status) {
	nanoseconds := seconds * 1e9
	if !(nanoseconds >= -0x1p63 && nanoseconds < 0x1p63) {
		return 0, ErrRange
	}
	whole := int64(nanoseconds)
	switch rest := nanoseconds - float64(whole); {
	case rest >= 0.5:
		whole++
	case rest <= -0.5:
		whole--
	}
	return time.Duration(whole), noStatus
}

// wholeSeconds gives seconds as a duration.
func wholeSeconds(seconds int64) (time.Duration, Status) {
	if seconds > math.MaxInt64/int64(time.Second) || seconds < math.MinInt64/int64(time.Second) {
		return 0, ErrRange
	}
	return time.Duration(seconds) * time.Second, noStatus
}

// magnitude is the digits as an integer, times unit, unless that passes the greatest magnitude of
// an int64.
func magnitude(digits string, unit uint64) (value uint64, fits bool) {
	for i := range len(digits) {
		if value, fits = tenfold(value, digits[i]); !fits {
			return 0, false
		}
	}
	if value > 1<<63/unit {
		return 0, false
	}
	return value * unit, true
}

// tenfold appends a digit.
func tenfold(value uint64, digit byte) (uint64, bool) {
	if value > 1<<63/10 {
		return 0, false
	}
	return sum(value*10, uint64(digit-'0'))
}

// sum adds as long as an int64 can have the sum as its magnitude.
func sum(a, b uint64) (uint64, bool) {
	total := a + b
	return total, total >= a && total <= 1<<63
}

// fractionOf is 0.digits times unit, rounded down, or up when carry is 9. It goes from the last
// digit to the first: what each step drops could never reach the next whole number. The greatest
// unit is 2^60, ten of which fit.
func fractionOf(digits string, unit, carry uint64) (value uint64) {
	for i := len(digits) - 1; i >= 0; i-- {
		value = (uint64(digits[i]-'0')*unit + value + carry) / 10
	}
	return value
}
