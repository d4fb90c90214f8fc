// Numbers with a point or an exponent: the nearest double, to the last bit.

extension Text {
    /// A number; `.range` when no finite double is near.
    package static func double(_ text: Bytes) throws(ReadError) -> Double {
        let text = trimmed(text)
        var cursor = TextCursor(text)
        let isNegative = cursor.takeSign()
        let start = cursor.position
        guard cursor.takeDigits().count > 0 else { throw .type }
        if cursor.take(UInt8(ascii: ".")), cursor.takeDigits().count == 0 { throw .type }
        if cursor.take(UInt8(ascii: "e")) || cursor.take(UInt8(ascii: "E")) {
            _ = cursor.takeSign()
            guard cursor.takeDigits().count > 0 else { throw .type }
        }
        guard cursor.isAtEnd, let first = text.baseAddress else { throw .type }
        let value = nearest(first + start, first + text.count)
        guard value.isFinite else { throw .range }
        return isNegative ? -value : value
    }

    /// The nearest double to an unsigned number of a checked form, or infinity.
    private static func nearest(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>)
        -> Double
    {
        var limbs = InlineArray<132, UInt64>(repeating: 0)
        var span = limbs.mutableSpan
        return span.withUnsafeMutableBufferPointer { limbs in
            limbs.baseAddress.map { Double(bitPattern: Decimal(start, end).nearest(limbs: $0)) }
                ?? .infinity
        }
    }
}
