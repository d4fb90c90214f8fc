// What finds the same name twice: hashes that depend on the name alone, and a table of them.

import Testing

@testable import Config

@Suite struct MemberNamesTests {
    private func hash(_ name: String, _ hash: NameHash, before rest: String = "") -> UInt32 {
        let guarded = GuardedBytes((name + rest).utf8)
        return withExtendedLifetime(guarded) {
            guarded.bytes.baseAddress.map { hash.hash($0, name.utf8.count) } ?? 0
        }
    }

    @Test func `a name's hash depends on the name alone, whatever stands behind it`() {
        let names = NameHash(seed: 5)
        for count in 1..<50 {
            let name = String(repeating: "n", count: count)
            let alone = hash(name, names)
            #expect(hash(name, names, before: "\": 1") == alone)
            #expect(hash(name, names, before: name) == alone)
            #expect(hash(name + "n", names) != alone)
            #expect(hash(name, NameHash(seed: 6)) != alone)
        }
    }

    @Test func `short names have the same hash by the short way`() {
        let names = NameHash(seed: 5)
        for count in 1...16 {
            let guarded = GuardedBytes(String(repeating: "n", count: count).utf8)
            withExtendedLifetime(guarded) {
                guard let start = guarded.bytes.baseAddress else { return }
                #expect(names.hashShort(start, count) == names.hash(start, count))
            }
        }
    }

    @Test func `a table has at least twice the room, and finds any two that are equal`() {
        var random = TestRandom(seed: 9)
        for count in [1, 2, 3, 31, 32, 33, 1000] {
            let slots = MemberNames.slots(for: count)
            #expect(slots >= 2 * count && slots.nonzeroBitCount == 1)
            var hashes = (0..<count).map { UInt32($0 + 1) &* 0x9E37_79B1 }
            #expect(!anyEqual(hashes, slots))
            if count < 2 { continue }
            hashes[count - 1] = hashes[random.below(count - 1)]
            #expect(anyEqual(hashes, slots))
        }
        // 0 marks a free slot, so a hash of 0 counts as 1.
        #expect(anyEqual([0, 7, 0], MemberNames.slots(for: 3)))
    }

    private func anyEqual(_ hashes: [UInt32], _ slots: Int) -> Bool {
        var table = [UInt32](repeating: 0xA5A5_A5A5, count: slots)
        return hashes.withUnsafeBufferPointer { hashes in
            table.withUnsafeMutableBufferPointer { table in
                guard let first = hashes.baseAddress, let room = table.baseAddress else {
                    return false
                }
                return MemberNames.anyEqual(first, hashes.count, table: room, slots: slots)
            }
        }
    }
}
