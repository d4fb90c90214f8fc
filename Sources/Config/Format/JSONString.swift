// A JSON string's way from the source to the document's text: found, checked, unescaped and copied in one go.
// The common string, at most fifteen plain characters, never gets here: JSONParser takes it in one block.

enum JSONString {
    /// What became of a string: how far it was read, how far it was written, and what was wrong with it.
    struct Copied {
        /// After the closing quote, or at the byte that is wrong.
        var source: UnsafePointer<UInt8>
        /// The end of the unescaped text.
        var text: UnsafeMutablePointer<UInt8>
        var problem: ParseError.Problem?

        @inline(__always)
        init(_ source: UnsafePointer<UInt8>, _ text: UnsafeMutablePointer<UInt8>, _ problem: ParseError.Problem? = nil) {
            self.source = source
            self.text = text
            self.problem = problem
        }
    }

    /// Where an ordinary run of a string ends: at a quote, a backslash, a control character or anything that is
    /// not ASCII. The bytes from 0x80 on are negative, hence less than a blank too.
    @inline(__always)
    static func stops(in block: Block) -> UInt32 {
        (block.equal(UInt8(ascii: "\"")) | block.equal(UInt8(ascii: "\\")) | block.belowSigned(0x20)).bits
    }

    /// The same with characters beyond ASCII taken as ordinary.
    @inline(__always)
    private static func stopsButUnicode(in block: Block) -> UInt32 {
        (block.equal(UInt8(ascii: "\"")) | block.equal(UInt8(ascii: "\\")) | block.below(0x20)).bits
    }

    /// Copies the string whose first byte is at `source`, of the text that begins at `start`, to `text`. Blocks are
    /// stored whole: up to fifteen bytes after the end of the copy are overwritten.
    @inline(never)
    static func copy(
        _ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>, start: UnsafePointer<UInt8>
    ) -> Copied {
        var p = source
        var d = text
        while true {
            let block = Block(at: p)
            block.store(to: d)
            let stops = stops(in: block)
            if stops == 0 {
                p += 16
                d += 16
                continue
            }
            p += stops.trailingZeroBitCount
            d += stops.trailingZeroBitCount
            if p.pointee >= 0x80 {
                let copied = copyUnicode(p, to: d, start: start)
                if copied.problem != nil { return copied }
                p = copied.source
                d = copied.text
            }
            if p.pointee == UInt8(ascii: "\"") { return Copied(p + 1, d) }
            if p.pointee < 0x20 { return Copied(p, d, .controlCharacter) }
            if p.pointee != UInt8(ascii: "\\") { continue }
            let copied = unescape(p, to: d)
            if copied.problem != nil { return copied }
            p = copied.source
            d = copied.text
        }
    }

    /// Copies from a character beyond ASCII to the next quote, backslash or control character.
    @inline(__always)
    private static func copyUnicode(
        _ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>, start: UnsafePointer<UInt8>
    ) -> Copied {
        var p = source
        var d = text
        while p - start < 3 {  // no three bytes to look back at
            if p.pointee < 0x80 { return Copied(p, d) }
            let length = UTF8Check.sequenceLength(at: p)
            if length == 0 { return Copied(p, d, .invalidUTF8) }
            for _ in 0..<length {
                d.pointee = p.pointee
                d += 1
                p += 1
            }
        }
        while true {
            let block = Block(at: p)
            block.store(to: d)
            let stops = stopsButUnicode(in: block)
            // Up to the stop and with it: it is there that a sequence which is cut short shows.
            let bad = UTF8Check.violations(in: block, at: p).bits & (stops ^ (stops &- 1))
            if _slowPath(bad != 0) { return Copied(p + bad.trailingZeroBitCount, d, .invalidUTF8) }
            if stops != 0 { return Copied(p + stops.trailingZeroBitCount, d + stops.trailingZeroBitCount) }
            p += 16
            d += 16
        }
    }

    /// Writes what the escape sequence at `source` stands for.
    @inline(__always)
    private static func unescape(_ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>) -> Copied {
        let character: UInt8
        switch source[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): character = source[1]
        case UInt8(ascii: "n"): character = 0x0a
        case UInt8(ascii: "t"): character = 0x09
        case UInt8(ascii: "r"): character = 0x0d
        case UInt8(ascii: "b"): character = 0x08
        case UInt8(ascii: "f"): character = 0x0c
        case UInt8(ascii: "u"): return unescapeUnicode(source, to: text)
        default: return Copied(source, text, .badEscape)
        }
        text.pointee = character
        return Copied(source + 2, text + 1)
    }

    /// `\uXXXX`, or two of them that make one character.
    @inline(__always)
    private static func unescapeUnicode(
        _ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
    ) -> Copied {
        guard var scalar = hexadecimal(at: source + 2) else { return Copied(source, text, .badUnicodeEscape) }
        var p = source + 6
        if scalar & 0xf800 == 0xd800 {
            guard scalar < 0xdc00, p[0] == UInt8(ascii: "\\"), p[1] == UInt8(ascii: "u"),
                let low = hexadecimal(at: p + 2), low & 0xfc00 == 0xdc00
            else { return Copied(source, text, .loneSurrogate) }
            scalar = 0x10000 &+ (scalar & 0x3ff) &<< 10 &+ (low & 0x3ff)
            p += 6
        }
        return Copied(p, text + encode(scalar, to: text))
    }

    /// The number in four hexadecimal digits. Reads no further than the first byte that is none.
    @inline(__always)
    private static func hexadecimal(at pointer: UnsafePointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let byte = pointer[index]
            var digit = byte &- UInt8(ascii: "0")
            if digit > 9 {
                digit = (byte | 0x20) &- UInt8(ascii: "a")
                if digit > 5 { return nil }
                digit = digit &+ 10
            }
            value = value &<< 4 | UInt32(digit)
        }
        return value
    }

    /// Writes a character in UTF-8, which never takes more bytes than its escape did; gives their number.
    @inline(__always)
    private static func encode(_ scalar: UInt32, to text: UnsafeMutablePointer<UInt8>) -> Int {
        @inline(__always)
        func byte(_ marker: UInt32, _ shift: UInt32, _ mask: UInt32) -> UInt8 {
            UInt8(truncatingIfNeeded: marker | (scalar &>> shift) & mask)
        }
        if scalar < 0x80 {
            text[0] = UInt8(truncatingIfNeeded: scalar)
            return 1
        }
        if scalar < 0x800 {
            text[0] = byte(0xc0, 6, 0x1f)
            text[1] = byte(0x80, 0, 0x3f)
            return 2
        }
        if scalar < 0x10000 {
            text[0] = byte(0xe0, 12, 0x0f)
            text[1] = byte(0x80, 6, 0x3f)
            text[2] = byte(0x80, 0, 0x3f)
            return 3
        }
        text[0] = byte(0xf0, 18, 0x07)
        text[1] = byte(0x80, 12, 0x3f)
        text[2] = byte(0x80, 6, 0x3f)
        text[3] = byte(0x80, 0, 0x3f)
        return 4
    }
}
