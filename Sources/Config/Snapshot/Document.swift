// One key and its value: the exact bytes, and the tree that they parsed to. Immutable, and shared
// by all the versions in which the key's bytes are the same. One block of memory, from an allocator
// that can fail.
package import Synchronization

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
    /// What the text of a text key reads as, found when the document is made: reads of numbers are
    /// frequent.
    package let integer: IntegerReading
    /// The number of the `KeyFormat` that the bytes were parsed as.
    package let format: Int
}

/// What text reads as when an integer is asked for.
package struct IntegerReading {
    package enum Kind: UInt8 {
        /// Not known: the text must be read.
        case unread
        case value, noInteger
    }
    package let kind: Kind
    package let value: Int64

    /// No text, or one that is seldom read.
    package static var unread: IntegerReading { IntegerReading(kind: .unread, value: 0) }

    private init(kind: Kind, value: Int64) { (self.kind, self.value) = (kind, value) }

    package init(_ text: Bytes) {
        if let value = try? Text.int64(text) {
            self.init(kind: .value, value: value)
        } else {
            self.init(kind: .noInteger, value: 0)
        }
    }
}

/// A document. Copying this copies a pointer: `retain` and `release` are explicit.
package struct Document {
    package let base: UnsafeMutableRawPointer

    /// The tape starts here; a constant, so that a node's index leads back to the block.
    package static var tapeOffset: Int { 128 }
}

/// A document that was just made, held once by whoever asked for it, and what deserves a warning.
package struct ParsedDocument {
    package let document: Document
    /// Members that a later one of the same name replaced, if there were any.
    package var repeats: RepeatedNames?
    /// References to variables that are not there, in text whose variables were to be replaced.
    package var unknown: UnknownVariables?
    /// Why the value is kept as text, when it should have parsed and the options forgive that it
    /// did not.
    package var forgiven: Failure?
}

/// Objects in which a name occurs more than once: of its members the last one counts.
package struct RepeatedNames {
    /// How many members were dropped in all.
    package let count: Int
    /// Where one of the names occurs again.
    package let position: TextPosition
    let document: Document
    let node: Node

    /// That name, cut to a length fit for a message. Read from the document, which must still be
    /// held: it may be a part of a secret, and no copy of one is made that nobody wipes.
    package var name: String {
        String(Bytes(rebasing: document.text(of: node).prefix(128)))
    }
}

extension Document {
    /// Whether another document, or what was just read, has the same bytes.
    package func hasSameBytes(as other: Bytes) -> Bool { equalBytes(bytes, other) }

    /// Whether another document has the same bytes, parsed as the same.
    package func hasSameContent(as other: Document) -> Bool {
        header.pointee.format == other.header.pointee.format && hasSameBytes(as: other.bytes)
    }

    /// The document that a node lies in.
    @inline(__always)
    package static func of(_ node: UnsafePointer<Node>) -> Document {
        let index = Int(truncatingIfNeeded: node.pointee.head &>> 8) & 0xff_ffff
        let tape = UnsafeRawPointer(node) - index &* MemoryLayout<Node>.stride
        return Document(base: UnsafeMutableRawPointer(mutating: tape - tapeOffset))
    }

    /// The text of a string's node, or the bytes of one that is no text; a NUL follows.
    @inline(__always)
    package func text(of node: Node) -> Bytes {
        let start =
            base
            + (header.pointee.textOffset &+ Int(truncatingIfNeeded: node.payload & 0xffff_ffff))
        return Bytes(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self),
            count: Int(truncatingIfNeeded: node.payload &>> 32))
    }

    /// Where in the bytes a value of this document begins.
    package func position(of value: Value) -> TextPosition {
        TextPosition(
            of: value.node.pointee.sourceOffset, in: bytes, returnsEndLines: returnsEndLines)
    }

    /// Whether a carriage return ended a line of the bytes when they were parsed.
    var returnsEndLines: Bool {
        let format = Int32(exactly: header.pointee.format).flatMap { Format(rawValue: $0) }
        return format?.returnsEndLines == true
    }
}

extension Node {
    /// Where the value begins in the bytes that were parsed.
    @inline(__always)
    package var sourceOffset: Int { Int(truncatingIfNeeded: head &>> 32) }
}
