// From decimal digits to the nearest double, rounded to even, to the last bit. Two ways: a product
// of at most two multiplications for nineteen digits (D. Lemire, "Number Parsing at a Gigabyte per
// Second", 2021; N. Mushtak and D. Lemire, 2023, show that it never needs help), and exact integers
// for what is longer.

/// A number as its text gives it, of any length.
struct Decimal {
    private let isNegative: Bool
    /// The first digit that counts and the end of the digits; a point may lie between them.
    private let first: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    /// The power of ten of the last digit, were there no limit to digits.
    private let exponent: Int

    /// Reads the number between `start` and `end`, whose grammar was checked.
    init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        isNegative = start.pointee == UInt8(ascii: "-")
        var p = isNegative ? start + 1 : start
        var afterPoint = 0
        var sawPoint = false
        var first: UnsafePointer<UInt8>?
        while p < end && p.pointee | 0x20 != UInt8(ascii: "e") {
            if p.pointee == UInt8(ascii: ".") {
                sawPoint = true
            } else {
                if sawPoint { afterPoint = afterPoint &+ 1 }
                if first == nil && p.pointee != UInt8(ascii: "0") { first = p }
            }
            p += 1
        }
        self.first = first ?? p
        self.end = p
        var written = 0
        if p < end {
            p += 1
            let isMinus = p.pointee == UInt8(ascii: "-")
            while p < end {
                let digit = p.pointee &- UInt8(ascii: "0")
                if digit <= 9 && written < 1 &<< 40 { written = written &* 10 &+ Int(digit) }
                p += 1
            }
            if isMinus { written = 0 &- written }
        }
        exponent = written &- afterPoint
    }

    /// The bits of the nearest double, infinity when there is none. `limbs` has room for
    /// `Exact.limbCount` twice.
    func nearest(limbs: UnsafeMutablePointer<UInt64>) -> UInt64 {
        let sign: UInt64 = isNegative ? 1 &<< 63 : 0
        let head = takeHead()
        if head.dropped == 0 { return sign | Decimal.nearest(head.digits, exponent) }
        // The number lies between two that differ in the nineteenth digit. Mostly both round to the
        // same.
        let power = exponent &+ head.dropped
        let low = Decimal.nearest(head.digits, power)
        if low == Decimal.nearest(head.digits &+ 1, power) { return sign | low }
        return sign | (isAboveMiddle(of: low, limbs) ? low &+ 1 : low)
    }

    /// The first nineteen digits, and how many are left over.
    private func takeHead() -> (digits: UInt64, dropped: Int) {
        var digits: UInt64 = 0
        var taken = 0
        var dropped = 0
        var p = first
        while p < end {
            let digit = p.pointee &- UInt8(ascii: "0")
            p += 1
            if digit > 9 { continue }
            if taken < 19 {
                digits = digits &* 10 &+ UInt64(digit)
                taken = taken &+ 1
            } else {
                dropped = dropped &+ 1
            }
        }
        return (digits, dropped)
    }

    /// Whether the number rounds up from the double `low` to the next: it is above the middle
    /// between them, or it is the middle and `low` is odd. Compares exactly, number · 10^a with
    /// middle · 2^b, both made integers.
    private func isAboveMiddle(of low: UInt64, _ limbs: UnsafeMutablePointer<UInt64>) -> Bool {
        var number = Exact(limbs)
        var middle = Exact(limbs + Exact.limbCount)
        let dropped = takeAll(into: &number)
        let power = exponent &+ dropped.count

        let field = Int(truncatingIfNeeded: low &>> 52)
        let fraction = low & (1 &<< 52 &- 1)
        middle.set((field == 0 ? fraction : fraction | 1 &<< 52) &* 2 &+ 1)
        var shift = max(field, 1) &- 1076

        if power >= 0 {
            number.multiplyByPowerOfFive(power)
        } else {
            middle.multiplyByPowerOfFive(0 &- power)
        }
        shift = shift &- power
        if shift >= 0 { middle.shiftLeft(shift) } else { number.shiftLeft(0 &- shift) }

        switch number.compare(middle) {
        case 1: return true
        case 0: return dropped.isNonzero || low & 1 == 1
        default: return false
        }
    }

    /// More digits than the middle between any two doubles has (767); what lies behind can only
    /// break a tie.
    private static var mostDigits: Int { 800 }

    private func takeAll(into number: inout Exact) -> (count: Int, isNonzero: Bool) {
        var taken = 0
        var dropped = 0
        var isNonzero = false
        var chunk: UInt64 = 0
        var scale: UInt64 = 1
        var p = first
        while p < end {
            let digit = p.pointee &- UInt8(ascii: "0")
            p += 1
            if digit > 9 { continue }
            if taken == Decimal.mostDigits {
                dropped = dropped &+ 1
                if digit != 0 { isNonzero = true }
                continue
            }
            taken = taken &+ 1
            chunk = chunk &* 10 &+ UInt64(digit)
            scale = scale &* 10
            if scale == 10_000_000_000_000_000_000 {
                number.multiply(by: scale, adding: chunk)
                chunk = 0
                scale = 1
            }
        }
        number.multiply(by: scale, adding: chunk)
        return (dropped, isNonzero)
    }
}

extension Decimal {
    /// The bits of infinity.
    static var infinity: UInt64 { 0x7ff0_0000_0000_0000 }

    /// The bits of the double nearest to digits · 10^exponent, infinity when it is too large.
    @inline(never)
    static func nearest(_ digits: UInt64, _ exponent: Int) -> UInt64 {
        if digits == 0 || exponent < PowersOfFive.lowest { return 0 }
        if exponent > PowersOfFive.highest { return infinity }
        let zeros = digits.leadingZeroBitCount
        let normal = digits &<< UInt64(truncatingIfNeeded: zeros)
        let index = 2 &* (exponent &- PowersOfFive.lowest)
        var (high, low) = normal.multipliedFullWidth(by: PowersOfFive.table[unchecked: index])
        // What is cut off may carry: then the second word of the power decides.
        if high & 0x1ff == 0x1ff {
            let second = PowersOfFive.table[unchecked: index &+ 1]
            let more = normal.multipliedFullWidth(by: second).high
            low = low &+ more
            if low < more { high = high &+ 1 }
        }
        let top = high &>> 63
        // 54 bits: the 53 of a double and one to round by.
        var mantissa = high &>> (top &+ 9)
        // 217706 / 2^16 approximates log2(10): floor(log2(10^exponent)) for every exponent in the
        // table.
        let binary =
            ((217_706 &* exponent) &>> 16) &+ 63 &+ Int(truncatingIfNeeded: top) &- zeros &+ 1023

        if binary <= 0 {  // below the smallest normal double
            let shift = 1 &- binary
            if shift >= 64 { return 0 }
            mantissa = mantissa &>> UInt64(truncatingIfNeeded: shift)
            // Rounding may give the smallest normal double; its bits follow on those of the largest
            // subnormal.
            return (mantissa &+ (mantissa & 1)) &>> 1
        }
        // Exactly between two doubles, possible only where the power is exact: round to even.
        if low <= 1 && exponent >= -4 && exponent <= 23 && mantissa & 3 == 1
            && mantissa &<< (top &+ 9) == high
        {
            mantissa &= ~1
        }
        mantissa = (mantissa &+ (mantissa & 1)) &>> 1
        // A carry out of the mantissa goes up into the exponent, and out of that to infinity.
        let bits = (UInt64(truncatingIfNeeded: binary) &<< 52) &+ (mantissa &- (1 &<< 52))
        return min(bits, infinity)
    }
}

/// A large non-negative integer in memory of fixed size. 800 digits take 2,658 bits, and no
/// comparison above needs more than 4,000.
struct Exact {
    static var limbCount: Int { 66 }

    private let limbs: UnsafeMutablePointer<UInt64>
    private var count = 0

    init(_ limbs: UnsafeMutablePointer<UInt64>) { self.limbs = limbs }

    mutating func set(_ value: UInt64) {
        count = 0
        append(value)
    }

    private mutating func append(_ limb: UInt64) {
        if limb == 0 || count >= Exact.limbCount { return }
        limbs[count] = limb
        count = count &+ 1
    }

    mutating func multiply(by factor: UInt64, adding summand: UInt64 = 0) {
        var carry = summand
        var index = 0
        while index < count {
            let product = limbs[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = product.low.addingReportingOverflow(carry)
            limbs[index] = sum
            carry = product.high &+ (overflow ? 1 : 0)
            index = index &+ 1
        }
        append(carry)
    }

    mutating func multiplyByPowerOfFive(_ power: Int) {
        var left = power
        while left >= 27 {
            multiply(by: 7_450_580_596_923_828_125)
            left = left &- 27
        }
        var rest: UInt64 = 1
        while left > 0 {
            rest = rest &* 5
            left = left &- 1
        }
        multiply(by: rest)
    }

    mutating func shiftLeft(_ bits: Int) {
        let small = UInt64(truncatingIfNeeded: bits & 63)
        if small != 0 { multiply(by: 1 &<< small) }
        let whole = bits &>> 6
        if whole == 0 || count == 0 || count &+ whole > Exact.limbCount { return }
        count = count &+ whole
        var index = count
        while index > 0 {
            index = index &- 1
            limbs[index] = index >= whole ? limbs[index &- whole] : 0
        }
    }

    /// 1, 0 or -1: whether this is greater than, equal to or less than `other`.
    func compare(_ other: Exact) -> Int {
        if count != other.count { return count > other.count ? 1 : -1 }
        var index = count
        while index > 0 {
            index = index &- 1
            if limbs[index] != other.limbs[index] {
                return limbs[index] > other.limbs[index] ? 1 : -1
            }
        }
        return 0
    }
}
