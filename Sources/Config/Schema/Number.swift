// Numbers as schemas mean them: mathematical ones. An int64 is compared with a double without
// rounding either, and a multiple is one of the decimal numbers that were written, not of the
// doubles nearest to them: 0.0075 is a multiple of 0.0001.

/// A number of a parsed value.
enum Number {
    case integer(Int64)
    case double(Double)

    /// Of an int64 or double; nil for any other value.
    @inline(__always)
    init?(_ node: Node) {
        switch UInt8(truncatingIfNeeded: node.head) {
        case ValueType.int64.rawValue: self = .integer(Int64(bitPattern: node.payload))
        case ValueType.double.rawValue: self = .double(Double(bitPattern: node.payload))
        default: return nil
        }
    }

    /// A whole number, whether or not it is written with a point or an exponent.
    var isInteger: Bool {
        switch self {
        case .integer: true
        case .double(let value): value.rounded(.towardZero) == value
        }
    }

    /// Below zero when this number is less than the other, zero when they are equal, above zero
    /// otherwise.
    @inline(__always)
    func compared(to other: Number) -> Int {
        switch (self, other) {
        case (.integer(let a), .integer(let b)): a < b ? -1 : a == b ? 0 : 1
        case (.double(let a), .double(let b)): a < b ? -1 : a == b ? 0 : 1
        case (.integer(let a), .double(let b)): Number.compare(a, b)
        case (.double(let a), .integer(let b)): 0 &- Number.compare(b, a)
        }
    }

    private static func compare(_ integer: Int64, _ double: Double) -> Int {
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let whole = Int64(double)
        if integer != whole { return integer < whole ? -1 : 1 }
        // What is left behind the point is exact: a double that has a fraction is below 2^53.
        let fraction = double - Double(whole)
        return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
    }

    /// One bit pattern for all ways to write a number: equal numbers have equal ones.
    var identity: UInt64 {
        switch self {
        case .integer(let value): return UInt64(bitPattern: value)
        case .double(let value):
            if value >= -0x1p63, value < 0x1p63, value.rounded(.towardZero) == value {
                return UInt64(bitPattern: Int64(value))
            }
            return value.bitPattern
        }
    }

    /// Whether this number is a whole multiple of another that is above zero.
    func isMultiple(of divisor: Number) -> Bool {
        if case .integer(let value) = self, case .integer(let step) = divisor {
            return value.magnitude % step.magnitude == 0
        }
        let (value, step) = (Digits(self), Digits(divisor))
        if value.digits == 0 { return true }
        if value.exponent < step.exponent {
            // No digit of the value is a zero at its end: what the divisor lacks in places is
            // lost.
            return false
        }
        // value.digits × 10^n must be a multiple of step.digits, which is at most 2^63: sums of two
        // remainders fit.
        func doubled(_ rest: UInt64) -> UInt64 { (rest &+ rest) % step.digits }
        var rest = value.digits % step.digits
        for _ in 0..<(value.exponent &- step.exponent) {
            if rest == 0 { return true }
            rest = doubled((doubled(doubled(rest)) &+ rest) % step.digits)
        }
        return rest == 0
    }
}

/// A number as digits × 10^exponent, without its sign; the last digit is not zero.
private struct Digits {
    var digits: UInt64
    var exponent: Int

    init(_ number: Number) {
        exponent = 0
        switch number {
        case .integer(let value): digits = value.magnitude
        case .double(let value): (digits, exponent) = Digits.shortest(value)
        }
        while digits != 0, digits % 10 == 0 {
            digits /= 10
            exponent &+= 1
        }
    }

    /// The fewest digits that read as this double: those that were written, if they were no more
    /// than a double can tell apart.
    private static func shortest(_ value: Double) -> (digits: UInt64, exponent: Int) {
        value.magnitude.description.withBytes { text in
            var digits: UInt64 = 0
            var exponent = 0
            var isBehindPoint = false
            for (index, byte) in text.enumerated() {
                switch byte {
                case UInt8(ascii: "."): isBehindPoint = true
                case UInt8(ascii: "e"):
                    exponent &+= written(Bytes(rebasing: text[(index &+ 1)...]))
                    return (digits, exponent)
                default:
                    // At most 17 digits, and zeros before and behind them where there is no
                    // exponent: 2^53 has 16 places.
                    digits = digits &* 10 &+ UInt64(byte &- zero)
                    if isBehindPoint { exponent &-= 1 }
                }
            }
            return (digits, exponent)
        }
    }

    /// An exponent of at most three digits.
    private static func written(_ text: Bytes) -> Int {
        var value = 0
        for byte in text where byte &- zero < 10 { value = value &* 10 &+ Int(byte &- zero) }
        return text.first == UInt8(ascii: "-") ? 0 &- value : value
    }
}
