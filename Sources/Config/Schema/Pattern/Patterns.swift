// Regular expressions of ECMA-262 with the u flag, without look-around and back-references: what is
// left describes a regular language, so that a text is read once, from left to right, whatever the
// expression. A pattern is a nondeterministic automaton, and where that turns out small a
// deterministic one beside it, whose table takes one look-up a character. Both are complete when a
// schema is set; matching changes nothing but its own scratch.

/// One step of an automaton. Steps follow one another, but where they say otherwise, relative to
/// themselves.
struct PatternStep: BitwiseCopyable {
    enum Operation: UInt8 {
        /// Takes the character `operand`, or one of the set of that number.
        case character, set
        /// Goes on at `target` as well as at the next step; or there alone.
        case split, jump
        /// Goes on where the text begins or ends, or where it is or is not the edge of a word.
        case start, end, edge, noEdge
        case match
    }

    var operation: Operation
    var operand: UInt32 = 0
    var target: Int32 = 0
}

/// A pattern; what it consists of lies in the lists of `Patterns`.
struct Pattern: BitwiseCopyable {
    var firstStep: Int
    var stepCount: Int
    /// Whether a match can only begin where the text does.
    var isAnchored = false
    var hasEdges = false
    var hasCategories = false
    var automaton: Automaton?
    /// The text that it was made of, which somebody keeps.
    var source: Bytes
}

/// A table: for each state and symbol where the entries of the next state begin. Symbols are the
/// kinds of characters that the pattern tells apart, and behind them the end of the text.
struct Automaton: BitwiseCopyable {
    static var matched: UInt16 { 0xFFFF }
    static var dead: UInt16 { 0xFFFE }

    var firstEntry: Int
    var symbolCount: Int
    /// The symbols of the characters below 128, and behind them of those in each interval above,
    /// one for each general category where these count.
    var firstSymbol: Int
    /// Where those intervals begin.
    var firstInterval: Int
    var intervalCount: Int
}

/// The patterns of one schema.
struct Patterns: ~Copyable {
    private let memory: Memory
    private(set) var patterns: List<Pattern>
    var steps: List<PatternStep>
    var sets: List<CharacterSet>
    var ranges: List<CodeRange>
    var entries: List<UInt16>
    var symbols: List<UInt8>
    var intervals: List<UInt32>
    /// What is left to be spent on tables: a schema of thousands of large patterns must not take
    /// thousands of large tables.
    var work = Patterns.mostWork

    /// The most steps of one pattern, repetitions written out. `[a-z]{1,4096}` fits.
    static var mostSteps: Int { 10_000 }
    static var mostWork: Int { 20_000_000 }

    init(_ memory: Memory) {
        self.memory = memory
        patterns = List(memory)
        steps = List(memory)
        sets = List(memory)
        ranges = List(memory)
        entries = List(memory)
        symbols = List(memory)
        intervals = List(memory)
    }

    /// The text of a pattern.
    func source(of number: Int) -> Bytes { patterns[number].source }

    /// Compiles a pattern, whose text must be kept, and gives its number. A `Failure` says in a few
    /// words what is wrong, and as its column at which character.
    mutating func add(_ text: Bytes) throws(Failure) -> Int {
        let firstStep = steps.count
        try parse(text)
        var pattern = Pattern(
            firstStep: firstStep, stepCount: steps.count &- firstStep, source: text)
        for index in firstStep..<steps.count {
            let step = steps[index]
            switch step.operation {
            case .edge, .noEdge: pattern.hasEdges = true
            case .set where !sets[Int(step.operand)].categories.isEmpty:
                pattern.hasCategories = true
            default: break
            }
        }
        var scratch = PatternScratch(memory)
        try scratch.prepare(for: pattern.stepCount)
        pattern.isAnchored = try scratch.isAnchored(pattern, self)
        try AutomatonBuilder.build(&pattern, &self, &scratch, memory)
        try patterns.append(pattern)
        return patterns.count &- 1
    }

    /// Appends the steps of a pattern, which may have what ECMA-262 has and this has not.
    @inline(never)
    private mutating func parse(_ text: Bytes, isSupported: Bool = true) throws(Failure) {
        var parser = PatternParser(text, memory)
        try parser.parse(into: &self)
        if isSupported, let unsupported = parser.unsupported { throw unsupported }
    }

    /// Throws what `add` would throw.
    static func check(_ text: Bytes, _ memory: Memory) throws(Failure) {
        var scrap = Patterns(memory)
        try scrap.parse(text)
    }

    /// Whether a text is a regular expression of ECMA-262, one that is supported here or not.
    static func isWellFormed(_ text: Bytes, _ memory: Memory) throws(Failure) -> Bool {
        var scrap = Patterns(memory)
        do throws(Failure) {
            try scrap.parse(text, isSupported: false)
        } catch {
            if error.kind == .noMemory { throw error }
            // Too large for us is still an expression.
            return error.kind == .limit
        }
        return true
    }

    /// Whether a pattern of these matches anywhere in a text, which is UTF-8. What it costs is
    /// taken from `budget`.
    func matches(
        _ number: Int, _ text: Bytes, _ scratch: inout PatternScratch, budget: inout Int
    ) throws(Failure) -> Bool {
        let pattern = patterns[number]
        if let automaton = pattern.automaton {
            budget &-= text.count &>> 2
            return matches(pattern, automaton, text)
        }
        return try scratch.matches(pattern, self, text, budget: &budget)
    }

    private func matches(_ pattern: Pattern, _ automaton: Automaton, _ text: Bytes) -> Bool {
        let table = entries.base + automaton.firstEntry
        let symbols = symbols.base + automaton.firstSymbol
        var state = 0
        var position = 0
        while position < text.count {
            let byte = text[position]
            let symbol: Int
            if byte < 0x80 {
                symbol = Int(symbols[Int(byte)])
                position &+= 1
            } else {
                let character = ScalarCursor.scalar(text, &position)
                symbol = Int(symbols[unit(of: character, automaton, pattern)])
            }
            let next = table[state &+ symbol]
            if next >= Automaton.dead { return next == Automaton.matched }
            state = Int(next)
        }
        return table[state &+ automaton.symbolCount] == Automaton.matched
    }

    /// The place of a character from 128 on among the symbols.
    private func unit(of character: UInt32, _ automaton: Automaton, _ pattern: Pattern) -> Int {
        let starts = intervals.base + automaton.firstInterval
        var (low, high) = (0, automaton.intervalCount)
        while high &- low > 1 {
            let middle = (low &+ high) &>> 1
            if starts[middle] <= character { low = middle } else { high = middle }
        }
        guard pattern.hasCategories else { return 128 &+ low }
        let category = GeneralCategory(of: character).rawValue.trailingZeroBitCount
        return 128 &+ low &* GeneralCategory.count &+ category
    }
}

/// Reads the characters of UTF-8.
enum ScalarCursor {
    /// The character at `position`, which is before the end, and moves on behind it. Text that is
    /// not UTF-8 gives some character, and never leads past the end.
    @inline(__always)
    static func scalar(_ text: Bytes, _ position: inout Int) -> UInt32 {
        let lead = text[position]
        position &+= 1
        if lead < 0x80 { return UInt32(lead) }
        var scalar = UInt32(lead) & (lead < 0xE0 ? 0x1F : lead < 0xF0 ? 0x0F : 0x07)
        var more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3
        while more > 0, position < text.count {
            scalar = scalar &<< 6 | UInt32(text[position] & 0x3F)
            position &+= 1
            more &-= 1
        }
        return scalar
    }
}

/// The characters that are letters, digits and `_` for `\b`.
@inline(__always)
func isWordCharacter(_ character: UInt32) -> Bool {
    switch character {
    case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
    default: false
    }
}
