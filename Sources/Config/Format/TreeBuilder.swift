// Writes a tree onto a scratch's tape, value by value in the order of the text: for parsers that do
// not write the tape themselves, as JSON's does. Holds depth, count and memory to their limits and
// finds names that occur twice. Knows no format.

/// A tree in the making. The parser sees to it that every object and array is closed, that a name
/// stands before each value of an object, and that there is one value at the top.
///
/// An `offset` is that of the value's or the name's first byte in the source.
struct TreeBuilder: ~Copyable {
    /// An array or object that is open, or the document around them all.
    struct Level: BitwiseCopyable {
        /// The index of its node.
        var node: UInt32
        /// How many elements or members it has so far.
        var count: UInt32
        /// How many hashes of names lay on the stack when it was opened.
        var names: UInt32
        /// How many levels there are below it.
        var height: UInt32
    }

    private var scratch: ParseScratch
    let maxDepth: Int
    private let mostNodes: Int
    private let refusesRepeatedNames: Bool
    let hash: NameHash

    /// The root's node. The one before it, which the JSON parser needs, is left alone.
    var tape: UnsafeMutablePointer<Node>
    private(set) var nodeCount = 0
    private var nodeCapacity = 0

    var text: UnsafeMutablePointer<UInt8>
    private var textCount = 0
    private var textCapacity = 0

    /// The hashes of the names of all objects that are open, on a stack.
    var names: UnsafeMutablePointer<UInt32>
    var nameCount = 0
    var nameCapacity = 0
    private var repeats: MemberNames
    /// Some members are marked as replaced, without one that replaces them.
    var hasDropped = false

    let levels: UnsafeMutablePointer<Level>
    /// How many arrays and objects are open.
    private(set) var depth = 0

    /// How many bytes `copy` may still add.
    var bytesToCopy: Int

    /// What `JSONNumber` and `Decimal` compare numbers in.
    let limbs: UnsafeMutablePointer<UInt64>

    /// Whole blocks may be read and stored behind a text, as far as this.
    static var slack: Int { 64 }

    /// Builds a tree of what `parse` appends.
    static func build(
        in scratch: inout ParseScratch, limits: Limits, refusesRepeatedNames: Bool = false,
        mostNodes: Int = Limits.nodesPerDocument,
        _ parse: (inout TreeBuilder) throws(ParseError) -> Void
    ) throws(ParseError) -> ParsedTree {
        let depth = min(max(limits.maxDepth, 0), Limits.depthCeiling)
        let isReady = scratch.reserveTree(depth: depth)
        guard isReady, let tape = scratch.tape.base, let text = scratch.text.base,
            let names = scratch.names.base, let levels = scratch.levels.base,
            let limbs = scratch.limbs.base
        else { throw ParseError(problem: .noMemory, offset: 0) }
        var builder = TreeBuilder(
            scratch, maxDepth: depth, mostNodes: mostNodes, bytesToCopy: limits.maxValueBytes,
            refusesRepeatedNames: refusesRepeatedNames, tape: tape + 1, text: text, names: names,
            levels: levels, limbs: limbs)
        var problem: ParseError?
        do throws(ParseError) { try parse(&builder) } catch { problem = error }
        let tree = builder.tree()
        scratch = builder.end()
        if let problem { throw problem }
        return tree
    }

    private init(
        _ scratch: consuming ParseScratch, maxDepth: Int, mostNodes: Int, bytesToCopy: Int,
        refusesRepeatedNames: Bool, tape: UnsafeMutablePointer<Node>,
        text: UnsafeMutablePointer<UInt8>, names: UnsafeMutablePointer<UInt32>,
        levels: UnsafeMutablePointer<Level>, limbs: UnsafeMutablePointer<UInt64>
    ) {
        self.scratch = scratch
        self.maxDepth = maxDepth
        self.mostNodes = mostNodes
        self.bytesToCopy = bytesToCopy
        self.refusesRepeatedNames = refusesRepeatedNames
        self.tape = tape
        self.text = text
        self.names = names
        self.levels = levels
        self.limbs = limbs
        repeats = MemberNames(tape: tape, text: text)
        hash = NameHash(
            seed: UInt64(UInt(bitPattern: tape)) ^ UInt64(UInt(bitPattern: limbs)) &<< 20)
        levels[0] = Level(node: 0, count: 0, names: 0, height: 0)
        measure()
    }

    /// Where memory for what a parser keeps beside the tree comes from.
    var memory: Memory { scratch.memory }

    private consuming func end() -> ParseScratch { scratch }

    /// What was built; of the members that a later one replaced nothing is left.
    private mutating func tree() -> ParsedTree {
        var remaining = nodeCount
        if hasDropped || repeats.count > 0, depth == 0 {
            remaining = repeats.compact(
                nodeCount,
                stack: UnsafeMutableRawPointer(names).assumingMemoryBound(
                    to: CompactedContainer.self))
        }
        return ParsedTree(
            nodeCount: remaining, textCount: textCount, replacedCount: repeats.count,
            firstRepeated: repeats.firstRepeated)
    }

    // MARK: - Arrays and objects

    mutating func openArray(at offset: Int) throws(ParseError) { try open(.array, at: offset) }

    mutating func openObject(at offset: Int) throws(ParseError) { try open(.object, at: offset) }

    private mutating func open(_ type: ValueType, at offset: Int) throws(ParseError) {
        if depth == maxDepth { throw ParseError(problem: .tooDeep, offset: offset) }
        let node = UInt32(truncatingIfNeeded: nodeCount)
        try append(type, 0, at: offset)
        depth = depth &+ 1
        levels[depth] = Level(
            node: node, count: 0, names: UInt32(truncatingIfNeeded: nameCount), height: 0)
    }

    /// Closes the innermost array or object.
    mutating func close() throws(ParseError) {
        try checkNames()
        closeChecked()
    }

    /// Closes an object whose names are known to be unique.
    mutating func closeChecked() {
        let level = levels[depth]
        tape[Int(level.node)].payload = UInt64(level.count) &<< 32 | UInt64(nodeCount)
        nameCount = Int(level.names)
        depth = depth &- 1
        levels[depth].height = max(levels[depth].height, level.height &+ 1)
    }

    // MARK: - Names and strings

    /// Appends the name of a member, whose value comes next.
    mutating func name(_ name: Bytes, at offset: Int) throws(ParseError) {
        try copy(name)
        try self.name(length: name.count, at: offset)
    }

    mutating func string(_ string: Bytes, at offset: Int) throws(ParseError) {
        try copy(string)
        try self.string(length: string.count, at: offset)
    }

    /// Where a parser writes a name or string of at most `count` bytes itself, and up to `slack`
    /// bytes behind it. Good until anything is appended.
    mutating func room(for count: Int) throws(ParseError) -> UnsafeMutablePointer<UInt8> {
        if _slowPath(textCapacity &- textCount < count) { try growText(by: count) }
        return text + textCount
    }

    /// Appends a name of the first `length` bytes in the room.
    mutating func name(length: Int, at offset: Int) throws(ParseError) {
        try name(text: keep(length), at: offset)
    }

    /// Appends a string of the first `length` bytes in the room.
    mutating func string(length: Int, at offset: Int) throws(ParseError) {
        try append(.string, keep(length), at: offset)
    }

    /// Appends bytes that need not be UTF-8: the first `length` in the room.
    mutating func bytes(length: Int, at offset: Int) throws(ParseError) {
        try append(.bytes, keep(length), at: offset)
    }

    /// Keeps a text for nodes that share it: gives the payload of a string.
    mutating func text(_ text: Bytes) throws(ParseError) -> UInt64 {
        try copy(text)
        return keep(text.count)
    }

    /// Appends a name whose text is kept.
    mutating func name(text payload: UInt64, at offset: Int) throws(ParseError) {
        try pushName(payload)
        try appendNode(.string, payload, at: offset)
    }

    mutating func pushName(_ payload: UInt64) throws(ParseError) {
        if _slowPath(nameCount == nameCapacity) { try growNames() }
        let start = text + Int(payload & 0xffff_ffff)
        names[nameCount] = hash.hash(start, Int(payload &>> 32))
        nameCount = nameCount &+ 1
    }

    @inline(__always)
    private mutating func copy(_ bytes: Bytes) throws(ParseError) {
        let room = UnsafeMutableRawPointer(try room(for: bytes.count))
        if let start = bytes.baseAddress { room.copyMemory(from: start, byteCount: bytes.count) }
    }

    /// The first `length` bytes in the room stay, with a NUL behind them.
    @inline(__always)
    mutating func keep(_ length: Int) -> UInt64 {
        let payload = UInt64(length) &<< 32 | UInt64(textCount)
        text[textCount &+ length] = 0
        textCount = textCount &+ length &+ 1
        return payload
    }

    // MARK: - Other values

    mutating func null(at offset: Int) throws(ParseError) { try append(.null, 0, at: offset) }

    mutating func bool(_ value: Bool, at offset: Int) throws(ParseError) {
        try append(.bool, value ? 1 : 0, at: offset)
    }

    mutating func int64(_ value: Int64, at offset: Int) throws(ParseError) {
        try append(.int64, UInt64(bitPattern: value), at: offset)
    }

    /// Appends a finite number.
    mutating func double(_ value: Double, at offset: Int) throws(ParseError) {
        guard value.isFinite else { throw ParseError(problem: .numberTooLarge, offset: offset) }
        try append(.double, value.bitPattern, at: offset)
    }

    /// Appends a value by the parts of its node.
    @inline(__always)
    mutating func append(_ type: ValueType, _ payload: UInt64, at offset: Int)
        throws(ParseError)
    {
        countValue()
        try appendNode(type, payload, at: offset)
    }

    @inline(__always)
    mutating func countValue() { levels[depth].count = levels[depth].count &+ 1 }

    @inline(__always)
    mutating func appendNode(_ type: ValueType, _ payload: UInt64, at offset: Int)
        throws(ParseError)
    {
        try append(
            Node(
                head: UInt64(truncatingIfNeeded: offset) &<< 32 | UInt64(nodeCount) &<< 8
                    | UInt64(type.rawValue),
                payload: payload))
    }

    @inline(__always)
    mutating func append(_ node: Node) throws(ParseError) {
        if _slowPath(nodeCount == nodeCapacity) { try growTape(at: node.sourceOffset) }
        tape[nodeCount] = node
        nodeCount = nodeCount &+ 1
    }

    // MARK: - Names that occur twice

    /// Looks for names that occur twice in the innermost object.
    mutating func checkNames() throws(ParseError) {
        try markRepeats(keeping: .last)
        if refusesRepeatedNames, repeats.count > 0 {
            let offset = repeats.firstRepeated.sourceOffset
            throw ParseError(problem: .repeatedName, offset: offset)
        }
    }

    /// Marks the members of the innermost object that another one of the same name replaces.
    mutating func markRepeats(keeping kept: MemberNames.Kept) throws(ParseError) {
        let first = Int(levels[depth].names)
        let count = nameCount &- first
        guard count > 1 else { return }
        let areFew = count <= MemberNames.fewMembers
        if areFew, !areFewEqual(from: first) { return }
        let slots = MemberNames.slots(for: count)
        guard scratch.reserveTable(slots &+ count), let table = scratch.table.base else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        let hashes = names + first
        if !areFew, !MemberNames.anyEqual(hashes, count, table: table, slots: slots) { return }
        repeats.mark(
            hashes, count, of: tape + Int(levels[depth].node), keeping: kept,
            indices: table, table: table + count, slots: slots)
    }

    /// Whether any two hashes from `first` on are equal.
    private func areFewEqual(from first: Int) -> Bool {
        var later = first &+ 1
        while later < nameCount {
            var earlier = first
            while earlier < later {
                if names[earlier] == names[later] { return true }
                earlier = earlier &+ 1
            }
            later = later &+ 1
        }
        return false
    }

    // MARK: - Memory

    /// How much fits, after a region has grown.
    private mutating func measure() {
        nodeCapacity = min(scratch.tape.capacity &- 1, mostNodes)
        textCapacity = scratch.text.capacity &- TreeBuilder.slack
        nameCapacity = scratch.names.capacity
        repeats.move(tape: tape, text: text)
    }

    @inline(never)
    private mutating func growTape(at offset: Int) throws(ParseError) {
        if nodeCount >= mostNodes { throw ParseError(problem: .tooManyValues, offset: offset) }
        guard scratch.growTape(to: nodeCount &+ 2, keeping: nodeCount &+ 1),
            let grown = scratch.tape.base
        else { throw ParseError(problem: .noMemory, offset: offset) }
        tape = grown + 1
        measure()
    }

    @inline(never)
    private mutating func growText(by count: Int) throws(ParseError) {
        let needed = textCount &+ count &+ TreeBuilder.slack
        // Nodes keep offsets of text in 32 bits.
        if needed > Int(UInt32.max) { throw ParseError(problem: .tooLarge, offset: 0) }
        guard scratch.growText(to: needed, keeping: textCount), let grown = scratch.text.base else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        text = grown
        measure()
    }

    @inline(never)
    private mutating func growNames() throws(ParseError) {
        guard scratch.growNames(to: nameCount &+ 1, keeping: nameCount),
            let grown = scratch.names.base
        else { throw ParseError(problem: .noMemory, offset: 0) }
        names = grown
        measure()
    }
}
