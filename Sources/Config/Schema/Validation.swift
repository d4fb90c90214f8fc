// Walks a value along a compiled schema. Where a subschema is applied a frame goes onto a list, so
// that neither a schema nor a value can use up the stack; what only looks at one scalar needs no
// frame. Where nobody wants to know why, as in `anyOf`, the first thing that is wrong ends it.

/// One validation of one value.
struct Validation: ~Copyable {
    let schema: Schema
    /// Where the schema's program lies.
    let code: Code
    let violations: Violations
    let memory: Memory
    var frames: List<Frame>
    /// What the frames have noted of members and elements, one bit for each.
    var bits: List<UInt64>
    /// The schema resources that were entered and not left, outermost first, each once.
    private var scope: List<UInt32>
    var equality: Equality
    var patternScratch: PatternScratch
    /// What may still be spent. A schema can ask for more than anybody would wait for: references
    /// that fan out grow exponentially with what they go into.
    var budget: Int
    /// What the last frame that ended has found.
    var passed = true

    /// Whether text is read as what the schema asks for, and where it then lies as such.
    let coerces: Bool
    private var coerced: List<Node>
    private var origin: UnsafePointer<Node>
    /// The object of keys, when that is what is validated.
    private let listing: Document?
    var positions = PositionMemory()

    /// About two seconds of work.
    static var mostSteps: Int { 1 << 28 }
    /// Far beyond what a schema applies to a value of `Limits.depthCeiling` levels in earnest.
    private static var mostFrames: Int { 1 << 17 }

    /// A subschema that is being applied to a value.
    struct Frame: BitwiseCopyable {
        var node: UnsafePointer<Node>
        /// The member or element that it is at, and its number.
        var cursor: UnsafePointer<Node>
        private var indexWord: Int32 = 0
        /// How it came to be applied.
        var call: UInt32
        private var instructionWord: UInt32
        private var tallyWord: Int32 = 0
        private var entryWord: Int32 = -1
        private var firstBitsWord: Int32
        private var evaluatedWord: Int32 = -1
        private var seenWord: Int32 = -1
        private var scopeCountWord: Int32
        /// Which part of what is applied to the member or element comes next.
        var part: UInt32 = 0
        /// How far the instruction is: 0 at its beginning.
        var step: UInt8 = 0
        var flags: Flags

        init(
            _ node: UnsafePointer<Node>, call: UInt32, instruction: UInt32, firstBits: Int,
            scopeCount: Int, flags: Flags
        ) {
            self.node = node
            cursor = node
            self.call = call
            instructionWord = instruction
            // Whatever is counted here lies in memory, or is a part of what does.
            firstBitsWord = Int32(truncatingIfNeeded: firstBits)
            scopeCountWord = Int32(truncatingIfNeeded: scopeCount)
            self.flags = flags
        }

        @inline(__always)
        var index: Int {
            get { Int(indexWord) }
            set { indexWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// The instruction that is due.
        @inline(__always)
        var instruction: Int {
            get { Int(instructionWord) }
            set { instructionWord = UInt32(truncatingIfNeeded: newValue) }
        }

        /// What it has counted.
        @inline(__always)
        var tally: Int {
            get { Int(tallyWord) }
            set { tallyWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// The entry of the member's name; -1 when none is known, -2 when something was applied.
        @inline(__always)
        var entry: Int {
            get { Int(entryWord) }
            set { entryWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// Where its bits begin.
        var firstBits: Int { Int(firstBitsWord) }

        /// Where the bits begin of what is evaluated; -1 when nobody asks.
        @inline(__always)
        var evaluated: Int {
            get { Int(evaluatedWord) }
            set { evaluatedWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// Where the bits begin of which names were seen; -1 when nobody asks.
        @inline(__always)
        var seen: Int {
            get { Int(seenWord) }
            set { seenWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// How many resources were entered before it.
        var scopeCount: Int { Int(scopeCountWord) }

        struct Flags: OptionSet {
            let rawValue: UInt8
            /// It is not to say what is wrong, and ends at the first of it.
            static var isQuiet: Flags { Flags(rawValue: 1) }
            static var failed: Flags { Flags(rawValue: 2) }
            /// It is about the same value as the frame below.
            static var isInPlace: Flags { Flags(rawValue: 4) }
        }

        var isQuiet: Bool { flags.contains(.isQuiet) }
    }

    /// What comes after an instruction.
    enum Flow {
        /// The next one.
        case next
        /// The frame that was just put on the list; then the same one again.
        case wait
        /// Nothing: something is wrong, and that is all that is asked for.
        case stop
    }

    /// What became of a call.
    enum Outcome {
        case passed, failed
        /// It has got a frame, and is not done.
        case waits
    }

    init(
        _ schema: Schema, _ violations: Violations, _ memory: Memory, listing: Document?,
        root: Value
    ) throws(Failure) {
        self.schema = schema
        code = Code(schema.program)
        self.violations = violations
        self.memory = memory
        self.listing = listing
        budget = Validation.mostSteps
        frames = List(memory)
        bits = List(memory)
        scope = List(memory)
        coerced = List(memory)
        equality = Equality(seed: schema.program.seed, memory)
        patternScratch = PatternScratch(memory)
        coerces = listing != nil || root.isKeyText
        origin = root.node
        try coerced.append(Node(head: 0, payload: 0))
        try frames.reserve(32)
    }

    /// Validates a value; true when nothing is wrong with it.
    static func run(
        _ schema: Schema, _ value: Value, listing: Document? = nil, _ violations: Violations,
        _ memory: Memory, mostSteps: Int = Validation.mostSteps
    ) throws(Failure) -> Bool {
        var validation = try Validation(
            schema, violations, memory, listing: listing, root: value)
        validation.budget = mostSteps
        do throws(Failure) {
            return try validation.run(value)
        } catch {
            var failure = error
            failure.key = String(decoding: value.document.key, as: UTF8.self)
            throw failure
        }
    }

    private mutating func run(_ value: Value) throws(Failure) -> Bool {
        try push(
            Call.none, routine: 0, instruction: code.routines[0].first,
            coerce(value.node, code.routines[0].types), [])
        while frames.count > 0 {
            let frame = frames.base + (frames.count &- 1)
            let instruction = code.instructions + frame.pointee.instruction
            budget &-= 1
            if budget < 0 { throw Validation.tooLong }
            if instruction.pointee.operation == .end {
                pop()
                continue
            }
            switch try execute(instruction, frame) {
            case .next:
                if instruction.pointee.flags.contains(.isLast) {
                    pop()
                } else {
                    frame.pointee.instruction &+= 1
                    frame.pointee.step = 0
                }
            case .wait: break
            case .stop: pop()
            }
        }
        return passed
    }

    static var tooLong: Failure {
        Failure(
            .limit, .validate,
            "validating takes more than \(mostSteps) steps: the schema applies too much to the value"
        )
    }

    // MARK: - Instructions

    private mutating func execute(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let node = frame.pointee.node
        guard instruction.pointee.types.hasKind(of: node.pointee) else { return .next }
        switch instruction.pointee.operation {
        case .track:
            if frame.pointee.evaluated < 0 { try track(frame) }
            return .next
        case .apply, .applyDynamic:
            return try apply(instruction, frame)
        case .anyOf, .oneOf: return try alternatives(instruction, frame)
        case .not:
            if frame.pointee.step == 0 {
                frame.pointee.step = 1
                let outcome = try attempt(
                    UInt32(truncatingIfNeeded: instruction.pointee.operand), node, .isInPlace,
                    isQuiet: true)
                if outcome == .waits { return .wait }
                passed = outcome == .passed
            }
            return passed ? try fail(instruction, frame) : .next
        case .condition: return try condition(instruction, frame)
        case .elements: return try elements(instruction, frame)
        case .members: return try members(instruction, frame)
        case .unevaluatedItems, .unevaluatedProperties:
            return try unevaluated(instruction, frame)
        case .never, .type, .const, .enum, .multipleOf, .maximum, .exclusiveMaximum, .minimum,
            .exclusiveMinimum, .maxLength, .minLength, .pattern, .format, .maxItems, .minItems,
            .uniqueItems, .maxProperties, .minProperties, .end:
            return try holds(instruction, node) ? .next : try fail(instruction, frame)
        }
    }

    /// Notes that a value breaks what an instruction says.
    mutating func fail(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        frame.pointee.flags.formUnion(.failed)
        if frame.pointee.isQuiet { return .stop }
        try report(instruction.pointee, frame.pointee)
        return .next
    }

    private mutating func apply(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        if frame.pointee.step == 0 {
            frame.pointee.step = 1
            var call = UInt32(truncatingIfNeeded: instruction.pointee.operand)
            if instruction.pointee.operation == .applyDynamic {
                call = dynamicCall(instruction.pointee.count, otherwise: call)
                try refuseEndlessLoop(call)
            }
            let outcome = try attempt(
                call, frame.pointee.node, .isInPlace, isQuiet: frame.pointee.isQuiet)
            if outcome == .waits { return .wait }
            passed = outcome == .passed
        }
        return passed ? .next : failPart(frame)
    }

    /// Notes that a part has found something wrong, and said so if it was to.
    func failPart(_ frame: UnsafeMutablePointer<Frame>) -> Flow {
        frame.pointee.flags.formUnion(.failed)
        return frame.pointee.isQuiet ? .stop : .next
    }

    private mutating func alternatives(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let isOneOf = instruction.pointee.operation == .oneOf
        if frame.pointee.step == 0 {
            frame.pointee.step = 1
            frame.pointee.index = -1
            frame.pointee.tally = 0
        } else {
            frame.pointee.tally &+= passed ? 1 : 0
        }
        while true {
            // One that matches is enough, unless what the others evaluate counts as well.
            let isSettled =
                isOneOf
                ? frame.pointee.tally > 1
                : frame.pointee.tally > 0 && frame.pointee.evaluated < 0
            frame.pointee.index &+= 1
            guard !isSettled, frame.pointee.index < Int(instruction.pointee.count) else { break }
            budget &-= 1
            if budget < 0 { throw Validation.tooLong }
            let call = instruction.pointee.index &+ frame.pointee.index
            let outcome = try attempt(
                UInt32(truncatingIfNeeded: call), frame.pointee.node, .isInPlace, isQuiet: true)
            if outcome == .waits { return .wait }
            frame.pointee.tally &+= outcome == .passed ? 1 : 0
        }
        if isOneOf ? frame.pointee.tally == 1 : frame.pointee.tally > 0 { return .next }
        // Which alternative was meant is not known: what any could have allowed is not complained
        // about again.
        markAll(frame)
        return try fail(instruction, frame)
    }

    private mutating func condition(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let first = UInt32(truncatingIfNeeded: instruction.pointee.operand)
        let flags = instruction.pointee.flags
        if frame.pointee.step == 0 {
            frame.pointee.step = 1
            let outcome = try attempt(
                first, frame.pointee.node, .isInPlace, isQuiet: true)
            if outcome == .waits { return .wait }
            passed = outcome == .passed
        }
        if frame.pointee.step == 1 {
            frame.pointee.step = 2
            guard flags.contains(passed ? .hasThen : .hasElse) else { return .next }
            let call = passed || !flags.contains(.hasThen) ? first &+ 1 : first &+ 2
            let outcome = try attempt(
                call, frame.pointee.node, .isInPlace, isQuiet: frame.pointee.isQuiet)
            if outcome == .waits { return .wait }
            passed = outcome == .passed
        }
        return passed ? .next : failPart(frame)
    }

    // MARK: - Calls

    /// Applies a subschema to a value: at once when it only looks at it, otherwise in a frame.
    /// The frame that asks must not be touched after it waits: frames may have moved.
    @inline(__always)
    mutating func attempt(
        _ number: UInt32, _ node: UnsafePointer<Node>, _ place: Frame.Flags, isQuiet: Bool
    ) throws(Failure) -> Outcome {
        let call = code.calls + Int(number)
        let node = coerces ? coerce(node, call.pointee.types) : node
        if try passes(call, node) { return .passed }
        return try attemptInFrame(number, node, place, isQuiet: isQuiet)
    }

    /// Whether a subschema allows a value for all that can be said without a frame. One that calls
    /// others never does.
    @inline(__always)
    mutating func passes(_ call: UnsafePointer<Call>, _ node: UnsafePointer<Node>) throws(Failure)
        -> Bool
    {
        switch call.pointee.extent {
        case .types:
            return call.pointee.types == .any || call.pointee.types.contains(node.pointee)
        case .checks: return try checksHold(code.instructions + Int(call.pointee.first), node)
        case .calls: return false
        }
    }

    /// Whether all the checks hold that come before the end of a routine.
    private mutating func checksHold(
        _ first: UnsafePointer<Instruction>, _ node: UnsafePointer<Node>
    ) throws(Failure) -> Bool {
        var instruction = first
        while instruction.pointee.operation != .end {
            if instruction.pointee.types.hasKind(of: node.pointee),
                try !holds(instruction, node)
            {
                return false
            }
            instruction += 1
        }
        return true
    }

    /// Applies a subschema that does not pass at once.
    mutating func attemptInFrame(
        _ number: UInt32, _ node: UnsafePointer<Node>, _ place: Frame.Flags, isQuiet: Bool
    ) throws(Failure) -> Outcome {
        let call = code.calls + Int(number)
        let hasTypes = call.pointee.types != .any
        let isOfTypes = !hasTypes || call.pointee.types.contains(node.pointee)
        if isQuiet, !isOfTypes || call.pointee.extent != .calls { return .failed }
        try push(
            number, routine: call.pointee.routine,
            // What is known to hold is not looked at again.
            instruction: hasTypes && isOfTypes ? call.pointee.first &+ 1 : call.pointee.first,
            node, isQuiet ? place.union(.isQuiet) : place)
        return .waits
    }

    private mutating func push(
        _ call: UInt32, routine: UInt32, instruction: UInt32, _ node: UnsafePointer<Node>,
        _ flags: Frame.Flags
    ) throws(Failure) {
        let tracks = flags.contains(.isInPlace) && frames[frames.count &- 1].evaluated >= 0
        guard frames.count < Validation.mostFrames else { throw Validation.tooLong }
        try frames.append(
            Frame(
                node, call: call, instruction: instruction, firstBits: bits.count,
                scopeCount: scope.count, flags: flags))
        if tracks { try track(frames.base + (frames.count &- 1)) }
        if code.hasDynamicCalls { try enter(code.routines[Int(routine)].resource) }
    }

    private mutating func pop() {
        let frame = frames[frames.count &- 1]
        frames.truncate(to: frames.count &- 1)
        scope.truncate(to: frame.scopeCount)
        passed = !frame.flags.contains(.failed)
        // What a part has evaluated counts when it passes; when it is the value that fails by it,
        // too, so that the same is not complained about twice.
        if frame.flags.contains(.isInPlace), frame.evaluated >= 0, passed || !frame.isQuiet {
            let below = frames.base + (frames.count &- 1)
            let instruction = code.instructions + below.pointee.instruction
            if instruction.pointee.operation != .not, below.pointee.evaluated >= 0 {
                for word in 0..<Validation.words(Value(frame.node).count) {
                    bits[below.pointee.evaluated &+ word] |= bits[frame.evaluated &+ word]
                }
            }
        }
        bits.truncate(to: frame.firstBits)
    }

    // MARK: - Scope of dynamic references

    private mutating func enter(_ resource: UInt32) throws(Failure) {
        // Only the outermost counts of a resource that is entered again.
        for index in 0..<scope.count where scope[index] == resource { return }
        budget &-= scope.count
        try scope.append(resource)
    }

    private func dynamicCall(_ name: UInt32, otherwise call: UInt32) -> UInt32 {
        for index in 0..<scope.count {
            if let dynamic = schema.program.dynamicCall(name, scope[index]) { return dynamic }
        }
        return call
    }

    /// Refuses to apply for the second time what is being applied to the same value already.
    private func refuseEndlessLoop(_ call: UInt32) throws(Failure) {
        let routine = code.calls[Int(call)].routine
        var index = frames.count &- 1
        while index >= 0 {
            let frame = frames[index]
            let active = frame.call == Call.none ? 0 : code.calls[Int(frame.call)].routine
            if active == routine, frame.scopeCount == scope.count {
                throw Failure(
                    .limit, .validate,
                    "a $dynamicRef of the schema leads back to where it is: validating would not end"
                )
            }
            if !frame.flags.contains(.isInPlace) { return }
            index &-= 1
        }
    }

    // MARK: - What is evaluated

    static func words(_ count: Int) -> Int { (count &+ 63) &>> 6 }

    /// Begins to note which members or elements are evaluated.
    private mutating func track(_ frame: UnsafeMutablePointer<Frame>) throws(Failure) {
        let words = Validation.words(Value(frame.pointee.node).count)
        frame.pointee.evaluated = bits.count
        try bits.append(repeating: 0, count: words)
        budget &-= words
    }

    @inline(__always)
    func mark(_ index: Int, _ frame: UnsafeMutablePointer<Frame>) {
        if frame.pointee.evaluated >= 0 { setBit(index, frame.pointee.evaluated) }
    }

    @inline(__always)
    func setBit(_ index: Int, _ first: Int) {
        bits[first &+ index &>> 6] |= 1 &<< UInt64(index & 63)
    }

    func isMarked(_ index: Int, _ first: Int) -> Bool {
        bits[first &+ index &>> 6] &>> UInt64(index & 63) & 1 != 0
    }

    func markAll(_ frame: UnsafeMutablePointer<Frame>) {
        let first = frame.pointee.evaluated
        guard first >= 0 else { return }
        for word in 0..<Validation.words(Value(frame.pointee.node).count) {
            bits[first &+ word] = .max
        }
    }

    /// Applies a schema to the members or elements that nothing has evaluated.
    private mutating func unevaluated(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let value = Value(frame.pointee.node)
        let isObject = value.type == .object
        var isFailed = false
        if frame.pointee.step == 0 {
            frame.pointee.step = 1
            frame.pointee.cursor = value.first.node
            frame.pointee.index = -1
        } else {
            isFailed = !passed
            frame.pointee.cursor = next(frame.pointee.cursor, isObject)
        }
        while true {
            if isFailed, failPart(frame) == .stop { return .stop }
            frame.pointee.index &+= 1
            let index = frame.pointee.index
            guard index < value.count else { return .next }
            budget &-= 1
            let child = Value(frame.pointee.cursor)
            isFailed = false
            if !isMarked(index, frame.pointee.evaluated) {
                mark(index, frame)
                let outcome = try attempt(
                    UInt32(truncatingIfNeeded: instruction.pointee.operand),
                    isObject ? child.memberValue.node : child.node, [],
                    isQuiet: frame.pointee.isQuiet)
                if outcome == .waits { return .wait }
                isFailed = outcome == .failed
            }
            frame.pointee.cursor = next(frame.pointee.cursor, isObject)
        }
    }

    /// The name or element behind one.
    @inline(__always)
    func next(_ cursor: UnsafePointer<Node>, _ isObject: Bool) -> UnsafePointer<Node> {
        Value(isObject ? cursor + 1 : cursor).after.node
    }

    // MARK: - Text

    /// The text of a key that a schema may take for something else.
    @inline(__always)
    func isText(_ node: UnsafePointer<Node>) -> Bool { coerces && Value(node).isKeyText }

    /// A value as a subschema sees it.
    mutating func coerce(_ node: UnsafePointer<Node>, _ types: TypeSet) -> UnsafePointer<Node> {
        guard !types.contains(.string), isText(node) else { return node }
        for reading in Value.textReadings {
            guard let read = Value(node).read(reading), types.contains(read) else { continue }
            return stand(in: read, for: node)
        }
        return node
    }

    /// Lets a scalar stand for a text.
    mutating func stand(in read: Node, for node: UnsafePointer<Node>) -> UnsafePointer<Node> {
        coerced[0] = read
        origin = node
        return UnsafePointer(coerced.base)
    }

    /// The value as it is written.
    func written(_ node: UnsafePointer<Node>) -> UnsafePointer<Node> {
        node == UnsafePointer(coerced.base) ? origin : node
    }

    /// Whether a value is the object of all keys.
    func isListing(_ node: UnsafePointer<Node>) -> Bool { listing?.root.node == node }

    /// Whether a value is the name of a key.
    func isKey(_ node: UnsafePointer<Node>) -> Bool {
        listing.map { Document.of(node).base == $0.base && $0.root.node != node } ?? false
    }
}

/// Where the parts of a program lie that are looked at for each value.
struct Code {
    let instructions: UnsafePointer<Instruction>
    let calls: UnsafePointer<Call>
    let routines: UnsafePointer<Routine>
    let arrayRules: UnsafePointer<ArrayRule>
    let objectRules: UnsafePointer<ObjectRule>
    let entries: UnsafePointer<NameEntry>
    let slots: UnsafePointer<UInt32>
    let patternRules: UnsafePointer<PatternRule>
    let enumRules: UnsafePointer<EnumRule>
    let seed: UInt64
    let hasDynamicCalls: Bool

    init(_ program: borrowing Program) {
        instructions = UnsafePointer(program.instructions.base)
        calls = UnsafePointer(program.calls.base)
        routines = UnsafePointer(program.routines.base)
        arrayRules = UnsafePointer(program.arrayRules.base)
        objectRules = UnsafePointer(program.objectRules.base)
        entries = UnsafePointer(program.entries.base)
        slots = UnsafePointer(program.slots.base)
        patternRules = UnsafePointer(program.patternRules.base)
        enumRules = UnsafePointer(program.enumRules.base)
        seed = program.seed
        hasDynamicCalls = program.dynamicCalls.count > 0
    }

    /// The entry of a name among those of a rule, or -1. Members mostly come in the order of the
    /// schema: the name behind the last one is tried first.
    @inline(__always)
    func entry(_ rule: UnsafePointer<ObjectRule>, _ name: Bytes, after last: Int) -> Int {
        guard let text = name.baseAddress else { return -1 }
        let entries = entries + rule.pointee.firstEntry
        let guess = last &+ 1
        if guess < rule.pointee.entryCount, entries[guess].isNamed(text, name.count) {
            return guess
        }
        // Where several schemas apply to one object, most names are unknown to most of them.
        if rule.pointee.lengths & ObjectRule.lengthBit(name.count) == 0 { return -1 }
        let hash = Hash.text(text, name.count, seed: seed)
        let slots = slots + rule.pointee.firstSlot
        let mask = rule.pointee.slotMask
        var index = Int(truncatingIfNeeded: hash) & mask
        // The table is at most half full: an empty slot always ends the walk.
        while true {
            let number = Int(slots[index]) &- 1
            if number < 0 { return -1 }
            if entries[number].hash == hash, entries[number].isNamed(text, name.count) {
                return number
            }
            index = (index &+ 1) & mask
        }
    }
}
