// A JSON string's way from the source to the document's text: found, checked, unescaped and copied
// in one go. The common string, at most sixteen plain characters, never gets here: JSONParser takes
// it in one block.

enum JSONString {
    /// What became of a string: how far it was read, how far it was written, and what was wrong
    /// with it.
    struct Copied {
        /// After the closing quote, or at the byte that is wrong.
        var source: UnsafePointer<UInt8>
        /// The end of the unescaped text.
        var text: UnsafeMutablePointer<UInt8>
        var problem: ParseError.Problem?

        @inline(__always)
        init(
            _ source: UnsafePointer<UInt8>, _ text: UnsafeMutablePointer<UInt8>,
            _ problem: ParseError.Problem? = nil
        ) {
            self.source = source
            self.text = text
            self.problem = problem
        }
    }

    /// Where an ordinary run of a string ends: at a quote, a backslash, a control character or
    /// anything that is not ASCII. The bytes from 0x80 on are negative, hence less than a blank
    /// too.
    @inline(__always)
    static func stops(in block: Block) -> UInt32 {
        let quoteOrBackslash = block.equal(UInt8(ascii: "\"")) | block.equal(UInt8(ascii: "\\"))
        return (quoteOrBackslash | block.belowSigned(0x20)).bits
    }

    /// The same without quotes.
    @inline(__always)
    static func others(in block: Block) -> UInt32 {
        (block.equal(UInt8(ascii: "\\")) | block.belowSigned(0x20)).bits
    }

    /// The same with characters beyond ASCII taken as ordinary.
    @inline(__always)
    private static func stopsButUnicode(in block: Block) -> UInt32 {
        (block.equal(UInt8(ascii: "\"")) | block.equal(UInt8(ascii: "\\")) | block.below(0x20)).bits
    }

    /// Copies the string whose first byte is at `source`, of the text that begins at `start`, to
    /// `text`. Blocks are stored whole: up to 64 bytes after the end of the copy are overwritten.
    @inline(never)
    @_optimize(speed)
    static func copy(
        _ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>,
        start: UnsafePointer<UInt8>
    ) -> Copied {
        var p = source
        var d = text
        while true {
            if p.pointee < 0x80 {
                let length = copyPlain(&p, &d)
                p += length
                d += length
            }
            if p.pointee >= 0x80 {
                let copied = copyUnicode(p, to: d, start: start)
                if copied.problem != nil { return copied }
                p = copied.source
                d = copied.text
            }
            if p.pointee == UInt8(ascii: "\"") { return Copied(p + 1, d) }
            if p.pointee == UInt8(ascii: "\\") {
                let count = unescape(&p, to: d)
                if count == 0 { return Copied(p, d, escapeProblem(at: p)) }
                d += count
            } else if p.pointee < 0x20 {
                return Copied(p, d, .controlCharacter)
            }
        }
    }

    /// Copies whole blocks of plain characters; gives how many plain characters, copied too, are
    /// left. What follows an escape is most often short, what does not fit into a block most often
    /// shorter than the next four: where a string ends is seldom a surprise.
    @inline(__always)
    @_optimize(speed)
    private static func copyPlain(
        _ p: inout UnsafePointer<UInt8>, _ d: inout UnsafeMutablePointer<UInt8>
    ) -> Int {
        let stops = copyBlock(0, of: p, to: d)
        if stops != 0 { return stops.trailingZeroBitCount }
        p += 16
        d += 16
        while true {
            let stops =
                copyBlock(0, of: p, to: d) | copyBlock(1, of: p, to: d)
                | copyBlock(2, of: p, to: d) | copyBlock(3, of: p, to: d)
            if stops != 0 { return stops.trailingZeroBitCount }
            p += 64
            d += 64
        }
    }

    /// Copies one of four blocks; gives where an ordinary run ends in it, in its place among the
    /// four.
    @inline(__always)
    private static func copyBlock(
        _ index: Int, of source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
    ) -> UInt64 {
        let block = Block(at: source + 16 &* index)
        block.store(to: text + 16 &* index)
        return UInt64(stops(in: block)) &<< UInt64(16 &* index)
    }

    /// Copies from a character beyond ASCII to the next quote, backslash or control character.
    @inline(__always)
    @_optimize(speed)
    private static func copyUnicode(
        _ source: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>,
        start: UnsafePointer<UInt8>
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
            if stops != 0 {
                return Copied(p + stops.trailingZeroBitCount, d + stops.trailingZeroBitCount)
            }
            p += 16
            d += 16
        }
    }

    /// Writes what the escape sequence at `p` stands for and moves behind it; gives the number of
    /// bytes written, none when the sequence is wrong.
    @inline(__always)
    private static func unescape(
        _ p: inout UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
    ) -> Int {
        if p[1] == UInt8(ascii: "u") { return unescapeUnicode(&p, to: text) }
        let character: UInt8
        switch p[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): character = p[1]
        case UInt8(ascii: "n"): character = 0x0a
        case UInt8(ascii: "t"): character = 0x09
        case UInt8(ascii: "r"): character = 0x0d
        case UInt8(ascii: "b"): character = 0x08
        case UInt8(ascii: "f"): character = 0x0c
        default: return 0
        }
        text.pointee = character
        p += 2
        return 1
    }

    /// `\uXXXX`, or two of them that make one character.
    @inline(__always)
    private static func unescapeUnicode(
        _ p: inout UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var scalar = hexadecimal(at: p + 2)
        if scalar > 0xffff { return 0 }
        if scalar & 0xf800 == 0xd800 {
            let low = hexadecimal(at: p + 8)
            if scalar >= 0xdc00 || p.load(as: UInt64.self) &>> 48 != 0x755c
                || low & ~0x3ff != 0xdc00
            {
                return 0
            }
            scalar = 0x10000 &+ (scalar & 0x3ff) &<< 10 &+ (low & 0x3ff)
            p += 6
        }
        p += 6
        return encode(scalar, to: text)
    }

    /// Which rule the escape sequence at `p` breaks.
    @inline(never)
    private static func escapeProblem(at p: UnsafePointer<UInt8>) -> ParseError.Problem {
        if p[1] != UInt8(ascii: "u") { return .badEscape }
        return hexadecimal(at: p + 2) > 0xffff ? .badUnicodeEscape : .loneSurrogate
    }

    /// The number in four hexadecimal digits; more than 0xFFFF when they are not such.
    @inline(__always)
    static func hexadecimal(at p: UnsafePointer<UInt8>) -> UInt32 {
        let first = digits[unchecked: Int(p[0])]
        let second = digits[unchecked: Int(p[1])]
        let third = digits[unchecked: Int(p[2])]
        let fourth = digits[unchecked: Int(p[3])]
        if first | second | third | fourth > 15 { return .max }
        return UInt32(first) &<< 12 | UInt32(second) &<< 8 | UInt32(third) &<< 4 | UInt32(fourth)
    }

    /// The value of each byte as a hexadecimal digit, 16 for those that are none.
    private static let digits: InlineArray<256, UInt8> = [
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 16, 16, 16, 16, 16,
        16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    ]

    /// Writes a character in UTF-8, which never takes more bytes than its escape did; gives their
    /// number.
    @inline(__always)
    static func encode(_ scalar: UInt32, to text: UnsafeMutablePointer<UInt8>) -> Int {
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
