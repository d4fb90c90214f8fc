// Where a value is: a key, or KEY#/pointer with an RFC 6901 pointer into the value that the key
// parsed to. A path that is itself a key, whole, means that key; otherwise the longest key that
// stands before a `#` does. Looks up without allocating: the pointer is unescaped while it is
// compared.

extension Snapshot {
    /// The value at a path.
    @inline(__always)
    package func value(atPath path: Bytes) throws(ReadError) -> Value {
        if let document = document(forKey: path) { return document.root }
        return try value(atPointerPath: path)
    }

    @inline(never)
    private func value(atPointerPath path: Bytes) throws(ReadError) -> Value {
        guard let (document, pointer) = place(ofPointerPath: path) else { throw .notFound }
        return try document.root.value(atPointer: pointer)
    }

    /// The document that a path leads into, and the pointer that is left to follow there.
    package func place(ofPath path: Bytes) -> (document: Document, pointer: Bytes)? {
        guard let document = document(forKey: path) else { return place(ofPointerPath: path) }
        return (document, Bytes(start: nil, count: 0))
    }

    private func place(ofPointerPath path: Bytes) -> (document: Document, pointer: Bytes)? {
        var position = min(path.count - 1, longestKey)
        while position >= 0 {
            if path[position] == UInt8(ascii: "#"), isPointer(path, position + 1),
                let document = document(forKey: Bytes(rebasing: path[..<position]))
            {
                return (document, Bytes(rebasing: path[(position + 1)...]))
            }
            position -= 1
        }
        return nil
    }

    /// Whether a pointer can begin at `position`: it is empty or begins with a slash.
    private func isPointer(_ path: Bytes, _ position: Int) -> Bool {
        position == path.count || path[position] == UInt8(ascii: "/")
    }
}

extension Value {
    /// The value that an RFC 6901 pointer leads to from here. A pointer that is not well-formed
    /// leads nowhere.
    package func value(atPointer pointer: Bytes) throws(ReadError) -> Value {
        var value = self
        var position = 0
        while position < pointer.count {
            guard pointer[position] == UInt8(ascii: "/") else { throw .notFound }
            let start = position + 1
            position = start
            while position < pointer.count, pointer[position] != UInt8(ascii: "/") { position += 1 }
            let token = Bytes(rebasing: pointer[start..<position])
            guard let next = value.child(token) else { throw .notFound }
            value = next
        }
        return value
    }

    /// The member that a pointer's token names, or the element that it counts.
    private func child(_ token: Bytes) -> Value? {
        switch type {
        case .object:
            guard token.contains(tilde) else { return member(named: token) }
            var name = first
            for _ in 0..<count {
                if let text = try? name.string, isUnescaped(token, text) { return name.after }
                name = name.after.after
            }
            return nil
        case .array:
            return elementIndex(token).flatMap { element(at: $0) }
        case .null, .bool, .int64, .double, .string, .bytes:
            return nil
        }
    }
}

private let tilde = UInt8(ascii: "~")

/// Whether `token` is `name` once `~1` is read as a slash and `~0` as a tilde.
private func isUnescaped(_ token: Bytes, _ name: Bytes) -> Bool {
    var position = 0
    for byte in name {
        guard position < token.count else { return false }
        var read = token[position]
        position += 1
        if read == tilde {
            guard position < token.count else { return false }
            switch token[position] {
            case UInt8(ascii: "0"): read = tilde
            case UInt8(ascii: "1"): read = UInt8(ascii: "/")
            default: return false
            }
            position += 1
        }
        if read != byte { return false }
    }
    return position == token.count
}

/// An array's index: digits without a zero in front. `-`, the element after the last, never exists.
private func elementIndex(_ token: Bytes) -> Int? {
    guard let first = token.first, token.count <= 10 else { return nil }
    if first == zero, token.count > 1 { return nil }
    var index = 0
    for byte in token {
        let digit = byte &- zero
        guard digit < 10 else { return nil }
        index = index * 10 + Int(digit)
    }
    return index
}
