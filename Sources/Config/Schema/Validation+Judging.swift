// Whether a value passes, where that can be said at once. Nearly all values do, so this is asked
// first: nothing is noted, no frame is made, and the first thing that is wrong ends it. What is
// wrong, and what takes notes to find out, is left to frames.

extension Validation {
    /// What can be said at once.
    enum Verdict {
        case passes, fails
        /// It takes frames to find out.
        case open
    }

    /// How deep it goes into a value and a schema. A level takes some 400 bytes of the stack.
    static var mostLevels: Int { 24 }

    /// Judges a value, as a subschema sees it.
    @inline(__always)
    mutating func judge(
        _ call: UnsafePointer<Call>, _ node: UnsafePointer<Node>, levels: Int = mostLevels
    ) throws(Failure) -> Verdict {
        let types = call.pointee.types
        guard types == .any || types.contains(node.pointee) else { return .fails }
        // What is known to hold is not looked at again.
        let instructions =
            code.instructions + (Int(call.pointee.first) &+ (types == .any ? 0 : 1))
        switch call.pointee.extent {
        case .types: return .passes
        case .checks: return try checksHold(instructions, node) ? .passes : .fails
        case .plain: return try judge(instructions: instructions, node, levels: levels)
        case .notes: return .open
        }
    }

    /// Judges a value that is a part of one, or is that one.
    @inline(__always)
    private mutating func judge(part node: UnsafePointer<Node>, _ number: UInt32, levels: Int)
        throws(Failure) -> Verdict
    {
        let call = code.calls + Int(number)
        return try judge(
            call, coerces ? coerce(node, call.pointee.types) : node, levels: levels &- 1)
    }

    /// Judges a value by the instructions of a plain routine.
    @_optimize(speed) @inline(never)
    mutating func judge(
        instructions: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>, levels: Int
    ) throws(Failure) -> Verdict {
        guard levels > 0 else { return .open }
        try spend(1)
        guard try checksHold(instructions, node) else { return .fails }
        var instruction = instructions
        while instruction.pointee.operation.isCheck { instruction += 1 }
        while instruction.pointee.operation != .end {
            if instruction.pointee.types.hasKind(of: node.pointee) {
                let verdict = try judge(instruction, node, levels: levels)
                if verdict != .passes { return verdict }
            }
            instruction += 1
        }
        return .passes
    }

    /// Judges a value by one instruction that applies others.
    @inline(__always)
    private mutating func judge(
        _ instruction: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>, levels: Int
    ) throws(Failure) -> Verdict {
        let index = instruction.pointee.index
        let call = UInt32(truncatingIfNeeded: index)
        switch instruction.pointee.operation {
        case .members:
            return try judgeMembers(code.objectRules + index, node, evaluated: -1, levels: levels)
        case .elements: return try judgeElements(code.arrayRules + index, node, levels: levels)
        case .apply: return try judge(part: node, call, levels: levels)
        case .anyOf, .oneOf: return try judgeAlternatives(instruction, node, levels: levels)
        case .not:
            switch try judge(part: node, call, levels: levels) {
            case .passes: return .fails
            case .fails: return .passes
            case .open: return .open
            }
        default: return .open
        }
    }

    @inline(never)
    private mutating func judgeAlternatives(
        _ instruction: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>, levels: Int
    ) throws(Failure) -> Verdict {
        let isOneOf = instruction.pointee.operation == .oneOf
        let first = UInt32(truncatingIfNeeded: instruction.pointee.operand)
        var hasPassed = false
        for index in 0..<instruction.pointee.count {
            try spend(1)
            switch try judge(part: node, first &+ index, levels: levels) {
            case .passes:
                if !isOneOf { return .passes }
                if hasPassed { return .fails }
                hasPassed = true
            case .fails: break
            case .open: return .open
            }
        }
        return hasPassed ? .passes : .fails
    }

    /// Judges the elements of an array by a plain rule.
    @_optimize(speed) @inline(never)
    mutating func judgeElements(
        _ rule: UnsafePointer<ArrayRule>, _ node: UnsafePointer<Node>, levels: Int = mostLevels
    ) throws(Failure) -> Verdict {
        let count = Value(node).count
        try spend(count)
        var element = Value(node).first
        for _ in 0..<count {
            let verdict = try judge(part: element.node, rule.pointee.rest, levels: levels)
            if verdict != .passes { return verdict }
            element = element.after
        }
        return .passes
    }

    /// Judges the members of an object by a plain rule, and marks from the bit `evaluated` on
    /// those to which it applies anything; none when that is -1.
    @_optimize(speed) @inline(never)
    mutating func judgeMembers(
        _ rule: UnsafePointer<ObjectRule>, _ node: UnsafePointer<Node>, evaluated: Int,
        levels: Int = mostLevels
    ) throws(Failure) -> Verdict {
        let count = Value(node).count
        try spend(count)
        var missing = rule.pointee.requiredCount
        var entry = -1
        var name = Value(node).first
        for index in 0..<count {
            entry = code.entry(rule, name.content, after: entry)
            var call = rule.pointee.rest
            if entry >= 0 {
                let known = code.entries + (rule.pointee.firstEntry &+ entry)
                if known.pointee.isRequired { missing &-= 1 }
                if known.pointee.call != Call.none { call = known.pointee.call }
            }
            if call != Call.none {
                if evaluated >= 0 { setBit(index, evaluated) }
                let verdict = try judge(part: name.memberValue.node, call, levels: levels)
                if verdict != .passes { return verdict }
            }
            name = Value(name.node + 1).after
        }
        return missing > 0 ? .fails : .passes
    }

    /// Whether all checks of the value alone hold with which a routine begins.
    @_optimize(speed) @inline(never)
    private mutating func checksHold(
        _ instructions: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>
    ) throws(Failure) -> Bool {
        var instruction = instructions
        while instruction.pointee.operation.isCheck {
            if instruction.pointee.types.hasKind(of: node.pointee) {
                let isMet: Bool
                switch instruction.pointee.operation {
                case .minimum: isMet = compare(node, instruction) >= 0
                case .maximum: isMet = compare(node, instruction) <= 0
                case .enum: isMet = try isChoice(node, instruction)
                default: isMet = try holds(instruction, node)
                }
                if !isMet { return false }
            }
            instruction += 1
        }
        return true
    }

    @inline(__always)
    mutating func spend(_ steps: Int) throws(Failure) {
        budget &-= steps
        if budget < 0 { throw Validation.tooLong }
    }
}
