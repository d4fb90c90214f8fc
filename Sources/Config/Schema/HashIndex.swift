// Finds by hash what is kept elsewhere in order: names, addresses of schemas, values. Knows numbers
// only; whoever asks compares what they stand for.

/// A hash table of numbers, at most half full.
struct HashIndex: ~Copyable {
    /// The upper half of a hash above a number increased by one; 0 when nobody sits there.
    private var slots: List<UInt64>
    private let memory: Memory
    private var mask = 0
    private(set) var count = 0

    init(_ memory: Memory) {
        self.memory = memory
        slots = List(memory)
    }

    /// Adds a number below 2^32 - 1, next to whatever else has that hash.
    mutating func insert(_ number: Int, hash: UInt64) throws(Failure) {
        if 2 &* (count &+ 1) > slots.count { try grow() }
        place(hash & HashIndex.hashBits | UInt64(truncatingIfNeeded: number &+ 1))
        count &+= 1
    }

    /// The number with that hash for which `matches` says so.
    @inline(__always)
    func find<E: Error>(hash: UInt64, _ matches: (Int) throws(E) -> Bool) throws(E) -> Int? {
        if count == 0 { return nil }
        let slots = slots.base
        var index = home(hash)
        // An empty slot always ends the walk.
        while true {
            let slot = slots[index]
            if slot == 0 { return nil }
            if (slot ^ hash) & HashIndex.hashBits == 0 {
                let number = Int(truncatingIfNeeded: slot & ~HashIndex.hashBits) &- 1
                if try matches(number) { return number }
            }
            index = (index &+ 1) & mask
        }
    }

    private static var hashBits: UInt64 { 0xFFFF_FFFF_0000_0000 }

    @inline(__always)
    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 32) & mask }

    private mutating func place(_ slot: UInt64) {
        var index = home(slot)
        while slots[index] != 0 { index = (index &+ 1) & mask }
        slots[index] = slot
    }

    @inline(never)
    private mutating func grow() throws(Failure) {
        var larger = List<UInt64>(memory)
        try larger.append(repeating: 0, count: max(16, 2 &* slots.count))
        let old = exchange(&slots, with: larger)
        mask = slots.count &- 1
        for index in 0..<old.count where old[index] != 0 { place(old[index]) }
    }
}
