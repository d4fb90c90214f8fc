// What one character of a text is compared with: ranges of code points and general categories, or
// all but those. The half below 128 is worked out beforehand.

/// Code points from one to another, both included.
struct CodeRange: BitwiseCopyable {
    var first: UInt32
    var last: UInt32

    static var highest: UInt32 { 0x10_FFFF }

    init(_ first: UInt32, _ last: UInt32) { (self.first, self.last) = (first, last) }
}

/// A set of code points; its ranges lie in a list of all patterns.
struct CharacterSet: BitwiseCopyable {
    /// One bit for each code point below 128, the complement taken already.
    var low: UInt64 = 0
    var high: UInt64 = 0
    /// Sorted and apart from one another.
    var firstRange: Int
    var rangeCount: Int
    var categories: GeneralCategory
    var isComplement: Bool

    @inline(__always)
    func containsASCII(_ byte: UInt8) -> Bool {
        (byte < 64 ? low &>> UInt64(byte) : high &>> UInt64(byte &- 64)) & 1 != 0
    }

    /// Whether a code point that has that category is a member; the category is asked for only
    /// where it counts.
    @inline(__always)
    func contains(
        _ codePoint: UInt32, ranges: UnsafePointer<CodeRange>,
        category: @autoclosure () -> GeneralCategory
    ) -> Bool {
        let isListed =
            isAmong(ranges + firstRange, codePoint)
            || !categories.isEmpty && !categories.isDisjoint(with: category())
        return isListed != isComplement
    }

    private func isAmong(_ ranges: UnsafePointer<CodeRange>, _ codePoint: UInt32) -> Bool {
        var (low, high) = (0, rangeCount)
        while low < high {
            let middle = (low &+ high) &>> 1
            if ranges[middle].last < codePoint { low = middle &+ 1 } else { high = middle }
        }
        return low < rangeCount && ranges[low].first <= codePoint
    }
}

/// Collects what a set is made of.
struct CharacterSetBuilder: ~Copyable {
    private var ranges: List<CodeRange>
    private var scratch: List<CodeRange>
    private var categories: GeneralCategory = []

    init(_ memory: Memory) {
        ranges = List(memory)
        scratch = List(memory)
    }

    mutating func removeAll() {
        ranges.truncate(to: 0)
        categories = []
    }

    mutating func insert(_ first: UInt32, _ last: UInt32) throws(Failure) {
        try ranges.append(CodeRange(first, last))
    }

    mutating func insert(_ categories: GeneralCategory) { self.categories.formUnion(categories) }

    /// Inserts a class that a letter names, as `\d`; as a capital letter it means all but those.
    /// False when there is none.
    mutating func insertClass(_ letter: UInt8) throws(Failure) -> Bool {
        switch letter {
        case UInt8(ascii: "d"), UInt8(ascii: "D"):
            try insert([CodeRange(0x30, 0x39)], isComplement: letter == UInt8(ascii: "D"))
        case UInt8(ascii: "w"), UInt8(ascii: "W"):
            try insert(
                [
                    CodeRange(0x30, 0x39), CodeRange(0x41, 0x5A), CodeRange(0x5F, 0x5F),
                    CodeRange(0x61, 0x7A),
                ], isComplement: letter == UInt8(ascii: "W"))
        case UInt8(ascii: "s"), UInt8(ascii: "S"):
            // WhiteSpace and LineTerminator of ECMA-262, sections 12.2 and 12.3.
            try insert(
                [
                    CodeRange(0x09, 0x0D), CodeRange(0x20, 0x20), CodeRange(0xA0, 0xA0),
                    CodeRange(0x1680, 0x1680), CodeRange(0x2000, 0x200A), CodeRange(0x2028, 0x2029),
                    CodeRange(0x202F, 0x202F), CodeRange(0x205F, 0x205F), CodeRange(0x3000, 0x3000),
                    CodeRange(0xFEFF, 0xFEFF),
                ], isComplement: letter == UInt8(ascii: "S"))
        default: return false
        }
        return true
    }

    /// What `.` does not match: the line terminators.
    mutating func insertLineTerminators() throws(Failure) {
        try insert(
            [CodeRange(0x0A, 0x0A), CodeRange(0x0D, 0x0D), CodeRange(0x2028, 0x2029)],
            isComplement: false)
    }

    private mutating func insert<let count: Int>(
        _ sorted: InlineArray<count, CodeRange>, isComplement: Bool
    ) throws(Failure) {
        var next: UInt32 = 0
        for index in sorted.indices {
            if !isComplement {
                try ranges.append(sorted[index])
            } else if sorted[index].first > next {
                try ranges.append(CodeRange(next, sorted[index].first &- 1))
            }
            next = sorted[index].last &+ 1
        }
        if isComplement { try ranges.append(CodeRange(next, CodeRange.highest)) }
    }

    /// The set of what was inserted, or of all else; its ranges go to the end of `target`.
    mutating func finish(isComplement: Bool, into target: inout List<CodeRange>) throws(Failure)
        -> CharacterSet
    {
        scratch.truncate(to: 0)
        try scratch.reserve(ranges.count)
        sort(
            UnsafeMutableBufferPointer(start: ranges.base, count: ranges.count),
            scratch: UnsafeMutableRawPointer(scratch.base)
        ) { $0.first < $1.first }
        let start = target.count
        for index in 0..<ranges.count {
            let range = ranges[index]
            if target.count > start, target[target.count &- 1].last &+ 1 >= range.first {
                target[target.count &- 1].last = max(target[target.count &- 1].last, range.last)
            } else {
                try target.append(range)
            }
        }
        var set = CharacterSet(
            firstRange: start, rangeCount: target.count &- start, categories: categories,
            isComplement: isComplement)
        for codePoint in 0..<128 as Range<UInt32> {
            guard
                set.contains(
                    codePoint, ranges: target.base, category: GeneralCategory(of: codePoint))
            else { continue }
            if codePoint < 64 {
                set.low |= 1 &<< UInt64(codePoint)
            } else {
                set.high |= 1 &<< UInt64(codePoint &- 64)
            }
        }
        return set
    }
}
