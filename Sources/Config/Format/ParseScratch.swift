// The memory that a parser writes to before a document of exact size is cut from it. One scratch
// serves one document after the other, so its pages stay warm; what it holds between two parses
// means nothing.

/// What a text was parsed to; the nodes, from the tape's second on, and the text lie in the
/// scratch.
struct ParsedTree {
    var nodeCount: Int
    var textCount: Int
    /// How many members a later one of the same name replaced.
    var replacedCount: Int
    /// The name that first showed this.
    var firstRepeated: Node
}

/// Reusable memory for parsing, from an allocator that can fail.
package struct ParseScratch: ~Copyable {
    let memory: Memory

    /// Nodes in the order of the text.
    private(set) var tape: Region<Node>
    /// Unescaped strings, each followed by a NUL.
    private(set) var text: Region<UInt8>
    /// The hashes of the members' names of all objects that are open; later the open containers of
    /// a compaction.
    private(set) var names: Region<UInt32>
    /// Where the names of one object lie, and a hash table over them.
    private(set) var table: Region<UInt32>
    /// The two integers of an exact comparison of numbers.
    private(set) var limbs: Region<UInt64>
    /// The arrays and objects that a `TreeBuilder` has open.
    private(set) var levels: Region<TreeBuilder.Level>
    /// The values of a `TableTree`.
    private(set) var entries: Region<TableTree.Entry>

    package init(memory: Memory) {
        self.memory = memory
        tape = Region()
        text = Region()
        names = Region()
        table = Region()
        limbs = Region()
        levels = Region()
        entries = Region()
    }

    deinit {
        tape.release(memory)
        text.release(memory)
        names.release(memory)
        table.release(memory)
        limbs.release(memory)
        levels.release(memory)
        entries.release(memory)
    }

    /// Makes room for parsing a text of `length` bytes that is nested up to `depth` levels; false
    /// when there is no memory. The sizes are the worst case, so that nothing needs to be checked
    /// while a value is appended; pages that a document does not need are not touched.
    mutating func reserve(length: Int, depth: Int) -> Bool {
        // Two bytes make at least one node ("1,"); only opening brackets can do with one byte each.
        let nodes = length / 2 &+ depth / 2 &+ 4
        // Beyond the most nodes a document may have: one path of containers, entered before the
        // count is checked.
        let mostNodes = Limits.nodesPerDocument &+ 2 &* depth &+ 8
        return tape.reserve(min(nodes, mostNodes), memory)
            // Blocks of sixteen bytes are stored whole, past the end of what they hold.
            && text.reserve(length &+ 64, memory)
            // The shortest member is `"":1`; each level takes two entries, also when a tape is
            // compacted.
            && names.reserve(length / 4 &+ 2 &* depth &+ 4, memory)
            && limbs.reserve(2 &* Exact.limbCount, memory)
    }

    /// Makes room for a hash table; false when there is no memory.
    mutating func reserveTable(_ count: Int) -> Bool { table.reserve(count, memory) }

    /// Makes room for the beginning of a tree that is nested up to `depth` levels; false when there
    /// is no memory.
    mutating func reserveTree(depth: Int) -> Bool {
        tape.reserve(256, memory) && text.reserve(4096, memory)
            // A compaction takes two entries a level.
            && names.reserve(256 &+ 2 &* depth, memory)
            && limbs.reserve(2 &* Exact.limbCount, memory)
            && levels.reserve(depth &+ 1, memory)
    }

    /// Makes room for at least `count` nodes, of which `used` are there; false when there is no
    /// memory.
    mutating func growTape(to count: Int, keeping used: Int) -> Bool {
        tape.grow(to: count, keeping: used, memory)
    }

    /// The same for bytes of text.
    mutating func growText(to count: Int, keeping used: Int) -> Bool {
        text.grow(to: count, keeping: used, memory)
    }

    /// The same for hashes of names.
    mutating func growNames(to count: Int, keeping used: Int) -> Bool {
        names.grow(to: count, keeping: used, memory)
    }

    /// Makes room for the beginning of a `TableTree` and for `length` bytes of text; false when
    /// there is no memory.
    mutating func reserveTables(length: Int) -> Bool {
        entries.reserve(128, memory) && text.reserve(length &+ TreeBuilder.slack, memory)
            && limbs.reserve(2 &* Exact.limbCount, memory)
    }

    /// Makes room for at least `count` values of a `TableTree`, of which `used` are there; false
    /// when there is no memory.
    mutating func growEntries(to count: Int, keeping used: Int) -> Bool {
        entries.grow(to: count, keeping: used, memory)
    }

    /// Makes room for a tape of `count` nodes and the one before them; false when there is no
    /// memory.
    mutating func reserveTape(_ count: Int) -> Bool { tape.reserve(count &+ 1, memory) }

    /// The first `count` values are said to begin at the beginning.
    func forgetOffsets(of count: Int) {
        guard let tape = tape.base else { return }
        for index in 1..<(count &+ 1) { tape[index].head &= 0xffff_ffff }
    }

    /// Gives back what is larger than `bytes` in one piece, as after one huge document among small
    /// ones.
    package mutating func trim(to bytes: Int) {
        tape.trim(to: bytes, memory)
        text.trim(to: bytes, memory)
        names.trim(to: bytes, memory)
        table.trim(to: bytes, memory)
        limbs.trim(to: bytes, memory)
        levels.trim(to: bytes, memory)
        entries.trim(to: bytes, memory)
    }

    /// How many bytes it holds.
    package var size: Int {
        tape.size &+ text.size &+ names.size &+ table.size &+ limbs.size &+ levels.size
            &+ entries.size
    }
}

/// One piece of a scratch.
struct Region<Element: BitwiseCopyable> {
    private var memory: UnsafeMutableRawPointer?
    private(set) var size = 0

    /// The first element. Valid after a `reserve` that succeeded, until the next.
    @inline(__always)
    var base: UnsafeMutablePointer<Element>? { memory?.assumingMemoryBound(to: Element.self) }

    /// How many elements there is room for.
    var capacity: Int { size / MemoryLayout<Element>.stride }

    mutating func reserve(_ count: Int, _ allocator: Memory) -> Bool {
        let needed = count &* MemoryLayout<Element>.stride
        if size >= needed, memory != nil { return true }
        // Half as much again, in whole pages: a document that grows byte by byte must not allocate
        // each time.
        let rounded = (needed &+ needed / 2 &+ 4095) & ~4095
        free(allocator)
        guard let fresh = allocator.allocate(rounded) else { return false }
        memory = fresh
        size = rounded
        return true
    }

    /// Makes room for at least `count` elements and keeps the first `used`. Twice what there was,
    /// so that what grows by single elements is copied seldom.
    mutating func grow(to count: Int, keeping used: Int, _ allocator: Memory) -> Bool {
        let needed = max(count, 2 &* capacity) &* MemoryLayout<Element>.stride
        guard let fresh = allocator.allocate(needed) else { return false }
        if let memory {
            fresh.copyMemory(from: memory, byteCount: used &* MemoryLayout<Element>.stride)
        }
        free(allocator)
        memory = fresh
        size = needed
        return true
    }

    mutating func trim(to bytes: Int, _ allocator: Memory) {
        if size > bytes { free(allocator) }
    }

    /// Gives the memory back, for good.
    func release(_ allocator: Memory) {
        if let memory { allocator.free(memory, size) }
    }

    private mutating func free(_ allocator: Memory) {
        release(allocator)
        memory = nil
        size = 0
    }
}
