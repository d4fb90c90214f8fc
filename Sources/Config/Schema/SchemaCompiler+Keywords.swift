// What each keyword is compiled to. The order within a routine is chosen, not found: what costs
// least comes first, and what wants to know of the others last.

extension SchemaCompiler {
    /// What `type` says.
    func types(_ keywords: borrowing Keywords) -> TypeSet {
        guard let value = keywords[.type] else { return .any }
        if let single = try? value.string { return TypeSet(name: single) ?? .any }
        var types: TypeSet = []
        var name = value.first
        for _ in 0..<value.count {
            types.formUnion(TypeSet(name: name.content) ?? [])
            name = name.after
        }
        return types
    }

    // MARK: - Checks of the value alone

    mutating func writeChecks(_ keywords: borrowing Keywords, _ subschema: Subschema)
        throws(Failure)
    {
        if keywords[.type] != nil {
            try append(.type, .type, .any, operand: UInt64(types(keywords).rawValue))
        }
        // Text stays text where the schema says nothing of types; a number is then what is looked
        // for in it.
        let readsText: Instruction.Flags = keywords[.type] == nil ? .readsText : []
        try writeNumber(keywords[.minimum], .minimum, .minimum, readsText)
        try writeNumber(keywords[.maximum], .maximum, .maximum, readsText)
        try writeNumber(
            keywords[.exclusiveMinimum], .exclusiveMinimum, .exclusiveMinimum, readsText)
        try writeNumber(
            keywords[.exclusiveMaximum], .exclusiveMaximum, .exclusiveMaximum, readsText)
        try writeNumber(keywords[.multipleOf], .multipleOf, .multipleOf, readsText)
        try writeCount(keywords[.minLength], .minLength, .minLength, .string)
        try writeCount(keywords[.maxLength], .maxLength, .maxLength, .string)
        try writeCount(keywords[.minItems], .minItems, .minItems, .array)
        try writeCount(keywords[.maxItems], .maxItems, .maxItems, .array)
        try writeCount(keywords[.minProperties], .minProperties, .minProperties, .object)
        try writeCount(keywords[.maxProperties], .maxProperties, .maxProperties, .object)
        if let value = keywords[.const] {
            try append(
                .const, .const, .any, operand: UInt64(UInt(bitPattern: value.node)),
                flags: readsText)
        }
        if let values = keywords[.enum] { try writeEnum(values, readsText) }
        if let pattern = keywords[.pattern] {
            try append(
                .pattern, .pattern, .string,
                operand: UInt64(try program.patterns.add(pattern.content)))
        }
        if keywords.assertsFormat, let name = keywords[.format],
            let format = StringFormat(name: name.content)
        {
            try append(.format, .format, .string, operand: UInt64(format.rawValue))
        }
        if keywords[.uniqueItems]?.node.pointee.payload == 1 {
            try append(.uniqueItems, .uniqueItems, .array)
        }
    }

    private mutating func writeNumber(
        _ value: Value?, _ operation: Instruction.Operation, _ keyword: Keyword,
        _ readsText: Instruction.Flags
    ) throws(Failure) {
        guard let value else { return }
        try append(
            operation, keyword, readsText.isEmpty ? .number : [.int64, .double, .string],
            operand: value.node.pointee.payload,
            flags: value.type == .double ? readsText.union(.isDouble) : readsText)
    }

    private mutating func writeCount(
        _ value: Value?, _ operation: Instruction.Operation, _ keyword: Keyword, _ types: TypeSet
    ) throws(Failure) {
        guard let value else { return }
        try append(operation, keyword, types, operand: SchemaCompiler.count(value))
    }

    /// A limit on how many there may be. Those of 2^64 and more, which no count can reach, are the
    /// largest, which no double is.
    private static func count(_ value: Value) -> UInt64 {
        switch Number(value.node.pointee) {
        case .integer(let limit): UInt64(max(limit, 0))
        case .double(let limit): limit < 0x1p64 ? UInt64(max(limit, 0)) : .max
        case nil: 0
        }
    }

    private mutating func writeEnum(_ values: Value, _ readsText: Instruction.Flags)
        throws(Failure)
    {
        var rule = EnumRule(
            values: values.node, count: values.count, firstChoice: program.choices.count,
            isIndexed: values.count > 8)
        if rule.isIndexed {
            var equality = Equality(seed: program.seed, memory)
            let number = UInt64(truncatingIfNeeded: program.enumRules.count)
            var choice = values.first
            for _ in 0..<values.count {
                let hash = Hash.mix(try equality.hash(choice), number)
                try program.choiceIndex.insert(program.choices.count, hash: hash)
                try program.choices.append(choice.node)
                choice = choice.after
            }
        } else {
            rule.firstChoice = 0
        }
        try append(
            .enum, .enum, .any, operand: UInt64(program.enumRules.count), flags: readsText)
        try program.enumRules.append(rule)
    }

    // MARK: - What applies other schemas

    mutating func writeCalls(_ keywords: borrowing Keywords, _ subschema: Subschema)
        throws(Failure)
    {
        var tracked: TypeSet = []
        if keywords[.unevaluatedItems] != nil { tracked.formUnion(.array) }
        if keywords[.unevaluatedProperties] != nil { tracked.formUnion(.object) }
        if !tracked.isEmpty { try append(.track, .schema, tracked) }
        if let reference = keywords[.ref] {
            try program.instructions.append(instruction(for: reference, of: subschema, .ref))
        }
        if let reference = keywords[.dynamicRef] {
            try program.instructions.append(
                instruction(for: reference, of: subschema, .dynamicRef))
        }
        if let schemas = keywords[.allOf] {
            let (first, count) = try calls(schemas, of: subschema, .allOf)
            for index in 0..<count {
                try append(.apply, .allOf, .any, count: 1, operand: UInt64(first &+ index))
            }
        }
        try writeArrayRule(keywords, subschema)
        try writeObjectRule(keywords, subschema)
        if let schemas = keywords[.anyOf] {
            let (first, count) = try calls(schemas, of: subschema, .anyOf)
            try append(.anyOf, .anyOf, .any, count: count, operand: UInt64(first))
        }
        if let schemas = keywords[.oneOf] {
            let (first, count) = try calls(schemas, of: subschema, .oneOf)
            try append(.oneOf, .oneOf, .any, count: count, operand: UInt64(first))
        }
        if let schema = keywords[.not] {
            let call = try call(schema, of: subschema, .not)
            try append(.not, .not, .any, count: 1, operand: UInt64(call))
        }
        try writeCondition(keywords, subschema)
        if let schema = keywords[.unevaluatedItems] {
            let call = try call(schema, of: subschema, .unevaluatedItems)
            try append(
                .unevaluatedItems, .unevaluatedItems, .array, count: 1, operand: UInt64(call))
        }
        if let schema = keywords[.unevaluatedProperties] {
            let call = try call(schema, of: subschema, .unevaluatedProperties)
            try append(
                .unevaluatedProperties, .unevaluatedProperties, .object, count: 1,
                operand: UInt64(call))
        }
    }

    /// Calls for an array of schemas, one after the other.
    private mutating func calls(_ schemas: Value, of subschema: Subschema, _ keyword: Keyword)
        throws(Failure) -> (first: Int, count: Int)
    {
        let first = program.calls.count
        var schema = schemas.first
        for index in 0..<schemas.count {
            _ = try call(schema, of: subschema, keyword, index: index)
            schema = schema.after
        }
        return (first, schemas.count)
    }

    private mutating func writeCondition(_ keywords: borrowing Keywords, _ subschema: Subschema)
        throws(Failure)
    {
        guard let condition = keywords[.if] else { return }
        var flags: Instruction.Flags = []
        let first = try call(condition, of: subschema, .if)
        if let schema = keywords[.then] {
            _ = try call(schema, of: subschema, .then)
            flags.formUnion(.hasThen)
        }
        if let schema = keywords[.else] {
            _ = try call(schema, of: subschema, .else)
            flags.formUnion(.hasElse)
        }
        try append(
            .condition, .if, .any, count: program.calls.count &- Int(first),
            operand: UInt64(first), flags: flags)
    }

    private mutating func writeArrayRule(_ keywords: borrowing Keywords, _ subschema: Subschema)
        throws(Failure)
    {
        var rule = ArrayRule()
        var keyword = Keyword.items
        if let schemas = keywords[.prefixItems] {
            let (first, count) = try calls(schemas, of: subschema, .prefixItems)
            rule.firstPrefix = UInt32(truncatingIfNeeded: first)
            rule.prefixCount = UInt32(truncatingIfNeeded: count)
        }
        if let schema = keywords[.items] {
            rule.rest = try call(schema, of: subschema, .items)
        }
        if let schema = keywords[.contains] {
            rule.contains = try call(schema, of: subschema, .contains)
            keyword = .contains
            if let fewest = keywords[.minContains] { rule.fewest = SchemaCompiler.count(fewest) }
            if let most = keywords[.maxContains] { rule.most = SchemaCompiler.count(most) }
        }
        guard rule.prefixCount > 0 || rule.rest != Call.none || rule.contains != Call.none else {
            return
        }
        try append(.elements, keyword, .array, operand: UInt64(program.arrayRules.count))
        try program.arrayRules.append(rule)
    }

    // MARK: - Objects

    private mutating func writeObjectRule(_ keywords: borrowing Keywords, _ subschema: Subschema)
        throws(Failure)
    {
        var rule = ObjectRule()
        rule.firstEntry = program.entries.count
        rule.firstPattern = program.patternRules.count
        rule.firstDependent = program.dependents.count
        var names = HashIndex(memory)
        try forEachMember(of: keywords[.properties]) { compiler, name, schema throws(Failure) in
            let entry = try compiler.entry(name, rule.firstEntry, &names)
            compiler.program.entries[rule.firstEntry &+ entry].call = try compiler.call(
                schema, of: subschema, .properties, name: name)
        }
        if let required = keywords[.required] {
            var name = required.first
            for _ in 0..<required.count {
                let entry = try entry(name, rule.firstEntry, &names)
                program.entries[rule.firstEntry &+ entry].isRequired = true
                name = name.after
            }
            rule.requiredCount = required.count
        }
        try forEachMember(of: keywords[.patternProperties]) {
            compiler, name, schema throws(Failure) in
            let pattern = try compiler.program.patterns.add(name.content)
            let call = try compiler.call(schema, of: subschema, .patternProperties, name: name)
            try compiler.program.patternRules.append(
                PatternRule(pattern: UInt32(truncatingIfNeeded: pattern), call: call))
        }
        rule.patternCount = program.patternRules.count &- rule.firstPattern
        try writeDependents(keywords, .dependentRequired, rule, &names)
        try writeDependents(keywords, .dependencies, rule, &names)
        rule.dependentCount = program.dependents.count &- rule.firstDependent
        rule.firstSchemaCall = UInt32(truncatingIfNeeded: program.calls.count)
        rule.firstSchemaEntry = program.schemaEntries.count
        try writeSchemaCalls(keywords, .dependentSchemas, subschema, rule, &names)
        try writeSchemaCalls(keywords, .dependencies, subschema, rule, &names)
        rule.schemaCallCount = UInt32(
            truncatingIfNeeded: program.schemaEntries.count &- rule.firstSchemaEntry)
        // Calls for all other members come last: those of one kind are to lie in one row.
        if let schema = keywords[.additionalProperties] {
            rule.rest = try call(schema, of: subschema, .additionalProperties)
        }
        if let schema = keywords[.propertyNames] {
            rule.names = try call(schema, of: subschema, .propertyNames)
        }
        rule.entryCount = program.entries.count &- rule.firstEntry
        guard rule.appliesAnything else { return }
        try writeSlots(&rule)
        try append(
            .members, .properties, .object, operand: UInt64(program.objectRules.count))
        try program.objectRules.append(rule)
    }

    private mutating func writeDependents(
        _ keywords: borrowing Keywords, _ keyword: Keyword, _ rule: ObjectRule,
        _ names: inout HashIndex
    ) throws(Failure) {
        try forEachMember(of: keywords[keyword]) { compiler, name, needed throws(Failure) in
            guard needed.type == .array else { return }
            let trigger = try compiler.entry(name, rule.firstEntry, &names)
            var other = needed.first
            for _ in 0..<needed.count {
                let entry = try compiler.entry(other, rule.firstEntry, &names)
                try compiler.program.dependents.append(
                    Dependent(
                        trigger: UInt32(truncatingIfNeeded: trigger),
                        needed: UInt32(truncatingIfNeeded: entry), keyword: keyword))
                other = other.after
            }
        }
    }

    private mutating func writeSchemaCalls(
        _ keywords: borrowing Keywords, _ keyword: Keyword, _ subschema: Subschema,
        _ rule: ObjectRule, _ names: inout HashIndex
    ) throws(Failure) {
        try forEachMember(of: keywords[keyword]) { compiler, name, schema throws(Failure) in
            guard SchemaDocument.isSchema(schema) else { return }
            let entry = try compiler.entry(name, rule.firstEntry, &names)
            try compiler.program.schemaEntries.append(UInt32(truncatingIfNeeded: entry))
            _ = try compiler.call(schema, of: subschema, keyword, name: name)
        }
    }

    private mutating func forEachMember(
        of object: Value?,
        _ visit: (inout SchemaCompiler, _ name: Value, _ value: Value) throws(Failure) -> Void
    ) throws(Failure) {
        guard let object else { return }
        var name = object.first
        for _ in 0..<object.count {
            try visit(&self, name, name.after)
            name = name.after.after
        }
    }

    /// The number of a name's entry among those of its rule.
    private mutating func entry(_ name: Value, _ firstEntry: Int, _ names: inout HashIndex)
        throws(Failure) -> Int
    {
        let text = name.content
        let hash = Equality.hash(text, seed: program.seed)
        let found = names.find(hash: hash) {
            let entry = program.entries[firstEntry &+ $0]
            return equalBytes(Value(entry.name).content, text)
        }
        if let found { return found }
        let number = program.entries.count &- firstEntry
        let empty: StaticString = ""
        try program.entries.append(
            NameEntry(
                hash: hash, name: name.node, text: text.baseAddress ?? empty.utf8Start,
                count: UInt32(truncatingIfNeeded: text.count)))
        try names.insert(number, hash: hash)
        return number
    }

    private mutating func writeSlots(_ rule: inout ObjectRule) throws(Failure) {
        var slotCount = 2
        while slotCount < 2 &* rule.entryCount { slotCount &*= 2 }
        rule.firstSlot = program.slots.count
        rule.slotMask = slotCount &- 1
        try program.slots.append(repeating: 0, count: slotCount)
        let slots = program.slots.base + rule.firstSlot
        for number in 0..<rule.entryCount {
            let hash = program.entries[rule.firstEntry &+ number].hash
            rule.lengths |= ObjectRule.lengthBit(
                Int(program.entries[rule.firstEntry &+ number].count))
            var index = Int(truncatingIfNeeded: hash) & rule.slotMask
            while slots[index] != 0 { index = (index &+ 1) & rule.slotMask }
            slots[index] = UInt32(truncatingIfNeeded: number &+ 1)
        }
    }
}
