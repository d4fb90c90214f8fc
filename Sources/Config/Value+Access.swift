// What a value is and what it reads as. Walks the tape where it lies: nothing is copied, nothing
// allocated. A string reads by the rules of `Text` wherever it stands.

extension Value {
    package var type: ValueType {
        ValueType(rawValue: UInt8(truncatingIfNeeded: node.pointee.head)) ?? .null
    }

    /// The same as to compare with `type`, for reads that are to cost no call.
    @inline(__always)
    private func isOf(_ type: ValueType) -> Bool {
        UInt8(truncatingIfNeeded: node.pointee.head) == type.rawValue
    }

    /// The document that the value belongs to.
    @inline(__always)
    package var document: Document { Document.of(node) }

    // MARK: - Arrays and objects

    /// The number of elements or members; 0 for any other value.
    package var count: Int { isContainer ? high : 0 }

    /// An element of an array, or the value of a member of an object, in the order in which they
    /// are written.
    package func element(at index: Int) -> Value? {
        guard index >= 0, index < count else { return nil }
        return type == .object ? member(at: index)?.after : child(at: index)
    }

    /// The value of the member with this name.
    package func member(named name: Bytes) -> Value? {
        guard type == .object else { return nil }
        var member = first
        for _ in 0..<high {
            if equalBytes(member.content, name) { return member.after }
            member = member.after.after
        }
        return nil
    }

    /// The name of a member of an object; `.type` for any other value.
    package func name(at index: Int) throws(ReadError) -> Bytes {
        guard type == .object else { throw .type }
        guard let name = member(at: index) else { throw .notFound }
        return name.content
    }

    /// The first element of an array, or the name of the first member of an object, if there is
    /// one.
    package var first: Value { Value(node + 1) }

    /// What follows this value and all that is below it; the value of a member follows its name.
    package var after: Value { Value(node + (isContainer ? low - index : 1)) }

    // MARK: - Scalars

    /// The text of a string. A NUL follows it.
    @inline(__always)
    package var string: Bytes {
        get throws(ReadError) {
            guard isOf(.string) else { throw .type }
            return content
        }
    }

    /// The text of a string, or the content of a key that is not UTF-8. A NUL follows it.
    package var bytes: Bytes {
        get throws(ReadError) {
            guard isOf(.string) || isOf(.bytes) else { throw .type }
            return content
        }
    }

    @inline(__always)
    package var int64: Int64 {
        get throws(ReadError) {
            // The text of a key was read when its document was made.
            if isOf(.string), index == 0 {
                let integer = document.header.pointee.integer
                if _fastPath(integer.kind == .value) { return integer.value }
            }
            if isOf(.int64) { return Int64(bitPattern: node.pointee.payload) }
            return try int64OfAnything
        }
    }

    private var int64OfAnything: Int64 {
        @inline(never)
        get throws(ReadError) {
            switch type {
            case .int64: return Int64(bitPattern: node.pointee.payload)
            case .string: return try Text.int64(content)
            case .double: return try Text.int64(exactly: Double(bitPattern: node.pointee.payload))
            case .null, .bool, .array, .object, .bytes: throw .type
            }
        }
    }

    package var double: Double {
        get throws(ReadError) {
            switch type {
            case .double: return Double(bitPattern: node.pointee.payload)
            case .int64: return Double(Int64(bitPattern: node.pointee.payload))
            case .string: return try Text.double(content)
            case .null, .bool, .array, .object, .bytes: throw .type
            }
        }
    }

    /// No number is a truth value, but the texts "1" and "0" are.
    package var bool: Bool {
        get throws(ReadError) {
            switch type {
            case .bool: return node.pointee.payload != 0
            case .string: return try Text.bool(content)
            case .null, .int64, .double, .array, .object, .bytes: throw .type
            }
        }
    }

    /// Nanoseconds; a number is seconds.
    package var duration: Int64 {
        get throws(ReadError) {
            switch type {
            case .int64: return try Text.duration(seconds: Int64(bitPattern: node.pointee.payload))
            case .double:
                return try Text.duration(seconds: Double(bitPattern: node.pointee.payload))
            case .string: return try Text.duration(content)
            case .null, .bool, .array, .object, .bytes: throw .type
            }
        }
    }

    /// A Kubernetes quantity, as a whole number.
    package var quantity: Int64 {
        get throws(ReadError) {
            switch type {
            case .int64: return Int64(bitPattern: node.pointee.payload)
            case .double: return try Text.quantity(Double(bitPattern: node.pointee.payload))
            case .string: return try Text.quantity(content)
            case .null, .bool, .array, .object, .bytes: throw .type
            }
        }
    }

    // MARK: - The node

    @inline(__always)
    private var index: Int { Int(truncatingIfNeeded: node.pointee.head >> 8 & 0xFF_FFFF) }

    @inline(__always)
    private var low: Int { Int(truncatingIfNeeded: node.pointee.payload & 0xFFFF_FFFF) }

    @inline(__always)
    private var high: Int { Int(truncatingIfNeeded: node.pointee.payload >> 32) }

    @inline(__always)
    var isContainer: Bool { type == .array || type == .object }

    /// The bytes of a string or of what is not UTF-8; of no other value.
    @inline(__always)
    var content: Bytes { document.text(of: node.pointee) }

    /// The name of the member at `index`.
    private func member(at index: Int) -> Value? {
        guard index >= 0, index < high else { return nil }
        // Members that are all scalars take two nodes each.
        if low - self.index - 1 == 2 * high { return Value(node + (1 + 2 * index)) }
        var member = first
        for _ in 0..<index { member = member.after.after }
        return member
    }

    private func child(at index: Int) -> Value {
        // Elements that are all scalars take a node each.
        if low - self.index - 1 == high { return Value(node + (1 + index)) }
        var child = first
        for _ in 0..<index { child = child.after }
        return child
    }
}
