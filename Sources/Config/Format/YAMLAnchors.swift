// What the anchors of a YAML text name. Found by a hash table, for there may be as many as values;
// its memory is the allocator's, and only taken by texts that have anchors.

/// A value that was given a name.
struct YAMLAnchor: BitwiseCopyable {
    var type: ValueType
    /// Of a scalar.
    var payload: UInt64 = 0
    /// Where a scalar's text lies, as the payload of a string: an alias of it may be a name.
    var text: UInt64 = 0
    /// Of an array or object; its height is 0 as long as it is open.
    var closed = TreeBuilder.Closed(index: 0, height: 0)
}

/// The anchors so far.
struct YAMLAnchors: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var anchor: YAMLAnchor
        var nameOffset: Int
        var nameCount: Int
        var hash: UInt32
    }

    private let memory: Memory
    private let hash: NameHash
    private var entries = Region<Entry>()
    private var count = 0
    /// The names, and behind them room for one that is looked for.
    private var names = Region<UInt8>()
    private var namesCount = 0
    /// Numbers of entries plus 1, by the hashes of their names; at most half full.
    private var table = Region<UInt32>()
    private var slots = 0

    init(seed: UInt64, memory: Memory) {
        self.memory = memory
        hash = NameHash(seed: seed)
    }

    deinit {
        entries.release(memory)
        names.release(memory)
        table.release(memory)
    }

    /// Notes an anchor and gives its number, or nil when there is no memory. A name that was there
    /// before means the new value from now on.
    mutating func add(_ name: Bytes, _ anchor: YAMLAnchor) -> Int? {
        if 2 &* (count &+ 1) > slots, !growTable() { return nil }
        if count == entries.capacity, !entries.grow(to: 64, keeping: count, memory) { return nil }
        guard let name = copy(name), let entries = entries.base, let table = table.base else {
            return nil
        }
        let hash = hash(of: name)
        let slot = slot(of: name, hash)
        entries[count] = Entry(
            anchor: anchor, nameOffset: namesCount, nameCount: name.count, hash: hash)
        namesCount = namesCount &+ name.count
        count = count &+ 1
        table[slot] = UInt32(truncatingIfNeeded: count)
        return count &- 1
    }

    /// The number of the anchor that a name means now; nil when it means none.
    mutating func number(of name: Bytes) throws(ParseError) -> Int? {
        guard count > 0, let table = table.base else { return nil }
        guard let name = copy(name) else { throw ParseError(problem: .noMemory, offset: 0) }
        let number = table[slot(of: name, hash(of: name))]
        return number == 0 ? nil : Int(number) &- 1
    }

    /// The anchor with a number that was given out.
    subscript(number: Int) -> YAMLAnchor {
        get { entries.base.map { $0[number].anchor } ?? YAMLAnchor(type: .null) }
        nonmutating set { entries.base?[number].anchor = newValue }
    }

    // MARK: - The table

    /// Puts a name behind the others, where sixteen bytes can be read whatever its length.
    private mutating func copy(_ name: Bytes) -> Bytes? {
        let needed = namesCount &+ name.count &+ 16
        if needed > names.capacity, !names.grow(to: needed, keeping: namesCount, memory) {
            return nil
        }
        guard let start = name.baseAddress, let place = names.base else { return nil }
        (place + namesCount).update(from: start, count: name.count)
        return Bytes(start: place + namesCount, count: name.count)
    }

    private func hash(of name: Bytes) -> UInt32 {
        name.baseAddress.map { hash.hash($0, name.count) } ?? 0
    }

    /// The slot of a name, or the empty one where it would be.
    private func slot(of name: Bytes, _ hash: UInt32) -> Int {
        guard let entries = entries.base, let names = names.base, let table = table.base else {
            return 0
        }
        var slot = Int(hash) & (slots &- 1)
        while table[slot] != 0 {
            let entry = entries[Int(table[slot]) &- 1]
            let known = Bytes(start: names + entry.nameOffset, count: entry.nameCount)
            if entry.hash == hash, equalBytes(known, name) { break }
            slot = (slot &+ 1) & (slots &- 1)
        }
        return slot
    }

    private mutating func growTable() -> Bool {
        let wanted = max(64, 2 &* slots)
        guard table.reserve(wanted, memory), let table = table.base else { return false }
        slots = wanted
        table.update(repeating: 0, count: slots)
        guard let entries = entries.base, let names = names.base else { return true }
        // In their order, so that of two of the same name the later one is found.
        for number in 0..<count {
            let entry = entries[number]
            let name = Bytes(start: names + entry.nameOffset, count: entry.nameCount)
            table[slot(of: name, entry.hash)] = UInt32(truncatingIfNeeded: number &+ 1)
        }
        return true
    }
}
