package cmreload

// Quantities as Kubernetes writes them: "64Mi", "1k", "100m", "2e3". They are computed in integers,
// whatever the number of digits. A fraction is rounded away from zero, as resource.Quantity.Value
// does; what passes an int64 is refused, where Kubernetes would cap or wrap it.

// parseQuantity reads the whole number that a quantity asks for.
func parseQuantity(text string) (int64, Status) {
	isNegative, rest := takeSign(trimmed(text))
	whole, rest := takeDigits(rest)
	fraction, rest := takeFraction(rest)
	if whole == "" && fraction == "" {
		return 0, ErrType
	}
	var value uint64
	var fits bool
	if unit, isBinary := binaryUnit(rest); isBinary {
		if value, fits = magnitude(whole, unit); fits {
			value, fits = sum(value, fractionOf(fraction, unit, 9))
		}
	} else if exponent, isDecimal := decimalExponent(rest); isDecimal {
		var isExact bool
		if value, isExact, fits = shifted(whole, fraction, exponent); fits && !isExact {
			value, fits = sum(value, 1)
		}
	} else {
		return 0, ErrType
	}
	if !fits {
		return 0, ErrRange
	}
	return signed(value, isNegative)
}

// floatToQuantity rounds away from zero. The least int64 is left out, as in floatToInt.
func floatToQuantity(number float64) (int64, Status) {
	if !(number > -0x1p63 && number < 0x1p63) {
		return 0, ErrRange
	}
	// A float64 with a fraction is far below the greatest integer: adding one cannot overflow.
	whole := int64(number)
	switch {
	case number > float64(whole):
		whole++
	case number < float64(whole):
		whole--
	}
	return whole, noStatus
}

// binaryUnit is the power of two that a suffix like "Mi" names.
func binaryUnit(suffix string) (uint64, bool) {
	if len(suffix) != 2 || suffix[1] != 'i' {
		return 0, false
	}
	const letters = "KMGTPE"
	for i := range len(letters) {
		if letters[i] == suffix[0] {
			return 1 << (10 * (i + 1)), true
		}
	}
	return 0, false
}

// decimalExponent is the power of ten that a suffix like "M" names, or one like "e6" writes.
func decimalExponent(suffix string) (int, bool) {
	if suffix == "" {
		return 0, true
	}
	if len(suffix) == 1 {
		const letters = "num kMGTPE"
		for i := range len(letters) {
			if letters[i] == suffix[0] {
				return 3 * (i - 3), suffix[0] != ' '
			}
		}
		return 0, false
	}
	return writtenExponent(suffix)
}

// writtenExponent is the power of ten that "e6" writes.
func writtenExponent(suffix string) (int, bool) {
	if suffix[0]|0x20 != 'e' {
		return 0, false
	}
	isNegative, rest := takeSign(suffix[1:])
	digits, rest := takeDigits(rest)
	if digits == "" || rest != "" {
		return 0, false
	}
	exponent := 0
	for i := range len(digits) {
		// Beyond a billion it makes no difference any more: no text is that long.
		exponent = min(exponent*10+int(digits[i]-'0'), 4_000_000_000)
	}
	if isNegative {
		exponent = -exponent
	}
	return exponent, true
}

// shifted is the digits with the point moved to the right by exponent places, and whether nothing
// but zeros is left behind it.
func shifted(whole, fraction string, exponent int) (value uint64, isExact, fits bool) {
	count, point := len(whole)+len(fraction), len(whole)+exponent
	for i := range count {
		digit := byte('0')
		if i < len(whole) {
			digit = whole[i]
		} else {
			digit = fraction[i-len(whole)]
		}
		if i >= point {
			if digit != '0' {
				return value, false, true
			}
		} else if value, fits = tenfold(value, digit); !fits {
			return 0, false, false
		}
	}
	for missing := point - count; missing > 0 && value > 0; missing-- {
		if value, fits = tenfold(value, '0'); !fits {
			return 0, false, false
		}
	}
	return value, true, true
}
