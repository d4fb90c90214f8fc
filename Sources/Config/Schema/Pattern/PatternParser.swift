// From the text of a regular expression to steps. Follows the grammar of ECMA-262, section 22.2.1,
// with the u flag, so that what is no expression there is none here. Groups lie on a list of their
// own: how deep they are nested costs no stack.

struct PatternParser: ~Copyable {
    private let text: Bytes
    private var position = 0
    private var groups: List<OpenGroup>
    private var set: CharacterSetBuilder
    /// Where the steps of the last atom begin; nil when there is nothing that could be repeated.
    private var atom: Int?
    private var firstStep = 0
    private var captureCount = 0
    /// The highest number that a back-reference named, and where.
    private var highestReference: (number: Int, position: Int) = (0, 0)
    private var hasNames = false
    private var namedReference: Int?
    /// The first thing that ECMA-262 has and this has not.
    private(set) var unsupported: Failure?

    private struct OpenGroup {
        var start: Int
        /// Where the steps of the alternative begin that is being read.
        var alternative: Int
        /// The last of the jumps from the ends of alternatives to the end of the group, each of
        /// which holds the place of the one before; -1 when there is none.
        var jumps: Int32 = -1
        var isRepeatable = true
    }

    init(_ text: Bytes, _ memory: Memory) {
        self.text = text
        groups = List(memory)
        set = CharacterSetBuilder(memory)
    }

    mutating func parse(into patterns: inout Patterns) throws(Failure) {
        firstStep = patterns.steps.count
        try groups.append(OpenGroup(start: firstStep, alternative: firstStep))
        while position < text.count { try parseTerm(&patterns) }
        guard groups.count == 1 else { throw wrong("a group is not closed") }
        closeAlternatives(&patterns)
        try append(&patterns, PatternStep(operation: .match))
        if highestReference.number > captureCount {
            throw wrong("refers to a group that is not there", at: highestReference.position)
        }
        if let namedReference, !hasNames {
            throw wrong("refers to a group that is not there", at: namedReference)
        }
    }

    // MARK: - Terms

    private mutating func parseTerm(_ patterns: inout Patterns) throws(Failure) {
        let start = position
        let byte = text[position]
        switch byte {
        case UInt8(ascii: "^"), UInt8(ascii: "$"):
            position &+= 1
            atom = nil
            try append(
                &patterns, PatternStep(operation: byte == UInt8(ascii: "^") ? .start : .end))
        case UInt8(ascii: "("):
            position &+= 1
            try openGroup(patterns)
        case UInt8(ascii: ")"):
            guard groups.count > 1 else { throw wrong("a parenthesis closes nothing") }
            position &+= 1
            closeGroup(&patterns)
        case UInt8(ascii: "|"):
            position &+= 1
            try nextAlternative(&patterns)
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
            let (fewest, most) = try parseQuantifier()
            guard let repeated = atom else {
                throw wrong("there is nothing to repeat", at: start)
            }
            atom = nil
            try repeatSteps(from: repeated, fewest, most, at: start, &patterns)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            throw wrong("a bracket is to be written with a backslash before it")
        case UInt8(ascii: "."):
            position &+= 1
            set.removeAll()
            try set.insertLineTerminators()
            try appendSet(isComplement: true, &patterns)
        case UInt8(ascii: "["):
            position &+= 1
            try parseSet(&patterns)
        case backslash:
            position &+= 1
            try parseEscape(&patterns)
        default:
            try appendCharacter(ScalarCursor.scalar(text, &position), &patterns)
        }
    }

    private mutating func parseEscape(_ patterns: inout Patterns) throws(Failure) {
        guard let byte = next else { throw wrong("ends with a backslash") }
        switch byte {
        case UInt8(ascii: "b"), UInt8(ascii: "B"):
            position &+= 1
            atom = nil
            try append(
                &patterns, PatternStep(operation: byte == UInt8(ascii: "b") ? .edge : .noEdge))
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            let start = position &- 1
            let number = parseNumber()
            if number > highestReference.number { highestReference = (number, start) }
            try appendUnsupported("back-references are not supported", at: start, &patterns)
        case UInt8(ascii: "k"):
            let start = position &- 1
            position &+= 1
            guard take(UInt8(ascii: "<")) else { throw wrong("expected the name of a group") }
            try parseGroupName()
            namedReference = start
            try appendUnsupported("back-references are not supported", at: start, &patterns)
        case UInt8(ascii: "p"), UInt8(ascii: "P"):
            set.removeAll()
            try parseProperty()
            try appendSet(isComplement: false, &patterns)
        default:
            set.removeAll()
            if try set.insertClass(byte) {
                position &+= 1
                try appendSet(isComplement: false, &patterns)
            } else {
                try appendCharacter(parseCharacterEscape(isInSet: false), &patterns)
            }
        }
    }

    /// The character that stands behind a backslash.
    private mutating func parseCharacterEscape(isInSet: Bool) throws(Failure) -> UInt32 {
        guard let byte = next else { throw wrong("ends with a backslash") }
        position &+= 1
        switch byte {
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "v"): return 0x0B
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "b") where isInSet: return 0x08
        case UInt8(ascii: "-") where isInSet: return UInt32(byte)
        case UInt8(ascii: "0"):
            if let digit = next, digit &- zero < 10 {
                throw wrong("octal escapes are not of ECMA-262 with the u flag")
            }
            return 0
        case UInt8(ascii: "c"):
            guard let letter = next, letter | 0x20 >= UInt8(ascii: "a"),
                letter | 0x20 <= UInt8(ascii: "z")
            else { throw wrong("expected a letter after \\c") }
            position &+= 1
            return UInt32(letter & 0x1F)
        case UInt8(ascii: "x"): return try parseHexadecimal(2)
        case UInt8(ascii: "u"): return try parseUnicodeEscape()
        case UInt8(ascii: "^"), UInt8(ascii: "$"), backslash, UInt8(ascii: "."),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: "|"), UInt8(ascii: "/"):
            return UInt32(byte)
        default:
            throw wrong(
                "ECMA-262 with the u flag knows no such escape sequence", at: position &- 2)
        }
    }

    private mutating func parseUnicodeEscape() throws(Failure) -> UInt32 {
        if take(UInt8(ascii: "{")) {
            var value: UInt32 = 0
            let start = position
            while let byte = next, let digit = hexadecimalDigit(byte) {
                value = value &<< 4 | UInt32(digit)
                position &+= 1
                guard value <= CodeRange.highest else {
                    throw wrong("there is no such character", at: start)
                }
            }
            guard position > start, take(UInt8(ascii: "}")) else {
                throw wrong("expected hexadecimal digits and }")
            }
            return value
        }
        let unit = try parseHexadecimal(4)
        guard unit & 0xFC00 == 0xD800, position &+ 1 < text.count, text[position] == backslash,
            text[position &+ 1] == UInt8(ascii: "u")
        else { return unit }
        // The other half of a pair, if it is one.
        let behind = position
        position &+= 2
        if next != UInt8(ascii: "{"), let low = try? parseHexadecimal(4), low & 0xFC00 == 0xDC00 {
            return 0x1_0000 &+ (unit & 0x3FF) &<< 10 &+ low & 0x3FF
        }
        position = behind
        return unit
    }

    private mutating func parseHexadecimal(_ count: Int) throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let byte = next, let digit = hexadecimalDigit(byte) else {
                throw wrong("expected a hexadecimal digit")
            }
            value = value &<< 4 | UInt32(digit)
            position &+= 1
        }
        return value
    }

    // MARK: - Sets

    private mutating func parseSet(_ patterns: inout Patterns) throws(Failure) {
        let start = position &- 1
        let isComplement = take(UInt8(ascii: "^"))
        set.removeAll()
        while true {
            guard let byte = next else { throw wrong("a set is not closed", at: start) }
            if byte == UInt8(ascii: "]") { break }
            let first = position
            let low = try parseSetMember()
            guard position &+ 1 < text.count, text[position] == UInt8(ascii: "-"),
                text[position &+ 1] != UInt8(ascii: "]")
            else {
                if let low { try set.insert(low, low) }
                continue
            }
            position &+= 1
            let high = try parseSetMember()
            guard let low, let high else { throw wrong("a class ends a range", at: first) }
            guard low <= high else { throw wrong("a range ends before it begins", at: first) }
            try set.insert(low, high)
        }
        position &+= 1
        try appendSet(isComplement: isComplement, &patterns)
    }

    /// Gives a character that may begin a range, or inserts a class and gives none.
    private mutating func parseSetMember() throws(Failure) -> UInt32? {
        guard let byte = next else { throw wrong("a set is not closed") }
        guard byte == backslash else { return ScalarCursor.scalar(text, &position) }
        position &+= 1
        guard let letter = next else { throw wrong("ends with a backslash") }
        if letter | 0x20 == UInt8(ascii: "p") {
            try parseProperty()
            return nil
        }
        if try set.insertClass(letter) {
            position &+= 1
            return nil
        }
        return try parseCharacterEscape(isInSet: true)
    }

    /// Inserts what `p{…}` or `P{…}` names.
    private mutating func parseProperty() throws(Failure) {
        let start = position &- 1
        let isComplement = take(UInt8(ascii: "P"))
        if !isComplement { position &+= 1 }
        guard take(UInt8(ascii: "{")), let length = rest.firstIndex(of: UInt8(ascii: "}")) else {
            throw wrong("expected a property in braces", at: start)
        }
        let property = Bytes(rebasing: rest[..<length])
        position &+= length &+ 1
        var name = property
        if let sign = property.firstIndex(of: UInt8(ascii: "=")) {
            let kind = Bytes(rebasing: property[..<sign])
            name = Bytes(rebasing: property[(sign &+ 1)...])
            if kind.isText("Script") || kind.isText("sc") || kind.isText("Script_Extensions")
                || kind.isText("scx")
            {
                return note("scripts are not supported in \\p{…}, only general categories", start)
            }
            guard kind.isText("General_Category") || kind.isText("gc") else {
                throw wrong("there is no such property", at: start)
            }
        }
        var categories: GeneralCategory
        if let named = GeneralCategory(name: name) {
            categories = named
        } else if name.isText("Any") {
            categories = .every
        } else if name.isText("Assigned") {
            categories = .every.subtracting(GeneralCategory(number: 29))
        } else if name.count == property.count, !name.isEmpty {
            return note("only general categories are supported in \\p{…}", start)
        } else {
            throw wrong("there is no such general category", at: start)
        }
        if isComplement { categories = .every.subtracting(categories) }
        set.insert(categories)
    }

    // MARK: - Groups

    private mutating func openGroup(_ patterns: borrowing Patterns) throws(Failure) {
        let start = position &- 1
        var group = OpenGroup(start: patterns.steps.count, alternative: patterns.steps.count)
        if take(UInt8(ascii: "?")) {
            switch next {
            case UInt8(ascii: ":"):
                position &+= 1
            case UInt8(ascii: "="), UInt8(ascii: "!"):
                position &+= 1
                group.isRepeatable = false
                note("look-ahead is not supported", start)
            case UInt8(ascii: "<"):
                position &+= 1
                if take(UInt8(ascii: "=")) || take(UInt8(ascii: "!")) {
                    group.isRepeatable = false
                    note("look-behind is not supported", start)
                } else {
                    try parseGroupName()
                    hasNames = true
                    captureCount &+= 1
                }
            default:
                try parseModifiers(start)
            }
        } else {
            captureCount &+= 1
        }
        atom = nil
        try groups.append(group)
    }

    /// `(?i-s:` and the like.
    private mutating func parseModifiers(_ start: Int) throws(Failure) {
        let first = position
        while let byte = next,
            byte == UInt8(ascii: "i") || byte == UInt8(ascii: "m")
                || byte == UInt8(ascii: "s") || byte == UInt8(ascii: "-")
        {
            position &+= 1
        }
        guard position > first, take(UInt8(ascii: ":")) else {
            throw wrong("ECMA-262 knows no such group", at: start)
        }
        note("modifiers of a group are not supported", start)
    }

    private mutating func parseGroupName() throws(Failure) {
        let start = position
        while let byte = next, byte != UInt8(ascii: ">") {
            let isLetter =
                byte >= 0x80 || isWordCharacter(UInt32(byte)) || byte == UInt8(ascii: "$")
            guard isLetter, position > start || byte &- zero >= 10 else { break }
            position &+= 1
        }
        guard position > start, take(UInt8(ascii: ">")) else {
            throw wrong("expected the name of a group and >")
        }
    }

    private mutating func nextAlternative(_ patterns: inout Patterns) throws(Failure) {
        var group = groups[groups.count &- 1]
        let length = patterns.steps.count &- group.alternative
        try makeRoom(2, patterns)
        try patterns.steps.insert(
            PatternStep(operation: .split, target: Int32(truncatingIfNeeded: length &+ 2)),
            at: group.alternative)
        let jump = Int32(truncatingIfNeeded: patterns.steps.count &- firstStep)
        try append(&patterns, PatternStep(operation: .jump, target: group.jumps))
        group.jumps = jump
        group.alternative = patterns.steps.count
        groups[groups.count &- 1] = group
        atom = nil
    }

    private mutating func closeGroup(_ patterns: inout Patterns) {
        closeAlternatives(&patterns)
        let group = groups[groups.count &- 1]
        groups.truncate(to: groups.count &- 1)
        atom = group.isRepeatable ? group.start : nil
    }

    /// Leads the ends of all alternatives to where the group ends.
    private func closeAlternatives(_ patterns: inout Patterns) {
        var jump = groups[groups.count &- 1].jumps
        let end = Int32(truncatingIfNeeded: patterns.steps.count &- firstStep)
        while jump >= 0 {
            let index = firstStep &+ Int(jump)
            let before = patterns.steps[index].target
            patterns.steps[index].target = end &- jump
            jump = before
        }
    }

    // MARK: - Repetition

    private mutating func parseQuantifier() throws(Failure) -> (fewest: Int, most: Int?) {
        let start = position
        let byte = text[position]
        position &+= 1
        var (fewest, most): (Int, Int?) = (0, nil)
        switch byte {
        case UInt8(ascii: "*"): break
        case UInt8(ascii: "+"): fewest = 1
        case UInt8(ascii: "?"): most = 1
        default:
            guard let digit = next, digit &- zero < 10 else {
                throw wrong("a brace is to be written with a backslash before it", at: start)
            }
            fewest = parseNumber()
            most = fewest
            if take(UInt8(ascii: ",")) {
                most = nil
                if let digit = next, digit &- zero < 10 { most = parseNumber() }
            }
            guard take(UInt8(ascii: "}")) else {
                throw wrong("expected } after a number of repetitions")
            }
            if let most, most < fewest {
                throw wrong("asks for more repetitions than it allows", at: start)
            }
        }
        // As few as possible or as many: whether there is a match does not depend on it.
        _ = take(UInt8(ascii: "?"))
        return (fewest, most)
    }

    /// A number, cut to one that is too large anyway.
    private mutating func parseNumber() -> Int {
        var number = 0
        while let byte = next, byte &- zero < 10 {
            number = min(number &* 10 &+ Int(byte &- zero), 1_000_000)
            position &+= 1
        }
        return number
    }

    /// Writes out how often the steps from `start` on are repeated.
    private mutating func repeatSteps(
        from start: Int, _ fewest: Int, _ most: Int?, at place: Int, _ patterns: inout Patterns
    ) throws(Failure) {
        let length = patterns.steps.count &- start
        if most == 0 || length == 0 {
            patterns.steps.truncate(to: start)
            return
        }
        // At most 10,000 × 1,000,000, far from overflowing.
        try makeRoom((most ?? max(fewest, 1)) &* (length &+ 1) &+ 1, patterns, at: place)
        let back = Int32(truncatingIfNeeded: length)
        if fewest == 0 {
            try patterns.steps.insert(PatternStep(operation: .split, target: back &+ 1), at: start)
        }
        let first = fewest == 0 ? start &+ 1 : start
        for _ in 1..<max(fewest, 1) { try copySteps(first, length, &patterns) }
        guard let most else {
            if fewest == 0 {
                // Around again, by way of the step that may pass it over.
                patterns.steps[start].target = back &+ 2
                try append(&patterns, PatternStep(operation: .jump, target: 0 &- back &- 1))
            } else {
                try append(&patterns, PatternStep(operation: .split, target: 0 &- back))
            }
            return
        }
        // Each further one may end it.
        let optional = most &- max(fewest, 1)
        for _ in 0..<optional {
            try append(&patterns, PatternStep(operation: .split))
            try copySteps(first, length, &patterns)
        }
        let end = patterns.steps.count
        for index in 0..<optional {
            let split = end &- (index &+ 1) &* (length &+ 1)
            patterns.steps[split].target = Int32(truncatingIfNeeded: end &- split)
        }
        if fewest == 0 {
            patterns.steps[start].target = Int32(truncatingIfNeeded: end &- start)
        }
    }

    private mutating func copySteps(_ start: Int, _ count: Int, _ patterns: inout Patterns)
        throws(Failure)
    {
        for index in start..<(start &+ count) { try patterns.steps.append(patterns.steps[index]) }
    }

    // MARK: - Steps

    private mutating func appendCharacter(_ character: UInt32, _ patterns: inout Patterns)
        throws(Failure)
    {
        atom = patterns.steps.count
        try append(&patterns, PatternStep(operation: .character, operand: character))
    }

    private mutating func appendSet(isComplement: Bool, _ patterns: inout Patterns)
        throws(Failure)
    {
        atom = patterns.steps.count
        let number = UInt32(truncatingIfNeeded: patterns.sets.count)
        try patterns.sets.append(set.finish(isComplement: isComplement, into: &patterns.ranges))
        try append(&patterns, PatternStep(operation: .set, operand: number))
    }

    /// Stands in for what is not supported, so that the rest can be read.
    private mutating func appendUnsupported(
        _ what: StaticString, at start: Int, _ patterns: inout Patterns
    ) throws(Failure) {
        note(what, start)
        atom = patterns.steps.count
        try append(&patterns, PatternStep(operation: .start))
    }

    private func append(_ patterns: inout Patterns, _ step: PatternStep) throws(Failure) {
        try makeRoom(1, patterns)
        try patterns.steps.append(step)
    }

    private func makeRoom(
        _ more: Int, _ patterns: borrowing Patterns, at place: Int? = nil
    ) throws(Failure) {
        guard patterns.steps.count &- firstStep &+ more <= Patterns.mostSteps else {
            throw wrong("is too large, all repetitions written out", at: place ?? position)
                .replacing(kind: .limit)
        }
    }

    // MARK: - Text

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private var rest: Bytes { Bytes(rebasing: text[position...]) }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position &+= 1
        return true
    }

    private mutating func note(_ what: StaticString, _ start: Int) {
        if unsupported == nil { unsupported = wrong(what, at: start) }
    }

    private func wrong(_ what: StaticString, at start: Int? = nil) -> Failure {
        Failure(
            .invalidArgument, .validate, key: "", "\(what)", osErrno: 0, line: 0,
            column: UInt32(truncatingIfNeeded: (start ?? position) &+ 1))
    }
}

private let backslash = UInt8(ascii: "\\")
