// One value of a parsed document, as it lies in memory: 16 bytes on a flat tape. A `cmr_value *` of
// the C interface points at one. Nodes hold no pointer, so a tape can be moved as a whole.

/// What a value is; the raw values are those of `CMR_TYPE_…`.
package enum ValueType: UInt8, BitwiseCopyable, Sendable {
    case null = 0
    case bool = 1
    case int64 = 2
    case double = 3
    case string = 4
    case array = 5
    case object = 6
    /// The content of a key that is not UTF-8.
    case bytes = 7
}

/// A node of the tape.
///
/// - `head`: bits 0–7 the type, 8–31 the node's own index on the tape, 32–63 the value's byte
///   offset in the source.
/// - `payload`: bool 0 or 1 · int64 · the bits of a double · string and bytes: offset from the
///   document's text in the low half, length in the high half · array and object: the index just
///   past the last descendant in the low half, the number of elements or members in the high half.
///
/// An object's members follow it as pairs of a string node, the name, and the value with all that
/// is below it; an array's elements follow it likewise.
package struct Node: BitwiseCopyable {
    package var head: UInt64
    package var payload: UInt64

    @inline(__always)
    package init(head: UInt64, payload: UInt64) {
        self.head = head
        self.payload = payload
    }

    /// The type; of a name that `MemberNames` has marked too.
    @inline(__always)
    var type: ValueType { ValueType(rawValue: UInt8(truncatingIfNeeded: head) & 0x7f) ?? .null }
}

/// A value within a document that its holder keeps alive.
package struct Value {
    package let node: UnsafePointer<Node>

    @inline(__always)
    package init(_ node: UnsafePointer<Node>) { self.node = node }
}
