// What text means when it is read as a number or a truth value. The same rules hold for the text of
// a key and for a string inside a parsed value. White space around it is ignored; what does not fit
// is refused, never clamped.
//
// A number is written as JSON writes it, and may also begin with `+` or with zeros: [+-] digits [.
// digits] [e [+-] digits]. No hexadecimal digits, no separators, no infinity.

/// Reads text.
package enum Text {
    /// The text without the white space of ASCII at its ends.
    package static func trimmed(_ text: Bytes) -> Bytes {
        Bytes(rebasing: text[trimmedRange(of: text)])
    }

    /// Where that lies.
    package static func trimmedRange(of text: Bytes) -> Range<Int> {
        var (start, end) = (0, text.count)
        while start < end, isSpace(text[start]) { start += 1 }
        while start < end, isSpace(text[end - 1]) { end -= 1 }
        return start..<end
    }

    /// An integer, exact; a number with a point or an exponent is one when nothing is left behind
    /// the point.
    package static func int64(_ text: Bytes) throws(ReadError) -> Int64 {
        let text = trimmed(text)
        var cursor = TextCursor(text)
        let isNegative = cursor.takeSign()
        let digits = cursor.takeDigits()
        guard digits.count > 0 else { throw .type }
        guard cursor.isAtEnd else { return try int64(digits, isNegative, cursor) }
        var magnitude: UInt64 = 0
        for digit in digits {
            let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit &- zero))
            if overflow || carry { throw .range }
            magnitude = sum
        }
        return try int64(magnitude, isNegative)
    }

    /// An integer whose first digits a point or an exponent follows.
    private static func int64(
        _ whole: Bytes, _ isNegative: Bool, _ rest: TextCursor
    ) throws(ReadError) -> Int64 {
        var cursor = rest
        var fraction = Bytes(start: nil, count: 0)
        if cursor.take(UInt8(ascii: ".")) {
            fraction = cursor.takeDigits()
            guard fraction.count > 0 else { throw .type }
        }
        var power = 0
        if cursor.take(UInt8(ascii: "e")) || cursor.take(UInt8(ascii: "E")) {
            power = try exponent(cursor.rest)
        } else if !cursor.isAtEnd {
            throw .type
        }
        let (magnitude, isExact) = try shifted(whole, fraction, exponent: power)
        let value = try int64(magnitude, isNegative)
        guard isExact else { throw .type }
        return value
    }

    /// A double that has no fraction, as an integer.
    package static func int64(exactly value: Double) throws(ReadError) -> Int64 {
        // The bounds are powers of two and therefore exact; beyond them no double has a fraction.
        // The least int64 is left out: as a double it may just as well be what -9223372036854775809
        // was rounded to.
        guard value > -0x1p63, value < 0x1p63 else { throw .range }
        let whole = Int64(value)
        guard Double(whole) == value else { throw .type }
        return whole
    }

    /// The integer of a magnitude and a sign.
    static func int64(_ magnitude: UInt64, _ isNegative: Bool) throws(ReadError) -> Int64 {
        guard magnitude <= UInt64(1) << 63 - (isNegative ? 0 : 1) else { throw .range }
        return Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }

    /// `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`, in upper or lower case.
    package static func bool(_ text: Bytes) throws(ReadError) -> Bool {
        switch ShortWord(lowercasing: trimmed(text)) {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw .type
        }
    }
}

/// A place within text that moves forward.
struct TextCursor {
    private let text: Bytes
    private(set) var position = 0

    init(_ text: Bytes) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    /// The next byte, or nil at the end.
    var next: UInt8? { position < text.count ? text[position] : nil }

    /// All that is left.
    var rest: Bytes { Bytes(rebasing: text[position...]) }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// Takes a sign, if there is one, and says whether it is a minus.
    mutating func takeSign() -> Bool {
        if take(UInt8(ascii: "-")) { return true }
        _ = take(UInt8(ascii: "+"))
        return false
    }

    /// Takes as many decimal digits as there are.
    mutating func takeDigits() -> Bytes {
        let start = position
        while position < text.count, text[position] &- zero < 10 { position += 1 }
        return Bytes(rebasing: text[start..<position])
    }

    /// Takes what is not a digit and not a point.
    mutating func takeUnit() -> Bytes {
        let start = position
        while position < text.count, text[position] &- zero >= 10,
            text[position] != UInt8(ascii: ".")
        {
            position += 1
        }
        return Bytes(rebasing: text[start..<position])
    }
}

let zero = UInt8(ascii: "0")

private func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte >= 0x09 && byte <= 0x0D
}

extension Bytes {
    /// Whether these are the characters of `text`.
    func isText(_ text: StaticString) -> Bool {
        equalBytes(self, Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
