// Names that occur twice in one object. While an object is open the hashes of its names lie on a
// stack; when it closes they are compared, and names only where hashes agree. The last member wins:
// earlier ones are marked, and taken off the tape in one pass at the end.

/// How members' names are hashed. The seed differs between processes, so that nobody can prepare
/// names that collide; nothing that a document shows depends on it.
struct NameHash {
    private let first: UInt64
    private let second: UInt64

    init(seed: UInt64) {
        first = NameHash.fold(seed ^ 0x9216_d5d9_8979_fb1b, 0xd131_0ba6_98df_b5ac)
        second = NameHash.fold(seed ^ 0x2ffd_72db_d01a_dfb7, 0xb8e1_afed_6a26_7e96)
    }

    /// The hash of a name of at most sixteen bytes. Sixteen can be read, whatever its length.
    @inline(__always)
    func hashShort(_ name: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        hash(name, count, second)
    }

    /// The hash of a name of any length, the same for the same name. Sixteen bytes can be read
    /// wherever it goes on.
    func hash(_ name: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        var state = second
        var next = name
        var left = count
        while left > 16 {
            state = NameHash.fold(
                next.load(as: UInt64.self) ^ first, (next + 8).load(as: UInt64.self) ^ state)
            next += 16
            left &-= 16
        }
        return hash(next, left, state)
    }

    @inline(__always)
    private func hash(_ name: UnsafePointer<UInt8>, _ count: Int, _ state: UInt64) -> UInt32 {
        let low = name.load(as: UInt64.self) & NameHash.masks[unchecked: count]
        let high = (name + 8).load(as: UInt64.self) & NameHash.masks[unchecked: count &+ 17]
        return UInt32(truncatingIfNeeded: NameHash.fold(low ^ first, high ^ state))
    }

    /// Which bits of sixteen bytes belong to the first 0, 1, 2 … 16: of the lower word, then of the
    /// higher one.
    private static let masks: InlineArray<34, UInt64> = [
        0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0xff_ffff_ffff, 0xffff_ffff_ffff,
        0xff_ffff_ffff_ffff,
        .max, .max, .max, .max, .max, .max, .max, .max, .max,
        0, 0, 0, 0, 0, 0, 0, 0,
        0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff, 0xff_ffff_ffff, 0xffff_ffff_ffff,
        0xff_ffff_ffff_ffff, .max,
    ]

    /// Both halves of the product of two words, combined: every bit depends on all bits of both.
    @inline(__always)
    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

/// Finds the members that a later member of the same object replaces.
struct MemberNames {
    private var tape: UnsafeMutablePointer<Node>
    private var text: UnsafePointer<UInt8>

    /// Two names have had the same hash: from now on all objects are looked at in earnest.
    private(set) var isSuspected = false
    /// How many members were replaced.
    private(set) var count = 0
    /// The node of the first name found that had occurred before; of no meaning while `count` is 0.
    private(set) var firstRepeated = Node(head: 0, payload: 0)

    init(tape: UnsafeMutablePointer<Node>, text: UnsafePointer<UInt8>) {
        self.tape = tape
        self.text = text
    }

    /// The tape and the text have moved.
    mutating func move(tape: UnsafeMutablePointer<Node>, text: UnsafePointer<UInt8>) {
        self.tape = tape
        self.text = text
    }

    /// Set in the head of a name whose member was replaced; no type has it.
    static var replaced: UInt64 { 0x80 }

    /// In objects of up to this many members a name is compared with those before it when the
    /// filter says that it may be among them; of more the filter soon says so of every name.
    static var fewMembers: Int { 32 }

    /// Notes whether `hash` is one of the last `count` on the stack.
    @inline(never)
    mutating func suspect(_ hash: UInt32, among stack: UnsafePointer<UInt32>, _ count: Int) {
        var left = count
        while left > 0 {
            if (stack - left).pointee == hash { isSuspected = true }
            left = left &- 1
        }
    }

    /// How many slots of a hash table `count` names need: at least twice as many, a power of two.
    static func slots(for count: Int) -> Int { 2 &<< (Int.bitWidth &- count.leadingZeroBitCount) }

    /// Whether any two of many hashes are equal. `table` has `slots` entries, each a hash or 0.
    @inline(never)
    static func anyEqual(
        _ hashes: UnsafePointer<UInt32>, _ count: Int, table: UnsafeMutablePointer<UInt32>,
        slots: Int
    ) -> Bool {
        clear(table, slots)
        var index = 0
        while index < count {
            let hash = max(hashes[index], 1)
            var slot = MemberNames.slot(of: hash, slots)
            while table[slot] != 0 {
                if table[slot] == hash { return true }
                slot = (slot &+ 1) & (slots &- 1)
            }
            table[slot] = hash
            index = index &+ 1
        }
        return false
    }

    /// Which of the members of one name counts.
    enum Kept {
        case first, last
    }

    /// Marks the members of `object` that others of the same name replace. An entry of `table` is
    /// 0, or one more than the number of the name that counts so far. `indices` has room for one
    /// entry a member.
    @inline(never)
    mutating func mark(
        _ hashes: UnsafePointer<UInt32>, _ count: Int, of object: UnsafeMutablePointer<Node>,
        keeping kept: Kept = .last, indices: UnsafeMutablePointer<UInt32>,
        table: UnsafeMutablePointer<UInt32>, slots: Int
    ) {
        MemberNames.clear(table, slots)
        var name = object - tape &+ 1
        var later = 0
        while later < count {
            indices[later] = UInt32(truncatingIfNeeded: name)
            var isKept = true
            var slot = MemberNames.slot(of: hashes[later], slots)
            while table[slot] != 0 {
                let earlier = Int(table[slot]) &- 1
                if hashes[earlier] == hashes[later] && areEqual(Int(indices[earlier]), name) {
                    switch kept {
                    case .last: replace(Int(indices[earlier]), by: name)
                    case .first:
                        tape[name].head |= MemberNames.replaced
                        isKept = false
                    }
                    break
                }
                slot = (slot &+ 1) & (slots &- 1)
            }
            later = later &+ 1
            if isKept { table[slot] = UInt32(truncatingIfNeeded: later) }
            name = end(of: name &+ 1)
        }
    }

    private static func clear(_ table: UnsafeMutablePointer<UInt32>, _ slots: Int) {
        var slot = 0
        while slot < slots {
            table[slot] = 0
            slot = slot &+ 1
        }
    }

    @inline(__always)
    private static func slot(of hash: UInt32, _ slots: Int) -> Int { Int(hash) & (slots &- 1) }

    private func areEqual(_ a: Int, _ b: Int) -> Bool {
        let first = tape[a].payload
        let second = tape[b].payload
        return first &>> 32 == second &>> 32
            && equalBytes(
                text + Int(first & 0xffff_ffff), text + Int(second & 0xffff_ffff), Int(first &>> 32)
            )
    }

    private mutating func replace(_ earlier: Int, by later: Int) {
        if tape[earlier].head & MemberNames.replaced != 0 { return }
        tape[earlier].head |= MemberNames.replaced
        if count == 0 { firstRepeated = tape[later] }
        count = count &+ 1
    }
}

/// A container that is open while a tape is compacted: where it ended and where it lies now.
struct CompactedContainer: BitwiseCopyable {
    var oldEnd: UInt32
    var index: UInt32
}

extension MemberNames {
    /// Takes the marked members off a tape of `count` nodes and gives the new number of nodes. The
    /// others stay in their order. `stack` has room for one entry for each level of nesting.
    @inline(never)
    func compact(_ count: Int, stack: UnsafeMutablePointer<CompactedContainer>) -> Int {
        var depth = 0
        var from = 0
        var to = 0
        // Names are told from values by their place: a name is due in an object after each complete
        // member.
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
                    head: node.head & ~0xffff_ff00 | UInt64(truncatingIfNeeded: to) &<< 8,
                    payload: node.payload)
                let type = UInt8(truncatingIfNeeded: node.head)
                if !isNameDue
                    && (type == ValueType.array.rawValue || type == ValueType.object.rawValue)
                {
                    stack[depth] = CompactedContainer(
                        oldEnd: UInt32(truncatingIfNeeded: node.payload),
                        index: UInt32(truncatingIfNeeded: to))
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

    private func isObject(_ stack: UnsafeMutablePointer<CompactedContainer>, _ depth: Int) -> Bool {
        depth > 0
            && UInt8(truncatingIfNeeded: tape[Int(stack[depth &- 1].index)].head)
                == ValueType.object.rawValue
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
