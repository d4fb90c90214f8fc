// Puts into words what a value breaks. Runs only when something is wrong, and finds paths and
// places by walking to them once more. What the schema says may appear, and names of members where
// they are no secrets; a value never: of it only the type and the length are told.

extension Validation {
    /// Reports that a value breaks what an instruction says.
    mutating func report(_ instruction: Instruction, _ frame: Frame) throws(Failure) {
        let node = written(frame.node)
        // A schema that is `false` says nothing itself: the keyword that applied it does.
        let isNever = instruction.operation == .never
        var keyword = instruction.keyword
        if isNever, frame.call != Call.none {
            keyword = code.calls[Int(frame.call)].keyword
        }
        var repeated: (Int, Int)?
        if instruction.operation == .uniqueItems { repeated = try firstRepeated(node) }
        if instruction.operation == .elements { keyword = containsKeyword(instruction, frame) }
        let name: StaticString = isNever && frame.call == Call.none ? "false" : keyword.name
        try add(node, name, isNever ? nil : keyword) { validation, text throws(Failure) in
            try validation.describe(instruction, keyword, frame, repeated, &text)
            if !isNever, repeated == nil {
                try validation.describe(found: Value(frame.node), &text)
            }
        }
    }

    /// Reports that a required name is not there.
    mutating func reportMissing(_ name: Value, _ frame: Frame) throws(Failure) {
        try add(written(frame.node), Keyword.required.name, .required) {
            validation, text throws(Failure) in
            try text.append("a member named ")
            try text.append(schemaValue: name, memory: validation.memory)
        }
    }

    /// Reports that a name is not there which another one asks for.
    mutating func report(
        _ dependent: Dependent, _ rule: UnsafePointer<ObjectRule>, _ frame: Frame
    ) throws(Failure) {
        let first = rule.pointee.firstEntry
        let trigger = code.entries[first &+ Int(dependent.trigger)].name
        let needed = code.entries[first &+ Int(dependent.needed)].name
        try add(written(frame.node), dependent.keyword.name, dependent.keyword, trigger) {
            validation, text throws(Failure) in
            try text.append("a member named ")
            try text.append(schemaValue: Value(needed), memory: validation.memory)
            try text.append(" beside ")
            try text.append(schemaValue: Value(trigger), memory: validation.memory)
        }
    }

    /// Which of three keywords too few or too many matching elements break.
    private func containsKeyword(_ instruction: Instruction, _ frame: Frame) -> Keyword {
        let rule = code.arrayRules[instruction.index]
        let tally = UInt64(truncatingIfNeeded: frame.tally)
        if tally > rule.most { return .maxContains }
        return rule.fewest == 1 ? .contains : .minContains
    }

    // MARK: - Paths and places

    private mutating func add(
        _ node: UnsafePointer<Node>, _ name: StaticString, _ keyword: Keyword?,
        _ step: UnsafePointer<Node>? = nil,
        expected: (inout Validation, inout ViolationText) throws(Failure) -> Void
    ) throws(Failure) {
        guard violations.begin() else { return }
        let isKey = isKey(node)
        let isWhole = isListing(node)
        let document = Document.of(node)
        let position = isKey || isWhole ? nil : positions.position(of: node, in: document)
        try violations.add(
            position: position, keyword: name,
            key: { text throws(Failure) in
                try text.append(isKey ? Value(node).content : document.key)
            },
            instancePath: { text throws(Failure) in
                if !isKey { try append(pathTo: node, document, &text) }
            },
            schemaPath: { text throws(Failure) in
                try appendSchemaPath(keyword, step, &text)
            },
            expected: { text throws(Failure) in try expected(&self, &text) })
    }

    private func append(
        pathTo node: UnsafePointer<Node>, _ document: Document, _ text: inout ViolationText
    ) throws(Failure) {
        var failure: Failure?
        document.walk(to: node) { name, index in
            do throws(Failure) {
                if let name {
                    try text.append(step: violations.tellsNames ? name : Bytes("*"))
                } else {
                    try text.append("/")
                    try text.append(UInt64(truncatingIfNeeded: index))
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The way through the schema, references included, that led to a keyword.
    private func appendSchemaPath(
        _ keyword: Keyword?, _ step: UnsafePointer<Node>?, _ text: inout ViolationText
    ) throws(Failure) {
        for index in 0..<frames.count {
            var number = frames[index].call
            while number != Call.none {
                let call = code.calls[Int(number)]
                try text.append(step: Bytes(call.keyword.name))
                if let name = call.name { try text.append(step: Value(name).content) }
                if call.hasIndex {
                    try text.append("/")
                    try text.append(UInt64(call.index))
                }
                number = call.forward
            }
        }
        if let keyword { try text.append(step: Bytes(keyword.name)) }
        if let step { try text.append(step: Value(step).content) }
    }

    // MARK: - Words

    private func describe(
        _ instruction: Instruction, _ keyword: Keyword, _ frame: Frame, _ repeated: (Int, Int)?,
        _ text: inout ViolationText
    ) throws(Failure) {
        let limit = instruction.operand
        switch instruction.operation {
        case .type: try describe(TypeSet(rawValue: UInt8(truncatingIfNeeded: limit)), &text)
        case .const:
            if let value = UnsafePointer<Node>(bitPattern: UInt(limit)) {
                try text.append(schemaValue: Value(value), memory: memory)
            }
        case .enum: try describe(code.enumRules[instruction.index], &text)
        case .multipleOf: try describe("a multiple of ", instruction, keyword, &text)
        case .maximum: try describe("a number of at most ", instruction, keyword, &text)
        case .minimum: try describe("a number of at least ", instruction, keyword, &text)
        case .exclusiveMaximum: try describe("a number below ", instruction, keyword, &text)
        case .exclusiveMinimum: try describe("a number above ", instruction, keyword, &text)
        case .maxLength: try describe("at most ", limit, "character", &text)
        case .minLength: try describe("at least ", limit, "character", &text)
        case .maxItems: try describe("at most ", limit, "element", &text)
        case .minItems: try describe("at least ", limit, "element", &text)
        case .maxProperties: try describe("at most ", limit, "member", &text)
        case .minProperties: try describe("at least ", limit, "member", &text)
        case .pattern:
            try text.append("a string that matches ")
            try describePattern(frame, &text)
        case .format:
            try text.append("a string of the format ")
            if let format = StringFormat(rawValue: UInt8(truncatingIfNeeded: limit)) {
                try text.append(format.name)
            }
        case .uniqueItems:
            try text.append("elements that differ from one another")
            if let repeated {
                try text.append(", found numbers ")
                try text.append(UInt64(truncatingIfNeeded: repeated.0))
                try text.append(" and ")
                try text.append(UInt64(truncatingIfNeeded: repeated.1))
                try text.append(" to be the same")
            }
        case .anyOf:
            try describe("a value that matches one or more of ", instruction, &text)
        case .oneOf:
            try describe("a value that matches exactly one of ", instruction, &text)
            if frame.tally > 1 { try text.append(", not several") }
        case .not: try text.append("a value that does not match the schema")
        case .elements: try describe(code.arrayRules[instruction.index], frame, &text)
        case .never: try describeNever(frame, &text)
        case .track, .apply, .applyDynamic, .members, .condition, .unevaluatedItems,
            .unevaluatedProperties, .end:
            break
        }
    }

    private func describe(_ types: TypeSet, _ text: inout ViolationText) throws(Failure) {
        var isFirst = true
        func append(_ name: StaticString) throws(Failure) {
            if !isFirst { try text.append(" or ") }
            isFirst = false
            try text.append(name)
        }
        if types.contains(.null) { try append("null") }
        if types.contains(.bool) { try append("a boolean") }
        if types.contains(.double) {
            try append("a number")
        } else if types.contains(.int64) {
            try append("an integer")
        }
        if types.contains(.string) { try append("a string") }
        if types.contains(.array) { try append("an array") }
        if types.contains(.object) { try append("an object") }
    }

    private func describe(
        _ words: StaticString, _ instruction: Instruction, _ keyword: Keyword,
        _ text: inout ViolationText
    ) throws(Failure) {
        try text.append(words)
        let type: ValueType = instruction.flags.contains(.isDouble) ? .double : .int64
        var node = Node(head: UInt64(type.rawValue), payload: instruction.operand)
        try withUnsafePointer(to: &node) { (node) throws(Failure) in
            try text.append(schemaValue: Value(node), memory: memory)
        }
    }

    private func describe(
        _ words: StaticString, _ limit: UInt64, _ noun: StaticString,
        _ text: inout ViolationText
    ) throws(Failure) {
        try text.append(words)
        try text.append(limit, noun)
    }

    private func describe(
        _ words: StaticString, _ instruction: Instruction, _ text: inout ViolationText
    ) throws(Failure) {
        try text.append(words)
        try text.append(UInt64(instruction.count), "schema")
    }

    private func describe(_ rule: EnumRule, _ text: inout ViolationText) throws(Failure) {
        try text.append(rule.count == 0 ? "nothing: no value is allowed" : "one of ")
        var choice = Value(rule.values).first
        for index in 0..<rule.count {
            if index == 10 {
                try text.append(" and ")
                return try text.append(UInt64(truncatingIfNeeded: rule.count &- index), "other")
            }
            if index > 0 { try text.append(", ") }
            try text.append(schemaValue: choice, memory: memory)
            choice = choice.after
        }
    }

    private func describe(_ rule: ArrayRule, _ frame: Frame, _ text: inout ViolationText)
        throws(Failure)
    {
        let isTooMany = UInt64(truncatingIfNeeded: frame.tally) > rule.most
        try text.append(isTooMany ? "at most " : "at least ")
        try text.append(isTooMany ? rule.most : rule.fewest, "matching element")
        try text.append(", found ")
        try text.append(UInt64(truncatingIfNeeded: frame.tally))
    }

    private func describePattern(_ frame: Frame, _ text: inout ViolationText) throws(Failure) {
        let instruction = code.instructions[frame.instruction]
        try text.append(schema.program.patterns.source(of: instruction.index))
    }

    private func describeNever(_ frame: Frame, _ text: inout ViolationText) throws(Failure) {
        guard frame.call != Call.none else {
            return try text.append("nothing: the schema allows no value")
        }
        switch code.calls[Int(frame.call)].keyword {
        case .properties, .patternProperties, .additionalProperties, .unevaluatedProperties,
            .propertyNames:
            try text.append("no member of this name")
        case .items, .prefixItems, .unevaluatedItems: try text.append("no element here")
        default: try text.append("nothing: the schema allows no value here")
        }
    }

    /// What was found, by type and length.
    private func describe(found value: Value, _ text: inout ViolationText) throws(Failure) {
        try text.append(", found ")
        let count = UInt64(truncatingIfNeeded: value.count)
        switch value.type {
        case .null: try text.append("null")
        case .bool: try text.append("a boolean")
        case .int64: try text.append("an integer")
        case .double: try text.append("a number")
        case .string:
            try text.append("a string of ")
            try text.append(
                UInt64(truncatingIfNeeded: value.content.characterCount), "character")
        case .array:
            try text.append("an array of ")
            try text.append(count, "element")
        case .object:
            try text.append("an object of ")
            try text.append(count, "member")
        case .bytes:
            try text.append("bytes that are no text, ")
            try text.append(UInt64(truncatingIfNeeded: value.content.count))
            try text.append(" of them")
        }
    }
}

/// Finds lines and columns of values that come in the order of their text, each from the one
/// before.
struct PositionMemory {
    private var document: UnsafeMutableRawPointer?
    private var lines = LineCounter(returnsEndLines: false)

    mutating func position(of node: UnsafePointer<Node>, in document: Document) -> TextPosition {
        let offset = node.pointee.sourceOffset
        if self.document != document.base || offset < lines.offset {
            self.document = document.base
            lines = LineCounter(returnsEndLines: document.returnsEndLines)
        }
        return lines.position(of: offset, in: document.bytes)
    }
}
