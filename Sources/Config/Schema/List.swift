// What grows while a schema is compiled or a value validated, within memory that may be refused;
// the standard library's arrays trap where it is. Elements are plain bytes, and are never looked at
// when they go.

/// A growing array. Its elements move when it grows: keep indices, not pointers, until it is
/// complete.
struct List<Element: BitwiseCopyable>: ~Copyable {
    private let memory: Memory
    private var block: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private(set) var count = 0

    init(_ memory: Memory) { self.memory = memory }

    deinit {
        if let block { memory.free(block, capacity &* MemoryLayout<Element>.stride) }
    }

    mutating func append(_ element: Element) throws(Failure) {
        if count == capacity { try grow(to: count &+ 1) }
        // There is a block: its capacity exceeds the count.
        block.unsafelyUnwrapped[count] = element
        count &+= 1
    }

    mutating func append(contentsOf elements: UnsafeBufferPointer<Element>) throws(Failure) {
        guard let source = elements.baseAddress, elements.count > 0 else { return }
        try reserve(elements.count)
        (base + count).update(from: source, count: elements.count)
        count &+= elements.count
    }

    mutating func append(repeating element: Element, count more: Int) throws(Failure) {
        guard more > 0 else { return }
        try reserve(more)
        (base + count).update(repeating: element, count: more)
        count &+= more
    }

    /// Makes room for `more` elements, so that they can be appended without moving anything.
    mutating func reserve(_ more: Int) throws(Failure) {
        if capacity &- count < more { try grow(to: count &+ more) }
    }

    /// Makes room for an element before the one at `index`.
    mutating func insert(_ element: Element, at index: Int) throws(Failure) {
        try append(element)
        let place = base + index
        let following = count &- index &- 1
        (place + 1).update(from: place, count: following)
        place.pointee = element
    }

    /// Drops what lies behind the first `count` elements.
    @inline(__always)
    mutating func truncate(to count: Int) { self.count = min(self.count, count) }

    /// The element at an index that the owner knows to exist.
    @inline(__always)
    subscript(index: Int) -> Element {
        get { block.unsafelyUnwrapped[index] }
        nonmutating set { block.unsafelyUnwrapped[index] = newValue }
    }

    /// Where the elements lie, until the list grows; of no meaning while it is empty.
    @inline(__always)
    var base: UnsafeMutablePointer<Element> {
        block ?? UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
    }

    /// The elements, until the list grows.
    @inline(__always)
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: block, count: count) }

    @inline(never)
    private mutating func grow(to needed: Int) throws(Failure) {
        let larger = max(needed, 2 &* capacity, 8)
        guard
            let fresh = memory.allocate(larger &* MemoryLayout<Element>.stride)
        else { throw .noMemory }
        let moved = fresh.bindMemory(to: Element.self, capacity: larger)
        if let block {
            moved.update(from: block, count: count)
            memory.free(block, capacity &* MemoryLayout<Element>.stride)
        }
        (block, capacity) = (moved, larger)
    }
}

extension Failure {
    /// There is no memory for a schema or for what it takes to validate by it.
    static var noMemory: Failure { Failure(.noMemory, .validate, "no memory to validate") }
}
