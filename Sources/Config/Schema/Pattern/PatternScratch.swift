// Where an automaton is while it reads: the set of its steps that are reached, gone on from
// character to character. Each step is reached at most once a character, so the time is bounded by
// the length of the text times the length of the pattern.

/// Memory for one match at a time.
struct PatternScratch: ~Copyable {
    /// The steps that a character leads to, before what needs no character is followed.
    private var arrived: List<UInt32>
    private var stack: List<UInt32>
    /// When a step was last reached.
    private var marks: List<UInt32>
    private var generation: UInt32 = 0
    /// The steps that wait for a character.
    private(set) var waiting: List<UInt32>

    /// What lies around the place between two characters.
    struct Place {
        var isStart = false
        var isEnd = false
        var isBehindWord = false
        var isBeforeWord = false
    }

    init(_ memory: Memory) {
        arrived = List(memory)
        stack = List(memory)
        marks = List(memory)
        waiting = List(memory)
    }

    /// Makes room for a pattern of that many steps.
    mutating func prepare(for stepCount: Int) throws(Failure) {
        if marks.count < stepCount {
            try marks.append(repeating: 0, count: stepCount &- marks.count)
        }
        arrived.truncate(to: 0)
        waiting.truncate(to: 0)
        stack.truncate(to: 0)
    }

    /// Follows from the steps `from` what needs no character; leaves in `waiting` where characters
    /// are taken. True when that is a match.
    mutating func follow(
        _ from: UnsafeBufferPointer<UInt32>, _ pattern: Pattern,
        _ steps: UnsafePointer<PatternStep>,
        at place: Place
    ) throws(Failure) -> Bool {
        generation &+= 1
        if generation == 0 {
            for index in 0..<marks.count { marks[index] = 0 }
            generation = 1
        }
        waiting.truncate(to: 0)
        stack.truncate(to: 0)
        // Backwards, so that the first one is followed first.
        var index = from.count
        while index > 0 {
            index &-= 1
            try stack.append(from[index])
        }
        while stack.count > 0 {
            let number = stack[stack.count &- 1]
            stack.truncate(to: stack.count &- 1)
            if marks[Int(number)] == generation { continue }
            marks[Int(number)] = generation
            let step = steps[pattern.firstStep &+ Int(number)]
            let goesOn: Bool
            switch step.operation {
            case .character, .set:
                try waiting.append(number)
                continue
            case .match: return true
            case .split, .jump:
                try stack.append(number &+ UInt32(bitPattern: step.target))
                goesOn = step.operation == .split
            case .start: goesOn = place.isStart
            case .end: goesOn = place.isEnd
            case .edge: goesOn = place.isBehindWord != place.isBeforeWord
            case .noEdge: goesOn = place.isBehindWord == place.isBeforeWord
            }
            if goesOn { try stack.append(number &+ 1) }
        }
        return false
    }

    /// Whether a match can only begin where the text does: from the first step nothing is reached
    /// elsewhere.
    mutating func isAnchored(_ pattern: Pattern, _ patterns: borrowing Patterns) throws(Failure)
        -> Bool
    {
        for edges in 0..<4 {
            let place = Place(
                isEnd: true, isBehindWord: edges & 1 != 0, isBeforeWord: edges & 2 != 0)
            arrived.truncate(to: 0)
            try arrived.append(0)
            if try follow(arrived.elements, pattern, patterns.steps.base, at: place)
                || waiting.count > 0
            {
                return false
            }
        }
        return true
    }

    /// Whether the pattern matches, step by step.
    mutating func matches(
        _ pattern: Pattern, _ patterns: borrowing Patterns, _ text: Bytes, budget: inout Int
    ) throws(Failure) -> Bool {
        try prepare(for: pattern.stepCount)
        let (steps, sets, ranges) = (
            UnsafePointer(patterns.steps.base), patterns.sets.base, patterns.ranges.base
        )
        try arrived.append(0)
        var position = 0
        var place = Place(isStart: true)
        while true {
            var character: UInt32 = 0
            place.isEnd = position == text.count
            if !place.isEnd { character = ScalarCursor.scalar(text, &position) }
            place.isBeforeWord = !place.isEnd && isWordCharacter(character)
            if try follow(arrived.elements, pattern, steps, at: place) { return true }
            budget &-= waiting.count &+ arrived.count &+ 1
            if place.isEnd || budget < 0 { return false }
            arrived.truncate(to: 0)
            for index in 0..<waiting.count {
                let step = steps[pattern.firstStep &+ Int(waiting[index])]
                let takes =
                    step.operation == .character
                    ? step.operand == character
                    : character < 128
                        ? sets[Int(step.operand)].containsASCII(UInt8(character))
                        : sets[Int(step.operand)].contains(
                            character, ranges: ranges, category: GeneralCategory(of: character))
                if takes { try arrived.append(waiting[index] &+ 1) }
            }
            if !pattern.isAnchored { try arrived.append(0) }
            if arrived.count == 0 { return false }
            place = Place(isBehindWord: place.isBeforeWord)
        }
    }
}
