// JSON (RFC 8259, nothing beyond) to a tape, in one pass and without recursion. The text is followed by 64 zero
// bytes, which end every scan, so nothing asks for the end of the text; the scratch has room for the worst case,
// so nothing asks for room either. Positions, counts and pointers are plain locals of one function on purpose:
// kept in an object they would be memory, and parsing a third slower.

struct JSONParser {
    /// What a text was parsed to; the nodes and the text lie in the scratch.
    struct Output {
        var nodeCount: Int
        var textCount: Int
        /// How many members a later one of the same name replaced.
        var replacedCount: Int
        /// The name that first showed this.
        var firstRepeated: Node
    }

    private let source: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let maxDepth: Int

    /// Parses `bytes`, at most `Limits.valueBytesCeiling` and followed by at least 64 zero bytes.
    static func parse(
        _ bytes: Bytes, limits: Limits, scratch: inout ParseScratch
    ) throws(ParseError) -> Output {
        guard let source = bytes.baseAddress else { throw ParseError(problem: .expectedValue, offset: 0) }
        let depth = min(max(limits.maxDepth, 0), Limits.depthCeiling)
        guard scratch.reserve(length: bytes.count, depth: depth) else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        let parser = JSONParser(source: source, end: source + bytes.count, maxDepth: depth)
        return try parser.run(&scratch)
    }

    private func run(_ scratch: inout ParseScratch) throws(ParseError) -> Output {
        guard let tape = scratch.tape.base, let text = scratch.text.base, let names = scratch.names.base,
            let limbs = scratch.limbs.base
        else { throw ParseError(problem: .noMemory, offset: 0) }

        let hash = NameHash(seed: UInt64(UInt(bitPattern: tape)) ^ UInt64(UInt(bitPattern: limbs)) &<< 20)
        let fullTape = tape + Limits.nodesPerDocument
        var repeats = MemberNames(tape: tape, text: text)

        var p = skipSpace(skipByteOrderMark(source))
        // The next free node, and the part of its head that does not depend on p: the index, and minus the
        // source's address where the offset goes, so that adding p gives the offset.
        var node = tape
        var headBase = 0 &- UInt64(UInt(bitPattern: source)) &<< 32
        // Where the next string goes, and the next name of an open object.
        var free = text
        var nextName = names
        // The innermost open container. While one within it is open, its own payload holds its parent's index
        // in the low half and the number of its complete members in the high half.
        var container = tape
        var isObject = false
        var count: UInt64 = 0
        var depth = 0

        var problem = ParseError.Problem.expectedValue

        @inline(__always)
        func append(_ type: ValueType, _ payload: UInt64) {
            node.pointee = Node(head: head(type, at: p), payload: payload)
            node += 1
            headBase = headBase &+ 256
        }

        @inline(__always)
        func head(_ type: ValueType, at pointer: UnsafePointer<UInt8>) -> UInt64 {
            UInt64(UInt(bitPattern: pointer)) &<< 32 &+ headBase &+ UInt64(type.rawValue)
        }

        /// Takes the string whose opening quote p is at; false when it is wrong.
        @inline(__always)
        func takeString(isName: Bool) -> Bool {
            let block = Block(at: p + 1)
            block.store(to: free)
            let stops = JSONString.stops(in: block)
            let length = stops.trailingZeroBitCount
            let after: UnsafePointer<UInt8>
            let textEnd: UnsafeMutablePointer<UInt8>
            if _fastPath(stops != 0 && p[1 &+ length] == UInt8(ascii: "\"")) {
                after = p + (2 &+ length)
                textEnd = free + length
                if isName { openName(hash.hash(block, length)) }
            } else {
                let copied = JSONString.copy(p + 1, to: free, start: source)
                if let wrong = copied.problem {
                    problem = wrong
                    // A string that the end of the text cuts short is best found by its beginning.
                    if wrong == .controlCharacter && copied.source >= end {
                        problem = .unclosedString
                    } else {
                        p = copied.source
                    }
                    return false
                }
                after = copied.source
                textEnd = copied.text
                if isName { openName(hash.hash(free, textEnd - free)) }
            }
            textEnd.pointee = 0
            let offset = UInt64(truncatingIfNeeded: free - text)
            append(.string, offset | UInt64(truncatingIfNeeded: textEnd - free) &<< 32)
            free = textEnd + 1
            p = after
            return true
        }

        @inline(__always)
        func openName(_ hash: UInt32) {
            nextName.pointee = OpenName(hash: hash, index: UInt32(truncatingIfNeeded: node - tape))
            nextName += 1
        }

        parsing: do {
            var isNameDue = false
            nextValue: while true {
                if isNameDue {
                    guard p.pointee == UInt8(ascii: "\"") else {
                        problem = .expectedName
                        break parsing
                    }
                    if !takeString(isName: true) { break parsing }
                    p = skipSpace(p)
                    guard p.pointee == UInt8(ascii: ":") else {
                        problem = .expectedColon
                        break parsing
                    }
                    p = skipSpace(p + 1)
                }

                switch p.pointee {
                case UInt8(ascii: "\""):
                    if !takeString(isName: false) { break parsing }

                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    if depth == maxDepth {
                        problem = .tooDeep
                        break parsing
                    }
                    if depth > 0 {
                        container.pointee.payload |= count &<< 32
                    }
                    let opens = p.pointee == UInt8(ascii: "{")
                    let parent = UInt64(truncatingIfNeeded: container - tape)
                    container = node
                    append(opens ? .object : .array, parent)
                    isObject = opens
                    count = 0
                    depth = depth &+ 1
                    p = skipSpace(p + 1)
                    if p.pointee != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                        isNameDue = isObject
                        if isObject && p.pointee != UInt8(ascii: "\"") {
                            problem = .expectedNameOrBrace
                            break parsing
                        }
                        continue nextValue
                    }
                    count = 0 &- 1  // what follows counts one

                case UInt8(ascii: "t"):
                    if p.load(as: UInt32.self) != 0x6575_7274 { break parsing }
                    append(.bool, 1)
                    p += 4

                case UInt8(ascii: "f"):
                    if (p + 1).load(as: UInt32.self) != 0x6573_6c61 { break parsing }
                    append(.bool, 0)
                    p += 5

                case UInt8(ascii: "n"):
                    if p.load(as: UInt32.self) != 0x6c6c_756e { break parsing }
                    append(.null, 0)
                    p += 4

                case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    let number = JSONNumber.parse(p, limbs: limbs)
                    if let wrong = number.problem {
                        problem = wrong
                        p = number.end
                        break parsing
                    }
                    append(number.type, number.payload)
                    p = number.end

                default:
                    break parsing
                }

                // A value is complete, and with it perhaps the containers around it.
                while true {
                    if depth == 0 {
                        p = skipSpace(p)
                        if p == end { break nextValue }
                        problem = .expectedEnd
                        break parsing
                    }
                    count = count &+ 1
                    p = skipSpace(p)
                    if p.pointee == UInt8(ascii: ",") {
                        if _slowPath(node >= fullTape) {
                            problem = .tooManyValues
                            break parsing
                        }
                        p = skipSpace(p + 1)
                        isNameDue = isObject
                        problem = .expectedValue
                        continue nextValue
                    }
                    if p.pointee != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                        problem = isObject ? .expectedCommaOrBrace : .expectedCommaOrBracket
                        break parsing
                    }
                    p += 1
                    if isObject && count > 0 {
                        nextName -= Int(truncatingIfNeeded: count)
                        if !checkNames(nextName, Int(truncatingIfNeeded: count), &repeats, &scratch) {
                            problem = .noMemory
                            break parsing
                        }
                    }
                    let parent = tape + Int(truncatingIfNeeded: container.pointee.payload & 0xffff_ffff)
                    container.pointee.payload = UInt64(truncatingIfNeeded: node - tape) | count &<< 32
                    depth = depth &- 1
                    if depth > 0 {
                        container = parent
                        isObject = UInt8(truncatingIfNeeded: container.pointee.head) == ValueType.object.rawValue
                        count = container.pointee.payload &>> 32
                        container.pointee.payload &= 0xffff_ffff
                    }
                }
            }

            var nodeCount = node - tape
            if nodeCount > Limits.nodesPerDocument {
                problem = .tooManyValues
                break parsing
            }
            if _slowPath(repeats.count > 0) {
                let stack = UnsafeMutableRawPointer(names).assumingMemoryBound(to: OpenContainer.self)
                nodeCount = repeats.compact(nodeCount, stack: stack)
            }
            return Output(
                nodeCount: nodeCount, textCount: free - text, replacedCount: repeats.count,
                firstRepeated: repeats.firstRepeated)
        }
        throw ParseError(problem: problem, offset: min(p, end) - source)
    }

    /// Looks for names that occur twice in the object that closes; false when there is no memory for it.
    @inline(__always)
    private func checkNames(
        _ names: UnsafeMutablePointer<OpenName>, _ count: Int, _ repeats: inout MemberNames,
        _ scratch: inout ParseScratch
    ) -> Bool {
        if _fastPath(count <= MemberNames.fewMembers) {
            if _slowPath(MemberNames.mayRepeat(names, count)) { repeats.markFew(names, count) }
            return true
        }
        let slots = MemberNames.slots(for: count)
        guard scratch.reserveTable(slots), let table = scratch.table.base else { return false }
        repeats.markMany(names, count, table: table, slots: slots)
        return true
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

    /// Editors on some systems write a byte order mark; RFC 8259 lets a parser ignore it.
    @inline(__always)
    private func skipByteOrderMark(_ pointer: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        pointer[0] == 0xef && pointer[1] == 0xbb && pointer[2] == 0xbf ? pointer + 3 : pointer
    }
}
