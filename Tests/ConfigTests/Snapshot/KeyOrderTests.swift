// Sorting within memory that is there already.

import Testing

@testable import Config

@Suite struct KeyOrderTests {
    private struct Item: BitwiseCopyable, Equatable {
        var key: Int
        var place: Int
    }

    private func sorted(_ items: [Item]) throws -> [Item] {
        var items = items
        let size = max(1, items.count) * MemoryLayout<Item>.stride
        let scratch = try #require(guardedMemory.allocate(size))
        defer { guardedMemory.free(scratch, size) }
        items.withUnsafeMutableBufferPointer { sort($0, scratch: scratch) { $0.key < $1.key } }
        return items
    }

    @Test func `sorts any number of items, equal ones in their order, in no more room than told`()
        throws
    {
        var random = TestRandom(seed: 3)
        for count in Array(0..<40) + [100, 1000] {
            let items = (0..<count).map { Item(key: random.below(max(1, count / 2)), place: $0) }
            // The standard library's sort is stable, too.
            #expect(try sorted(items) == items.sorted { $0.key < $1.key })
        }
    }

    @Test func `what is sorted already costs one comparison an item`() throws {
        var items = (0..<1000).map { Item(key: $0, place: $0) }
        var comparisons = 0
        let size = items.count * MemoryLayout<Item>.stride
        let scratch = try #require(guardedMemory.allocate(size))
        defer { guardedMemory.free(scratch, size) }
        items.withUnsafeMutableBufferPointer {
            sort($0, scratch: scratch) {
                comparisons += 1
                return $0.key < $1.key
            }
        }
        #expect(comparisons < 1000)
    }
}
