// JSON (RFC 8259, nothing beyond) to a tape, in one pass and without recursion. The text is
// followed by 64 zero bytes, which end every scan, so nothing asks for the end of the text; the
// scratch has room for the worst case, so nothing asks for room either. What changes with every
// value are a few plain locals of one function on purpose: they stay in registers, and in an object
// or across calls they would not.

struct JSONParser {
    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let maxDepth: Int
    /// The root's node. The one before it stands for the document, as the root's container.
    private let tape: UnsafeMutablePointer<Node>
    private let text: UnsafeMutablePointer<UInt8>
    private let names: UnsafeMutablePointer<UInt32>
    private let limbs: UnsafeMutablePointer<UInt64>
    private let hash: NameHash
    // What turns addresses into offsets and indices by one addition. Written as differences of
    // pointers the same would tempt the compiler to keep every pointer twice, as an address and as
    // an offset.
    /// The head of the tape's first node without its type, less the source's address in the place
    /// of the offset.
    private let headBase: UInt64
    private let tapeBase: UInt64
    private let textBase: UInt64
    private let fullTape: UnsafeMutablePointer<Node>

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, mostNodes: Int = Limits.nodesPerDocument,
        scratch: inout ParseScratch
    ) throws(ParseError) -> ParsedTree {
        guard let source = bytes.baseAddress else {
            throw ParseError(problem: .expectedValue, offset: 0)
        }
        let depth = min(max(limits.maxDepth, 0), Limits.depthCeiling)
        guard scratch.reserve(length: bytes.count, depth: depth),
            let parser = JSONParser(
                source, bytes.count, maxDepth: depth, mostNodes: mostNodes, scratch)
        else { throw ParseError(problem: .noMemory, offset: 0) }
        return try parser.run(&scratch)
    }

    private init?(
        _ source: UnsafePointer<UInt8>, _ count: Int, maxDepth: Int, mostNodes: Int,
        _ scratch: borrowing ParseScratch
    ) {
        guard let nodes = scratch.tape.base, let text = scratch.text.base,
            let names = scratch.names.base,
            let limbs = scratch.limbs.base
        else { return nil }
        self.source = source
        self.end = source + count
        self.maxDepth = maxDepth
        self.tape = nodes + 1
        self.text = text
        self.names = names
        self.limbs = limbs
        hash = NameHash(seed: JSONParser.address(nodes) ^ JSONParser.address(limbs) &<< 20)
        headBase = 0 &- JSONParser.address(source) &<< 32
        tapeBase = 0 &- JSONParser.address(tape)
        textBase = 0 &- JSONParser.address(text)
        fullTape = tape + mostNodes
    }

    @_optimize(speed)
    private func run(_ scratch: inout ParseScratch) throws(ParseError) -> ParsedTree {
        var repeats = MemberNames(tape: tape, text: text)
        let (hash, textBase, fullTape) = (hash, textBase, fullTape)

        // RFC 8259 lets a parser ignore a byte order mark.
        var p = skipSpace(source.afterByteOrderMark)
        // Where the next node goes, and its head but for the type and the value's address.
        var node = tape
        var head = headBase
        // Where the next string goes.
        var free = text
        // The innermost open container. As long as it is open the low half of its payload is the
        // index of its own container, -1 for the root; the high half counts its commas.
        var container = OpenContainer(tape - 1)
        container.node.pointee = Node(head: 0, payload: 0)
        // What closes it: a bracket, or the zero behind the text. A brace also says that names are
        // due.
        var closer: UInt8 = 0
        var depth = 0
        // The hashes of its names so far, on a stack, and a filter of them: one bit for each.
        var names = names
        var filter: UInt64 = 0

        @inline(__always)
        func append(_ type: ValueType, _ payload: UInt64) {
            node.pointee = Node(
                head: JSONParser.address(p) &<< 32 &+ head &+ UInt64(type.rawValue),
                payload: payload)
            node += 1
            head = head &+ 256
        }

        @inline(__always)
        func appendString(_ string: Taken) {
            append(.string, UInt64(string.length) &<< 32 &+ JSONParser.address(free) &+ textBase)
            free += Int(string.length) &+ 1
            p = string.source
        }

        var problem: ParseError.Problem
        parsing: do {
            nextValue: while true {
                if closer == UInt8(ascii: "}") {
                    if p.pointee != UInt8(ascii: "\"") {
                        p = skipSpace(p)
                        if p.pointee != UInt8(ascii: "\"") {
                            problem = .expectedName
                            break parsing
                        }
                    }
                    let name = takeString(p, free, isName: true, hash)
                    if let wrong = name.problem {
                        problem = wrong
                        p = name.source
                        break parsing
                    }
                    let bit: UInt64 = 1 &<< UInt64(name.hash)
                    let wasThere = filter & bit != 0
                    filter |= bit
                    if _slowPath(wasThere) && container.count <= MemberNames.fewMembers {
                        repeats.suspect(name.hash, among: names, Int(container.count))
                    }
                    names.pointee = name.hash
                    names += 1
                    appendString(name)
                    if p.pointee != UInt8(ascii: ":") {
                        p = skipSpace(p)
                        if p.pointee != UInt8(ascii: ":") {
                            problem = .expectedColon
                            break parsing
                        }
                    }
                    p += 1
                }
                p = skipSpace(p)

                switch p.pointee {
                case UInt8(ascii: "\""):
                    let string = takeString(p, free, isName: false, hash)
                    if let wrong = string.problem {
                        problem = wrong
                        p = string.source
                        break parsing
                    }
                    appendString(string)

                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    if depth == maxDepth {
                        problem = .tooDeep
                        break parsing
                    }
                    depth = depth &+ 1
                    let isObject = p.pointee == UInt8(ascii: "{")
                    let outer = index(container.node)
                    container = OpenContainer(node)
                    append(isObject ? .object : .array, UInt64(outer))
                    closer = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
                    names = push(filter, names)
                    filter = 0
                    p = skipSpace(p + 1)
                    if p.pointee != closer {
                        if isObject && p.pointee != UInt8(ascii: "\"") {
                            problem = .expectedNameOrBrace
                            break parsing
                        }
                        continue nextValue
                    }
                    container.count = 0 &- 1  // one less than with one value, like everywhere

                case UInt8(ascii: "t"):
                    if p.load(as: UInt32.self) != 0x6575_7274 {
                        problem = .expectedValue
                        break parsing
                    }
                    append(.bool, 1)
                    p += 4

                case UInt8(ascii: "f"):
                    if (p + 1).load(as: UInt32.self) != 0x6573_6c61 {
                        problem = .expectedValue
                        break parsing
                    }
                    append(.bool, 0)
                    p += 5

                case UInt8(ascii: "n"):
                    if p.load(as: UInt32.self) != 0x6c6c_756e {
                        problem = .expectedValue
                        break parsing
                    }
                    append(.null, 0)
                    p += 4

                case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    // Most numbers have one or two digits.
                    let digit = p.pointee &- UInt8(ascii: "0")
                    if digit <= 9 {
                        let second = p[1] &- UInt8(ascii: "0")
                        if JSONNumber.isEnd(p[1]) {
                            append(.int64, UInt64(digit))
                            p += 1
                            break
                        }
                        if second <= 9 && digit != 0 && JSONNumber.isEnd(p[2]) {
                            append(.int64, UInt64(digit &* 10 &+ second))
                            p += 2
                            break
                        }
                    }
                    let number = JSONNumber.parse(p, limbs: limbs)
                    if let wrong = number.problem {
                        problem = wrong
                        p = number.end
                        break parsing
                    }
                    append(number.type, number.payload)
                    p = number.end

                default:
                    problem = .expectedValue
                    break parsing
                }

                // A value is complete, and with it perhaps the containers around it.
                while true {
                    if p.pointee != UInt8(ascii: ",") && p.pointee != closer { p = skipSpace(p) }
                    if p.pointee == UInt8(ascii: ",") && closer != 0 {
                        if _slowPath(node >= fullTape) {
                            problem = .tooManyValues
                            break parsing
                        }
                        container.count = container.count &+ 1
                        p += 1
                        continue nextValue
                    }
                    if p.pointee != closer {
                        problem = unexpected(closer)
                        break parsing
                    }
                    if closer == 0 { break nextValue }
                    p += 1
                    let count = container.count &+ 1
                    container.count = count
                    if closer == UInt8(ascii: "}") {
                        names = names.advanced(by: 0 &- Int(count))
                        if _slowPath(repeats.isSuspected || count > MemberNames.fewMembers) {
                            if !markRepeats(names, container, &repeats, &scratch) {
                                problem = .noMemory
                                break parsing
                            }
                        }
                    }
                    names = pop(&filter, names)
                    let outer = container.link
                    container.link = index(node)
                    container = OpenContainer(tape + Int(Int32(bitPattern: outer)))
                    depth = depth &- 1
                    closer = depth == 0 ? 0 : container.closer
                }
            }
            // A zero byte ended the root's value; only that behind the text is meant.
            if p != end {
                problem = .expectedEnd
                break parsing
            }
            if node > fullTape {
                problem = .tooManyValues
                break parsing
            }
            return finish(node - tape, free - text, repeats)
        }
        throw ParseError(problem: problem, offset: min(p, end) - source)
    }

    @inline(never)
    private func finish(_ nodeCount: Int, _ textCount: Int, _ repeats: MemberNames) -> ParsedTree {
        var remaining = nodeCount
        if repeats.count > 0 {
            remaining = repeats.compact(
                nodeCount,
                stack: UnsafeMutableRawPointer(names).assumingMemoryBound(
                    to: CompactedContainer.self))
        }
        return ParsedTree(
            nodeCount: remaining, textCount: textCount, replacedCount: repeats.count,
            firstRepeated: repeats.firstRepeated)
    }

    // MARK: Nodes

    @inline(__always)
    private func index(_ node: UnsafeMutablePointer<Node>) -> UInt32 {
        UInt32(truncatingIfNeeded: (JSONParser.address(node) &+ tapeBase) &>> 4)
    }

    @inline(__always)
    private static func address<T>(_ pointer: UnsafePointer<T>) -> UInt64 {
        UInt64(UInt(bitPattern: pointer))
    }

    // MARK: Strings

    /// A string that was taken, or what is wrong with it.
    private struct Taken {
        /// After the closing quote, or at the byte that is wrong.
        var source: UnsafePointer<UInt8>
        /// Of the unescaped text.
        var length: UInt32
        /// When it is a name.
        var hash: UInt32
        var problem: ParseError.Problem?
    }

    /// Copies the string whose opening quote is at `pointer` to `target`, with a NUL behind it.
    @inline(__always)
    private func takeString(
        _ pointer: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, isName: Bool,
        _ hash: NameHash
    ) -> Taken {
        let block = Block(at: pointer + 1)
        block.store(to: target)
        // The way from one string to the next is a chain of dependencies: where the quote is, and
        // nothing else, is on it. Whether anything before the quote needs care is decided beside
        // it.
        let quotes = block.equal(UInt8(ascii: "\"")).bits
        // The bit behind the sixteen stands for a quote that is further away.
        let others = JSONString.others(in: block) | 0x10000
        if _fastPath(others & (quotes ^ (quotes &- 1)) == 0) {
            let length = quotes.trailingZeroBitCount
            target[length] = 0
            return Taken(
                source: pointer + (2 &+ length), length: UInt32(truncatingIfNeeded: length),
                hash: isName ? hash.hashShort(pointer + 1, length) : 0)
        }
        return takeLongString(pointer, target, isName: isName)
    }

    @inline(never)
    @_optimize(speed)
    private func takeLongString(
        _ pointer: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, isName: Bool
    ) -> Taken {
        let copied = JSONString.copy(pointer + 1, to: target, start: source)
        if let problem = copied.problem {
            // A string that the end of the text cuts short is best found by its beginning.
            let isCut = problem == .controlCharacter && copied.source >= end
            return Taken(
                source: isCut ? pointer : copied.source, length: 0, hash: 0,
                problem: isCut ? .unclosedString : problem)
        }
        copied.text.pointee = 0
        let length = copied.text - target
        return Taken(
            source: copied.source, length: UInt32(truncatingIfNeeded: length),
            hash: isName ? hash.hash(target, length) : 0)
    }

    // MARK: Names

    /// Keeps the filter of the object, if it is one, around a container that opens.
    @inline(__always)
    private func push(_ filter: UInt64, _ names: UnsafeMutablePointer<UInt32>)
        -> UnsafeMutablePointer<UInt32>
    {
        UnsafeMutableRawPointer(names).storeBytes(of: filter, as: UInt64.self)
        return names + 2
    }

    @inline(__always)
    private func pop(
        _ filter: inout UInt64, _ names: UnsafeMutablePointer<UInt32>
    ) -> UnsafeMutablePointer<UInt32> {
        filter = UnsafeRawPointer(names - 2).loadUnaligned(as: UInt64.self)
        return names - 2
    }

    /// Looks for names that occur twice in the object that closes; false when there is no memory
    /// for it.
    @inline(never)
    private func markRepeats(
        _ hashes: UnsafeMutablePointer<UInt32>, _ object: OpenContainer,
        _ repeats: inout MemberNames,
        _ scratch: inout ParseScratch
    ) -> Bool {
        let count = Int(object.count)
        if count < 2 { return true }
        let slots = MemberNames.slots(for: count)
        guard scratch.reserveTable(slots &+ count), let table = scratch.table.base else {
            return false
        }
        if !repeats.isSuspected && !MemberNames.anyEqual(hashes, count, table: table, slots: slots)
        {
            return true
        }
        repeats.mark(
            hashes, count, of: object.node, indices: table, table: table + count, slots: slots)
        return true
    }

    // MARK: Around values

    private func unexpected(_ closer: UInt8) -> ParseError.Problem {
        switch closer {
        case UInt8(ascii: "}"): .expectedCommaOrBrace
        case UInt8(ascii: "]"): .expectedCommaOrBracket
        default: .expectedEnd
        }
    }

    /// The first byte from `pointer` on that is no white space.
    @inline(__always)
    private func skipSpace(_ pointer: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var p = pointer
        if _fastPath(p.pointee > 0x20) { return p }
        while true {
            switch p.pointee {
            case 0x20, 0x0a, 0x0d, 0x09: p += 1
            default: return p
            }
            // Indentation comes in runs of blanks.
            while p.load(as: UInt16.self) == 0x2020 { p += 2 }
        }
    }
}

/// A container whose end was not seen yet. The two halves of its payload are used by themselves.
private struct OpenContainer {
    let node: UnsafeMutablePointer<Node>

    @inline(__always)
    init(_ node: UnsafeMutablePointer<Node>) { self.node = node }

    @inline(__always)
    private var words: UnsafeMutablePointer<UInt32> {
        (UnsafeMutableRawPointer(node) + MemoryLayout<UInt64>.size).assumingMemoryBound(
            to: UInt32.self)
    }

    /// The lower half of the payload.
    @inline(__always)
    var link: UInt32 {
        get { words[0] }
        nonmutating set { words[0] = newValue }
    }

    /// The upper half: how many elements or members are complete.
    @inline(__always)
    var count: UInt32 {
        get { words[1] }
        nonmutating set { words[1] = newValue }
    }

    @inline(__always)
    var closer: UInt8 {
        UInt8(truncatingIfNeeded: node.pointee.head) == ValueType.object.rawValue
            ? UInt8(ascii: "}") : UInt8(ascii: "]")
    }
}
