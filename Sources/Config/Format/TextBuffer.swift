// Text of a length that is not known before: a buffer that grows within memory that may be refused.
// Whatever is written is followed by a NUL once it is finished.

/// Text in one block of an allocator's memory.
package struct OwnedText {
    package let start: UnsafeMutablePointer<UInt8>
    /// Without the NUL that follows.
    package let count: Int
    fileprivate let capacity: Int

    package var bytes: Bytes { Bytes(start: start, count: count) }

    package func free(_ memory: Memory) { memory.free(start, capacity) }
}

/// A growing buffer; given back unless it is finished.
struct TextBuffer: ~Copyable {
    private let memory: Memory
    private var start: UnsafeMutablePointer<UInt8>
    private var count = 0
    /// 0 once the text was handed over.
    private var capacity: Int

    init(capacity: Int, memory: Memory) throws(Failure) {
        self.memory = memory
        self.capacity = max(capacity, 64)
        start = try TextBuffer.allocate(self.capacity, memory)
    }

    deinit {
        if capacity > 0 { memory.free(start, capacity) }
    }

    mutating func append(_ byte: UInt8) throws(Failure) {
        if count == capacity { try grow(by: 1) }
        start[count] = byte
        count &+= 1
    }

    mutating func append(_ bytes: Bytes) throws(Failure) {
        guard let source = bytes.baseAddress else { return }
        if capacity - count < bytes.count { try grow(by: bytes.count) }
        (start + count).update(from: source, count: bytes.count)
        count &+= bytes.count
    }

    mutating func append(_ text: StaticString) throws(Failure) {
        try append(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Hands over the text and the duty to free it; nothing may be appended any more.
    mutating func finish() throws(Failure) -> OwnedText {
        try append(0)
        defer { capacity = 0 }
        return OwnedText(start: start, count: count - 1, capacity: capacity)
    }

    private mutating func grow(by more: Int) throws(Failure) {
        // Lengths of text that lies in memory: their sum, doubled, is far from overflowing.
        let larger = 2 * (capacity + more)
        let moved = try TextBuffer.allocate(larger, memory)
        moved.update(from: start, count: count)
        memory.free(start, capacity)
        (start, capacity) = (moved, larger)
    }

    private static func allocate(_ size: Int, _ memory: Memory) throws(Failure)
        -> UnsafeMutablePointer<UInt8>
    {
        guard let block = memory.allocate(size) else {
            throw Failure(.noMemory, .none, "no memory for a text of \(size) bytes")
        }
        return block.bindMemory(to: UInt8.self, capacity: size)
    }
}
