// From a key and its bytes to a document: parsed as what the key is, frozen in one block of exactly
// the size that it needs. What does not parse fails, or is kept as text where the options say so.
internal import Synchronization

extension Document {
    /// Parses the `bytes` of `key` and freezes the result. At least 64 zero bytes must follow the
    /// bytes.
    package static func make(
        key: Bytes, bytes: Bytes, as format: KeyFormat, limits: Limits, options: ParseOptions,
        scratch: inout ParseScratch, memory: Memory
    ) throws(Failure) -> ParsedDocument {
        if bytes.count > min(limits.maxValueBytes, Limits.valueBytesCeiling) {
            throw ParseError(problem: .tooLarge, offset: 0).failure(key: key, bytes: bytes)
        }
        var forgiven: Failure?
        do throws(Failure) {
            let tree = try parse(key: key, bytes, format, limits: limits, scratch: &scratch)
            if let tree {
                return try makeTree(
                    tree, key: key, bytes: bytes, format: format, scratch: scratch, memory: memory)
            }
        } catch {
            if error.kind == .noMemory { throw error }
            switch format {
            case .sniffed: break
            case .format, .own:
                guard options.isLenient else { throw error }
                forgiven = error
            }
        }
        var content = bytes
        var unknown: UnknownVariables?
        if let variables = options.variables, forgiven == nil {
            do throws(ParseError) {
                (content, unknown) = try scratch.expand(
                    bytes, limit: limits.maxValueBytes, variables)
            } catch {
                throw error.failure(key: key, bytes: bytes)
            }
        }
        guard
            let document = makeText(content, key: key, bytes: bytes, format: format, memory: memory)
        else { throw ParseError(problem: .noMemory, offset: 0).failure(key: key, bytes: bytes) }
        return ParsedDocument(document: document, unknown: unknown, forgiven: forgiven)
    }

    /// The same for a format that is known here; text is sniffed if the options say so.
    package static func make(
        key: Bytes, bytes: Bytes, format: Format, limits: Limits,
        options: ParseOptions = ParseOptions(), scratch: inout ParseScratch, memory: Memory
    ) throws(Failure) -> ParsedDocument {
        let isSniffed = format == .text && options.sniffJSON
        return try make(
            key: key, bytes: bytes, as: isSniffed ? .sniffed : .format(format), limits: limits,
            options: options, scratch: &scratch, memory: memory)
    }

    // MARK: - Trees

    /// Parses into the scratch; nil when the value is text.
    private static func parse(
        key: Bytes, _ bytes: Bytes, _ format: KeyFormat, limits: Limits,
        scratch: inout ParseScratch
    ) throws(Failure) -> ParsedTree? {
        do throws(ParseError) {
            switch format {
            case .format(let format):
                return try parse(bytes, format, limits: limits, scratch: &scratch)
            case .sniffed: return try parse(bytes, .json, limits: limits, scratch: &scratch)
            case .own: break
            }
        } catch {
            throw error.failure(
                key: key, bytes: bytes, returnsEndLines: format.returnsEndLines)
        }
        guard case .own(let parser) = format else { return nil }
        return try parser.parse(key: key, bytes: bytes, limits: limits, scratch: &scratch)
    }

    /// Parses into the scratch by the format; nil when that is text.
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
        _ tree: ParsedTree, key: Bytes, bytes: Bytes, format: KeyFormat,
        scratch: borrowing ParseScratch, memory: Memory
    ) throws(Failure) -> ParsedDocument {
        let tape = UnsafeBufferPointer(
            start: scratch.tape.base.map { $0 + 1 }, count: tree.nodeCount)
        let text = Bytes(start: scratch.text.base, count: tree.textCount)
        guard
            let document = freeze(
                key: key, bytes: bytes, format: format, tape: tape, text: text, integer: .unread,
                memory: memory)
        else {
            throw ParseError(problem: .noMemory, offset: 0).failure(key: key, bytes: bytes)
        }
        var parsed = ParsedDocument(document: document)
        if tree.replacedCount > 0 {
            parsed.repeats = RepeatedNames(
                count: tree.replacedCount,
                position: TextPosition(
                    of: tree.firstRepeated.sourceOffset, in: bytes,
                    returnsEndLines: format.returnsEndLines),
                document: document, node: tree.firstRepeated)
        }
        return parsed
    }

    // MARK: - Text

    /// A document of one node: the text of `content` without the white space around it, or all of
    /// it when it is no text. The content is the bytes, or what they became.
    private static func makeText(
        _ content: Bytes, key: Bytes, bytes: Bytes, format: KeyFormat, memory: Memory
    ) -> Document? {
        let isText = UTF8Check.isValid(content)
        let range = isText ? Text.trimmedRange(of: content) : 0..<content.count
        let text = Bytes(rebasing: content[range])
        // What reaches to the end of the bytes is followed by their NUL: only then no copy is
        // needed. What is empty begins there.
        let isCopied =
            !text.isEmpty
            && (content.baseAddress != bytes.baseAddress || range.upperBound < bytes.count)
        let start = text.isEmpty ? bytes.count : range.lowerBound
        var node = Node(
            head: UInt64((isText ? ValueType.string : .bytes).rawValue)
                | UInt64(min(start, bytes.count)) &<< 32,
            payload: UInt64(isCopied ? 0 : start) | UInt64(text.count) &<< 32)
        return withUnsafePointer(to: &node) { node in
            freeze(
                key: key, bytes: bytes, format: format,
                tape: UnsafeBufferPointer(start: node, count: 1),
                text: isCopied ? text : .none,
                integer: isText ? IntegerReading(text) : .unread, memory: memory)
        }
    }

    // MARK: - The block

    /// Writes a block of exactly the size that is needed; nil when there is no memory.
    static func freeze(
        key: Bytes, bytes: Bytes, format: KeyFormat, tape: UnsafeBufferPointer<Node>, text: Bytes,
        integer: IntegerReading, memory: Memory
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
                keyHash: hash(of: key), integer: integer, format: format.number))
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
