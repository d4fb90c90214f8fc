// The text of keys, where a schema asks for something that text can be read as; what that means is
// told in `Schema.swift`.

extension Validation {
    /// The text of a key that a schema may take for something else.
    @inline(__always)
    func isText(_ node: UnsafePointer<Node>) -> Bool { coerces && Value(node).isKeyText }

    /// A value as a subschema sees it.
    @inline(never)
    mutating func coerce(_ node: UnsafePointer<Node>, _ types: TypeSet) -> UnsafePointer<Node> {
        guard !types.contains(.string), isText(node) else { return node }
        for reading in Value.textReadings {
            guard let read = Value(node).read(reading), types.contains(read) else { continue }
            return stand(in: read, for: node)
        }
        return node
    }

    /// Lets a scalar stand for a text.
    mutating func stand(in read: Node, for node: UnsafePointer<Node>) -> UnsafePointer<Node> {
        coerced[0] = read
        origin = node
        return UnsafePointer(coerced.base)
    }

    /// The value as it is written.
    func written(_ node: UnsafePointer<Node>) -> UnsafePointer<Node> {
        node == UnsafePointer(coerced.base) ? origin : node
    }

    /// Whether a value is the object of all keys.
    func isListing(_ node: UnsafePointer<Node>) -> Bool { listing?.root.node == node }

    /// Whether a value is the name of a key.
    func isKey(_ node: UnsafePointer<Node>) -> Bool {
        listing.map { Document.of(node).base == $0.base && $0.root.node != node } ?? false
    }
}

extension Value {
    /// The ways in which text may be read, in the order in which they are tried: as a number, as a
    /// truth value, as null.
    static var textReadings: Range<Int> { 0..<3 }

    /// What a key's text reads as in one of these ways.
    func read(_ reading: Int) -> Node? {
        switch reading {
        case 0:
            if let integer = try? int64 {
                return Node(
                    head: UInt64(ValueType.int64.rawValue), payload: UInt64(bitPattern: integer))
            }
            guard let double = try? double else { return nil }
            return Node(head: UInt64(ValueType.double.rawValue), payload: double.bitPattern)
        case 1:
            guard let bool = try? bool else { return nil }
            return Node(head: UInt64(ValueType.bool.rawValue), payload: bool ? 1 : 0)
        default:
            guard content.isEmpty || content.isText("null") else { return nil }
            return Node(head: UInt64(ValueType.null.rawValue), payload: 0)
        }
    }

    /// Whether this is the text of a key, not a string of a parsed value.
    @inline(__always)
    var isKeyText: Bool {
        // A string that is the first node of its document.
        node.pointee.head & 0xFFFF_FFFF == UInt64(ValueType.string.rawValue)
            && document.header.pointee.integer.kind != .unread
    }
}
