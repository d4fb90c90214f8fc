// Names that occur twice in one object. While an object is open each of its names lies on a stack with a hash of
// all its bytes; when it closes the hashes are compared, and names only where hashes agree. The last member wins:
// earlier ones are marked, and taken off the tape in one pass at the end.

/// A name of an object that is still open: where it lies on the tape, and 32 bits of its hash.
struct OpenName: BitwiseCopyable {
    var hash: UInt32
    var index: UInt32
}

/// How members' names are hashed. The seed differs between processes, so that nobody can prepare names that
/// collide; nothing that a document shows depends on it.
struct NameHash {
    private let first: UInt64
    private let second: UInt64

    init(seed: UInt64) {
        first = NameHash.fold(seed ^ 0x9216_d5d9_8979_fb1b, 0xd131_0ba6_98df_b5ac)
        second = NameHash.fold(seed ^ 0x2ffd_72db_d01a_dfb7, 0xb8e1_afed_6a26_7e96)
    }

    /// The hash of a name of at most fifteen bytes, which `block` begins with.
    @inline(__always)
    func hash(_ block: Block, _ count: Int) -> UInt32 {
        let words = block.first(count).words
        return UInt32(truncatingIfNeeded: NameHash.fold(words[0] ^ first, words[1] ^ second))
    }

    /// The hash of a name of any length, the same for the same name. The sixteen bytes that begin at any of its
    /// bytes can be read.
    @inline(never)
    func hash(_ name: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        var state = second
        var next = name
        var left = count
        while left > 15 {
            let words = Block(at: next).words
            state = NameHash.fold(words[0] ^ first, words[1] ^ state)
            next += 16
            left &-= 16
        }
        let words = Block(at: next).first(left).words
        return UInt32(truncatingIfNeeded: NameHash.fold(words[0] ^ first, words[1] ^ state))
    }

    /// Both halves of the product of two words, combined: every bit depends on all bits of both.
    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

/// Finds the members that a later member of the same object replaces.
struct MemberNames {
    private let tape: UnsafeMutablePointer<Node>
    private let text: UnsafePointer<UInt8>

    /// How many members were replaced.
    private(set) var count = 0
    /// The node of the first name found that had occurred before; of no meaning while `count` is 0.
    private(set) var firstRepeated = Node(head: 0, payload: 0)

    init(tape: UnsafeMutablePointer<Node>, text: UnsafePointer<UInt8>) {
        self.tape = tape
        self.text = text
    }

    /// Set in the head of a name whose member was replaced; no type has it.
    static var replaced: UInt64 { 0x80 }

    /// Up to this many members each name is compared with each: it needs no memory, and no time to speak of.
    static var fewMembers: Int { 16 }

    /// Whether any two of a few names may be equal.
    @inline(__always)
    static func mayRepeat(_ names: UnsafePointer<OpenName>, _ count: Int) -> Bool {
        var hit = false
        var index = 1
        while index < count {
            let hash = names[index].hash
            var other = 0
            while other < index {
                if names[other].hash == hash { hit = true }
                other = other &+ 1
            }
            index = index &+ 1
        }
        return hit
    }

    /// Marks what is replaced among a few names.
    @inline(never)
    mutating func markFew(_ names: UnsafePointer<OpenName>, _ count: Int) {
        for later in 1..<max(count, 1) {
            for earlier in 0..<later where names[earlier].hash == names[later].hash {
                if areEqual(names[earlier], names[later]) { replace(names[earlier], by: names[later]) }
            }
        }
    }

    /// How many slots `markMany` needs: at least twice as many as names, a power of two.
    static func slots(for count: Int) -> Int { 2 &<< (Int.bitWidth &- count.leadingZeroBitCount) }

    /// Marks what is replaced among many names, by a hash table of `slots` entries: 0, or one more than the number
    /// of the last name of its kind.
    @inline(never)
    mutating func markMany(_ names: UnsafePointer<OpenName>, _ count: Int, table: UnsafeMutablePointer<UInt32>, slots: Int) {
        table.update(repeating: 0, count: slots)
        let mask = slots &- 1
        for later in 0..<count {
            // The low bits of a hash choose the slot; multiplied, so that all of its bits take part.
            let mixed = UInt64(names[later].hash) &* 0x9e37_79b9_7f4a_7c15
            var slot = Int(truncatingIfNeeded: mixed &>> 32) & mask
            while table[slot] != 0 {
                let earlier = Int(table[slot]) &- 1
                if names[earlier].hash == names[later].hash && areEqual(names[earlier], names[later]) {
                    replace(names[earlier], by: names[later])
                    break
                }
                slot = (slot &+ 1) & mask
            }
            table[slot] = UInt32(truncatingIfNeeded: later &+ 1)
        }
    }

    private func areEqual(_ a: OpenName, _ b: OpenName) -> Bool {
        let first = tape[Int(a.index)].payload
        let second = tape[Int(b.index)].payload
        let length = Int(truncatingIfNeeded: first &>> 32)
        if length != Int(truncatingIfNeeded: second &>> 32) { return false }
        return equalBytes(
            text + Int(first & 0xffff_ffff), text + Int(second & 0xffff_ffff), length)
    }

    private mutating func replace(_ earlier: OpenName, by later: OpenName) {
        if tape[Int(earlier.index)].head & MemberNames.replaced != 0 { return }
        tape[Int(earlier.index)].head |= MemberNames.replaced
        if count == 0 { firstRepeated = tape[Int(later.index)] }
        count = count &+ 1
    }
}

/// A container that is open while a tape is compacted: where it ended and where it lies now.
struct OpenContainer: BitwiseCopyable {
    var oldEnd: UInt32
    var index: UInt32
}

extension MemberNames {
    /// Takes the marked members off a tape of `count` nodes and gives the new number of nodes. The others stay in
    /// their order. `stack` has room for one entry for each level of nesting.
    @inline(never)
    func compact(_ count: Int, stack: UnsafeMutablePointer<OpenContainer>) -> Int {
        var depth = 0
        var from = 0
        var to = 0
        // Names are told from values by their place: a name is due in an object after each complete member.
        var isNameDue = false
        while from < count {
            let node = tape[from]
            if isNameDue && node.head & MemberNames.replaced != 0 {
                let value = from &+ 1
                from = end(of: value)
                let object = Int(stack[depth &- 1].index)
                tape[object].payload = tape[object].payload &- (1 &<< 32)
            } else {
                tape[to] = Node(
                    head: node.head & ~0xffff_ff00 | UInt64(truncatingIfNeeded: to) &<< 8, payload: node.payload)
                let type = UInt8(truncatingIfNeeded: node.head)
                if !isNameDue && (type == ValueType.array.rawValue || type == ValueType.object.rawValue) {
                    stack[depth] = OpenContainer(
                        oldEnd: UInt32(truncatingIfNeeded: node.payload), index: UInt32(truncatingIfNeeded: to))
                    depth = depth &+ 1
                    isNameDue = type == ValueType.object.rawValue
                } else if isNameDue {
                    isNameDue = false
                } else {
                    isNameDue = isObject(stack, depth)
                }
                from = from &+ 1
                to = to &+ 1
            }
            while depth > 0 && Int(stack[depth &- 1].oldEnd) == from {
                let container = Int(stack[depth &- 1].index)
                tape[container].payload =
                    tape[container].payload & ~0xffff_ffff | UInt64(truncatingIfNeeded: to)
                depth = depth &- 1
                isNameDue = isObject(stack, depth)
            }
        }
        return to
    }

    private func isObject(_ stack: UnsafeMutablePointer<OpenContainer>, _ depth: Int) -> Bool {
        depth > 0
            && UInt8(truncatingIfNeeded: tape[Int(stack[depth &- 1].index)].head) == ValueType.object.rawValue
    }

    /// The index after the value at `index` and all below it, on the old tape.
    private func end(of index: Int) -> Int {
        let type = UInt8(truncatingIfNeeded: tape[index].head)
        if type == ValueType.array.rawValue || type == ValueType.object.rawValue {
            return Int(tape[index].payload & 0xffff_ffff)
        }
        return index &+ 1
    }
}
