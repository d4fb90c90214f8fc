// Walks a value along a compiled schema. Where a subschema is applied a frame goes onto a list, so
// that neither a schema nor a value can use up the stack; what can be judged at once needs none
// (`Validation+Judging.swift`). Where nobody wants to know why, as in `anyOf`, the first thing that
// is wrong ends it.

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
    var coerced: List<Node>
    var origin: UnsafePointer<Node>
    /// The object of keys, when that is what is validated.
    let listing: Document?
    var positions = PositionMemory()

    /// About two seconds of work.
    static var mostSteps: Int { 1 << 28 }
    /// Far beyond what a schema applies to a value of `Limits.depthCeiling` levels in earnest.
    private static var mostFrames: Int { 1 << 17 }

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
    ) {
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
    }

    /// Validates a value; true when nothing is wrong with it.
    static func run(
        _ schema: Schema, _ value: Value, listing: Document? = nil, _ violations: Violations,
        _ memory: Memory, mostSteps: Int = Validation.mostSteps
    ) throws(Failure) -> Bool {
        var validation = Validation(
            schema, violations, memory, listing: listing, root: value)
        validation.budget = mostSteps
        do throws(Failure) {
            return try validation.run(value)
        } catch {
            throw error.replacing(key: String(value.document.key))
        }
    }

    private mutating func run(_ value: Value) throws(Failure) -> Bool {
        try coerced.append(Node(head: 0, payload: 0))
        let root = code.routines[0]
        let node = coerce(value.node, root.types)
        let isPlain = root.extent == .plain
        if isPlain {
            let verdict = try judge(
                instructions: code.instructions + Int(root.first), node,
                levels: Validation.mostLevels)
            if verdict == .passes, budget >= 0 { return true }
        }
        try frames.reserve(32)
        try push(
            Call.none, routine: 0, instruction: root.first, node, isPlain ? .isJudged : [])
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
        // What the last check spent may have been too much to give an answer.
        if budget < 0 { throw Validation.tooLong }
        return passed
    }

    static var tooLong: Failure {
        Failure(.limit, .validate, "validating takes too many steps for this schema and value")
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

    /// Applies a subschema to a value: at once when that is possible, otherwise in a frame.
    /// The frame that asks must not be touched after it waits: frames may have moved.
    @inline(never)
    mutating func attempt(
        _ number: UInt32, _ node: UnsafePointer<Node>, _ place: Frame.Flags, isQuiet: Bool
    ) throws(Failure) -> Outcome {
        let call = code.calls + Int(number)
        let node = coerces ? coerce(node, call.pointee.types) : node
        let types = call.pointee.types
        let hasTypes = types != .any
        let isOfTypes = !hasTypes || types.contains(node.pointee)
        var flags = isQuiet ? place.union(.isQuiet) : place
        // What a part evaluates is noted when somebody asks for it: plain ones, too, need a frame.
        let isNoted = place.contains(.isInPlace) && frames[frames.count &- 1].evaluated >= 0
        if !isNoted || call.pointee.extent != .plain {
            let verdict = try judge(call, node)
            if verdict == .passes { return .passed }
            if isQuiet, verdict == .fails { return .failed }
            if call.pointee.extent == .plain { flags.formUnion(.isJudged) }
        }
        try push(
            number, routine: call.pointee.routine,
            // What is known to hold is not looked at again.
            instruction: hasTypes && isOfTypes ? call.pointee.first &+ 1 : call.pointee.first,
            node, flags)
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
        budget &-= scope.count
        // Only the outermost counts of a resource that is entered again.
        for index in 0..<scope.count where scope[index] == resource { return }
        try scope.append(resource)
    }

    private func dynamicCall(_ name: UInt32, otherwise call: UInt32) -> UInt32 {
        for index in 0..<scope.count {
            if let dynamic = schema.program.dynamicCall(name, scope[index]) { return dynamic }
        }
        return call
    }

    /// Refuses to apply for the second time what is being applied to the same value already.
    private mutating func refuseEndlessLoop(_ call: UInt32) throws(Failure) {
        let routine = code.calls[Int(call)].routine
        var index = frames.count &- 1
        while index >= 0 {
            let frame = frames[index]
            let active = frame.call == Call.none ? 0 : code.calls[Int(frame.call)].routine
            if active == routine, frame.scopeCount == scope.count {
                throw Failure(
                    .limit, .validate,
                    "a $dynamicRef of the schema leads back to it: validating would not end"
                )
            }
            if !frame.flags.contains(.isInPlace) { return }
            budget &-= 1
            index &-= 1
        }
    }
}
