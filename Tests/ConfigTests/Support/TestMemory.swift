// Memory that counts what is out and can be told to refuse. Each thread counts for itself: a test
// runs on one thread from its beginning to its end, next to others.
import Config
import Foundation

enum TestMemory {
    /// Runs `body` and gives how many blocks it did not give back. `refusing` is the number of the
    /// allocation, counted from 0, that is refused.
    static func leaked(refusing: Int? = nil, _ body: (Memory) throws -> Void) rethrows -> Int {
        let counts = Counts()
        counts.refused = refusing
        let key = Counts.key
        let outer = Thread.current.threadDictionary[key]
        Thread.current.threadDictionary[key] = counts
        defer { Thread.current.threadDictionary[key] = outer }
        try body(memory)
        return counts.live
    }

    private final class Counts {
        static let key = "TestMemory"
        var live = 0
        var allocations = 0
        var refused: Int?
        static var current: Counts? { Thread.current.threadDictionary[key] as? Counts }
    }

    /// Counts while inside of `leaked`. Fresh memory is not zero, and freed memory does not keep
    /// its content.
    static let memory = Memory(
        allocate: { size in
            if let counts = Counts.current {
                counts.allocations += 1
                if counts.allocations - 1 == counts.refused { return nil }
                counts.live += 1
            }
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            memset(block, 0xA5, size)
            return block
        },
        free: { block, size in
            guard let block else { return }
            Counts.current?.live -= 1
            memset(block, 0x5A, size)
            block.deallocate()
        })
}
