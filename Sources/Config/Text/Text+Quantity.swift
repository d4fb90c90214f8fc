// Quantities as Kubernetes writes them: "64Mi", "1k", "100m", "2e3". Computed in integers, whatever
// the number of digits. A fraction is rounded away from zero, as `resource.Quantity.Value()` does;
// what passes an int64 is refused, where Kubernetes would silently cap or wrap it.

extension Text {
    /// The whole number that a quantity asks for.
    package static func quantity(_ text: Bytes) throws(ReadError) -> Int64 {
        var cursor = TextCursor(trimmed(text))
        let isNegative = cursor.takeSign()
        let whole = cursor.takeDigits()
        let fraction =
            cursor.take(UInt8(ascii: ".")) ? cursor.takeDigits() : Bytes(start: nil, count: 0)
        guard whole.count + fraction.count > 0 else { throw .type }
        let value =
            switch try Suffix(cursor.rest) {
            case .decimal(let exponent): try roundedUp(whole, fraction, exponent: exponent)
            case .binary(let unit):
                try sum(magnitude(whole, times: unit), roundedUp(fraction, times: unit))
            }
        return try int64(value, isNegative)
    }

    /// A double, rounded away from zero.
    package static func quantity(_ value: Double) throws(ReadError) -> Int64 {
        // The least int64 is left out, as in `int64(exactly:)`: -9223372036854775809 rounds to it.
        guard value > -0x1p63, value < 0x1p63 else { throw .range }
        let whole = Int64(value)
        // A double with a fraction is far below the greatest integer: adding one cannot overflow.
        return value > Double(whole) ? whole &+ 1 : value < Double(whole) ? whole &- 1 : whole
    }

    private enum Suffix {
        /// A power of ten.
        case decimal(exponent: Int)
        /// A power of two, as the number that it is.
        case binary(unit: UInt64)

        init(_ text: Bytes) throws(ReadError) {
            switch text.count {
            case 0:
                self = .decimal(exponent: 0)
            case 1:
                self = .decimal(exponent: try Suffix.exponent(of: text[0]))
            default:
                if text.count == 2, text[1] == UInt8(ascii: "i") {
                    self = .binary(unit: try Suffix.unit(of: text[0]))
                } else if text[0] | 0x20 == UInt8(ascii: "e") {
                    self = .decimal(exponent: try Text.exponent(Bytes(rebasing: text[1...])))
                } else {
                    throw .type
                }
            }
        }

        private static func exponent(of letter: UInt8) throws(ReadError) -> Int {
            switch letter {
            case UInt8(ascii: "n"): return -9
            case UInt8(ascii: "u"): return -6
            case UInt8(ascii: "m"): return -3
            case UInt8(ascii: "k"): return 3
            case UInt8(ascii: "M"): return 6
            case UInt8(ascii: "G"): return 9
            case UInt8(ascii: "T"): return 12
            case UInt8(ascii: "P"): return 15
            case UInt8(ascii: "E"): return 18
            default: throw .type
            }
        }

        private static func unit(of letter: UInt8) throws(ReadError) -> UInt64 {
            switch letter {
            case UInt8(ascii: "K"): return 1 << 10
            case UInt8(ascii: "M"): return 1 << 20
            case UInt8(ascii: "G"): return 1 << 30
            case UInt8(ascii: "T"): return 1 << 40
            case UInt8(ascii: "P"): return 1 << 50
            case UInt8(ascii: "E"): return 1 << 60
            default: throw .type
            }
        }
    }

    /// The number behind an `e`. Beyond a billion it makes no difference any more: no text is that
    /// long.
    static func exponent(_ text: Bytes) throws(ReadError) -> Int {
        var cursor = TextCursor(text)
        let isNegative = cursor.takeSign()
        let digits = cursor.takeDigits()
        guard digits.count > 0, cursor.isAtEnd else { throw .type }
        var value = 0
        for digit in digits { value = min(value * 10 + Int(digit &- zero), 4_000_000_000) }
        return isNegative ? -value : value
    }

    /// The digits with the point moved `exponent` places to the right, and whether nothing but
    /// zeros is left behind it.
    static func shifted(
        _ whole: Bytes, _ fraction: Bytes, exponent: Int
    ) throws(ReadError) -> (value: UInt64, isExact: Bool) {
        let count = whole.count + fraction.count
        let point = whole.count + exponent
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = UInt64(
                (index < whole.count ? whole[index] : fraction[index - whole.count]) &- zero)
            if index < point {
                value = try tenfold(value, digit)
            } else if digit > 0 {
                return (value, false)
            }
        }
        var missing = point - count
        while missing > 0, value > 0 {
            value = try tenfold(value, 0)
            missing -= 1
        }
        return (value, true)
    }

    /// The same, rounded up.
    private static func roundedUp(
        _ whole: Bytes, _ fraction: Bytes, exponent: Int
    ) throws(ReadError) -> UInt64 {
        let (value, isExact) = try shifted(whole, fraction, exponent: exponent)
        return isExact ? value : try sum(value, 1)
    }

    private static func tenfold(_ value: UInt64, _ digit: UInt64) throws(ReadError) -> UInt64 {
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { throw .range }
        return try sum(tens, digit)
    }

    /// 0.`digits` times `unit`, rounded up; from the last digit to the first, so that it is exact.
    /// A unit is at most 2^60, ten of which fit.
    private static func roundedUp(_ digits: Bytes, times unit: UInt64) -> UInt64 {
        var value: UInt64 = 0
        for digit in digits.reversed() {
            value = (UInt64(digit &- zero) &* unit &+ value &+ 9) / 10
        }
        return value
    }
}
