// Decimal numbers in full, by arithmetic as one learns it at school: what the parser's own is
// checked against.

enum ExactDecimal {
    /// The average of two positive doubles, with all its digits.
    static func middle(_ a: Double, _ b: Double) -> String {
        // Both are multiples of the smaller's last bit; half of that is a power of two, at least
        // 2^-1075.
        let step = min(a.ulp, b.ulp)
        let exponent = Int(step.exponent) - 1
        var number = Natural(
            [UInt64(2 * (a / step)) + UInt64(b / step - a / step)], base: 1_000_000_000)
        // 2^-n is 5^n · 10^-n.
        for _ in 0..<abs(exponent) { number.multiply(by: exponent < 0 ? 5 : 2) }
        let places = max(0, -exponent)
        var digits = number.decimal
        digits = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return digits.dropLast(places) + "." + (places == 0 ? "0" : digits.suffix(places))
    }

    /// The 128 most significant bits of 5^exponent: cut off, or rounded up for negative exponents.
    static func powerOfFive(_ exponent: Int) -> (high: UInt64, low: UInt64) {
        var power = Natural([1], base: 1 << 32)
        for _ in 0..<abs(exponent) { power.multiply(by: 5) }
        if exponent >= 0 { return power.mostSignificant128 }
        // 2^n / 5^-exponent, rounded up: n is as large as the proof of the method asks for.
        let bits = power.bitCount
        var quotient = Natural([1], base: 1 << 32)
        for _ in 0..<(exponent < -27 ? 2 * bits + 128 : bits + 127) { quotient.multiply(by: 2) }
        for _ in 0..<(-exponent) { quotient.divide(by: 5) }
        quotient.add(1)
        return quotient.mostSignificant128
    }
}

/// A natural number as digits of any base up to 2^32, the lowest first.
private struct Natural {
    private var digits: [UInt64]
    private let base: UInt64

    /// `digits` may be too large for the base.
    init(_ digits: [UInt64], base: UInt64) {
        self.digits = digits
        self.base = base
        add(0)
    }

    mutating func multiply(by factor: UInt64) {
        for index in digits.indices { digits[index] *= factor }
        add(0)
    }

    mutating func add(_ summand: UInt64) {
        var carry = summand
        for index in digits.indices {
            let sum = digits[index] + carry
            digits[index] = sum % base
            carry = sum / base
        }
        while carry > 0 {
            digits.append(carry % base)
            carry /= base
        }
    }

    mutating func divide(by divisor: UInt64) {
        var rest: UInt64 = 0
        for index in digits.indices.reversed() {
            let value = rest * base + digits[index]
            digits[index] = value / divisor
            rest = value % divisor
        }
        while digits.last == 0 { digits.removeLast() }
    }

    /// For base 1,000,000,000.
    var decimal: String {
        let text = digits.reversed().map {
            String(repeating: "0", count: 9 - String($0).count) + String($0)
        }.joined()
        return String(text.drop { $0 == "0" })
    }

    /// For base 2^32.
    var bitCount: Int { 32 * digits.count - UInt32(digits.last ?? 0).leadingZeroBitCount }

    /// For base 2^32.
    var mostSignificant128: (high: UInt64, low: UInt64) {
        let zeros = UInt32(digits.last ?? 0).leadingZeroBitCount
        let top = Array(([0, 0, 0, 0] + digits).suffix(5))
        let shifted = (1..<5).map {
            (top[$0] << UInt64(zeros) | top[$0 - 1] >> UInt64(32 - zeros)) & 0xffff_ffff
        }
        return (shifted[3] << 32 | shifted[2], shifted[1] << 32 | shifted[0])
    }
}
