// One key and its value: the exact bytes, and the tree that they parsed to. Immutable, and shared
// by all the versions in which the key's bytes are the same. One block of memory, from an allocator
// that can fail.
package import Synchronization

/// What a document's block begins with; the rest follows in the order tape, text, bytes, key.
package struct DocumentHeader: ~Copyable {
    package let holders: Atomic<Int>
    /// The size of the whole block.
    package let size: Int
    /// Offsets from the beginning of the block. Text of the tape's strings, each followed by a NUL.
    package let textOffset: Int
    /// The bytes exactly as stored, followed by a NUL.
    package let bytesOffset: Int
    package let byteCount: Int
    /// The key, followed by a NUL.
    package let keyOffset: Int
    package let keyCount: Int
    package let keyHash: UInt64
    /// What the text of a text key reads as, found when the document is made: reads of numbers are
    /// frequent.
    package let integer: IntegerReading
}

/// What text reads as when an integer is asked for.
package struct IntegerReading {
    package enum Kind: UInt8 {
        /// Not known: the text must be read.
        case unread
        case value, notInteger, outOfRange
    }
    package let kind: Kind
    package let value: Int64

    /// No text, or one that is seldom read.
    package static var unread: IntegerReading { IntegerReading(kind: .unread, value: 0) }

    private init(kind: Kind, value: Int64) { (self.kind, self.value) = (kind, value) }

    package init(_ text: Bytes) {
        do throws(ReadError) {
            self.init(kind: .value, value: try Text.int64(text))
        } catch {
            self.init(kind: error == .range ? .outOfRange : .notInteger, value: 0)
        }
    }
}

/// A document. Copying this copies a pointer: `retain` and `release` are explicit.
package struct Document {
    package let base: UnsafeMutableRawPointer

    /// The tape starts here; a constant, so that a node's index leads back to the block.
    package static var tapeOffset: Int { 128 }
}

/// How tolerantly a value is parsed.
package struct ParseOptions: Sendable {
    /// Keys of text format are parsed as JSON when they are JSON.
    package var sniffJSON = false
    /// What does not parse is kept as text.
    package var isLenient = false

    package init() {}
}

/// A document that was just made, held once by whoever asked for it, and what deserves a warning.
package struct ParsedDocument {
    package let document: Document
    /// Members that a later one of the same name replaced, if there were any.
    package var repeats: RepeatedNames?
    /// Why the value is kept as text, when it should have parsed and the options forgive that it
    /// did not.
    package var forgiven: Failure?
}

/// Objects in which a name occurs more than once: of its members the last one counts.
package struct RepeatedNames: Sendable {
    /// How many members were dropped in all.
    package let count: Int
    /// One of the names, cut to a length fit for a message, and where it occurs again.
    package let name: String
    package let position: TextPosition
}

extension Document {
    /// Parses the `bytes` of `key` and freezes the result. At least 64 zero bytes must follow the
    /// bytes.
    package static func make(
        key: Bytes, bytes: Bytes, format: Format, limits: Limits,
        options: ParseOptions = ParseOptions(),
        scratch: inout ParseScratch, memory: Memory
    ) throws(Failure) -> ParsedDocument {
        if bytes.count > min(limits.maxValueBytes, Limits.valueBytesCeiling) {
            throw ParseError(problem: .tooLarge, offset: 0).failure(key: key, bytes: bytes)
        }
        var forgiven: Failure?
        if format != .text || options.sniffJSON {
            do throws(ParseError) {
                let tree = try parse(
                    bytes, format == .text ? .json : format, limits: limits, scratch: &scratch)
                if let tree {
                    return try makeTree(
                        tree, key: key, bytes: bytes, scratch: scratch, memory: memory)
                }
            } catch {
                let failure = error.failure(key: key, bytes: bytes)
                if failure.kind == .noMemory { throw failure }
                if format != .text {
                    guard options.isLenient else { throw failure }
                    forgiven = failure
                }
            }
        }
        guard let document = makeText(key: key, bytes: bytes, memory: memory) else {
            throw ParseError(problem: .noMemory, offset: 0).failure(key: key, bytes: bytes)
        }
        return ParsedDocument(document: document, forgiven: forgiven)
    }

    /// Parses into the scratch; nil when there is no parser for the format.
    static func parse(
        _ bytes: Bytes, _ format: Format, limits: Limits, scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree? {
        switch format {
        case .text: nil
        case .json: try JSONParser.parse(bytes, limits: limits, scratch: &scratch)
        case .yaml: try YAMLParser.parse(bytes, limits: limits, scratch: &scratch)
        case .toml: try TOMLParser.parse(bytes, limits: limits, scratch: &scratch)
        case .properties: try PropertiesParser.parse(bytes, limits: limits, scratch: &scratch)
        case .dotenv: try DotenvParser.parse(bytes, limits: limits, scratch: &scratch)
        case .ini: try INIParser.parse(bytes, limits: limits, scratch: &scratch)
        }
    }

    /// Freezes what was parsed into the scratch.
    static func makeTree(
        _ tree: ParsedTree, key: Bytes, bytes: Bytes, scratch: borrowing ParseScratch,
        memory: Memory
    ) throws(ParseError) -> ParsedDocument {
        let tape = UnsafeBufferPointer(
            start: scratch.tape.base.map { $0 + 1 }, count: tree.nodeCount)
        let text = Bytes(start: scratch.text.base, count: tree.textCount)
        guard
            let document = freeze(
                key: key, bytes: bytes, tape: tape, text: text, integer: .unread, memory: memory)
        else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        var parsed = ParsedDocument(document: document)
        if tree.replacedCount > 0 {
            let name = document.text(of: tree.firstRepeated)
            parsed.repeats = RepeatedNames(
                count: tree.replacedCount,
                name: String(decoding: name.prefix(128), as: UTF8.self),
                position: TextPosition(of: tree.firstRepeated.sourceOffset, in: bytes))
        }
        return parsed
    }

    /// A document of one node: the text without the white space around it, or the bytes when they
    /// are no text.
    private static func makeText(key: Bytes, bytes: Bytes, memory: Memory) -> Document? {
        let isText = UTF8Check.isValid(bytes)
        var range = isText ? Text.trimmedRange(of: bytes) : 0..<bytes.count
        if range.isEmpty { range = bytes.count..<bytes.count }
        // What reaches to the end of the bytes is followed by their NUL; only then no copy is
        // needed.
        let needsCopy = range.upperBound < bytes.count
        let text = Bytes(rebasing: bytes[range])
        var node = Node(
            head: UInt64((isText ? ValueType.string : .bytes).rawValue) | UInt64(range.lowerBound)
                &<< 32,
            payload: UInt64(needsCopy ? 0 : range.lowerBound) | UInt64(range.count) &<< 32)
        return withUnsafePointer(to: &node) { node in
            freeze(
                key: key, bytes: bytes, tape: UnsafeBufferPointer(start: node, count: 1),
                text: needsCopy ? text : Bytes(start: nil, count: 0),
                integer: isText ? IntegerReading(text) : .unread, memory: memory)
        }
    }

    /// Writes a block of exactly the size that is needed; nil when there is no memory.
    static func freeze(
        key: Bytes, bytes: Bytes, tape: UnsafeBufferPointer<Node>, text: Bytes,
        integer: IntegerReading,
        memory: Memory
    ) -> Document? {
        let textOffset = tapeOffset &+ tape.count &* MemoryLayout<Node>.stride
        let bytesOffset = textOffset &+ text.count &+ (text.isEmpty ? 0 : 1)
        let keyOffset = bytesOffset &+ bytes.count &+ 1
        let size = keyOffset &+ key.count &+ 1
        guard let base = memory.allocate(size) else { return nil }

        base.bindMemory(to: DocumentHeader.self, capacity: 1).initialize(
            to: DocumentHeader(
                holders: Atomic(1), size: size, textOffset: textOffset, bytesOffset: bytesOffset,
                byteCount: bytes.count, keyOffset: keyOffset, keyCount: key.count,
                keyHash: hash(of: key), integer: integer))
        if let nodes = tape.baseAddress {
            (base + tapeOffset).copyMemory(from: nodes, byteCount: textOffset &- tapeOffset)
        }
        if let start = text.baseAddress {
            (base + textOffset).copyMemory(from: start, byteCount: text.count)
            if !text.isEmpty { (base + (bytesOffset &- 1)).storeBytes(of: 0, as: UInt8.self) }
        }
        copy(bytes, followedByNULTo: base + bytesOffset)
        copy(key, followedByNULTo: base + keyOffset)
        return Document(base: base)
    }

    private static func copy(_ bytes: Bytes, followedByNULTo target: UnsafeMutableRawPointer) {
        if let start = bytes.baseAddress { target.copyMemory(from: start, byteCount: bytes.count) }
        (target + bytes.count).storeBytes(of: 0, as: UInt8.self)
    }

    private static func hash(of key: Bytes) -> UInt64 {
        let empty: StaticString = ""
        return Hash.text(key.baseAddress ?? empty.utf8Start, key.count)
    }
}

extension Document {
    /// Whether another document, or what was just read, has the same bytes.
    package func hasSameBytes(as other: Bytes) -> Bool { equalBytes(bytes, other) }

    /// The document that a node lies in.
    @inline(__always)
    package static func of(_ node: UnsafePointer<Node>) -> Document {
        let index = Int(truncatingIfNeeded: node.pointee.head &>> 8) & 0xff_ffff
        let tape = UnsafeRawPointer(node) - index &* MemoryLayout<Node>.stride
        return Document(base: UnsafeMutableRawPointer(mutating: tape - tapeOffset))
    }

    /// The text of a string's node, or the bytes of one that is no text; a NUL follows.
    @inline(__always)
    package func text(of node: Node) -> Bytes {
        let start =
            base
            + (header.pointee.textOffset &+ Int(truncatingIfNeeded: node.payload & 0xffff_ffff))
        return Bytes(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self),
            count: Int(truncatingIfNeeded: node.payload &>> 32))
    }

    /// Where in the bytes a value of this document begins.
    package func position(of value: Value) -> TextPosition {
        TextPosition(of: value.node.pointee.sourceOffset, in: bytes)
    }
}

extension Node {
    /// Where the value begins in the bytes that were parsed.
    @inline(__always)
    package var sourceOffset: Int { Int(truncatingIfNeeded: head &>> 32) }
}
