// YAML 1.2, as configuration uses it, to a tree: libyaml's events, with anchors, aliases and merge
// keys. One document a value. What a scalar is, `YAMLScalar` says.

/// A text on its way to a tree.
struct YAMLParser: ~Copyable {
    /// What comes next in an array or object that is open, or in the document around them all.
    private enum Place: UInt8 {
        case element, name, value
        /// After the name `<<`: an object, or an array of objects.
        case merged
        /// In that array: an object.
        case mergedElement
    }

    private struct Level: BitwiseCopyable {
        var place: Place
        /// The number of the anchor that names it, or -1.
        var anchor: Int
        /// In an object with the name `<<`, that name's index; otherwise -1.
        var merge = -1
        /// How many objects waited to be merged when it was opened.
        var sources: Int
    }

    private let memory: Memory
    private var events: YAMLEvents
    private var anchors: YAMLAnchors
    private var levelsRegion: Region<Level>
    private let levels: UnsafeMutablePointer<Level>
    private var depth = 0
    /// The objects that open ones are to take over members from, on a stack.
    private var sources = Region<TreeBuilder.Closed>()
    private var sourceCount = 0

    /// Parses `bytes`, which 64 zero bytes follow.
    static func parse(_ bytes: Bytes, limits: Limits, scratch: inout ParseScratch)
        throws(ParseError) -> ParsedTree
    {
        if try checkSpace(bytes) { try checkDirectives(bytes) }
        return try TreeBuilder.build(in: &scratch, limits: limits, refusesRepeatedNames: true) {
            (tree) throws(ParseError) in
            guard var parser = YAMLParser(bytes, maxDepth: tree.maxDepth, memory: tree.memory)
            else { throw ParseError(problem: .noMemory, offset: 0) }
            try parser.run(&tree)
        }
    }

    private init?(_ bytes: Bytes, maxDepth: Int, memory: Memory) {
        var region = Region<Level>()
        guard region.reserve(maxDepth &+ 1, memory), let levels = region.base else { return nil }
        guard let events = YAMLEvents(bytes, memory: memory) else {
            region.release(memory)
            return nil
        }
        self.memory = memory
        self.events = events
        self.levels = levels
        levelsRegion = region
        anchors = YAMLAnchors(seed: UInt64(UInt(bitPattern: bytes.baseAddress)), memory: memory)
        levels[0] = Level(place: .element, anchor: -1, sources: 0)
    }

    deinit {
        levelsRegion.release(memory)
        sources.release(memory)
    }

    private mutating func run(_ tree: inout TreeBuilder) throws(ParseError) {
        var hasDocument = false
        while true {
            switch try events.next() {
            case .documentStart:
                if hasDocument {
                    throw ParseError("expected a single document, found another", at: events.offset)
                }
                hasDocument = true
            case .scalar(let scalar): try append(scalar, to: &tree)
            case .alias(let name): try append(alias: name, to: &tree)
            case .sequenceStart(let anchor): try open(.array, anchor, in: &tree)
            case .mappingStart(let anchor): try open(.object, anchor, in: &tree)
            case .collectionEnd: try close(&tree)
            case .end:
                // Of nothing, or comments alone, the value is null, as of a document of nothing.
                if !hasDocument { try tree.null(at: 0) }
                return
            }
        }
    }

    // MARK: - Scalars and aliases

    private mutating func append(_ scalar: YAMLEvents.Scalar, to tree: inout TreeBuilder)
        throws(ParseError)
    {
        let offset = events.offset
        let value: YAMLScalar
        var text: UInt64?
        switch levels[depth].place {
        case .name:
            if scalar.isMergeKey {
                levels[depth].merge = tree.nodeCount
                levels[depth].place = .merged
                return try tree.name(scalar.text, at: offset)
            }
            // A name is what is written, whatever it would be as a value.
            let name = try tree.text(scalar.text)
            try tree.name(text: name, at: offset)
            levels[depth].place = .value
            if scalar.anchor == nil { return }
            text = name
            value = try YAMLScalar(scalar, at: offset, in: &tree)
        case .element, .value:
            value = try YAMLScalar(scalar, at: offset, in: &tree)
            try tree.append(value.type, value.payload, at: offset)
            valueEnded()
        case .merged, .mergedElement:
            throw YAMLParser.notMergeable(at: offset)
        }
        guard let anchor = scalar.anchor else { return }
        if text == nil { text = value.type == .string ? value.payload : try tree.text(scalar.text) }
        _ = try add(
            anchor, YAMLAnchor(type: value.type, payload: value.payload, text: text ?? 0))
    }

    private mutating func append(alias name: Bytes, to tree: inout TreeBuilder) throws(ParseError) {
        let offset = events.offset
        guard let number = try anchors.number(of: name) else {
            throw ParseError("an alias of an anchor that is not there", at: offset)
        }
        let anchor = anchors[number]
        let isScalar = anchor.type != .array && anchor.type != .object
        if !isScalar, anchor.closed.height == 0 {
            throw ParseError("an alias inside of the value that it stands for", at: offset)
        }
        switch levels[depth].place {
        case .name:
            if !isScalar { throw YAMLParser.notName(at: offset) }
            try tree.copyName(anchor.text, at: offset)
            levels[depth].place = .value
        case .element, .value:
            if isScalar {
                try tree.copy(anchor.type, anchor.payload, at: offset)
            } else {
                try tree.copy(anchor.closed, at: offset)
            }
            valueEnded()
        case .merged where anchor.type == .array:
            try tree.forEachElement(of: anchor.closed, at: offset) {
                (element, type) throws(ParseError) in
                if type != .object { throw YAMLParser.notMergeable(at: offset) }
                try addSource(element)
            }
            try tree.null(at: offset)
            valueEnded()
        case .merged, .mergedElement:
            if anchor.type != .object { throw YAMLParser.notMergeable(at: offset) }
            try addSource(anchor.closed)
            try tree.null(at: offset)
            valueEnded()
        }
    }

    /// After the value of a member a name comes next.
    private mutating func valueEnded() {
        switch levels[depth].place {
        case .value, .merged: levels[depth].place = .name
        case .element, .name, .mergedElement: break
        }
    }

    // MARK: - Arrays and objects

    private mutating func open(_ type: ValueType, _ name: Bytes?, in tree: inout TreeBuilder)
        throws(ParseError)
    {
        let offset = events.offset
        var place = type == .array ? Place.element : .name
        switch levels[depth].place {
        case .element, .value: break
        case .name: throw YAMLParser.notName(at: offset)
        case .merged: if type == .array { place = .mergedElement }
        case .mergedElement: if type == .array { throw YAMLParser.notMergeable(at: offset) }
        }
        if type == .array {
            try tree.openArray(at: offset)
        } else {
            try tree.openObject(at: offset)
        }
        var anchor = -1
        if let name { anchor = try add(name, YAMLAnchor(type: type)) }
        depth = depth &+ 1
        levels[depth] = Level(place: place, anchor: anchor, sources: sourceCount)
    }

    private mutating func close(_ tree: inout TreeBuilder) throws(ParseError) {
        let level = levels[depth]
        depth = depth &- 1
        if level.merge >= 0 {
            let first = sources.base.map { $0 + level.sources }
            try tree.close(
                merging: UnsafeBufferPointer(start: first, count: sourceCount &- level.sources),
                insteadOf: level.merge, at: events.offset)
            sourceCount = level.sources
        } else {
            try tree.close()
        }
        if level.anchor >= 0 { anchors[level.anchor].closed = tree.closed }
        let isObject = level.place == .name
        switch levels[depth].place {
        case .merged where isObject, .mergedElement: try addSource(tree.closed)
        case .element, .name, .value, .merged: break
        }
        valueEnded()
    }

    private mutating func add(_ name: Bytes, _ anchor: YAMLAnchor) throws(ParseError) -> Int {
        guard let number = anchors.add(name, anchor) else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        return number
    }

    private mutating func addSource(_ object: TreeBuilder.Closed) throws(ParseError) {
        if sourceCount == sources.capacity,
            !sources.grow(to: 64, keeping: sourceCount, memory)
        {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        sources.base?[sourceCount] = object
        sourceCount = sourceCount &+ 1
    }

    // MARK: - Errors

    private static func notName(at offset: Int) -> ParseError {
        ParseError("an array or object cannot be the name of a member", at: offset)
    }

    private static func notMergeable(at offset: Int) -> ParseError {
        ParseError("only an object, or an array of objects, can be merged by <<", at: offset)
    }
}

extension YAMLEvents.Scalar {
    fileprivate var isMergeKey: Bool {
        if let tag { return tag.isText("tag:yaml.org,2002:merge") }
        return isPlain && text.isText("<<")
    }
}

// MARK: - What would keep libyaml busy

extension YAMLParser {
    /// More than a document ever has. libyaml compares each directive with all before it.
    private static var mostDirectives: Int { 16 }
    /// In bytes. What `%TAG` defines is written out for each tag that begins so.
    private static var longestDirective: Int { 1024 }
    /// In blocks of sixteen bytes: far more than any indentation. Within a scalar libyaml clears
    /// the room of the longest run of white space for each run that follows.
    private static var mostSpace: Int { 512 }

    /// Looks for longer white space that something follows; gives whether there is a percent sign.
    private static func checkSpace(_ bytes: Bytes) throws(ParseError) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        var hasPercent = false
        var spaces = 0
        for offset in stride(from: 0, to: bytes.count, by: 16) {
            let block = Block(at: start + offset)
            if block.equal(UInt8(ascii: "%")).bits != 0 { hasPercent = true }
            if block.belowSigned(0x21).bits == 0xffff, isSpace(block) {
                spaces = spaces &+ 1
            } else if spaces > mostSpace {
                throw ParseError(problem: .tooMuchSpace, offset: offset)
            } else {
                spaces = 0
            }
        }
        return hasPercent
    }

    /// Whether a block is all white space, U+0085, U+2028 and U+2029 included.
    private static func isSpace(_ block: Block) -> Bool {
        let space =
            block.below(0x21) | block.equal(0xc2) | block.equal(0x85) | block.equal(0xe2)
            | block.equal(0x80) | block.equal(0xa8) | block.equal(0xa9)
        return space.bits == 0xffff
    }

    /// Counts and measures directives before libyaml sees them: whatever begins with a percent sign
    /// in front of the document, and further down what libyaml would take for one.
    private static func checkDirectives(_ bytes: Bytes) throws(ParseError) {
        var count = 0
        var isInFront = true
        var offset = bytes.hasPrefix("\u{FEFF}") ? 3 : 0
        while offset < bytes.count {
            let line = Bytes(rebasing: bytes[offset...])
            var longest = Int.max
            switch line[0] {
            case UInt8(ascii: "%"):
                if isInFront || line.hasPrefix("%TAG") || line.hasPrefix("%YAML") {
                    count = count &+ 1
                    longest = longestDirective
                }
            case UInt8(ascii: "#"), 0x20, 0x09, 0x0a, 0x0d: break
            default: isInFront = false
            }
            if count > mostDirectives {
                throw ParseError(problem: .tooManyDirectives, offset: offset)
            }
            var length = 0
            while length < line.count, !endsLine(line[length]) { length = length &+ 1 }
            if length > longest { throw ParseError(problem: .tooLongDirective, offset: offset) }
            offset = offset &+ length &+ 1
        }
    }

    /// Whether a byte is a line break, or may be the last of one: of U+0085, U+2028 or U+2029.
    private static func endsLine(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x0a, 0x0d, 0x85, 0xa8, 0xa9: true
        default: false
        }
    }
}
