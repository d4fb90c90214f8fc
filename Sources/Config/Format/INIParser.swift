// INI files: an object of sections, each an object of strings. There is no specification; this is
// what Python's configparser takes as it is set up by default, but for what is listed below.
//
//   [section]             whatever stands between the brackets, dots included, but for white space
//                         around it; a section that occurs again goes on
//   key = value           or `key: value`, up to the end of the line, quotes included; a value may
//                         be empty
//     value               a line that is indented deeper than its key goes on with the value
//   ; comment             or #, on a line of its own: behind a value it is a part of the value
//
// Unlike there, names keep their case, keys may stand before any section, of a key that occurs
// twice the last value counts, and no value refers to another one or to a section of defaults. A
// section's name ends at the first closing bracket, behind which a comment may stand.

struct INIParser {
    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var p: UnsafePointer<UInt8>
    private var tree: TableTree
    /// The section that keys belong to; at first there is none, and they belong to the root.
    private var section = TableTree.root
    /// The key whose value may go on, and how far the line is indented that it stands on.
    private var key: Int?
    private var indentation = 0
    /// The value so far: where it begins in the source, and how much was written of it. How many
    /// line ends it has before its next line, if there is one.
    private var value = 0
    private var valueCount = 0
    private var lineEnds = 0

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, mostNodes: Int = Limits.nodesPerDocument,
        scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree {
        try UTF8Check.check(bytes)
        // Behind each name and value stands at least one character that is no part of it, but for
        // the last one.
        let tree = try TableTree(
            textRoom: bytes.count &+ 1, limits: limits, mostNodes: mostNodes, scratch: &scratch)
        guard let source = bytes.baseAddress else { return try tree.finish(&scratch) }
        var parser = INIParser(source, bytes.count, tree)
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
        while p < end {
            let start = p
            skipLine()
            let line = trimmed(start, p)
            p += 1
            if line.isEmpty {
                lineEnds = lineEnds &+ 1
                continue
            }
            if line[0] == UInt8(ascii: "#") || line[0] == UInt8(ascii: ";") { continue }
            let indentation = offset(of: line) &- (start - source)
            if key != nil && indentation > self.indentation {
                append(line)
                continue
            }
            endValue()
            self.indentation = indentation
            if line[0] == UInt8(ascii: "[") {
                try beginSection(line, &scratch)
            } else {
                try takeKey(line, &scratch)
            }
        }
        endValue()
    }
}

// MARK: - Sections and keys

extension INIParser {
    private mutating func beginSection(
        _ line: Bytes, _ scratch: inout ParseScratch
    ) throws(ParseError) {
        guard let close = line.firstIndex(of: UInt8(ascii: "]")) else {
            throw ParseError(
                expected: "']' after a section's name", at: offset(of: line, line.count))
        }
        let name = Text.trimmed(Bytes(rebasing: line[1..<close]))
        if name.isEmpty { throw ParseError("a section has no name", at: offset(of: line)) }
        let rest = Text.trimmed(Bytes(rebasing: line[(close + 1)...]))
        if let first = rest.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";") {
            throw ParseError(expected: "the end of the line after a section", at: offset(of: rest))
        }
        section = try member(name, in: TableTree.root, &scratch)
        if !tree.isTable(section) {
            try tree.open(.object, at: offset(of: name), of: section)
        }
    }

    private mutating func takeKey(
        _ line: Bytes, _ scratch: inout ParseScratch
    ) throws(ParseError) {
        let separator = line.firstIndex { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }
        guard let separator else {
            throw ParseError(expected: "'=' or ':' after a key", at: offset(of: line, line.count))
        }
        let name = Text.trimmed(Bytes(rebasing: line[..<separator]))
        if name.isEmpty { throw ParseError(expected: "a key", at: offset(of: line)) }
        key = try member(name, in: section, &scratch)
        let first = Text.trimmed(Bytes(rebasing: line[(separator + 1)...]))
        value = offset(of: first)
        append(first)
    }

    /// The member of that name, whether it is there already or not.
    private mutating func member(
        _ bytes: Bytes, in table: Int, _ scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        write(bytes, 0)
        let name = tree.name(bytes.count, at: offset(of: bytes))
        guard let there = tree.find(name, in: table) else {
            return try tree.add(name, to: table, scratch: &scratch)
        }
        // A section goes on; a key that occurs again does not.
        if !tree.isTable(there) { tree.replace(there, by: name) }
        return there
    }
}

// MARK: - Values

extension INIParser {
    /// Appends a line to the value.
    private mutating func append(_ line: Bytes) {
        for _ in 0..<lineEnds {
            tree.free[valueCount] = 0x0a
            valueCount = valueCount &+ 1
        }
        write(line, valueCount)
        valueCount = valueCount &+ line.count
        lineEnds = 1
    }

    /// No line goes on with the value.
    private mutating func endValue() {
        if let key { tree.setString(valueCount, at: value, of: key) }
        key = nil
        valueCount = 0
        lineEnds = 0
    }

    /// Writes bytes behind the first `count` that the next text has.
    private func write(_ bytes: Bytes, _ count: Int) {
        if let start = bytes.baseAddress {
            (tree.free + count).update(from: start, count: bytes.count)
        }
    }
}

// MARK: - Lines

extension INIParser {
    /// Skips to the line feed that ends the line, or to the end of the text.
    private mutating func skipLine() {
        while true {
            let block = Block(at: p)
            let stops = (block.equal(0x0a) | block.equal(0)).bits
            p += stops == 0 ? 16 : stops.trailingZeroBitCount
            if stops != 0 {
                if p.pointee == 0x0a || p == end { return }
                p += 1
            }
        }
    }

    private func trimmed(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bytes {
        Text.trimmed(Bytes(start: start, count: end - start))
    }

    /// Where bytes of the source lie in it.
    private func offset(of bytes: Bytes, _ index: Int = 0) -> Int {
        bytes.baseAddress.map { $0 - source &+ index } ?? 0
    }
}
