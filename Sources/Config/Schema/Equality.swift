// When two values are the same for JSON Schema: numbers by what they are worth, objects whatever
// the order of their members. Equal values have equal hashes, so that thousands can be compared
// with one another in little more than one walk over each. Nesting costs memory of a list, no
// stack.

extension Value {
    /// The value of the member that this is the name of.
    @inline(__always)
    var memberValue: Value {
        let value = Value(node + 1)
        guard UInt8(truncatingIfNeeded: value.node.pointee.head) == Node.link else { return value }
        return UnsafePointer(bitPattern: UInt(value.node.pointee.payload)).map { Value($0) }
            ?? value
    }
}

extension Node {
    /// In the place of a type: the payload is the address of the value that is meant.
    static var link: UInt8 { 0x40 }
}

/// Hashes and compares values; what it needs of memory is kept from one to the next.
struct Equality: ~Copyable {
    /// Differs between processes, so that nobody can prepare values that collide.
    let seed: UInt64
    private var open: List<OpenHash>
    private var pairs: List<Pair>
    private var members: List<UnsafePointer<Node>>

    private struct Pair {
        let a: UnsafePointer<Node>
        let b: UnsafePointer<Node>
    }

    /// A container whose hash is not complete.
    private struct OpenHash {
        let end: UnsafePointer<Node>
        let isObject: Bool
        /// Of the name that stands before the value which comes next.
        var name: UInt64
        var sum: UInt64
    }

    init(seed: UInt64, _ memory: Memory) {
        self.seed = seed
        open = List(memory)
        pairs = List(memory)
        members = List(memory)
    }

    // MARK: - Hashing

    /// The hash of a text.
    @_optimize(speed) @inline(never)
    static func hash(_ text: Bytes, seed: UInt64) -> UInt64 {
        guard let start = text.baseAddress else { return seed }
        return Hash.text(start, text.count, seed: seed)
    }

    /// The hash of a value and all that is below it.
    mutating func hash(_ value: Value) throws(Failure) -> UInt64 {
        open.truncate(to: 0)
        var node = value.node
        while true {
            var hash: UInt64
            let isContainer = Value(node).isContainer
            if isContainer {
                hash = 0
                let isObject = Value(node).type == .object
                try open.append(
                    OpenHash(
                        end: Value(node).after.node, isObject: isObject, name: 0,
                        sum: isObject ? 1 : 2))
            } else {
                hash = self.hash(scalar: node.pointee, at: node)
            }
            node += 1
            if !isContainer, !add(hash) { return hash }
            // What ends here is a value of what is around it.
            while open.count > 0, open[open.count &- 1].end == node {
                hash = Hash.mix(open[open.count &- 1].sum, seed)
                open.truncate(to: open.count &- 1)
                if !add(hash) { return hash }
            }
            if open[open.count &- 1].isObject {
                open[open.count &- 1].name = Equality.hash(Value(node).content, seed: seed)
                node += 1
            }
        }
    }

    /// Adds the hash of a value to the innermost container; false when there is none.
    private func add(_ hash: UInt64) -> Bool {
        guard open.count > 0 else { return false }
        var container = open[open.count &- 1]
        // Members may come in any order, elements may not.
        container.sum =
            container.isObject
            ? container.sum &+ Hash.mix(hash, container.name) : Hash.mix(container.sum, hash ^ seed)
        open[open.count &- 1] = container
        return true
    }

    private func hash(scalar node: Node, at pointer: UnsafePointer<Node>) -> UInt64 {
        if let number = Number(node) { return Hash.mix(number.identity ^ seed, 3) }
        let type = Value(pointer).type
        if type == .string || type == .bytes {
            return Equality.hash(Value(pointer).content, seed: seed &+ UInt64(type.rawValue))
        }
        return Hash.mix(node.payload ^ seed, UInt64(type.rawValue))
    }

    // MARK: - Comparing

    /// Whether two values are the same.
    mutating func areEqual(_ a: Value, _ b: Value) throws(Failure) -> Bool {
        pairs.truncate(to: 0)
        try pairs.append(Pair(a: a.node, b: b.node))
        while pairs.count > 0 {
            let pair = pairs[pairs.count &- 1]
            pairs.truncate(to: pairs.count &- 1)
            guard try comparesEqual(Value(pair.a), Value(pair.b)) else { return false }
        }
        return true
    }

    /// Whether two values may be the same; what is left to compare is put on the list.
    private mutating func comparesEqual(_ a: Value, _ b: Value) throws(Failure) -> Bool {
        guard a.isContainer else { return Equality.areEqual(scalar: a, b) }
        guard a.type == b.type, a.count == b.count else { return false }
        if a.type == .object { return try membersAreEqual(a, b) }
        var (first, second) = (a.first, b.first)
        for _ in 0..<a.count {
            guard try pairIsEqual(first, second) else { return false }
            (first, second) = (first.after, second.after)
        }
        return true
    }

    /// Compares scalars at once, and leaves containers for later.
    private mutating func pairIsEqual(_ a: Value, _ b: Value) throws(Failure) -> Bool {
        guard a.isContainer else { return Equality.areEqual(scalar: a, b) }
        try pairs.append(Pair(a: a.node, b: b.node))
        return true
    }

    private mutating func membersAreEqual(_ a: Value, _ b: Value) throws(Failure) -> Bool {
        let count = a.count
        members.truncate(to: 0)
        // Room for the names of both, and for a sort.
        try members.reserve(3 &* count)
        var areInOrder = true
        try append(membersOf: a)
        try append(membersOf: b)
        let names = members.base
        for index in 0..<count where areInOrder {
            areInOrder = equalBytes(
                Value(names[index]).content, Value(names[count &+ index]).content)
        }
        if !areInOrder {
            sortByName(names, count, scratch: names + 2 &* count)
            sortByName(names + count, count, scratch: names + 2 &* count)
        }
        for index in 0..<count {
            let (name, other) = (Value(names[index]), Value(names[count &+ index]))
            guard areInOrder || equalBytes(name.content, other.content) else { return false }
            guard try pairIsEqual(name.memberValue, other.memberValue) else { return false }
        }
        return true
    }

    private func sortByName(
        _ names: UnsafeMutablePointer<UnsafePointer<Node>>, _ count: Int,
        scratch: UnsafeMutablePointer<UnsafePointer<Node>>
    ) {
        sort(
            UnsafeMutableBufferPointer(start: names, count: count),
            scratch: UnsafeMutableRawPointer(scratch)
        ) { compareBytes(Value($0).content, Value($1).content) < 0 }
    }

    private mutating func append(membersOf object: Value) throws(Failure) {
        var name = object.first
        for _ in 0..<object.count {
            try members.append(name.node)
            name = name.after.after
        }
    }

    /// Whether two values of which one is no container are the same.
    @_optimize(speed) @inline(never)
    static func areEqual(scalar a: Value, _ b: Value) -> Bool {
        let (first, second) = (a.node.pointee, b.node.pointee)
        if UInt8(truncatingIfNeeded: first.head) != UInt8(truncatingIfNeeded: second.head) {
            guard let a = Number(first), let b = Number(second) else { return false }
            return a.compared(to: b) == 0
        }
        switch a.type {
        case .null, .bool, .int64: return first.payload == second.payload
        case .double: return Double(bitPattern: first.payload) == Double(bitPattern: second.payload)
        case .string, .bytes: return equalBytes(a.content, b.content)
        case .array, .object: return false
        }
    }
}
