// Durations as Go writes them: a sign, then numbers with units, "1h30m", "-1.5s". Where Go computes
// fractions in floating point, this computes them exactly and drops what is less than a nanosecond.

extension Text {
    /// Nanoseconds. A number without a unit is seconds.
    package static func duration(_ text: Bytes) throws(ReadError) -> Int64 {
        let text = trimmed(text)
        var cursor = TextCursor(text)
        let isNegative = cursor.takeSign()
        var total: UInt64 = 0
        var isFirst = true
        repeat {
            let whole = cursor.takeDigits()
            let fraction =
                cursor.take(UInt8(ascii: ".")) ? cursor.takeDigits() : Bytes(start: nil, count: 0)
            guard whole.count + fraction.count > 0 else { throw .type }
            let unit: UInt64
            if isFirst, cursor.isAtEnd {
                unit = 1_000_000_000
            } else if isFirst, cursor.next == UInt8(ascii: "e") || cursor.next == UInt8(ascii: "E")
            {
                return try duration(seconds: double(text))
            } else {
                unit = try nanoseconds(inUnit: cursor.takeUnit())
            }
            let part = try magnitude(whole, times: unit)
            total = try sum(total, try sum(part, wholeOf(fraction, times: unit)))
            isFirst = false
        } while !cursor.isAtEnd
        return try int64(total, isNegative)
    }

    /// Seconds as nanoseconds, to the nearest one: a double is seldom exactly what was written.
    package static func duration(seconds: Double) throws(ReadError) -> Int64 {
        let nanoseconds = seconds * 1e9
        guard nanoseconds >= -0x1p63, nanoseconds < 0x1p63 else { throw .range }
        let whole = Int64(nanoseconds)
        let rest = nanoseconds - Double(whole)
        return rest >= 0.5 ? whole &+ 1 : rest <= -0.5 ? whole &- 1 : whole
    }

    package static func duration(seconds: Int64) throws(ReadError) -> Int64 {
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { throw .range }
        return nanoseconds
    }

    private static func nanoseconds(inUnit unit: Bytes) throws(ReadError) -> UInt64 {
        if unit.isText("s") { return 1_000_000_000 }
        if unit.isText("ms") { return 1_000_000 }
        if unit.isText("m") { return 60_000_000_000 }
        if unit.isText("h") { return 3_600_000_000_000 }
        // Go takes both characters that look alike: the micro sign and the Greek letter.
        if unit.isText("us") || unit.isText("\u{B5}s") || unit.isText("\u{3BC}s") { return 1_000 }
        if unit.isText("ns") { return 1 }
        throw .type
    }

    /// The digits as an integer, times `unit`; `.range` where that passes the greatest magnitude of
    /// an int64.
    static func magnitude(_ digits: Bytes, times unit: UInt64) throws(ReadError) -> UInt64 {
        var value: UInt64 = 0
        for digit in digits {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { throw .range }
            value = try sum(tens, UInt64(digit &- zero))
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        if overflow || product > 1 << 63 { throw .range }
        return product
    }

    /// The sum, as long as an int64 can have it as its magnitude.
    static func sum(_ a: UInt64, _ b: UInt64) throws(ReadError) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow || sum > 1 << 63 { throw .range }
        return sum
    }

    /// 0.`digits` times `unit`, rounded down. From the last digit to the first: dropping the
    /// fraction of each step drops nothing that could reach the next whole number.
    private static func wholeOf(_ digits: Bytes, times unit: UInt64) -> UInt64 {
        var value: UInt64 = 0
        for digit in digits.reversed() { value = (UInt64(digit &- zero) &* unit &+ value) / 10 }
        return value
    }
}
