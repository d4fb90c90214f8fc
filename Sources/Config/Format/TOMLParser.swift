// TOML 1.0.0 (toml.io/en/v1.0.0), strictly: whatever the specification forbids is refused. Reads a
// text that is UTF-8 as a whole line by line, without recursion; the 64 zero bytes behind it end
// every scan. Dates and times become text, as RFC 3339 writes them; line ends within strings become
// line feeds.

struct TOMLParser {
    /// What may still be done to a table or an array.
    private enum Role: UInt8 {
        /// Nothing: a value of its own, as inline tables and arrays are once they are closed.
        case value
        /// Named by headers only on the way to other tables: may be defined, once.
        case implicit
        /// Defined by a header.
        case defined
        /// Made by dotted keys, which may go on adding to it.
        case dotted
        /// An array that headers in double brackets append to.
        case tables
    }

    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var p: UnsafePointer<UInt8>
    private var tree: TableTree

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, mostNodes: Int = Limits.nodesPerDocument,
        scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree {
        try UTF8Check.check(bytes)
        // A name or a value never becomes longer than it is in the source, where at least one
        // character follows it, as a NUL does here; but for the last one.
        let tree = try TableTree(
            textRoom: bytes.count &+ 1, limits: limits, mostNodes: mostNodes, scratch: &scratch)
        guard let source = bytes.baseAddress else { return try tree.finish(&scratch) }
        var parser = TOMLParser(source, bytes.count, tree)
        try parser.run(&scratch)
        return try parser.tree.finish(&scratch)
    }

    private init(_ source: UnsafePointer<UInt8>, _ count: Int, _ tree: TableTree) {
        self.source = source
        end = source + count
        p = source.afterByteOrderMark
        self.tree = tree
    }

    private mutating func run(_ scratch: inout ParseScratch) throws(ParseError) {
        var table = TableTree.root
        while true {
            skipBlanks()
            switch p.pointee {
            case UInt8(ascii: "["):
                table = try takeHeader(&scratch)
            case UInt8(ascii: "#"), 0x0a, 0x0d:
                break
            case 0 where p == end:
                return
            default:
                let member = try takeKey(in: table, &scratch)
                try takeValue(of: member, &scratch)
            }
            try endLine()
        }
    }
}

// MARK: - Keys

extension TOMLParser {
    /// Takes a header and gives the table that the lines below it belong to.
    private mutating func takeHeader(_ scratch: inout ParseScratch) throws(ParseError) -> Int {
        p += 1
        let isDouble = p.pointee == UInt8(ascii: "[")
        if isDouble { p += 1 }
        skipBlanks()
        var table = TableTree.root
        while true {
            let name = try takeName()
            skipBlanks()
            if p.pointee == UInt8(ascii: ".") {
                table = try enter(name, in: table, &scratch)
                p += 1
                skipBlanks()
                continue
            }
            guard p.pointee == UInt8(ascii: "]") else {
                throw expected("'.' or ']' after a key in a header")
            }
            p += 1
            if !isDouble { return try define(name, in: table, &scratch) }
            guard p.pointee == UInt8(ascii: "]") else {
                throw expected("']]' after an element's header")
            }
            p += 1
            return try addElement(name, in: table, &scratch)
        }
    }

    /// Takes a key, with the equals sign after it, and gives the member whose value follows.
    private mutating func takeKey(
        in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        var table = table
        while true {
            let name = try takeName()
            skipBlanks()
            if p.pointee == UInt8(ascii: ".") {
                table = try extend(name, in: table, &scratch)
                p += 1
                skipBlanks()
                continue
            }
            guard p.pointee == UInt8(ascii: "=") else { throw expected("'.' or '=' after a key") }
            if let there = tree.find(name, in: table) { throw taken(there, name) }
            p += 1
            skipBlanks()
            return try tree.add(name, to: table, scratch: &scratch)
        }
    }

    /// Takes one part of a key, bare or in quotes; its text is left where the next text goes.
    private mutating func takeName() throws(ParseError) -> TableTree.Name {
        let start = p
        if p.pointee == UInt8(ascii: "\"") || p.pointee == UInt8(ascii: "'") {
            let count = try takeString(mayHaveLines: false)
            return tree.name(count, at: start - source)
        }
        var target = tree.free
        while isBare(p.pointee) {
            target.pointee = p.pointee
            target += 1
            p += 1
        }
        if p == start { throw expected("a key") }
        return tree.name(p - start, at: start - source)
    }

    /// Whether a bare key may have this character: a letter, a digit, `-` or `_`.
    @inline(__always)
    private func isBare(_ byte: UInt8) -> Bool {
        // A bit for each character of the first half of ASCII, and of the second.
        let set: UInt64 = byte < 64 ? 0x03ff_2000_0000_0000 : 0x07ff_fffe_87ff_fffe
        return byte < 128 && set &>> UInt64(byte) & 1 == 1
    }
}

// MARK: - Tables

extension TOMLParser {
    private func role(of entry: Int) -> Role { Role(rawValue: tree.mark(of: entry)) ?? .value }

    private mutating func makeTable(
        _ name: TableTree.Name, in table: Int, _ role: Role, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        let made = try tree.add(name, to: table, scratch: &scratch)
        try tree.open(.object, at: name.offset, of: made)
        tree.setMark(role.rawValue, of: made)
        return made
    }

    /// The table that a header leads through.
    private mutating func enter(
        _ name: TableTree.Name, in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        guard let there = tree.find(name, in: table) else {
            return try makeTable(name, in: table, .implicit, &scratch)
        }
        switch role(of: there) {
        case .implicit, .defined, .dotted: return there
        case .tables: return tree.last(of: there)
        case .value: throw ParseError("a header leads through a value", at: name.offset)
        }
    }

    /// The table that a header defines.
    private mutating func define(
        _ name: TableTree.Name, in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        guard let there = tree.find(name, in: table) else {
            return try makeTable(name, in: table, .defined, &scratch)
        }
        guard role(of: there) == .implicit else { throw taken(there, name) }
        tree.setMark(Role.defined.rawValue, of: there)
        tree.setOffset(name.offset, of: there)
        return there
    }

    /// The element that a header in double brackets appends to an array of tables.
    private mutating func addElement(
        _ name: TableTree.Name, in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        let array: Int
        if let there = tree.find(name, in: table) {
            guard role(of: there) == .tables else { throw taken(there, name) }
            array = there
        } else {
            array = try tree.add(name, to: table, scratch: &scratch)
            try tree.open(.array, at: name.offset, of: array)
            tree.setMark(Role.tables.rawValue, of: array)
        }
        let element = try tree.append(to: array, at: name.offset, scratch: &scratch)
        try tree.open(.object, at: name.offset, of: element)
        tree.setMark(Role.defined.rawValue, of: element)
        return element
    }

    /// The table that a dotted key adds to. What a header defines it leaves alone.
    private mutating func extend(
        _ name: TableTree.Name, in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        guard let there = tree.find(name, in: table) else {
            return try makeTable(name, in: table, .dotted, &scratch)
        }
        switch role(of: there) {
        case .dotted: return there
        case .implicit:
            tree.setMark(Role.dotted.rawValue, of: there)
            return there
        case .defined, .tables:
            throw ParseError("a dotted key adds to what a header defines", at: name.offset)
        case .value:
            throw ParseError("a dotted key leads through a value", at: name.offset)
        }
    }

    private func taken(_ there: Int, _ name: TableTree.Name) -> ParseError {
        switch role(of: there) {
        case .value: ParseError("the key has a value already", at: name.offset)
        case .implicit, .defined, .dotted:
            ParseError("the table is defined already", at: name.offset)
        case .tables: ParseError("an array of tables is defined already", at: name.offset)
        }
    }
}

// MARK: - Values

extension TOMLParser {
    /// Takes the value of a member, with all that is in it.
    private mutating func takeValue(
        of member: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) {
        var entry = member
        // How many arrays and inline tables of this value are open.
        var open = 0
        nextValue: while true {
            switch p.pointee {
            case UInt8(ascii: "["):
                try tree.open(.array, at: p - source, of: entry)
                p += 1
                try skipLines()
                if p.pointee != UInt8(ascii: "]") {
                    open = open &+ 1
                    entry = try tree.append(to: entry, at: p - source, scratch: &scratch)
                    continue nextValue
                }
                p += 1
            case UInt8(ascii: "{"):
                try tree.open(.object, at: p - source, of: entry)
                p += 1
                skipBlanks()
                if p.pointee != UInt8(ascii: "}") {
                    open = open &+ 1
                    entry = try takeKey(in: entry, &scratch)
                    continue nextValue
                }
                p += 1
            default:
                try takeScalar(of: entry)
            }

            // A value is complete, and with it perhaps the arrays and inline tables around it.
            while open > 0 {
                entry = tree.parent(of: entry)
                while role(of: entry) == .dotted { entry = tree.parent(of: entry) }
                if tree.isTable(entry) {
                    skipBlanks()
                    if p.pointee == UInt8(ascii: ",") {
                        p += 1
                        skipBlanks()
                        entry = try takeKey(in: entry, &scratch)
                        continue nextValue
                    }
                    guard p.pointee == UInt8(ascii: "}") else { throw error(.expectedCommaOrBrace) }
                } else {
                    try skipLines()
                    if p.pointee == UInt8(ascii: ",") {
                        p += 1
                        try skipLines()
                        if p.pointee != UInt8(ascii: "]") {
                            entry = try tree.append(to: entry, at: p - source, scratch: &scratch)
                            continue nextValue
                        }
                    }
                    guard p.pointee == UInt8(ascii: "]") else {
                        throw error(.expectedCommaOrBracket)
                    }
                }
                p += 1
                open = open &- 1
            }
            return
        }
    }

    private mutating func takeScalar(of entry: Int) throws(ParseError) {
        let start = p
        switch p.pointee {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let count = try takeString(mayHaveLines: true)
            tree.setString(count, at: start - source, of: entry)
        case UInt8(ascii: "t") where p.load(as: UInt32.self) == 0x6575_7274:
            p += 4
            tree.set(.bool, 1, at: start - source, of: entry)
        case UInt8(ascii: "f") where (p + 1).load(as: UInt32.self) == 0x6573_6c61:
            p += 5
            tree.set(.bool, 0, at: start - source, of: entry)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "i"), UInt8(ascii: "n"):
            try takeNumber(of: entry)
        default:
            throw error(.expectedValue)
        }
    }

    /// Takes a string to where the next text goes; gives its length.
    private mutating func takeString(mayHaveLines: Bool) throws(ParseError) -> Int {
        let string = try placed {
            () throws(ParseError) in
            try TOMLString.take(p, end: end, to: tree.free, mayHaveLines: mayHaveLines)
        }
        p = string.source
        return string.text - tree.free
    }

    private mutating func takeNumber(of entry: Int) throws(ParseError) {
        let start = p
        let date = try placed { () throws(ParseError) in try TOMLDate.take(p, to: tree.free) }
        if let date {
            p = date.source
            tree.setString(date.text - tree.free, at: start - source, of: entry)
            return
        }
        let number = try placed {
            () throws(ParseError) in
            try TOMLNumber.take(p, spare: tree.free, limbs: tree.limbs)
        }
        p = number.end
        tree.set(number.type, number.payload, at: start - source, of: entry)
    }
}

// MARK: - Between them

extension TOMLParser {
    @inline(__always)
    private mutating func skipBlanks() {
        while p.pointee == 0x20 || p.pointee == 0x09 { p += 1 }
    }

    /// Takes what may follow on a line that is complete: white space, a comment, its end.
    @inline(__always)
    private mutating func endLine() throws(ParseError) {
        skipBlanks()
        if p.pointee == UInt8(ascii: "#") { skipComment() }
        if p.pointee == 0x0a {
            p += 1
        } else if p.pointee == 0x0d && p[1] == 0x0a {
            p += 2
        } else if p != end {
            throw unexpected()
        }
    }

    /// Skips white space, line ends and comments, as between the elements of an array.
    private mutating func skipLines() throws(ParseError) {
        while true {
            skipBlanks()
            switch p.pointee {
            case UInt8(ascii: "#"):
                skipComment()
                if p.pointee != 0x0a && p.pointee != 0x0d && p != end { throw unexpected() }
            case 0x0a: p += 1
            case 0x0d where p[1] == 0x0a: p += 2
            case 0x0d: throw unexpected()
            default: return
            }
        }
    }

    /// Skips to the first control character other than a tab: the end of the line, or what a
    /// comment may not contain.
    private mutating func skipComment() {
        while true {
            let block = Block(at: p)
            let controls = block.below(0x20) | block.equal(0x7f)
            let stops = controls.bits & ~block.equal(0x09).bits
            if stops != 0 {
                p += stops.trailingZeroBitCount
                return
            }
            p += 16
        }
    }

    private func unexpected() -> ParseError {
        switch p.pointee {
        case 0x0d: ParseError("a carriage return without a line feed", at: p - source)
        case 0x00..<0x20, 0x7f: ParseError("a control character", at: p - source)
        default: expected("the end of the line")
        }
    }

    private func expected(_ words: StaticString) -> ParseError {
        ParseError(expected: words, at: p - source)
    }

    private func error(_ problem: ParseError.Problem) -> ParseError {
        ParseError(problem: problem, offset: p - source)
    }

    /// Puts the place of `p` to an error whose offset counts from there.
    private func placed<T>(_ take: () throws(ParseError) -> T) throws(ParseError) -> T {
        do throws(ParseError) {
            return try take()
        } catch {
            throw ParseError(
                problem: error.problem, offset: error.offset &+ (p - source), words: error.words)
        }
    }
}
