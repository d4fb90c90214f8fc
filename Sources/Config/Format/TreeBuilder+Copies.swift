// What a tree holds a second time: copies of values that were built before, and members that an
// object takes over from others. Copies share their texts, but count as if they did not: the limit
// is what the tree would be without them.

extension TreeBuilder {
    /// An array or object that is closed: its index, and how many levels it has.
    struct Closed: BitwiseCopyable {
        var index: UInt32
        var height: UInt32
    }

    /// What was closed last.
    var closed: Closed {
        let level = levels[depth &+ 1]
        return Closed(index: level.node, height: level.height &+ 1)
    }

    /// Appends a copy of an array or object.
    mutating func copy(_ original: Closed, at offset: Int) throws(ParseError) {
        try note(height: original.height, at: offset)
        countValue()
        let start = Int(original.index)
        try copy(start..<end(of: start), at: offset)
    }

    /// Appends a copy of a scalar, which may share its text.
    mutating func copy(_ type: ValueType, _ payload: UInt64, at offset: Int) throws(ParseError) {
        try spend(type, payload, at: offset)
        try append(type, payload, at: offset)
    }

    /// Appends a name that shares its text.
    mutating func copyName(_ payload: UInt64, at offset: Int) throws(ParseError) {
        try spend(.string, payload, at: offset)
        try name(text: payload, at: offset)
    }

    /// Calls `body` with each element of an array and its type. Each counts as if it were copied:
    /// one alias may stand for any number of them.
    mutating func forEachElement(
        of array: Closed, at offset: Int, _ body: (Closed, ValueType) throws(ParseError) -> Void
    ) throws(ParseError) {
        var element = Int(array.index) &+ 1
        while element < end(of: Int(array.index)) {
            try spend(.null, 0, at: offset)
            // An element has fewer levels than the array.
            try body(
                Closed(index: UInt32(truncatingIfNeeded: element), height: array.height &- 1),
                tape[element].type)
            element = end(of: element)
        }
    }

    /// Closes the innermost object. From `sources`, objects before it or in it, it takes over the
    /// members whose names it does not have; of several with a name the first one counts. The
    /// member whose name is at `merge` is taken away.
    mutating func close(
        merging sources: UnsafeBufferPointer<Closed>, insteadOf merge: Int, at offset: Int
    ) throws(ParseError) {
        try checkNames()
        for source in sources {
            try note(height: source.height &- 1, at: offset)
            var member = Int(source.index) &+ 1
            let end = end(of: Int(source.index))
            while member < end {
                let next = self.end(of: member &+ 1)
                // One that was replaced is not copied, but looked at all the same.
                if tape[member].head & MemberNames.replaced != 0 {
                    try spend(.null, 0, at: offset)
                } else {
                    try pushName(tape[member].payload)
                    countValue()
                    try copy(member..<next, at: offset)
                }
                member = next
            }
        }
        try markRepeats(keeping: .first)
        tape[merge].head |= MemberNames.replaced
        hasDropped = true
        closeChecked()
    }

    /// Appends copies of nodes that belong together.
    private mutating func copy(_ nodes: Range<Int>, at offset: Int) throws(ParseError) {
        let shift = UInt64(nodeCount &- nodes.lowerBound)
        var index = nodes.lowerBound
        while index < nodes.upperBound {
            var node = tape[index]
            let type = node.type
            try spend(type, node.payload, at: offset)
            node.head = node.head &+ shift &<< 8
            if type == .array || type == .object { node.payload = node.payload &+ shift }
            try append(node)
            index = index &+ 1
        }
    }

    /// Counts a node that is a copy, and its text.
    @inline(__always)
    private mutating func spend(_ type: ValueType, _ payload: UInt64, at offset: Int)
        throws(ParseError)
    {
        let hasText = type == .string || type == .bytes
        bytesToCopy =
            bytesToCopy &- MemoryLayout<Node>.size
            &- (hasText ? Int(payload &>> 32) : 0)
        if bytesToCopy < 0 { throw ParseError(problem: .tooManyCopies, offset: offset) }
    }

    /// What is appended next has this many levels.
    private mutating func note(height: UInt32, at offset: Int) throws(ParseError) {
        if depth &+ Int(height) > maxDepth { throw ParseError(problem: .tooDeep, offset: offset) }
        levels[depth].height = max(levels[depth].height, height)
    }

    /// The index after a value and all that is below it.
    private func end(of index: Int) -> Int {
        switch tape[index].type {
        case .array, .object: Int(tape[index].payload & 0xffff_ffff)
        case .null, .bool, .int64, .double, .string, .bytes: index &+ 1
        }
    }
}
