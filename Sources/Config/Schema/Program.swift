// What schemas are compiled to: routines, one for each subschema, of instructions that lie in one
// row. Whatever can be known before a value is seen is worked out here: where references lead,
// which hashes names have, in which order checks cost least.

/// One keyword at work.
struct Instruction: BitwiseCopyable {
    enum Operation: UInt8 {
        // Checks of the value alone.
        case never, type, const, `enum`, multipleOf, maximum, exclusiveMaximum, minimum
        case exclusiveMinimum, maxLength, minLength, pattern, format, maxItems, minItems
        case uniqueItems, maxProperties, minProperties
        // What applies other routines to the value, or to what is in it.
        case track, apply, applyDynamic, elements, members, anyOf, oneOf, not, condition
        case unevaluatedItems, unevaluatedProperties
        case end

        @inline(__always)
        var isCheck: Bool { rawValue < Operation.track.rawValue }
    }

    var operation: Operation
    var keyword: Keyword
    /// Of which values it says anything.
    var types: TypeSet
    var flags: Flags = []
    /// How many calls follow the first, or whatever else is counted.
    var count: UInt32 = 0
    /// A limit, or the number of a call, rule, pattern …
    var operand: UInt64 = 0

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The operand is a double rather than an int64.
        static var isDouble: Flags { Flags(rawValue: 1) }
        /// Text that is to be read as what the schema asks for is looked at as a number.
        static var readsText: Flags { Flags(rawValue: 2) }
        static var hasThen: Flags { Flags(rawValue: 4) }
        static var hasElse: Flags { Flags(rawValue: 8) }
        /// Nothing but the end comes after it.
        static var isLast: Flags { Flags(rawValue: 16) }
    }

    /// The operand as an index.
    @inline(__always)
    var index: Int { Int(truncatingIfNeeded: operand) }

    /// The operand as a number.
    @inline(__always)
    var number: Number {
        flags.contains(.isDouble)
            ? .double(Double(bitPattern: operand)) : .integer(Int64(bitPattern: operand))
    }
}

/// The place at which one routine applies another, and what is to be known of that one in haste.
struct Call: BitwiseCopyable {
    /// The routine: not one that does no more than call another, but that one.
    var routine: UInt32
    /// The first instruction of the routine.
    var first: UInt32 = 0
    /// The next call on the way to the routine, where others only lead to it.
    var forward = Call.none
    /// The routine that makes it.
    var caller: UInt32
    /// What the place is called in a path: the keyword, and behind it a name, an index or nothing.
    var name: UnsafePointer<Node>?
    var index: UInt32
    var keyword: Keyword
    var hasIndex: Bool
    /// The types that the routine allows.
    var types: TypeSet = .any
    var extent = Extent.notes

    /// How much there is to a routine.
    enum Extent: UInt8 {
        /// Nothing but its types; checks of the value alone.
        case types, checks
        /// Calls as well, of routines that are no more than plain themselves. Nothing has to be
        /// remembered on the way: whether a value passes can be said at once.
        case plain
        /// What frames have to note something for: names that were seen, or what was evaluated.
        case notes
    }

    /// In the place of a call: there is none.
    static var none: UInt32 { .max }
}

/// One subschema.
struct Routine: BitwiseCopyable {
    var first: UInt32 = 0
    /// The schema resource that it is a part of.
    var resource: UInt32
    /// What `type` says; everything when there is no such keyword.
    var types: TypeSet = .any
    var extent = Call.Extent.notes
}

/// What is said of an array's elements.
struct ArrayRule: BitwiseCopyable {
    /// The calls for the elements at the beginning.
    var firstPrefix: UInt32 = 0
    var prefixCount: UInt32 = 0
    /// The calls for those behind them, and for those that are looked for.
    var rest = Call.none
    var contains = Call.none
    var fewest: UInt64 = 1
    var most: UInt64 = .max

    /// Whether it treats all elements alike, by a routine that is no more than plain.
    var isPlain = false

    /// Whether it says the same of all elements, whatever that is.
    var treatsAllAlike: Bool { prefixCount == 0 && contains == Call.none }
}

/// What is said of an object's members.
struct ObjectRule: BitwiseCopyable {
    /// The names that the schema knows, and a hash table of them.
    var firstEntry: Int = 0
    var entryCount: Int = 0
    var firstSlot: Int = 0
    var slotMask: Int = 0
    /// Which lengths the names have, one bit for each; the highest for all that are longer.
    var lengths: UInt64 = 0
    var requiredCount: Int = 0
    var firstPattern: Int = 0
    var patternCount: Int = 0
    var rest = Call.none
    var names = Call.none
    /// Names that ask for other names.
    var firstDependent: Int = 0
    var dependentCount: Int = 0
    /// The calls for members that ask for a schema of the whole object, and their entries.
    var firstSchemaCall: UInt32 = 0
    var schemaCallCount: UInt32 = 0
    var firstSchemaEntry: Int = 0

    /// Whether it goes by names, and all that it applies is no more than plain.
    var isPlain = false

    static func lengthBit(_ count: Int) -> UInt64 { 1 &<< UInt64(min(count, 63)) }

    /// Whether a member's name alone says what applies to it, whatever that is.
    var goesByNames: Bool { patternCount == 0 && names == Call.none && !notesNames }
    /// Whether it matters at the end which names were seen.
    var notesNames: Bool { dependentCount > 0 || schemaCallCount > 0 }
    /// Whether there is anything to be said of a member's value or name.
    var appliesAnything: Bool {
        entryCount > 0 || patternCount > 0 || rest != Call.none || names != Call.none
    }
}

/// A name that an object's schema knows.
struct NameEntry: BitwiseCopyable {
    var hash: UInt64
    var name: UnsafePointer<Node>
    var text: UnsafePointer<UInt8>
    var count: UInt32
    /// What applies to the member's value.
    var call = Call.none
    var isRequired = false

    @inline(__always)
    func isNamed(_ other: UnsafePointer<UInt8>, _ otherCount: Int) -> Bool {
        Int(count) == otherCount && equalBytes(text, other, otherCount)
    }
}

/// Names that match a pattern.
struct PatternRule: BitwiseCopyable {
    var pattern: UInt32
    var call: UInt32
}

/// A name that asks for another, by their entries.
struct Dependent: BitwiseCopyable {
    var trigger: UInt32
    var needed: UInt32
    var keyword: Keyword
}

/// The values of an `enum`, and where there are many an index of their hashes.
struct EnumRule: BitwiseCopyable {
    var values: UnsafePointer<Node>
    var count: Int
    /// In the table of all choices; none are there while the values are few.
    var firstChoice: Int
    var isIndexed: Bool
}

/// The compiled form of a schema and all that it refers to.
struct Program: ~Copyable {
    var instructions: List<Instruction>
    var calls: List<Call>
    var routines: List<Routine>
    var arrayRules: List<ArrayRule>
    var objectRules: List<ObjectRule>
    var entries: List<NameEntry>
    var slots: List<UInt32>
    var patternRules: List<PatternRule>
    var dependents: List<Dependent>
    /// Entries by number: those that ask for a schema of the whole object.
    var schemaEntries: List<UInt32>
    var enumRules: List<EnumRule>
    /// The values of all large `enum`s, and an index of them by hash.
    var choices: List<UnsafePointer<Node>>
    var choiceIndex: HashIndex
    var patterns: Patterns
    /// The calls that `$dynamicRef` may mean, and an index of them by resource and name.
    var dynamicCalls: List<DynamicCall>
    var dynamicIndex: HashIndex
    /// What names and values are hashed with.
    var seed: UInt64 = 0

    struct DynamicCall: BitwiseCopyable {
        var name: UInt32
        var resource: UInt32
        var call: UInt32
    }

    init(_ memory: Memory) {
        instructions = List(memory)
        calls = List(memory)
        routines = List(memory)
        arrayRules = List(memory)
        objectRules = List(memory)
        entries = List(memory)
        slots = List(memory)
        patternRules = List(memory)
        dependents = List(memory)
        schemaEntries = List(memory)
        enumRules = List(memory)
        choices = List(memory)
        choiceIndex = HashIndex(memory)
        patterns = Patterns(memory)
        dynamicCalls = List(memory)
        dynamicIndex = HashIndex(memory)
    }

    /// The call that `$dynamicRef` to a name means in a resource.
    func dynamicCall(_ name: UInt32, _ resource: UInt32) -> UInt32? {
        dynamicIndex.find(hash: Program.dynamicHash(name, resource)) {
            dynamicCalls[$0].name == name && dynamicCalls[$0].resource == resource
        }.map { dynamicCalls[$0].call }
    }

    static func dynamicHash(_ name: UInt32, _ resource: UInt32) -> UInt64 {
        Hash.mix(UInt64(name), UInt64(resource))
    }

    /// The calls that an instruction makes for the same value.
    func callsInPlace(_ instruction: Instruction) -> Range<Int> {
        switch instruction.operation {
        case .apply, .anyOf, .oneOf, .not, .condition:
            let first = instruction.index
            return first..<(first &+ Int(instruction.count))
        case .members:
            let rule = objectRules[instruction.index]
            return Int(rule.firstSchemaCall)..<Int(rule.firstSchemaCall &+ rule.schemaCallCount)
        case .never, .type, .const, .enum, .multipleOf, .maximum, .exclusiveMaximum, .minimum,
            .exclusiveMinimum, .maxLength, .minLength, .pattern, .format, .maxItems, .minItems,
            .uniqueItems, .maxProperties, .minProperties, .track, .applyDynamic, .elements,
            .unevaluatedItems, .unevaluatedProperties, .end:
            return 0..<0
        }
    }
}
