package import Synchronization

// One key and its value: the exact bytes, and the tree that they parsed to. Immutable, and shared by all the
// versions in which the key's bytes are the same. One block of memory, from an allocator that can fail.

/// What a document's block begins with; the rest follows in the order tape, text, bytes, key.
package struct DocumentHeader: ~Copyable {
    package let holders: Atomic<Int>
    /// The size of the whole block.
    package let size: Int
    /// Offsets from the beginning of the block. Text of the tape's strings, each followed by a NUL.
    package let textOffset: Int
    /// The bytes exactly as stored, followed by a NUL.
    package let bytesOffset: Int
    package let byteCount: Int
    /// The key, followed by a NUL.
    package let keyOffset: Int
    package let keyCount: Int
    package let keyHash: UInt64
}

/// A document. Copying this copies a pointer: `retain` and `release` are explicit.
package struct Document {
    package let base: UnsafeMutableRawPointer

    /// The tape starts here; a constant, so that a node's index leads back to the block.
    package static var tapeOffset: Int { 128 }
}
