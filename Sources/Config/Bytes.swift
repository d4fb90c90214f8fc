// Runs of bytes that somebody else owns: whether two are equal, and which comes first. Works eight
// bytes at a time, because keys are compared on every read and values on every reload. Never reads
// past an end.

/// Bytes that somebody else owns for as long as the callee needs them.
package typealias Bytes = UnsafeBufferPointer<UInt8>

/// Whether the `count` bytes at `a` and at `b` are the same.
@inline(__always)
package func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    if count >= 8 {
        let last = count &- 8
        var offset = 0
        while offset < last {
            if word(a, offset) != word(b, offset) { return false }
            offset &+= 8
        }
        // The last eight may overlap the ones before: cheaper than a loop over a remainder.
        return word(a, last) == word(b, last)
    }
    if count >= 4 {
        let last = count &- 4
        return halfWord(a, 0) == halfWord(b, 0) && halfWord(a, last) == halfWord(b, last)
    }
    var offset = 0
    while offset < count {
        if byte(a, offset) != byte(b, offset) { return false }
        offset &+= 1
    }
    return true
}

/// Whether two runs hold the same bytes.
@inline(__always)
package func equalBytes(_ a: Bytes, _ b: Bytes) -> Bool {
    guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
        return a.count == b.count
    }
    return equalBytes(first, second, a.count)
}

/// Below zero when `a` comes before `b`, zero when they are equal, above zero otherwise; bytes are
/// unsigned and a prefix comes first, as `memcmp` and then the length would say.
package func compareBytes(_ a: Bytes, _ b: Bytes) -> Int {
    let shared = min(a.count, b.count)
    if shared > 0, let first = a.baseAddress, let second = b.baseAddress {
        let (first, second) = (UnsafeRawPointer(first), UnsafeRawPointer(second))
        var offset = 0
        while offset &+ 8 <= shared {
            let (left, right) = (word(first, offset).bigEndian, word(second, offset).bigEndian)
            if left != right { return left < right ? -1 : 1 }
            offset &+= 8
        }
        while offset < shared {
            let (left, right) = (byte(first, offset), byte(second, offset))
            if left != right { return left < right ? -1 : 1 }
            offset &+= 1
        }
    }
    return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
}

extension Bytes {
    /// Whether the bytes begin with the characters of `prefix`.
    func hasPrefix(_ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard let start = baseAddress, count >= length else { return false }
        return equalBytes(start, prefix.utf8Start, length)
    }

    /// Whether they end with those of `suffix`.
    func hasSuffix(_ suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        guard let start = baseAddress, count >= length else { return false }
        return equalBytes(start + (count &- length), suffix.utf8Start, length)
    }
}

/// A word of at most seven characters as one number, so that it can be looked up in a `switch`.
struct ShortWord: Equatable, ExpressibleByStringLiteral {
    /// The characters, the first one lowest, and above them how many there are.
    private let number: UInt64

    init(_ text: Bytes) { self.init(text, or: 0) }

    /// The letters A to Z count as small ones.
    init(lowercasing text: Bytes) { self.init(text, or: 0x20) }

    @inline(__always)
    init(stringLiteral text: StaticString) {
        self.init(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount), or: 0)
    }

    /// What is longer is a number that no literal has.
    @inline(__always)
    private init(_ text: Bytes, or small: UInt8) {
        var number = UInt64(min(text.count, 8)) << 56
        for index in 0..<min(text.count, 7) {
            let byte = text[index]
            let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            number |= UInt64(isCapital ? byte | small : byte) << UInt64(8 * index)
        }
        self.number = number
    }
}

@inline(__always)
private func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    (base + offset).loadUnaligned(as: UInt64.self)
}

@inline(__always)
private func halfWord(_ base: UnsafeRawPointer, _ offset: Int) -> UInt32 {
    (base + offset).loadUnaligned(as: UInt32.self)
}

@inline(__always)
private func byte(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
    (base + offset).load(as: UInt8.self)
}
