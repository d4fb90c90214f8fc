// What a schema says of a value without looking at what applies to its parts: types, limits,
// patterns, and what it is equal to.

extension Validation {
    /// Whether what an instruction says holds for a value of a kind that it says something of.
    @_optimize(speed) @inline(never)
    mutating func holds(
        _ instruction: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>
    ) throws(Failure) -> Bool {
        let limit = instruction.pointee.operand
        switch instruction.pointee.operation {
        case .type:
            return TypeSet(rawValue: UInt8(truncatingIfNeeded: limit)).contains(node.pointee)
        case .minimum: return compare(node, instruction) >= 0
        case .maximum: return compare(node, instruction) <= 0
        case .minLength:
            let text = Value(node).content
            // A character takes four bytes at most.
            return UInt64(text.count &>> 2) >= limit
                || UInt64(text.count) >= limit && characterCount(text) >= limit
        case .maxLength:
            let text = Value(node).content
            return UInt64(text.count) <= limit || characterCount(text) <= limit
        case .exclusiveMinimum: return exclusiveCompare(node, instruction) > 0
        case .exclusiveMaximum: return exclusiveCompare(node, instruction) < 0
        case .minItems, .minProperties: return UInt64(Value(node).count) >= limit
        case .maxItems, .maxProperties: return UInt64(Value(node).count) <= limit
        case .multipleOf: return isMultiple(node, instruction)
        case .enum: return try isChoice(node, instruction)
        case .const: return try isConstant(node, instruction)
        case .pattern: return try matches(Int(limit), Value(node).content)
        case .format:
            return try hasFormat(node, UInt8(truncatingIfNeeded: limit))
        case .uniqueItems: return try firstRepeated(node) == nil
        case .never: return false
        case .track, .apply, .applyDynamic, .elements, .members, .anyOf, .oneOf, .not, .condition,
            .unevaluatedItems, .unevaluatedProperties, .end:
            return true
        }
    }

    // MARK: - Numbers

    // All of them are mutating, although they change nothing: what only borrows a validation is
    // given a copy of it.

    /// The number that a value is, or that its text reads as.
    @inline(__always)
    mutating func number(of node: UnsafePointer<Node>) -> Number? {
        Number(node.pointee) ?? numberOfText(node)
    }

    private mutating func numberOfText(_ node: UnsafePointer<Node>) -> Number? {
        guard isText(node) else { return nil }
        return Value(node).read(0).flatMap { Number($0) }
    }

    /// How a value compares with an instruction's limit; as equal when it is no number.
    @inline(__always)
    mutating func compare(
        _ node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>
    ) -> Int {
        number(of: node)?.compared(to: instruction.pointee.number) ?? 0
    }

    /// Likewise, but as different in the right direction.
    private mutating func exclusiveCompare(
        _ node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>
    ) -> Int {
        let isMinimum = instruction.pointee.operation == .exclusiveMinimum
        return number(of: node)?.compared(to: instruction.pointee.number) ?? (isMinimum ? 1 : -1)
    }

    @inline(never)
    private mutating func isMultiple(
        _ node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>
    ) -> Bool {
        number(of: node)?.isMultiple(of: instruction.pointee.number) ?? true
    }

    // MARK: - Text

    @inline(never)
    private mutating func hasFormat(_ node: UnsafePointer<Node>, _ format: UInt8) throws(Failure)
        -> Bool
    {
        let text = Value(node).content
        budget &-= text.count
        return try StringFormat(rawValue: format)?.accepts(text, memory) ?? true
    }

    mutating func matches(_ pattern: Int, _ text: Bytes) throws(Failure) -> Bool {
        try schema.program.patterns.matches(pattern, text, &patternScratch, budget: &budget)
    }

    private mutating func characterCount(_ text: Bytes) -> UInt64 {
        budget &-= text.count &>> 4
        return UInt64(text.characterCount)
    }

    // MARK: - Equality

    private mutating func isConstant(
        _ node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>
    ) throws(Failure) -> Bool {
        guard
            let constant = UnsafePointer<Node>(bitPattern: UInt(instruction.pointee.operand))
        else { return false }
        return try isAny(of: node, instruction) { validation, node throws(Failure) in
            try validation.areEqual(node, constant)
        }
    }

    mutating func isChoice(
        _ node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>
    ) throws(Failure) -> Bool {
        let number = instruction.pointee.index
        return try isAny(of: node, instruction) { validation, node throws(Failure) in
            try validation.isChoice(node, number)
        }
    }

    /// Whether something holds for a value, or for what its text reads as.
    @inline(__always)
    private mutating func isAny(
        of node: UnsafePointer<Node>, _ instruction: UnsafePointer<Instruction>,
        _ holds: (inout Validation, UnsafePointer<Node>) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        if try holds(&self, node) { return true }
        guard instruction.pointee.flags.contains(.readsText), isText(node) else { return false }
        for reading in Value.textReadings {
            guard let read = Value(node).read(reading) else { continue }
            if try holds(&self, stand(in: read, for: node)) { return true }
        }
        return false
    }

    private mutating func isChoice(_ node: UnsafePointer<Node>, _ number: Int) throws(Failure)
        -> Bool
    {
        let rule = code.enumRules[number]
        if !rule.isIndexed || isListing(node) {
            var choice = Value(rule.values).first
            for _ in 0..<rule.count {
                if try areEqual(node, choice.node) { return true }
                choice = choice.after
            }
            return false
        }
        let hash = Hash.mix(
            try hash(of: node), UInt64(truncatingIfNeeded: number))
        let choices = rule.firstChoice..<(rule.firstChoice &+ rule.count)
        let schema = schema
        return try schema.program.choiceIndex.find(hash: hash) { choice throws(Failure) in
            guard choices.contains(choice) else { return false }
            return try areEqual(node, schema.program.choices[choice])
        } != nil
    }

    @inline(__always)
    private mutating func areEqual(_ a: UnsafePointer<Node>, _ b: UnsafePointer<Node>)
        throws(Failure) -> Bool
    {
        if !Value(a).isContainer { return Equality.areEqual(scalar: Value(a), Value(b)) }
        return try areEqualContainers(a, b)
    }

    @inline(never)
    private mutating func areEqualContainers(_ a: UnsafePointer<Node>, _ b: UnsafePointer<Node>)
        throws(Failure) -> Bool
    {
        guard Value(a).type == Value(b).type, Value(a).count == Value(b).count else { return false }
        budget &-= Value(b).after.node - b
        return try equality.areEqual(Value(a), Value(b))
    }

    private mutating func hash(of node: UnsafePointer<Node>) throws(Failure) -> UInt64 {
        if Value(node).isContainer { budget &-= Value(node).after.node - node }
        return try equality.hash(Value(node))
    }

    private mutating func firstRepeatedOfFew(_ array: Value) throws(Failure) -> (Int, Int)? {
        var later = array.first
        for number in 0..<array.count {
            var earlier = array.first
            for other in 0..<number {
                if try areEqual(earlier.node, later.node) { return (other, number) }
                earlier = earlier.after
            }
            later = later.after
        }
        return nil
    }

    /// The numbers of two elements of an array that are the same, the later one as low as can be.
    mutating func firstRepeated(_ node: UnsafePointer<Node>) throws(Failure) -> (Int, Int)? {
        let array = Value(node)
        if array.count < 2 { return nil }
        budget &-= array.after.node - node
        if array.count <= 8 { return try firstRepeatedOfFew(array) }
        var seen = HashIndex(memory)
        var items = List<UnsafePointer<Node>>(memory)
        try items.reserve(array.count)
        var item = array.first
        for number in 0..<array.count {
            try items.append(item.node)
            let hash = try equality.hash(item)
            let other = try seen.find(hash: hash) { candidate throws(Failure) in
                try areEqual(items[candidate], item.node)
            }
            if let other { return (other, number) }
            try seen.insert(number, hash: hash)
            item = item.after
        }
        return nil
    }
}

extension Bytes {
    /// How many characters (Unicode scalars) of UTF-8 these bytes are.
    var characterCount: Int {
        var count = 0
        for byte in self where byte & 0xC0 != 0x80 { count &+= 1 }
        return count
    }
}
