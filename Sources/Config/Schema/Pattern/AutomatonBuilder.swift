// The deterministic automaton of a pattern, by the subset construction: a state is the set of steps
// that a character leads to, and what kind of character that was where the pattern asks. It is
// given up where it would be large; the steps themselves then do.

struct AutomatonBuilder: ~Copyable {
    private let pattern: Pattern
    private let firstEntry: Int
    private let firstSymbol: Int
    private let firstInterval: Int
    /// The steps of all states, one after the other.
    private var members: List<UInt32>
    private var states: List<State>
    private var index: HashIndex
    private var arrived: List<UInt32>
    /// A character for each symbol.
    private var examples: List<Example>

    private struct State {
        var first: Int
        var count: Int
        var isStart: Bool
        var isBehindWord: Bool
    }

    /// A character, and the number of its general category where these count.
    private struct Example {
        var character: UInt32
        var category: Int
    }

    /// As many as there are numbers for, and fit into a cache.
    private static var mostEntries: Int { 0xFFFE }
    private static var mostSymbols: Int { 200 }
    /// Intervals times the categories in each.
    private static var mostUnits: Int { 4096 }

    /// Gives the pattern an automaton, if it is to have one.
    static func build(
        _ pattern: inout Pattern, _ patterns: inout Patterns, _ scratch: inout PatternScratch,
        _ memory: Memory
    ) throws(Failure) {
        var builder = AutomatonBuilder(pattern, patterns, memory)
        if let symbolCount = try builder.findSymbols(&patterns, memory),
            try builder.findStates(symbolCount, &patterns, &scratch)
        {
            pattern.automaton = Automaton(
                firstEntry: builder.firstEntry, symbolCount: symbolCount,
                firstSymbol: builder.firstSymbol, firstInterval: builder.firstInterval,
                intervalCount: patterns.intervals.count &- builder.firstInterval)
        } else {
            patterns.entries.truncate(to: builder.firstEntry)
            patterns.symbols.truncate(to: builder.firstSymbol)
            patterns.intervals.truncate(to: builder.firstInterval)
        }
    }

    private init(_ pattern: Pattern, _ patterns: borrowing Patterns, _ memory: Memory) {
        self.pattern = pattern
        firstEntry = patterns.entries.count
        firstSymbol = patterns.symbols.count
        firstInterval = patterns.intervals.count
        members = List(memory)
        states = List(memory)
        index = HashIndex(memory)
        arrived = List(memory)
        examples = List(memory)
    }

    // MARK: - Symbols

    /// Gives each kind of character a symbol, and says how many there are; nil when there are too
    /// many.
    private mutating func findSymbols(_ patterns: inout Patterns, _ memory: Memory)
        throws(Failure) -> Int?
    {
        guard try findIntervals(&patterns, memory) else { return nil }
        let width = pattern.hasCategories ? GeneralCategory.count : 1
        let intervalCount = patterns.intervals.count &- firstInterval
        let unitCount = 128 &+ intervalCount &* width
        guard unitCount <= AutomatonBuilder.mostUnits else { return nil }
        try patterns.symbols.append(repeating: 0, count: unitCount)
        let symbols = patterns.symbols.base + firstSymbol

        // Each comparison that a step makes may split each symbol in two.
        var sizes = InlineArray<256, Int>(repeating: 0)
        var insiders = InlineArray<256, Int>(repeating: 0)
        var renamed = InlineArray<256, Int>(repeating: 0)
        var symbolCount = 1
        sizes[0] = unitCount
        let stepCount = pattern.stepCount
        for number in 0...stepCount {
            // Behind the last step comes the comparison that the edges of words make.
            let step =
                number < stepCount ? patterns.steps[pattern.firstStep &+ number] : nil
            if let step, step.operation != .character, step.operation != .set { continue }
            if step == nil, !pattern.hasEdges { continue }
            patterns.work &-= unitCount
            if patterns.work < 0 { return nil }
            for symbol in 0..<symbolCount {
                insiders[symbol] = 0
                renamed[symbol] = -1
            }
            func contains(_ unit: Int) -> Bool {
                let example = self.example(unit, patterns.intervals.base + firstInterval, width)
                guard let step else { return isWordCharacter(example.character) }
                return AutomatonBuilder.takes(step, example, patterns)
            }
            for unit in 0..<unitCount where contains(unit) { insiders[Int(symbols[unit])] += 1 }
            for unit in 0..<unitCount {
                let symbol = Int(symbols[unit])
                guard insiders[symbol] > 0, insiders[symbol] < sizes[symbol] else { continue }
                guard contains(unit) else { continue }
                if renamed[symbol] < 0 {
                    guard symbolCount < AutomatonBuilder.mostSymbols else { return nil }
                    renamed[symbol] = symbolCount
                    insiders[symbolCount] = 0
                    sizes[symbolCount] = 0
                    renamed[symbolCount] = -1
                    symbolCount += 1
                }
                symbols[unit] = UInt8(truncatingIfNeeded: renamed[symbol])
                sizes[renamed[symbol]] += 1
            }
            for symbol in 0..<symbolCount where renamed[symbol] >= 0 {
                sizes[symbol] -= insiders[symbol]
            }
        }
        try examples.append(
            repeating: Example(character: 0, category: 0), count: symbolCount)
        for unit in 0..<unitCount {
            examples[Int(symbols[unit])] = example(
                unit, patterns.intervals.base + firstInterval, width)
        }
        return symbolCount
    }

    /// Where, from 128 on, characters begin that some step tells from those before them.
    private func findIntervals(_ patterns: inout Patterns, _ memory: Memory) throws(Failure) -> Bool
    {
        var starts = List<UInt32>(memory)
        try starts.append(128)
        for number in 0..<pattern.stepCount {
            let step = patterns.steps[pattern.firstStep &+ number]
            if step.operation == .character, step.operand >= 128 {
                try starts.append(step.operand)
                try starts.append(step.operand &+ 1)
            } else if step.operation == .set {
                let set = patterns.sets[Int(step.operand)]
                for index in set.firstRange..<(set.firstRange &+ set.rangeCount) {
                    let range = patterns.ranges[index]
                    if range.first >= 128 { try starts.append(range.first) }
                    if range.last >= 128 { try starts.append(range.last &+ 1) }
                }
            }
            if starts.count > AutomatonBuilder.mostUnits { return false }
        }
        let count = starts.count
        try starts.reserve(count)
        sort(
            UnsafeMutableBufferPointer(start: starts.base, count: count),
            scratch: UnsafeMutableRawPointer(starts.base + count)
        ) { $0 < $1 }
        for index in 0..<count where starts[index] <= CodeRange.highest {
            if index > 0, starts[index] == starts[index &- 1] { continue }
            try patterns.intervals.append(starts[index])
        }
        return true
    }

    /// A character that stands for all that have the same place among the symbols.
    private func example(_ unit: Int, _ starts: UnsafePointer<UInt32>, _ width: Int) -> Example {
        if unit < 128 { return Example(character: UInt32(unit), category: 0) }
        return Example(
            character: starts[(unit &- 128) / width], category: (unit &- 128) % width)
    }

    private static func takes(
        _ step: PatternStep, _ example: Example, _ patterns: borrowing Patterns
    ) -> Bool {
        if step.operation == .character { return step.operand == example.character }
        let set = patterns.sets[Int(step.operand)]
        if example.character < 128 {
            return set.containsASCII(UInt8(truncatingIfNeeded: example.character))
        }
        return set.contains(
            example.character, ranges: patterns.ranges.base,
            category: GeneralCategory(number: example.category))
    }

    // MARK: - States

    /// Fills the table; false when it would be too large.
    private mutating func findStates(
        _ symbolCount: Int, _ patterns: inout Patterns, _ scratch: inout PatternScratch
    ) throws(Failure) -> Bool {
        try arrived.append(0)
        guard try state(isStart: true, isBehindWord: false, &patterns) != nil else { return false }
        var number = 0
        while number < states.count {
            let state = states[number]
            try patterns.entries.append(repeating: Automaton.dead, count: symbolCount &+ 1)
            // The same state before a letter, before something else and at the end.
            for around in 0..<3 {
                var place = PatternScratch.Place(
                    isStart: state.isStart, isEnd: around == 2, isBehindWord: state.isBehindWord,
                    isBeforeWord: around == 1)
                if around == 1, !pattern.hasEdges { continue }
                place.isBeforeWord = around == 1
                let cores = UnsafeBufferPointer(
                    start: members.base + state.first, count: state.count)
                let isMatch = try scratch.follow(
                    cores, pattern, patterns.steps.base, at: place)
                patterns.work &-= state.count &+ scratch.waiting.count &+ symbolCount
                if patterns.work < 0 { return false }
                let row = firstEntry &+ number &* (symbolCount &+ 1)
                if around == 2 {
                    if isMatch { patterns.entries[row &+ symbolCount] = Automaton.matched }
                    continue
                }
                for symbol in 0..<symbolCount {
                    let isWord = isWordCharacter(examples[symbol].character)
                    if pattern.hasEdges, isWord != (around == 1) { continue }
                    guard
                        let next = try isMatch
                            ? Automaton.matched : next(symbol, isWord, &patterns, scratch)
                    else { return false }
                    patterns.entries[row &+ symbol] = next
                }
            }
            number &+= 1
        }
        return true
    }

    /// The state that a symbol leads to; nil when there are too many.
    private mutating func next(
        _ symbol: Int, _ isWord: Bool, _ patterns: inout Patterns,
        _ scratch: borrowing PatternScratch
    ) throws(Failure) -> UInt16? {
        arrived.truncate(to: 0)
        if !pattern.isAnchored { try arrived.append(0) }
        let example = examples[symbol]
        for index in 0..<scratch.waiting.count {
            let number = scratch.waiting[index]
            let step = patterns.steps[pattern.firstStep &+ Int(number)]
            if AutomatonBuilder.takes(step, example, patterns) { try arrived.append(number &+ 1) }
        }
        patterns.work &-= scratch.waiting.count
        if arrived.count == 0 { return Automaton.dead }
        return try state(isStart: false, isBehindWord: pattern.hasEdges && isWord, &patterns)
    }

    /// Where the entries begin of the state with the steps in `arrived`; nil when there are too
    /// many.
    private mutating func state(
        isStart: Bool, isBehindWord: Bool, _ patterns: inout Patterns
    ) throws(Failure) -> UInt16? {
        // The same steps make the same state, in whichever order they were reached.
        try arrived.reserve(arrived.count)
        sort(
            UnsafeMutableBufferPointer(start: arrived.base, count: arrived.count),
            scratch: UnsafeMutableRawPointer(arrived.base + arrived.count)
        ) { $0 < $1 }
        let width = examples.count &+ 1
        let size = arrived.count &* MemoryLayout<UInt32>.stride
        let hash = arrived.base.withMemoryRebound(to: UInt8.self, capacity: size) { bytes in
            Hash.text(bytes, size, seed: isBehindWord ? 1 : 0)
        }
        let found = index.find(hash: hash) { number in
            let state = states[number]
            return state.count == arrived.count && state.isStart == isStart
                && state.isBehindWord == isBehindWord
                && equalBytes(
                    UnsafeRawPointer(members.base + state.first), UnsafeRawPointer(arrived.base),
                    size)
        }
        if let found { return UInt16(truncatingIfNeeded: found &* width) }
        guard (states.count &+ 1) &* width <= AutomatonBuilder.mostEntries else { return nil }
        let first = members.count
        try members.append(contentsOf: arrived.elements)
        try states.append(
            State(
                first: first, count: arrived.count, isStart: isStart, isBehindWord: isBehindWord))
        try index.insert(states.count &- 1, hash: hash)
        return UInt16(truncatingIfNeeded: (states.count &- 1) &* width)
    }
}
