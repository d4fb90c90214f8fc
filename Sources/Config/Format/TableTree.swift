// A tree whose tables may be added to at any time: TOML's headers and dotted keys and INI's
// sections come back to tables that were left. Every value is an entry, linked to its siblings, and
// one hash table finds all names; once the text is read, the tree is written to the scratch's tape
// in order. Knows no format.

/// A tree in the making.
struct TableTree {
    /// A value, and the name that it has when it lies in a table.
    struct Entry: BitwiseCopyable {
        /// Where the name lies in the text, and its length, as in the payload of a string's node.
        fileprivate var name: UInt64
        /// As in a node; of a table or an array, the first entry in it in the low half and the last
        /// one in the high half, 0 when there is none.
        fileprivate var payload: UInt64
        fileprivate var nameOffset: UInt32
        fileprivate var offset: UInt32
        /// Of the name and the table together.
        fileprivate var hash: UInt32
        fileprivate var parent: UInt32
        /// The next entry of the same table or array, 0 after the last one.
        fileprivate var next: UInt32
        /// How many tables and arrays lie around the value, counting itself if it is one.
        fileprivate var depth: UInt16
        fileprivate var type: UInt8
        /// What the parser remembers of the value; 0 at first.
        fileprivate var mark: UInt8
    }

    /// A name that was read: its text lies where the next text goes.
    struct Name {
        let count: Int
        /// Where it begins in the source.
        let offset: Int
        fileprivate let hash: UInt32
    }

    /// The text of names and values.
    private let text: UnsafeMutablePointer<UInt8>
    /// Where the next text goes. What is written there counts when it is added.
    private(set) var free: UnsafeMutablePointer<UInt8>
    /// For `JSONNumber.parse`.
    let limbs: UnsafeMutablePointer<UInt64>
    private let maxDepth: Int
    private let mostNodes: Int
    private let hash: NameHash

    /// The first one is the root; as nobody's sibling and nobody's child it is also what 0 means.
    private var entries: UnsafeMutablePointer<Entry>
    private var capacity: Int
    private var count = 0
    private var namedCount = 0
    /// The numbers of the named entries, each at the first free slot from its hash on.
    private var table: UnsafeMutablePointer<UInt32>
    private var slots: Int
    private var replacedCount = 0
    private var firstRepeated = Node(head: 0, payload: 0)

    /// The number of the root, which is a table.
    static var root: Int { 0 }

    /// An empty tree in `scratch`, of at most `textRoom` bytes of text.
    init(
        textRoom: Int, limits: Limits, mostNodes: Int, scratch: inout ParseScratch
    ) throws(ParseError) {
        let slots = 256
        guard scratch.reserveTables(length: textRoom), scratch.reserveTable(slots),
            let text = scratch.text.base, let limbs = scratch.limbs.base,
            let entries = scratch.entries.base, let table = scratch.table.base
        else { throw ParseError(problem: .noMemory, offset: 0) }
        self.text = text
        free = text
        self.limbs = limbs
        maxDepth = min(max(limits.maxDepth, 0), Limits.depthCeiling)
        self.mostNodes = mostNodes
        hash = NameHash(
            seed: UInt64(UInt(bitPattern: entries)) ^ UInt64(UInt(bitPattern: limbs)) &<< 20)
        self.entries = entries
        capacity = scratch.entries.capacity
        self.table = table
        self.slots = slots
        table.update(repeating: 0, count: slots)
        try append(nil, 0, .object, 0, scratch: &scratch)
    }
}

// MARK: - What is there

extension TableTree {
    func isTable(_ entry: Int) -> Bool { entries[entry].type == ValueType.object.rawValue }

    /// The table or array that an entry lies in.
    func parent(of entry: Int) -> Int { Int(entries[entry].parent) }

    /// The last element of an array that is not empty.
    func last(of array: Int) -> Int { Int(truncatingIfNeeded: entries[array].payload &>> 32) }

    func mark(of entry: Int) -> UInt8 { entries[entry].mark }

    func setMark(_ mark: UInt8, of entry: Int) { entries[entry].mark = mark }

    /// The name of `count` bytes that was written where the next text goes.
    @inline(__always)
    func name(_ count: Int, at offset: Int) -> Name {
        Name(
            count: count, offset: offset,
            hash: count <= 16 ? hash.hashShort(free, count) : hash.hash(free, count))
    }

    /// The entry that a table has under a name.
    func find(_ name: Name, in parent: Int) -> Int? {
        let hash = TableTree.hash(name, parent)
        var slot = Int(hash) & (slots &- 1)
        while table[slot] != 0 {
            let entry = entries + Int(table[slot])
            // The same name has the same hash in no other table.
            if entry.pointee.hash == hash && Int(entry.pointee.name &>> 32) == name.count
                && equalBytes(text + Int(entry.pointee.name & 0xffff_ffff), free, name.count)
            {
                return Int(table[slot])
            }
            slot = (slot &+ 1) & (slots &- 1)
        }
        return nil
    }

    /// The same names lie in different slots for different tables: an odd factor spreads the
    /// numbers of tables over all slots.
    @inline(__always)
    private static func hash(_ name: Name, _ parent: Int) -> UInt32 {
        name.hash ^ (UInt32(truncatingIfNeeded: parent) &* 0x9e37_79b1)
    }
}

// MARK: - What is added

extension TableTree {
    /// Puts an element at the end of an array; gives its number. Its value is set later.
    mutating func append(
        to array: Int, at offset: Int, scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        try append(nil, array, .null, offset, scratch: &scratch)
    }

    /// Puts a member that is not there yet at the end of a table; gives its number. Its value is
    /// set later.
    mutating func add(
        _ name: Name, to table: Int, scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        try append(name, table, .null, name.offset, scratch: &scratch)
    }

    @discardableResult
    private mutating func append(
        _ name: Name?, _ parent: Int, _ type: ValueType, _ offset: Int,
        scratch: inout ParseScratch
    ) throws(ParseError) -> Int {
        // A name is a node of its own.
        if _slowPath(count &+ namedCount &+ (name == nil ? 0 : 1) >= mostNodes) {
            throw ParseError(problem: .tooManyValues, offset: offset)
        }
        if _slowPath(count == capacity) { try grow(&scratch) }
        let number = count
        let entry = entries + number
        entry.pointee = Entry(
            name: 0, payload: 0, nameOffset: 0, offset: UInt32(truncatingIfNeeded: offset),
            hash: 0, parent: UInt32(truncatingIfNeeded: parent), next: 0, depth: 0,
            type: type.rawValue, mark: 0)
        count = number &+ 1
        if number == TableTree.root {
            try setDepth(number, 1)
            return number
        }
        entry.pointee.depth = entries[parent].depth
        let payload = entries[parent].payload
        let link = UInt64(truncatingIfNeeded: number)
        if payload == 0 {
            entries[parent].payload = link &<< 32 | link
        } else {
            entries[Int(truncatingIfNeeded: payload &>> 32)].next = UInt32(truncatingIfNeeded: link)
            entries[parent].payload = payload & 0xffff_ffff | link &<< 32
        }
        if let name {
            entry.pointee.name = takeText(name.count)
            entry.pointee.nameOffset = UInt32(truncatingIfNeeded: name.offset)
            entry.pointee.hash = TableTree.hash(name, parent)
            try enter(number, scratch: &scratch)
        }
        return number
    }

    private mutating func grow(_ scratch: inout ParseScratch) throws(ParseError) {
        guard scratch.growEntries(to: count &+ 1, keeping: count),
            let moved = scratch.entries.base
        else { throw ParseError(problem: .noMemory, offset: 0) }
        entries = moved
        capacity = scratch.entries.capacity
    }

    /// Lets a named entry be found. At most half of the slots are taken.
    private mutating func enter(_ entry: Int, scratch: inout ParseScratch) throws(ParseError) {
        namedCount = namedCount &+ 1
        if _slowPath(2 &* namedCount > slots) {
            let more = 4 &* slots
            guard scratch.reserveTable(more), let moved = scratch.table.base else {
                throw ParseError(problem: .noMemory, offset: 0)
            }
            (table, slots) = (moved, more)
            table.update(repeating: 0, count: slots)
            // Of an element there is nothing to find.
            for earlier in 1..<entry where isTable(Int(entries[earlier].parent)) {
                put(earlier)
            }
        }
        put(entry)
    }

    private func put(_ entry: Int) {
        var slot = Int(entries[entry].hash) & (slots &- 1)
        while table[slot] != 0 { slot = (slot &+ 1) & (slots &- 1) }
        table[slot] = UInt32(truncatingIfNeeded: entry)
    }

    /// Counts the text of `count` bytes that was written where the next one goes, and gives what a
    /// node says of it.
    private mutating func takeText(_ count: Int) -> UInt64 {
        let payload =
            UInt64(truncatingIfNeeded: count) &<< 32
            | UInt64(truncatingIfNeeded: free - text)
        free[count] = 0
        free += count &+ 1
        return payload
    }
}

// MARK: - What becomes of it

extension TableTree {
    /// Makes an entry a string: the text of `count` bytes that was written where the next one goes.
    mutating func setString(_ count: Int, at offset: Int, of entry: Int) {
        set(.string, takeText(count), at: offset, of: entry)
    }

    func set(_ type: ValueType, _ payload: UInt64, at offset: Int, of entry: Int) {
        entries[entry].type = type.rawValue
        entries[entry].payload = payload
        entries[entry].offset = UInt32(truncatingIfNeeded: offset)
    }

    /// Makes an entry an empty table or array.
    func open(_ type: ValueType, at offset: Int, of entry: Int) throws(ParseError) {
        set(type, 0, at: offset, of: entry)
        try setDepth(entry, Int(entries[entry].depth) &+ 1)
    }

    private func setDepth(_ entry: Int, _ depth: Int) throws(ParseError) {
        if depth > maxDepth {
            throw ParseError(problem: .tooDeep, offset: Int(entries[entry].offset))
        }
        entries[entry].depth = UInt16(truncatingIfNeeded: depth)
    }

    /// Notes where the value of a table that is there already is seen to begin.
    func setOffset(_ offset: Int, of entry: Int) {
        entries[entry].offset = UInt32(truncatingIfNeeded: offset)
    }

    /// Counts a member, no table nor array, as replaced by one of the same name whose value is set
    /// next.
    mutating func replace(_ entry: Int, by name: Name) {
        entries[entry].nameOffset = UInt32(truncatingIfNeeded: name.offset)
        if replacedCount == 0 {
            firstRepeated = Node(
                head: UInt64(ValueType.string.rawValue) | UInt64(truncatingIfNeeded: name.offset)
                    &<< 32,
                payload: entries[entry].name)
        }
        replacedCount = replacedCount &+ 1
    }
}

// MARK: - Onto the tape

extension TableTree {
    /// Writes the tree to the tape of `scratch`, each value behind its table.
    func finish(_ scratch: inout ParseScratch) throws(ParseError) -> ParsedTree {
        guard scratch.reserveTape(count &+ namedCount), let base = scratch.tape.base else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        return ParsedTree(
            nodeCount: write(base + 1), textCount: free - text, replacedCount: replacedCount,
            firstRepeated: firstRepeated)
    }

    /// Gives the number of nodes. Of what is written the index on the tape takes the place of the
    /// payload.
    private func write(_ tape: UnsafeMutablePointer<Node>) -> Int {
        var end = 0
        var number = TableTree.root
        while true {
            let entry = entries[number]
            if number != TableTree.root && isTable(Int(entry.parent)) {
                tape[end] = TableTree.node(.string, end, entry.nameOffset, entry.name)
                end = end &+ 1
            }
            let type = ValueType(rawValue: entry.type) ?? .null
            let isContainer = type == .object || type == .array
            tape[end] = TableTree.node(type, end, entry.offset, isContainer ? 0 : entry.payload)
            if isContainer {
                entries[number].payload = UInt64(truncatingIfNeeded: end)
                tape[end].payload = UInt64(truncatingIfNeeded: end &+ 1)
            }
            end = end &+ 1
            if isContainer && entry.payload != 0 {
                number = Int(entry.payload & 0xffff_ffff)
                continue
            }
            // The value is complete, and with it perhaps the tables and arrays around it.
            while true {
                if number == TableTree.root { return end }
                let parent = Int(entries[number].parent)
                let container = tape + Int(entries[parent].payload)
                container.pointee.payload =
                    (container.pointee.payload & ~0xffff_ffff) &+ 1 &<< 32
                    | UInt64(truncatingIfNeeded: end)
                let next = Int(entries[number].next)
                number = next != 0 ? next : parent
                if next != 0 { break }
            }
        }
    }

    private static func node(
        _ type: ValueType, _ index: Int, _ offset: UInt32, _ payload: UInt64
    ) -> Node {
        Node(
            head: UInt64(offset) &<< 32 | UInt64(truncatingIfNeeded: index) &<< 8
                | UInt64(type.rawValue), payload: payload)
    }
}
