// A YAML text as libyaml's events, one after the other. The only file that knows libyaml: what it
// counts in characters comes out in bytes, and what it allocates is the parser's memory.

private import CYAML

/// The events of one text.
struct YAMLEvents: ~Copyable {
    /// What comes next. Texts live until the next event.
    enum Event {
        case documentStart
        case scalar(Scalar)
        case sequenceStart(anchor: Bytes?)
        case mappingStart(anchor: Bytes?)
        case collectionEnd
        case alias(Bytes)
        case end
    }

    /// A scalar, without its quotes and escapes.
    struct Scalar {
        var text: Bytes
        var anchor: Bytes?
        var tag: Bytes?
        /// It stands there without quotes and without the tag `!`.
        var isPlain: Bool
    }

    /// Where the last event begins, in bytes.
    private(set) var offset = 0

    private let memory: Memory
    /// What libyaml is lent, and what it keeps the address of.
    private let block: UnsafeMutablePointer<Block>
    private var place: CharacterPlace
    /// How many bytes stand before what libyaml is given: those of a byte order mark.
    private let skipped: Int
    /// How often libyaml may still look at a level beyond `freeLevels`.
    private var looks = 1 << 24

    /// For each token libyaml looks at every `[` and `{` that is open. This deep it takes half a
    /// second for a megabyte.
    private static var freeLevels: Int { 128 }

    private struct Block {
        var memory: cyaml_memory
        var parser = yaml_parser_t()
        var event = yaml_event_t()
    }

    /// Nil when there is no memory. The bytes are followed by 64 zeros.
    init?(_ bytes: Bytes, memory: Memory) {
        guard let room = memory.allocate(MemoryLayout<Block>.size) else { return nil }
        let block = room.bindMemory(to: Block.self, capacity: 1)
        block.initialize(
            to: Block(memory: cyaml_memory(allocate: memory.allocate, free: memory.free)))
        cyaml_lend(&block.pointee.memory)
        let isReady = yaml_parser_initialize(&block.pointee.parser) == 1
        cyaml_lend(nil)
        guard isReady else {
            memory.free(block, MemoryLayout<Block>.size)
            return nil
        }
        // Always: it would take UTF-16 too, in which other offsets hold than in the bytes.
        yaml_parser_set_encoding(&block.pointee.parser, YAML_UTF8_ENCODING)
        // libyaml would count the mark as the first column, so that no other line begins there.
        skipped = bytes.hasPrefix("\u{FEFF}") ? 3 : 0
        let text = Bytes(rebasing: bytes.dropFirst(skipped))
        yaml_parser_set_input_string(&block.pointee.parser, text.baseAddress, text.count)
        self.memory = memory
        self.block = block
        place = CharacterPlace(text)
    }

    deinit {
        cyaml_lend(&block.pointee.memory)
        yaml_event_delete(&block.pointee.event)
        yaml_parser_delete(&block.pointee.parser)
        cyaml_lend(nil)
        memory.free(block, MemoryLayout<Block>.size)
    }

    /// Whether there is a next event; otherwise the parser says why not.
    private func advance() -> Bool {
        cyaml_lend(&block.pointee.memory)
        defer { cyaml_lend(nil) }
        yaml_event_delete(&block.pointee.event)
        return yaml_parser_parse(&block.pointee.parser, &block.pointee.event) == 1
    }

    mutating func next() throws(ParseError) -> Event {
        while true {
            guard advance() else { throw problem() }
            let event = block.pointee.event
            offset = place(ofCharacter: event.start_mark.index)
            let beyond = Int(block.pointee.parser.flow_level) &- YAMLEvents.freeLevels
            if beyond > 0 {
                looks = looks &- beyond
                if looks < 0 { throw ParseError(problem: .tooDeep, offset: offset) }
            }
            let data = event.data
            switch event.type {
            case YAML_SCALAR_EVENT:
                let scalar = data.scalar
                let tag = Bytes(name: scalar.tag)
                let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
                return .scalar(
                    Scalar(
                        text: Bytes(start: scalar.value, count: scalar.length),
                        anchor: Bytes(name: scalar.anchor), tag: tag,
                        isPlain: isPlain && tag?.isText("!") != true))
            case YAML_SEQUENCE_START_EVENT:
                return .sequenceStart(anchor: Bytes(name: data.sequence_start.anchor))
            case YAML_MAPPING_START_EVENT:
                return .mappingStart(anchor: Bytes(name: data.mapping_start.anchor))
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .collectionEnd
            case YAML_ALIAS_EVENT:
                return .alias(Bytes(name: data.alias.anchor) ?? Bytes(start: nil, count: 0))
            case YAML_DOCUMENT_START_EVENT: return .documentStart
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            default: return .end
            }
        }
    }

    private mutating func place(ofCharacter number: Int) -> Int {
        skipped &+ place.offset(ofCharacter: number)
    }

    // MARK: - Errors

    private mutating func problem() -> ParseError {
        let parser = block.pointee.parser
        switch parser.error {
        case YAML_MEMORY_ERROR: return ParseError(problem: .noMemory, offset: 0)
        case YAML_READER_ERROR:
            return ParseError(words: words, at: skipped &+ Int(clamping: parser.problem_offset))
        default:
            return ParseError(words: words, at: place(ofCharacter: parser.problem_mark.index))
        }
    }

    /// What libyaml says: "did not find expected key while parsing a block mapping". Its texts are
    /// constants and hold nothing of the source.
    private var words: String {
        let parser = block.pointee.parser
        var problem = Bytes(constant: parser.problem)
        // The place stands in front of the message.
        let isPlaced = problem.hasSuffix(" in this context")
        if isPlaced { problem = Bytes(rebasing: problem.dropLast(16)) }
        let words = String(problem) + (isPlaced ? " here" : "")
        guard let context = parser.context else { return words }
        return words + " " + String(Bytes(constant: context))
    }
}

extension Bytes {
    /// The characters of a C string; none for NULL.
    fileprivate init(constant text: UnsafePointer<CChar>?) {
        var count = 0
        while let text, text[count] != 0 { count = count &+ 1 }
        self.init(
            start: UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// The name of an anchor or a tag, if there is one.
    fileprivate init?(name: UnsafeMutablePointer<UInt8>?) {
        guard let name else { return nil }
        var count = 0
        while name[count] != 0 { count = count &+ 1 }
        self.init(start: name, count: count)
    }
}

/// Where a character is, of which only the number is known. Places that are asked for one after the
/// other lie close together.
private struct CharacterPlace {
    private let bytes: Bytes
    private let isASCII: Bool
    /// How many characters begin before `offset`.
    private var character = 0
    private var offset = 0

    /// 64 zeros follow the bytes.
    init(_ bytes: Bytes) {
        self.bytes = bytes
        isASCII = bytes.isASCII
    }

    /// The offset of the character with this number, or of the end.
    mutating func offset(ofCharacter number: Int) -> Int {
        guard !isASCII, let start = bytes.baseAddress else { return min(number, bytes.count) }
        while character > number, offset > 0 {
            offset = offset &- 1
            if start[offset] & 0xc0 != 0x80 { character = character &- 1 }
        }
        while offset < bytes.count {
            // A bit for each byte that begins a character.
            var firsts = ~Block(at: start + offset).belowSigned(0xc0).bits & 0xffff
            let count = firsts.nonzeroBitCount
            if count > number &- character {
                while character < number {
                    firsts &= firsts &- 1
                    character = character &+ 1
                }
                offset = offset &+ firsts.trailingZeroBitCount
                break
            }
            character = character &+ count
            offset = offset &+ 16
        }
        return min(offset, bytes.count)
    }
}

extension Bytes {
    /// Whether all bytes are ASCII. 64 zeros follow them.
    fileprivate var isASCII: Bool {
        guard let start = baseAddress else { return true }
        for offset in stride(from: 0, to: count, by: 16) {
            if Block(at: start + offset).belowSigned(0).bits != 0 { return false }
        }
        return true
    }
}
