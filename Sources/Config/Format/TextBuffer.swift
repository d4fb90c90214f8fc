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

/// A growing buffer, given back unless it is finished. When memory is refused it swallows whatever
/// follows, and says so at the end. It copies memory: bytes as elements are, where code is to be
/// small, copied one by one.
struct TextBuffer: ~Copyable {
    private let memory: Memory
    private var start: UnsafeMutablePointer<UInt8>?
    private var count = 0
    private var capacity = 0
    private var wasRefused = false

    /// `capacity` is a guess at the length of the text.
    init(capacity: Int, memory: Memory) {
        self.memory = memory
        _ = grow(by: max(capacity, 64))
    }

    deinit {
        if let start { memory.free(start, capacity) }
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        guard let end = room(1) else { return }
        end.pointee = byte
        count &+= 1
    }

    mutating func append(_ bytes: Bytes) {
        guard let source = bytes.baseAddress, let end = room(bytes.count) else { return }
        UnsafeMutableRawPointer(end).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends what `write` puts into room for `most` bytes; it says how many.
    @inline(__always)
    mutating func append(atMost most: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        guard let end = room(most) else { return }
        count &+= write(end)
    }

    /// Hands over the text and the duty to free it; nothing may be appended any more.
    mutating func finish() throws(Failure) -> OwnedText {
        append(0)
        guard let start, !wasRefused else {
            throw Failure(.noMemory, .none, "no memory for a text of more than \(count) bytes")
        }
        defer { self.start = nil }
        return OwnedText(start: start, count: count - 1, capacity: capacity)
    }

    /// Where `more` bytes can be written.
    @inline(__always)
    private mutating func room(_ more: Int) -> UnsafeMutablePointer<UInt8>? {
        guard capacity &- count >= more || grow(by: more) else { return nil }
        return start.map { $0 + count }
    }

    @inline(never)
    private mutating func grow(by more: Int) -> Bool {
        // Lengths of text that lies in memory: their sum, doubled, is far from overflowing.
        let larger = capacity == 0 ? more : 2 * (capacity + more)
        guard !wasRefused, let block = memory.allocate(larger) else {
            wasRefused = true
            return false
        }
        let moved = block.bindMemory(to: UInt8.self, capacity: larger)
        if let start {
            block.copyMemory(from: start, byteCount: count)
            memory.free(start, capacity)
        }
        (start, capacity) = (moved, larger)
        return true
    }
}
