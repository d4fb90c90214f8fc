// Variables as .env files assign them: one object of strings. There is no specification; this is
// what python-dotenv 1.2 takes, but a line that is no assignment is refused, not skipped:
//
//   NAME=value            up to the end of the line, without white space around it, or up to white
//                         space and a #, which begins a comment; nothing is escaped
//   NAME='value'          may have several lines; \' and \\ are escape sequences
//   NAME="value"          the same with \" and \n, \r, \t, \b, \f, \v, \a; other backslashes stay
//   export NAME=value     the same as without
//   'NAME'=value          the same as without quotes
//
// White space may stand around the equals sign. Of a name that occurs twice the last value counts.
// Nothing is ever executed or replaced: `$(command)` and `${NAME}` are text, in any quotes, where
// compose would replace the latter. Docker's --env-file differs more: it keeps quotes and comments
// as parts of values, and takes a name without a value from its own environment. There is no such
// environment here: the name is refused. What is nothing but a comment is an empty value, as
// compose has it.

struct DotenvParser {
    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var p: UnsafePointer<UInt8>

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, mostNodes: Int = Limits.nodesPerDocument,
        scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree {
        try UTF8Check.check(bytes)
        return try TreeBuilder.build(in: &scratch, limits: limits, mostNodes: mostNodes) {
            tree throws(ParseError) in
            try tree.openObject(at: 0)
            if let source = bytes.baseAddress {
                var parser = DotenvParser(source, bytes.count)
                try parser.run(&tree)
            }
            try tree.close()
        }
    }

    private init(_ source: UnsafePointer<UInt8>, _ count: Int) {
        self.source = source
        end = source + count
        p = source.afterByteOrderMark
    }

    private mutating func run(_ tree: inout TreeBuilder) throws(ParseError) {
        while true {
            skipSpace()
            if p == end { return }
            if p.pointee != UInt8(ascii: "#") { try takeAssignment(&tree) }
            try endLine()
        }
    }

    private mutating func takeAssignment(_ tree: inout TreeBuilder) throws(ParseError) {
        skipExport()
        let start = p
        let name = try takeName()
        try tree.name(name, at: start - source)
        skipBlanks()
        guard p.pointee == UInt8(ascii: "=") else {
            throw ParseError(expected: "'=' after a variable's name", at: p - source)
        }
        p += 1
        skipBlanks()
        let value = p - source
        if p.pointee == UInt8(ascii: "'") || p.pointee == UInt8(ascii: "\"") {
            let room = try tree.room(for: end - p)
            try tree.string(length: takeQuoted(to: room), at: value)
        } else {
            try tree.string(takeUnquoted(), at: value)
        }
    }
}

// MARK: - Names

extension DotenvParser {
    private mutating func skipExport() {
        let word: StaticString = "export"
        guard equalBytes(p, word.utf8Start, 6), isBlank(p[6]) else { return }
        p += 6
        skipBlanks()
    }

    private mutating func takeName() throws(ParseError) -> Bytes {
        let isQuoted = p.pointee == UInt8(ascii: "'")
        if isQuoted { p += 1 }
        let start = p
        while isQuoted ? p.pointee != UInt8(ascii: "'") && !isLineEnd : isName(p.pointee) { p += 1 }
        let name = Bytes(start: start, count: p - start)
        if name.isEmpty {
            throw ParseError(expected: "a variable's name", at: p - source)
        }
        if isQuoted {
            guard p.pointee == UInt8(ascii: "'") else {
                throw ParseError(
                    "the quoted name of a variable is not closed", at: start - 1 - source)
            }
            p += 1
        }
        return name
    }

    private func isName(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "#")
    }
}

// MARK: - Values

extension DotenvParser {
    /// Takes a value without quotes, up to the end of its line.
    private mutating func takeUnquoted() -> Bytes {
        let start = p
        skipLine()
        var last = start
        var next = start
        while next < p {
            if next.pointee == UInt8(ascii: "#") && isBlank(next[-1]) { break }
            next += 1
            if !isBlank(next[-1]) { last = next }
        }
        return Bytes(start: start, count: last - start)
    }

    /// Takes a value in quotes to `target`; gives its length. Its line ends become line feeds.
    private mutating func takeQuoted(
        to target: UnsafeMutablePointer<UInt8>
    ) throws(ParseError) -> Int {
        let start = p
        let quote = p.pointee
        var d = target
        p += 1
        while true {
            copyPlain(to: &d, quote)
            switch p.pointee {
            case quote:
                p += 1
                return d - target
            case UInt8(ascii: "\\"):
                if let character = DotenvParser.character(p[1], quote) {
                    d.pointee = character
                    d += 1
                    p += 2
                } else {
                    copy(to: &d)
                }
            case 0x0d:
                d.pointee = 0x0a
                d += 1
                p += p[1] == 0x0a ? 2 : 1
            case 0 where p == end:
                throw ParseError("a quoted value is not closed", at: start - source)
            default:
                copy(to: &d)
            }
        }
    }

    /// What a backslash and a character mean within quotes; nil when they mean themselves.
    private static func character(_ escaped: UInt8, _ quote: UInt8) -> UInt8? {
        if escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "'") { return escaped }
        if quote == UInt8(ascii: "'") { return nil }
        switch escaped {
        case UInt8(ascii: "\""): return escaped
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "v"): return 0x0b
        case UInt8(ascii: "a"): return 0x07
        default: return nil
        }
    }

    /// Copies sixteen bytes at a time up to the next that may mean something.
    @inline(__always)
    private mutating func copyPlain(to d: inout UnsafeMutablePointer<UInt8>, _ quote: UInt8) {
        while true {
            let block = Block(at: p)
            block.store(to: d)
            let stops =
                (block.equal(quote) | block.equal(UInt8(ascii: "\\")) | block.equal(0x0d)
                | block.equal(0)).bits
            if stops != 0 {
                p += stops.trailingZeroBitCount
                d += stops.trailingZeroBitCount
                return
            }
            p += 16
            d += 16
        }
    }

    private mutating func copy(to d: inout UnsafeMutablePointer<UInt8>) {
        d.pointee = p.pointee
        d += 1
        p += 1
    }
}

// MARK: - Lines

extension DotenvParser {
    private func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0b || byte == 0x0c
    }

    private var isLineEnd: Bool {
        p.pointee == 0x0a || p.pointee == 0x0d || p.pointee == 0 && p == end
    }

    private mutating func skipBlanks() {
        while isBlank(p.pointee) { p += 1 }
    }

    /// Skips white space and blank lines.
    private mutating func skipSpace() {
        while isBlank(p.pointee) || p.pointee == 0x0a || p.pointee == 0x0d { p += 1 }
    }

    /// Skips to the end of the line.
    private mutating func skipLine() {
        while true {
            let block = Block(at: p)
            let stops = (block.equal(0x0a) | block.equal(0x0d) | block.equal(0)).bits
            p += stops == 0 ? 16 : stops.trailingZeroBitCount
            if stops != 0 {
                if isLineEnd { return }
                p += 1
            }
        }
    }

    /// What may follow on a line that is complete: white space and a comment.
    private mutating func endLine() throws(ParseError) {
        skipBlanks()
        if p.pointee == UInt8(ascii: "#") { skipLine() }
        guard isLineEnd else {
            throw ParseError(expected: "the end of the line after a value", at: p - source)
        }
    }
}
