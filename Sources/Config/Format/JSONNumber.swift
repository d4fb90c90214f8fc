// A number of JSON text: its grammar, and the integers and decimals that are common. What has more
// than nineteen digits is left to `Decimal`.

enum JSONNumber {
    struct Parsed {
        /// After the last character, or at the byte that is wrong.
        var end: UnsafePointer<UInt8>
        var type: ValueType
        /// The payload of the node.
        var payload: UInt64
        var problem: ParseError.Problem?

        @inline(__always)
        init(
            _ end: UnsafePointer<UInt8>, _ type: ValueType, _ payload: UInt64,
            _ problem: ParseError.Problem? = nil
        ) {
            self.end = end
            self.type = type
            self.payload = payload
            self.problem = problem
        }

        @inline(__always)
        init(_ end: UnsafePointer<UInt8>, failed problem: ParseError.Problem) {
            self.init(end, .null, 0, problem)
        }
    }

    /// Whether a byte that most often follows a number.
    @inline(__always)
    static func isEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
    }

    /// Parses the number at `start`, which is a minus sign or a digit.
    @inline(never)
    @_optimize(speed)
    static func parse(_ start: UnsafePointer<UInt8>, limbs: UnsafeMutablePointer<UInt64>) -> Parsed
    {
        var p = start
        let isNegative = p.pointee == UInt8(ascii: "-")
        if isNegative { p += 1 }
        let sign: UInt64 = isNegative ? 1 &<< 63 : 0
        let firstDigit = p
        var digits: UInt64 = 0
        let leading = digit(p)
        if _slowPath(leading > 9) { return Parsed(p, failed: .expectedDigit) }
        p += 1
        if leading == 0 {
            if _slowPath(digit(p) <= 9) { return Parsed(p - 1, failed: .leadingZero) }
        } else {
            digits = UInt64(leading)
            takeInteger(&p, &digits)
        }
        // Wraps when there are more than nineteen; then the digits are read again.
        var count = p - firstDigit

        if _fastPath(p.pointee != UInt8(ascii: ".") && p.pointee | 0x20 != UInt8(ascii: "e")) {
            if _fastPath(count <= 18 || count == 19 && digits <= 1 &<< 63 &- (isNegative ? 0 : 1)) {
                return Parsed(p, .int64, isNegative ? 0 &- digits : digits)
            }
            return decimal(start, p, limbs)
        }

        var exponent = 0
        if p.pointee == UInt8(ascii: ".") {
            p += 1
            let fraction = p
            takeDigits(&p, &digits)
            exponent = fraction - p
            if _slowPath(exponent == 0) { return Parsed(p, failed: .expectedDigit) }
            count = count &- exponent
        }
        if p.pointee | 0x20 == UInt8(ascii: "e") {
            p += 1
            guard let written = takeExponent(&p) else { return Parsed(p, failed: .expectedDigit) }
            exponent = exponent &+ written
        }
        // 2^53 is exact in a double and so are the powers of ten to 10^22: one rounding, the
        // correct one.
        if _fastPath(count <= 19) {
            if digits <= 1 &<< 53 && exponent >= -22 && exponent <= 22 {
                let whole = Double(digits)
                let value =
                    exponent < 0
                    ? whole / smallPowersOfTen[unchecked: 0 &- exponent]
                    : whole * smallPowersOfTen[unchecked: exponent]
                return Parsed(p, .double, value.bitPattern | sign)
            }
            let bits = Decimal.nearest(digits, exponent)
            if bits >= Decimal.infinity { return Parsed(start, failed: .numberTooLarge) }
            return Parsed(p, .double, bits | sign)
        }
        return decimal(start, p, limbs)
    }

    /// The number between `start` and `end`, of any length, as a double.
    @inline(never)
    private static func decimal(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ limbs: UnsafeMutablePointer<UInt64>
    ) -> Parsed {
        let bits = Decimal(start, end).nearest(limbs: limbs)
        if bits & Decimal.infinity == Decimal.infinity {
            return Parsed(start, failed: .numberTooLarge)
        }
        return Parsed(end, .double, bits)
    }

    // MARK: Digits

    @inline(__always)
    private static func digit(_ p: UnsafePointer<UInt8>) -> UInt8 { p.pointee &- UInt8(ascii: "0") }

    /// Takes the rest of an integer's digits. Most integers are short: three by hand before eight
    /// at a time.
    @inline(__always)
    private static func takeInteger(_ p: inout UnsafePointer<UInt8>, _ digits: inout UInt64) {
        for _ in 0..<3 {
            let next = digit(p)
            if next > 9 { return }
            digits = digits &* 10 &+ UInt64(next)
            p += 1
        }
        takeDigits(&p, &digits)
    }

    /// Takes digits eight at a time; the last, incomplete eight are shifted up behind zeros instead
    /// of looped over.
    @inline(__always)
    private static func takeDigits(_ p: inout UnsafePointer<UInt8>, _ digits: inout UInt64) {
        while true {
            let eight = p.load(as: UInt64.self) ^ 0x3030_3030_3030_3030
            // The highest bit of each byte that is no digit: it is above 9, or was not ASCII.
            let others = ((eight &+ 0x7676_7676_7676_7676) | eight) & 0x8080_8080_8080_8080
            if others == 0 {
                digits = digits &* 100_000_000 &+ number(in: eight)
                p += 8
                continue
            }
            let count = others.trailingZeroBitCount &>> 3
            // In two steps: a shift by 64 would not shift at all.
            let shifted = (eight &<< UInt64(truncatingIfNeeded: 56 &- 8 &* count)) &<< 8
            digits = digits &* smallPowers[unchecked: count] &+ number(in: shifted)
            p += count
            return
        }
    }

    /// The number that eight digits make, the first in the lowest byte: neighbours are joined to
    /// pairs, pairs to fours, fours to eight.
    @inline(__always)
    private static func number(in eight: UInt64) -> UInt64 {
        let pairs = eight &* 10 &+ eight &>> 8
        let even = (pairs & 0x0000_00ff_0000_00ff) &* (100 &+ (1_000_000 &<< 32))
        let odd = ((pairs &>> 16) & 0x0000_00ff_0000_00ff) &* (1 &+ (10_000 &<< 32))
        return (even &+ odd) &>> 32
    }

    /// The exponent after the letter; nil when there is no digit. Far beyond what any double has,
    /// it may stay too small: texts are at most 2^30 bytes long.
    @inline(__always)
    private static func takeExponent(_ p: inout UnsafePointer<UInt8>) -> Int? {
        let isNegative = p.pointee == UInt8(ascii: "-")
        if isNegative || p.pointee == UInt8(ascii: "+") { p += 1 }
        if digit(p) > 9 { return nil }
        var exponent = 0
        repeat {
            if exponent < 1 &<< 40 { exponent = exponent &* 10 &+ Int(digit(p)) }
            p += 1
        } while digit(p) <= 9
        return isNegative ? 0 &- exponent : exponent
    }

    private static let smallPowers: InlineArray<8, UInt64> = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000,
    ]
    private static let smallPowersOfTen: InlineArray<23, Double> = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
