// The configuration as one object, with a member for each key: what a schema for the whole of it
// looks at. The object is made for one validation; values stay where they are and are linked to.

extension Document {
    /// A document whose root is an object of a snapshot's keys, held once. It must not outlive the
    /// snapshot.
    static func listing(of snapshot: Snapshot, memory: Memory) throws(Failure) -> Document {
        let count = snapshot.count
        guard 2 &* count < Limits.nodesPerDocument else {
            throw Failure(.limit, .validate, "too many keys to validate as one object")
        }
        var tape = List<Node>(memory)
        var text = List<UInt8>(memory)
        try tape.append(
            Node(
                head: UInt64(ValueType.object.rawValue),
                payload: UInt64(count) &<< 32 | UInt64(2 &* count &+ 1)))
        for number in 0..<count {
            guard let document = snapshot.document(at: number) else { continue }
            let key = document.key
            guard text.count &+ key.count < Int(UInt32.max) else {
                throw Failure(.limit, .validate, "the keys are too long to validate as one object")
            }
            let index = UInt64(truncatingIfNeeded: tape.count)
            try tape.append(
                Node(
                    head: UInt64(ValueType.string.rawValue) | index &<< 8,
                    payload: UInt64(key.count) &<< 32 | UInt64(text.count)))
            try tape.append(
                Node(
                    head: UInt64(Node.link) | (index &+ 1) &<< 8,
                    payload: UInt64(UInt(bitPattern: document.root.node))))
            try text.append(contentsOf: key)
            try text.append(0)
        }
        let listing = freeze(
            key: .none, bytes: .none, format: .format(.json), tape: tape.elements,
            text: text.elements, integer: .unread, memory: memory)
        guard let listing else { throw .noMemory }
        return listing
    }
}
