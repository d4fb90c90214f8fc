// The named bytes of one generation, as a source delivers them: read into one piece of memory that
// is used again for the next load, so that its pages stay warm. Nothing is parsed here.

/// A payload being filled, and then read. One load at a time uses it.
package final class Payload {
    /// One key and where its value lies.
    package struct Entry {
        fileprivate var keyOffset: Int
        fileprivate var keyCount: Int
        fileprivate var offset: Int
        fileprivate var count: Int
        /// What a source wants to remember about an entry between listing and reading it.
        package var mark: UInt8
    }

    /// Parsers may look this far behind a value's end, and find zeros.
    package static let padding = 64

    private let memory: Memory
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var used = 0
    private var entries: UnsafeMutablePointer<Entry>?
    private var entryCapacity = 0
    /// Indices of entries by their keys' hashes, plus 1; made only where keys may occur twice.
    private var slots: UnsafeMutablePointer<UInt32>?
    private var slotCount = 0
    /// How many entries the index knows.
    private var indexed = 0
    package private(set) var count = 0
    /// The bytes of all values together.
    package private(set) var valueBytes = 0

    package init(memory: Memory) { self.memory = memory }

    deinit {
        memory.free(base, capacity)
        memory.free(entries, entryCapacity * MemoryLayout<Entry>.stride)
        memory.free(slots, slotCount * MemoryLayout<UInt32>.stride)
    }

    /// Forgets everything, keeps the memory.
    package func removeAll() {
        used = 0
        count = 0
        memory.free(slots, slotCount * MemoryLayout<UInt32>.stride)
        slots = nil
        slotCount = 0
        indexed = 0
        valueBytes = 0
    }

    /// Adds a key without a value yet; its index is `count - 1`.
    package func add(key: Bytes, mark: UInt8 = 0) throws(Failure) {
        if count == entryCapacity {
            let wanted = max(64, entryCapacity * 2)
            let size = wanted * MemoryLayout<Entry>.stride
            guard let grown = memory.allocate(size) else { throw Payload.noMemory }
            if let entries {
                grown.copyMemory(from: entries, byteCount: count * MemoryLayout<Entry>.stride)
            }
            memory.free(entries, entryCapacity * MemoryLayout<Entry>.stride)
            entries = grown.bindMemory(to: Entry.self, capacity: wanted)
            entryCapacity = wanted
        }
        let place = try room(for: key.count + 1)
        place.copyMemory(from: UnsafeRawBufferPointer(key))
        place[key.count] = 0
        entries?[count] = Entry(
            keyOffset: used, keyCount: key.count, offset: used, count: 0, mark: mark)
        used += key.count + 1
        count += 1
    }

    /// Memory for at least `minimum` bytes of the value that is being read, of which `filled` are
    /// there already.
    package func room(for minimum: Int, after filled: Int = 0) throws(Failure)
        -> UnsafeMutableRawBufferPointer
    {
        let needed = used + filled + minimum + Payload.padding
        if needed > capacity {
            let wanted = max(64 << 10, max(needed, capacity * 2))
            guard let grown = memory.allocate(wanted) else { throw Payload.noMemory }
            if let base { grown.copyMemory(from: base, byteCount: used + filled) }
            memory.free(base, capacity)
            base = grown
            capacity = wanted
        }
        return UnsafeMutableRawBufferPointer(
            start: base.map { $0 + used + filled },
            count: capacity - used - filled - Payload.padding)
    }

    /// The `filled` bytes that were read into the room are the value of the entry at `index`.
    package func finish(_ index: Int, filled: Int) {
        guard let base, let entries, index < count else { return }
        entries[index].offset = used
        entries[index].count = filled
        (base + used + filled).initializeMemory(
            as: UInt8.self, repeating: 0, count: Payload.padding)
        used += filled + Payload.padding
        valueBytes += filled
    }

    /// Adds a key with its value, copied.
    package func add(key: Bytes, value: Bytes) throws(Failure) {
        try add(key: key)
        try room(for: value.count).copyMemory(from: UnsafeRawBufferPointer(value))
        finish(count - 1, filled: value.count)
    }

    // MARK: - Reading. An index below `count`; pointers are valid until the next change.

    package func key(_ index: Int) -> Bytes {
        guard let base, let entries, index < count else { return Bytes(start: nil, count: 0) }
        let start = (base + entries[index].keyOffset).assumingMemoryBound(to: UInt8.self)
        return Bytes(start: start, count: entries[index].keyCount)
    }

    /// The key, NUL-terminated.
    package func keyText(_ index: Int) -> UnsafePointer<CChar>? {
        UnsafeRawPointer(key(index).baseAddress)?.assumingMemoryBound(to: CChar.self)
    }

    /// Adds a key with its value unless the key is there already.
    package func addIfAbsent(key: Bytes, value: Bytes) throws(Failure) {
        if (count + 1) * 2 > slotCount { try growIndex() }
        while indexed < count {
            slots?[slot(of: self.key(indexed))] = UInt32(truncatingIfNeeded: indexed + 1)
            indexed += 1
        }
        guard let slots, slots[slot(of: key)] == 0 else { return }
        try add(key: key, value: value)
    }

    /// Where the key is in the index, or would be: open addressing, at most half full.
    private func slot(of key: Bytes) -> Int {
        guard let slots, let start = key.baseAddress else { return 0 }
        var slot = Int(truncatingIfNeeded: Hash.text(start, key.count)) & (slotCount - 1)
        while slots[slot] != 0, !equalBytes(self.key(Int(slots[slot]) - 1), key) {
            slot = (slot + 1) & (slotCount - 1)
        }
        return slot
    }

    private func growIndex() throws(Failure) {
        var wanted = max(64, slotCount)
        while wanted < (count + 1) * 4 { wanted *= 2 }
        guard let room = memory.allocate(wanted * MemoryLayout<UInt32>.stride) else {
            throw Payload.noMemory
        }
        memory.free(slots, slotCount * MemoryLayout<UInt32>.stride)
        room.initializeMemory(as: UInt32.self, repeating: 0, count: wanted)
        slots = room.assumingMemoryBound(to: UInt32.self)
        slotCount = wanted
        indexed = 0
    }

    package func mark(_ index: Int) -> UInt8 {
        guard let entries, index < count else { return 0 }
        return entries[index].mark
    }

    /// The value, followed by `padding` zero bytes.
    package func value(_ index: Int) -> Bytes {
        guard let base, let entries, index < count else { return Bytes(start: nil, count: 0) }
        let start = (base + entries[index].offset).assumingMemoryBound(to: UInt8.self)
        return Bytes(start: start, count: entries[index].count)
    }

    /// What tells this content from other content, whatever order a directory lists it in: for
    /// saying and trying a thing once. Not for deciding what is taken.
    package var fingerprint: UInt64 {
        var sum: UInt64 = 1  // 0 stands for content that could not be read
        for index in 0..<count {
            var content = Hash.Content()
            content.add(key(index))
            content.add(value(index))
            sum &+= content.digest.low
        }
        return sum
    }

    private static var noMemory: Failure {
        Failure(.noMemory, .load, "no memory to read the source into")
    }
}
