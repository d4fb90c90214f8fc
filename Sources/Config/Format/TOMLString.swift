// A TOML string's way from the source to the tree's text: any of the four kinds, its control
// characters refused, its escape sequences replaced, its line ends made line feeds. The source was
// found to be UTF-8 before.

enum TOMLString {
    /// How far a string was read and written.
    struct Taken {
        /// After the closing quotes.
        var source: UnsafePointer<UInt8>
        var text: UnsafeMutablePointer<UInt8>
    }

    /// Copies the string whose opening quote is at `start`, of the text that ends at `end`, to
    /// `text`. Blocks are stored whole: up to 16 bytes after the end of the copy are overwritten.
    /// Offsets of errors count from `start`.
    static func take(
        _ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>,
        to text: UnsafeMutablePointer<UInt8>, mayHaveLines: Bool
    ) throws(ParseError) -> Taken {
        let quote = start.pointee
        let hasLines = mayHaveLines && start[1] == quote && start[2] == quote
        let hasEscapes = quote == UInt8(ascii: "\"")
        var p = start + 1
        var d = text
        if hasLines {
            p += 2
            p += lineEnd(at: p)
        }
        while true {
            copyPlain(&p, &d, quote)
            switch p.pointee {
            case quote:
                if !hasLines { return Taken(source: p + 1, text: d) }
                if p[1] == quote && p[2] == quote {
                    p += 3
                    // One or two more are the string's last characters.
                    var extra = 0
                    while extra < 2 && p.pointee == quote {
                        copy(&p, &d)
                        extra = extra &+ 1
                    }
                    return Taken(source: p, text: d)
                }
                copy(&p, &d)
            case UInt8(ascii: "\\"):
                if !hasEscapes {
                    copy(&p, &d)
                } else if !(hasLines && skipLineEnds(&p)) {
                    try unescape(&p, &d, start)
                }
            case 0x09:
                copy(&p, &d)
            case 0x0a, 0x0d:
                let count = lineEnd(at: p)
                if count == 0 { throw ParseError(problem: .controlCharacter, offset: p - start) }
                // A string that its line's end cuts short is best found by its beginning.
                if !hasLines { throw ParseError(problem: .unclosedString, offset: 0) }
                d.pointee = 0x0a
                d += 1
                p += count
            case 0 where p == end:
                throw ParseError(problem: .unclosedString, offset: 0)
            default:
                throw ParseError(problem: .controlCharacter, offset: p - start)
            }
        }
    }

    /// Copies up to the next quote, backslash or control character.
    @inline(__always)
    private static func copyPlain(
        _ p: inout UnsafePointer<UInt8>, _ d: inout UnsafeMutablePointer<UInt8>, _ quote: UInt8
    ) {
        while true {
            let block = Block(at: p)
            block.store(to: d)
            let stops =
                (block.equal(quote) | block.equal(UInt8(ascii: "\\")) | block.below(0x20)
                | block.equal(0x7f)).bits
            if stops != 0 {
                p += stops.trailingZeroBitCount
                d += stops.trailingZeroBitCount
                return
            }
            p += 16
            d += 16
        }
    }

    @inline(__always)
    private static func copy(
        _ p: inout UnsafePointer<UInt8>, _ d: inout UnsafeMutablePointer<UInt8>
    ) {
        d.pointee = p.pointee
        d += 1
        p += 1
    }

    /// How many bytes the line end at `p` has, 0 when there is none.
    private static func lineEnd(at p: UnsafePointer<UInt8>) -> Int {
        p.pointee == 0x0a ? 1 : p.pointee == 0x0d && p[1] == 0x0a ? 2 : 0
    }

    /// Skips a backslash that is the last character of its line, and all white space behind it;
    /// false when it is not the last one.
    private static func skipLineEnds(_ p: inout UnsafePointer<UInt8>) -> Bool {
        var next = p + 1
        var ends = 0
        while true {
            let count = next.pointee == 0x20 || next.pointee == 0x09 ? 0 : lineEnd(at: next)
            if count == 0 && next.pointee != 0x20 && next.pointee != 0x09 { break }
            next += max(count, 1)
            ends = ends | count
        }
        if ends != 0 { p = next }
        return ends != 0
    }

    private static func unescape(
        _ p: inout UnsafePointer<UInt8>, _ d: inout UnsafeMutablePointer<UInt8>,
        _ start: UnsafePointer<UInt8>
    ) throws(ParseError) {
        let character: UInt8
        switch p[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): character = p[1]
        case UInt8(ascii: "n"): character = 0x0a
        case UInt8(ascii: "t"): character = 0x09
        case UInt8(ascii: "r"): character = 0x0d
        case UInt8(ascii: "b"): character = 0x08
        case UInt8(ascii: "f"): character = 0x0c
        case UInt8(ascii: "u"):
            let scalar = JSONString.hexadecimal(at: p + 2)
            if scalar > 0xffff {
                throw ParseError(problem: .badUnicodeEscape, offset: p - start)
            }
            return try encode(scalar, 6, &p, &d, start)
        case UInt8(ascii: "U"):
            let high = JSONString.hexadecimal(at: p + 2)
            let low = high > 0xffff ? high : JSONString.hexadecimal(at: p + 6)
            if low > 0xffff {
                throw ParseError(
                    "expected eight hexadecimal digits after \\U in a string", at: p - start)
            }
            return try encode(high &<< 16 | low, 10, &p, &d, start)
        default:
            throw ParseError(problem: .badEscape, offset: p - start)
        }
        d.pointee = character
        d += 1
        p += 2
    }

    /// Writes the character that the next `count` bytes stand for.
    private static func encode(
        _ scalar: UInt32, _ count: Int, _ p: inout UnsafePointer<UInt8>,
        _ d: inout UnsafeMutablePointer<UInt8>, _ start: UnsafePointer<UInt8>
    ) throws(ParseError) {
        if scalar & ~0x7ff == 0xd800 {
            throw ParseError(problem: .loneSurrogate, offset: p - start)
        }
        if scalar > 0x10ffff {
            throw ParseError("an escape sequence is beyond the last character", at: p - start)
        }
        d += JSONString.encode(scalar, to: d)
        p += count
    }
}
