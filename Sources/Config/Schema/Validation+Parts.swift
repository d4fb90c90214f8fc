// What a schema says of the elements of an array and the members of an object, where it takes a
// frame to find out. Members are visited once, whatever the schema says of them: one look-up finds
// all that it says of a name.

extension Validation {
    // MARK: - Elements

    mutating func elements(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let rule = code.arrayRules + instruction.pointee.index
        let count = Value(frame.pointee.node).count
        if frame.pointee.step == 0 {
            if rule.pointee.isPlain, !frame.pointee.flags.contains(.isJudged) {
                markAll(frame)
                let verdict = try judgeElements(rule, frame.pointee.node)
                if verdict == .passes { return .next }
                if verdict == .fails, frame.pointee.isQuiet { return failPart(frame) }
            }
            frame.pointee.step = 1
            frame.pointee.part = 0
            frame.pointee.index = 0
            frame.pointee.tally = 0
            frame.pointee.cursor = Value(frame.pointee.node).first.node
        } else if frame.pointee.part == 1 {
            if !passed, failPart(frame) == .stop { return .stop }
        } else {
            countContained(passed, frame)
        }
        // Without a rule for the rest only the first elements matter.
        let isAll = rule.pointee.rest != Call.none || rule.pointee.contains != Call.none
        let end = isAll ? count : min(count, Int(rule.pointee.prefixCount))
        while frame.pointee.index < end {
            budget &-= 1
            if budget < 0 { throw Validation.tooLong }
            if frame.pointee.part == 0 {
                frame.pointee.part = 1
                let outcome = try attemptElement(rule, frame)
                if outcome == .waits { return .wait }
                if outcome == .failed, failPart(frame) == .stop { return .stop }
            }
            if frame.pointee.part == 1 {
                frame.pointee.part = 2
                if rule.pointee.contains != Call.none {
                    let outcome = try attempt(
                        rule.pointee.contains, frame.pointee.cursor, [], isQuiet: true)
                    if outcome == .waits { return .wait }
                    countContained(outcome == .passed, frame)
                }
            }
            frame.pointee.part = 0
            frame.pointee.index &+= 1
            frame.pointee.cursor = Value(frame.pointee.cursor).after.node
        }
        guard rule.pointee.contains != Call.none else { return .next }
        let tally = UInt64(truncatingIfNeeded: frame.pointee.tally)
        if tally >= rule.pointee.fewest, tally <= rule.pointee.most { return .next }
        return try fail(instruction, frame)
    }

    private func countContained(_ isContained: Bool, _ frame: UnsafeMutablePointer<Frame>) {
        guard isContained else { return }
        frame.pointee.tally &+= 1
        mark(frame.pointee.index, frame)
    }

    /// Applies to an element what `prefixItems` or `items` have for it.
    @inline(__always)
    private mutating func attemptElement(
        _ rule: UnsafePointer<ArrayRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Outcome {
        let index = frame.pointee.index
        var call = rule.pointee.rest
        if index < Int(rule.pointee.prefixCount) {
            call = rule.pointee.firstPrefix &+ UInt32(truncatingIfNeeded: index)
        }
        if call == Call.none { return .passed }
        mark(index, frame)
        return try attempt(
            call, frame.pointee.cursor, [], isQuiet: frame.pointee.isQuiet)
    }

    // MARK: - Members

    /// What is applied to a member, one part after the other.
    private enum Part {
        static var name: UInt32 { 0 }
        static var value: UInt32 { 1 }
        /// As many parts as there are patterns follow; then comes what is for the rest.
        static var firstPattern: UInt32 { 2 }
    }

    mutating func members(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let rule = code.objectRules + instruction.pointee.index
        if frame.pointee.step == 0 {
            if rule.pointee.isPlain, !frame.pointee.flags.contains(.isJudged) {
                let verdict = try judgeMembers(
                    rule, frame.pointee.node, evaluated: frame.pointee.evaluated)
                if verdict == .passes { return .next }
                if verdict == .fails, frame.pointee.isQuiet { return failPart(frame) }
            }
            frame.pointee.step = 1
            frame.pointee.part = 0
            frame.pointee.index = 0
            frame.pointee.tally = 0
            frame.pointee.entry = -1
            frame.pointee.cursor = Value(frame.pointee.node).first.node
            if rule.pointee.notesNames { try noteNames(rule, frame) }
        } else if !passed, failPart(frame) == .stop {
            return .stop
        }
        if frame.pointee.step == 1 {
            let flow = try visitMembers(rule, frame)
            if flow != .next { return flow }
            frame.pointee.step = 2
            frame.pointee.index = -1
            let flowOfNames = try checkNames(rule, frame)
            if flowOfNames != .next { return flowOfNames }
        }
        return try applyDependentSchemas(rule, frame)
    }

    private mutating func visitMembers(
        _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let count = Value(frame.pointee.node).count
        let patternCount = UInt32(truncatingIfNeeded: rule.pointee.patternCount)
        while frame.pointee.index < count {
            let name = Value(frame.pointee.cursor)
            if frame.pointee.part == Part.name {
                budget &-= 1
                if budget < 0 { throw Validation.tooLong }
                frame.pointee.part = Part.value
                note(name, rule, frame)
                if rule.pointee.names != Call.none {
                    let outcome = try attempt(
                        rule.pointee.names, name.node, [], isQuiet: frame.pointee.isQuiet)
                    if outcome == .waits { return .wait }
                    if outcome == .failed, failPart(frame) == .stop { return .stop }
                }
            }
            while frame.pointee.part <= Part.firstPattern &+ patternCount {
                let part = frame.pointee.part
                frame.pointee.part = part &+ 1
                guard let call = try call(part, rule, name, frame) else { continue }
                let outcome = try attempt(
                    call, name.memberValue.node, [], isQuiet: frame.pointee.isQuiet)
                if outcome == .waits { return .wait }
                if outcome == .failed, failPart(frame) == .stop { return .stop }
            }
            frame.pointee.part = Part.name
            frame.pointee.index &+= 1
            frame.pointee.cursor = Value(name.node + 1).after.node
        }
        return .next
    }

    /// Looks up a member's name, and notes that it was there.
    @inline(__always)
    private func note(
        _ name: Value, _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) {
        let entry = code.entry(rule, name.content, after: frame.pointee.entry)
        frame.pointee.entry = entry
        frame.pointee.flags.remove(.hasApplied)
        guard entry >= 0 else { return }
        if frame.pointee.seen >= 0 { setBit(entry, frame.pointee.seen) }
        let known = code.entries + (rule.pointee.firstEntry &+ entry)
        if known.pointee.isRequired { frame.pointee.tally &+= 1 }
    }

    /// The call that a part makes for a member, if it makes one.
    @inline(__always)
    private mutating func call(
        _ part: UInt32, _ rule: UnsafePointer<ObjectRule>, _ name: Value,
        _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> UInt32? {
        if part == Part.value {
            let entry = frame.pointee.entry
            guard entry >= 0 else { return nil }
            let known = code.entries + (rule.pointee.firstEntry &+ entry)
            let call = known.pointee.call
            if call == Call.none { return nil }
            noteApplied(frame)
            return call
        }
        let number = Int(part &- Part.firstPattern)
        if number < rule.pointee.patternCount {
            let pattern = code.patternRules[rule.pointee.firstPattern &+ number]
            budget &-= 1
            guard try matches(Int(pattern.pattern), name.content) else { return nil }
            noteApplied(frame)
            return pattern.call
        }
        // What is for members that nothing else was applied to.
        guard rule.pointee.rest != Call.none, !frame.pointee.flags.contains(.hasApplied) else {
            return nil
        }
        noteApplied(frame)
        return rule.pointee.rest
    }

    private func noteApplied(_ frame: UnsafeMutablePointer<Frame>) {
        frame.pointee.flags.formUnion(.hasApplied)
        mark(frame.pointee.index, frame)
    }

    /// Makes room to note which of the known names are there.
    private mutating func noteNames(
        _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) {
        let words = Validation.words(rule.pointee.entryCount)
        frame.pointee.seen = bits.count
        try bits.append(repeating: 0, count: words)
        budget &-= words
    }

    // MARK: - Names

    /// Whether all names are there that are asked for, by the schema or by other names.
    private mutating func checkNames(
        _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        if frame.pointee.tally < rule.pointee.requiredCount {
            if failPart(frame) == .stop { return .stop }
            try reportMissing(rule, frame)
        }
        let first = frame.pointee.seen
        budget &-= rule.pointee.dependentCount
        for number in 0..<rule.pointee.dependentCount {
            let dependent = schema.program.dependents[rule.pointee.firstDependent &+ number]
            guard isMarked(Int(dependent.trigger), first), !isMarked(Int(dependent.needed), first)
            else { continue }
            if failPart(frame) == .stop { return .stop }
            try report(dependent, rule, frame.pointee)
        }
        return .next
    }

    /// Reports each required name that is not there.
    private mutating func reportMissing(
        _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) {
        let start = bits.count
        budget &-= rule.pointee.entryCount &+ Value(frame.pointee.node).count
        try bits.append(repeating: 0, count: Validation.words(rule.pointee.entryCount))
        var name = Value(frame.pointee.node).first
        for _ in 0..<Value(frame.pointee.node).count {
            let entry = code.entry(rule, name.content)
            if entry >= 0 { setBit(entry, start) }
            name = name.after.after
        }
        for number in 0..<rule.pointee.entryCount where !isMarked(number, start) {
            let entry = code.entries[rule.pointee.firstEntry &+ number]
            if entry.isRequired { try reportMissing(Value(entry.name), frame.pointee) }
        }
        bits.truncate(to: start)
    }

    /// Applies to the object what the names that are there ask for.
    private mutating func applyDependentSchemas(
        _ rule: UnsafePointer<ObjectRule>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        while true {
            frame.pointee.index &+= 1
            let number = frame.pointee.index
            guard number < Int(rule.pointee.schemaCallCount) else { return .next }
            budget &-= 1
            let entry = schema.program.schemaEntries[rule.pointee.firstSchemaEntry &+ number]
            guard isMarked(Int(entry), frame.pointee.seen) else { continue }
            let outcome = try attempt(
                rule.pointee.firstSchemaCall &+ UInt32(truncatingIfNeeded: number),
                frame.pointee.node, .isInPlace, isQuiet: frame.pointee.isQuiet)
            if outcome == .waits { return .wait }
            if outcome == .failed, failPart(frame) == .stop { return .stop }
        }
    }
}
