// Java properties, as the documentation of `java.util.Properties.load` has them: one object of
// strings, its names flat whatever dots they have. A text is UTF-8 when it is valid as such, and
// Latin-1 otherwise. Of a key that occurs twice the last value counts. The 64 zero bytes behind the
// text end every scan.
//
// Java holds halves of surrogate pairs, UTF-8 does not: one without the other is refused. A
// backslash on a line of its own that ends the text is nothing here, and an empty key in Java.

struct PropertiesParser {
    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let isLatin1: Bool
    private var p: UnsafePointer<UInt8>

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, mostNodes: Int = Limits.nodesPerDocument,
        scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree {
        try TreeBuilder.build(in: &scratch, limits: limits, mostNodes: mostNodes) {
            tree throws(ParseError) in
            try tree.openObject(at: 0)
            if let source = bytes.baseAddress {
                var parser = PropertiesParser(
                    source, bytes.count, isLatin1: !UTF8Check.isValid(bytes))
                try parser.run(&tree)
            }
            try tree.close()
        }
    }

    private init(_ source: UnsafePointer<UInt8>, _ count: Int, isLatin1: Bool) {
        self.source = source
        end = source + count
        self.isLatin1 = isLatin1
        // Java knows no byte order mark; editors write it before UTF-8 all the same.
        p = isLatin1 ? source : source.afterByteOrderMark
    }

    private mutating func run(_ tree: inout TreeBuilder) throws(ParseError) {
        while true {
            skipToKey()
            if p == end { return }
            let key = p - source
            try tree.name(length: takeText(to: room(&tree), isKey: true), at: key)
            skipBlanks()
            if p.pointee == UInt8(ascii: "=") || p.pointee == UInt8(ascii: ":") {
                p += 1
                skipBlanks()
            }
            let value = p - source
            try tree.string(length: takeText(to: room(&tree), isKey: false), at: value)
        }
    }

    /// Where all the rest of the source fits: in UTF-8 a character of Latin-1 has up to two bytes.
    private func room(_ tree: inout TreeBuilder) throws(ParseError) -> UnsafeMutablePointer<UInt8> {
        try tree.room(for: (isLatin1 ? 2 : 1) &* (end - p))
    }
}

// MARK: - Text

extension PropertiesParser {
    /// Copies a key, which ends at white space or a separator, or a value, which ends with its
    /// line. Gives the number of bytes written.
    private mutating func takeText(
        to target: UnsafeMutablePointer<UInt8>, isKey: Bool
    ) throws(ParseError) -> Int {
        var d = target
        while true {
            copyPlain(to: &d, isKey: isKey)
            switch p.pointee {
            case UInt8(ascii: "\\"):
                if !skipContinuation() { try unescape(to: &d) }
            case 0x0a, 0x0d:
                return d - target
            case 0 where p == end:
                return d - target
            case 0x20, 0x09, 0x0c, UInt8(ascii: "="), UInt8(ascii: ":"):
                if isKey { return d - target }
                copy(to: &d)
            default:
                copy(to: &d)
            }
        }
    }

    /// Copies sixteen bytes at a time up to the next that may mean something.
    @inline(__always)
    private mutating func copyPlain(to d: inout UnsafeMutablePointer<UInt8>, isKey: Bool) {
        while true {
            let block = Block(at: p)
            block.store(to: d)
            var stops = block.equal(UInt8(ascii: "\\"))
            if isKey {
                stops =
                    stops | block.equal(UInt8(ascii: "=")) | block.equal(UInt8(ascii: ":"))
                    | block.equal(0x20)
            }
            // The bytes from 0x80 on are negative.
            stops = stops | (isLatin1 ? block.belowSigned(0x20) : block.below(0x20))
            let bits = stops.bits
            if bits != 0 {
                p += bits.trailingZeroBitCount
                d += bits.trailingZeroBitCount
                return
            }
            p += 16
            d += 16
        }
    }

    /// Copies the byte at hand, as a character if it is Latin-1.
    private mutating func copy(to d: inout UnsafeMutablePointer<UInt8>) {
        if isLatin1 {
            d += JSONString.encode(UInt32(p.pointee), to: d)
        } else {
            d.pointee = p.pointee
            d += 1
        }
        p += 1
    }

    private mutating func unescape(to d: inout UnsafeMutablePointer<UInt8>) throws(ParseError) {
        let character: UInt8
        switch p[1] {
        case UInt8(ascii: "t"): character = 0x09
        case UInt8(ascii: "n"): character = 0x0a
        case UInt8(ascii: "f"): character = 0x0c
        case UInt8(ascii: "r"): character = 0x0d
        case UInt8(ascii: "u"):
            let scalar = try takeCharacter()
            d += JSONString.encode(scalar, to: d)
            return
        default:
            p += 1
            return copy(to: &d)
        }
        p += 2
        d.pointee = character
        d += 1
    }

    /// Takes `\uXXXX`, or two of them that make one character. The lines of a logical line are
    /// joined before any escape sequence is read, so they may end anywhere within.
    private mutating func takeCharacter() throws(ParseError) -> UInt32 {
        let start = p - source
        let unit = try takeUnit(start)
        guard unit & 0xf800 == 0xd800 else { return unit }
        skipContinuations()
        guard unit < 0xdc00, p[0] == UInt8(ascii: "\\"), p[1] == UInt8(ascii: "u") else {
            throw ParseError("half of a surrogate pair without the other", at: start)
        }
        let low = try takeUnit(p - source)
        guard low & 0xfc00 == 0xdc00 else {
            throw ParseError("half of a surrogate pair without the other", at: start)
        }
        return 0x10000 &+ (unit & 0x3ff) &<< 10 &+ (low & 0x3ff)
    }

    private mutating func takeUnit(_ start: Int) throws(ParseError) -> UInt32 {
        p += 2
        var unit: UInt32 = 0
        for _ in 0..<4 {
            skipContinuations()
            guard let digit = hexadecimalValue(of: p.pointee) else {
                throw ParseError("expected four hexadecimal digits after \\u", at: start)
            }
            unit = unit &<< 4 | digit
            p += 1
        }
        return unit
    }

    private func hexadecimalValue(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }
}

// MARK: - Lines

extension PropertiesParser {
    /// Skips white space, blank lines and comments, which no backslash continues.
    private mutating func skipToKey() {
        while true {
            switch p.pointee {
            case 0x20, 0x09, 0x0c, 0x0a, 0x0d: p += 1
            case UInt8(ascii: "#"), UInt8(ascii: "!"): skipLine()
            case UInt8(ascii: "\\"): if !skipContinuation() { return }
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while true {
            let block = Block(at: p)
            let stops = (block.equal(0x0a) | block.equal(0x0d) | block.equal(0)).bits
            p += stops == 0 ? 16 : stops.trailingZeroBitCount
            if stops != 0 {
                if p.pointee != 0 || p == end { return }
                p += 1
            }
        }
    }

    /// Skips white space within a logical line.
    private mutating func skipBlanks() {
        while true {
            switch p.pointee {
            case 0x20, 0x09, 0x0c: p += 1
            case UInt8(ascii: "\\"): if !skipContinuation() { return }
            default: return
            }
        }
    }

    private mutating func skipContinuations() {
        while p.pointee == UInt8(ascii: "\\") && skipContinuation() {}
    }

    /// Skips a backslash that is the last character of its line, the line's end, and the white
    /// space that the next line begins with; false when it is not the last one.
    private mutating func skipContinuation() -> Bool {
        switch p[1] {
        case 0x0a: p += 2
        case 0x0d: p += p[2] == 0x0a ? 3 : 2
        case 0 where p + 1 == end: p += 1
        default: return false
        }
        while p.pointee == 0x20 || p.pointee == 0x09 || p.pointee == 0x0c { p += 1 }
        return true
    }
}
