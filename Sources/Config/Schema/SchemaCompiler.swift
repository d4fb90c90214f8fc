// From schemas to a program: follows a schema's references through all documents that it needs, and
// gives each subschema on the way a routine. What is written here runs once, when a schema is set;
// subschemas wait on a list, so that nesting costs no stack.

struct SchemaCompiler: ~Copyable {
    let memory: Memory
    private let registry: SchemaRegistry?
    private let assertsFormat: Bool
    var program: Program
    /// The schema's own document, and those that it needs.
    private(set) var documents: [SchemaDocument] = []
    /// Where the nodes and the resources of each document begin, all documents in one row.
    private var firstNodes: List<Int>
    private var firstResources: List<Int>
    /// For each node one more than the routine that it was given; 0 while it has none.
    private var routineOf: List<UInt32>
    private var isReached: List<Bool>
    /// Subschemas whose routine is not written yet.
    private var pending: List<Subschema>
    private var dynamicNames: List<DynamicName>
    private var dynamicNameIndex: HashIndex
    /// The dynamic anchors of all resources that are reached.
    private var dynamicAnchors: List<DynamicAnchor>

    /// A subschema of one of the documents.
    struct Subschema: BitwiseCopyable {
        var document: Int
        var location: SchemaDocument.Location
        var routine: Int

        var value: Value { Value(location.node) }
    }

    private struct DynamicName: BitwiseCopyable {
        var name: UnsafePointer<Node>
        /// Some `$dynamicRef` has it.
        var isUsed: Bool
    }

    private struct DynamicAnchor: BitwiseCopyable {
        var name: Int
        var document: Int
        var location: SchemaDocument.Location
        var isCompiled = false
    }

    init(registry: SchemaRegistry?, assertsFormat: Bool, memory: Memory) {
        self.memory = memory
        self.registry = registry
        self.assertsFormat = assertsFormat
        program = Program(memory)
        firstNodes = List(memory)
        firstResources = List(memory)
        routineOf = List(memory)
        isReached = List(memory)
        pending = List(memory)
        dynamicNames = List(memory)
        dynamicNameIndex = HashIndex(memory)
        dynamicAnchors = List(memory)
    }

    /// Compiles a document and all that it refers to. Its root becomes routine 0.
    mutating func compile(_ document: SchemaDocument) throws(Failure) {
        try addDocument(document)
        // An address that nobody can know.
        try program.routines.reserve(64)
        program.seed = Hash.mix(
            UInt64(UInt(bitPattern: program.routines.base)),
            UInt64(UInt(bitPattern: document.document.base)))
        let root = document.document.root.node
        _ = try routine(for: SchemaDocument.Location(node: root, resource: 0), in: 0)
        try compilePending()
        // What nothing refers to is to be right, too.
        try document.forEachSchema { node, resource throws(Failure) in
            _ = try routine(for: SchemaDocument.Location(node: node, resource: resource), in: 0)
        }
        try compilePending()
        try refuseEndlessLoops()
        try finishCalls()
    }

    /// Tells each call what it leads to, now that all routines are written.
    private func finishCalls() throws(Failure) {
        // By the way of `$dynamicRef` every routine counts, whatever it does.
        if program.dynamicCalls.count == 0 { try forwardCalls() }
        try spreadNotes()
        for number in 0..<program.calls.count {
            let routine = program.routines[Int(program.calls[number].routine)]
            program.calls[number].first = routine.first
            program.calls[number].types = routine.types
            program.calls[number].extent = routine.extent
        }
        for number in 0..<program.arrayRules.count {
            let rule = program.arrayRules[number]
            program.arrayRules[number].isPlain = rule.treatsAllAlike && isPlain(rule.rest)
        }
        for number in 0..<program.objectRules.count {
            let rule = program.objectRules[number]
            var isPlain = rule.goesByNames && isPlain(rule.rest)
            for entry in rule.firstEntry..<(rule.firstEntry &+ rule.entryCount) where isPlain {
                isPlain = self.isPlain(program.entries[entry].call)
            }
            program.objectRules[number].isPlain = isPlain
        }
    }

    private func isPlain(_ call: UInt32) -> Bool {
        call == Call.none || program.calls[Int(call)].extent != .notes
    }

    /// A routine is not plain that leads to one which is not.
    private func spreadNotes() throws(Failure) {
        // The last call of each routine, and for each call the one before it of the same routine.
        var last = List<UInt32>(memory)
        try last.append(repeating: Call.none, count: program.routines.count)
        var before = List<UInt32>(memory)
        for number in 0..<program.calls.count {
            let routine = Int(program.calls[number].routine)
            try before.append(last[routine])
            last[routine] = UInt32(truncatingIfNeeded: number)
        }
        var reached = List<UInt32>(memory)
        for number in 0..<program.routines.count where program.routines[number].extent == .notes {
            try reached.append(UInt32(truncatingIfNeeded: number))
        }
        while reached.count > 0 {
            var call = last[Int(reached[reached.count &- 1])]
            reached.truncate(to: reached.count &- 1)
            while call != Call.none {
                let caller = program.calls[Int(call)].caller
                if caller != Call.none, program.routines[Int(caller)].extent != .notes {
                    program.routines[Int(caller)].extent = .notes
                    try reached.append(caller)
                }
                call = before[Int(call)]
            }
        }
    }

    /// Leads calls past routines that do no more than call another: references to references.
    private func forwardCalls() throws(Failure) {
        // For each routine the one that does something; that they lead nowhere was refused.
        var last = List<UInt32>(memory)
        try last.append(repeating: Call.none, count: program.routines.count)
        for start in 0..<program.routines.count {
            var routine = start
            while last[routine] == Call.none {
                let call = onlyCall(of: routine)
                if call == Call.none { break }
                routine = Int(program.calls[Int(call)].routine)
            }
            let end =
                last[routine] == Call.none ? UInt32(truncatingIfNeeded: routine) : last[routine]
            routine = start
            while last[routine] == Call.none {
                last[routine] = end
                let call = onlyCall(of: routine)
                if call == Call.none { break }
                routine = Int(program.calls[Int(call)].routine)
            }
        }
        for number in 0..<program.calls.count {
            let routine = Int(program.calls[number].routine)
            program.calls[number].forward = onlyCall(of: routine)
        }
        for number in 0..<program.calls.count {
            let routine = Int(program.calls[number].routine)
            program.calls[number].routine = last[routine]
        }
    }

    /// The call that is all there is to a routine.
    private func onlyCall(of routine: Int) -> UInt32 {
        let first = Int(program.routines[routine].first)
        let instruction = program.instructions[first]
        guard instruction.operation == .apply, program.instructions[first &+ 1].operation == .end
        else { return Call.none }
        return UInt32(truncatingIfNeeded: instruction.operand)
    }

    /// Hands over what was compiled.
    consuming func takeProgram() -> Program { program }

    private mutating func compilePending() throws(Failure) {
        while true {
            while pending.count > 0 {
                let subschema = pending[pending.count &- 1]
                pending.truncate(to: pending.count &- 1)
                try write(subschema)
            }
            guard try compileDynamicAnchors() else { return }
        }
    }

    // MARK: - Documents

    private mutating func addDocument(_ document: SchemaDocument) throws(Failure) {
        try firstNodes.append(routineOf.count)
        try firstResources.append(isReached.count)
        try routineOf.append(repeating: 0, count: document.nodeCount)
        try isReached.append(repeating: false, count: document.resources.count)
        documents.append(document)
    }

    /// The number of a document, which may be new.
    private mutating func number(of document: SchemaDocument) throws(Failure) -> Int {
        if let known = documents.firstIndex(where: { $0 === document }) { return known }
        try addDocument(document)
        return documents.count - 1
    }

    /// The resource with an address: of the own document, of one that was added, or of the draft.
    private mutating func resource(at address: Bytes) throws(Failure) -> (Int, resource: Int)? {
        for (number, document) in documents.enumerated() {
            if let resource = document.resource(at: address) { return (number, resource) }
        }
        if let (document, resource) = registry?.find(address) {
            return (try number(of: document), resource)
        }
        guard let text = Metaschema.text(at: address) else { return nil }
        let document = try SchemaDocument.read(
            text: Bytes(text), name: address, address: address, registry: nil, memory: memory)
        return (try number(of: document), 0)
    }

    // MARK: - References

    /// Where a reference leads, and the dynamic anchor that it names, if it names one.
    private mutating func resolve(_ reference: Value, from subschema: Subschema)
        throws(Failure) -> (target: Subschema, dynamicAnchor: UnsafePointer<Node>?)
    {
        let document = documents[subschema.document]
        let base = document.address(of: subschema.location.resource)
        let uri = URI(reference.content)
        var address = List<UInt8>(memory)
        try uri.resolve(against: URI(base), into: &address)
        guard let (number, resource) = try self.resource(at: address.elements) else {
            throw document.failure(
                at: reference.node,
                "refers to \(String(address.elements)), "
                    + "which is not among the schemas that were added")
        }
        let other = documents[number]
        let fragment = uri.fragment ?? .none
        var location = SchemaDocument.Location(
            node: other.resources[resource].root, resource: resource)
        var dynamicAnchor: UnsafePointer<Node>?
        if fragment.first == UInt8(ascii: "/") {
            guard let found = try other.location(atPointer: fragment, in: resource) else {
                throw document.failure(at: reference.node, "refers to what is not there")
            }
            location = found
        } else if !fragment.isEmpty {
            guard let anchor = other.anchor(fragment, in: resource) else {
                throw document.failure(
                    at: reference.node, "refers to an anchor that is not there")
            }
            location.node = other.anchors[anchor].schema
            if other.anchors[anchor].isDynamic { dynamicAnchor = other.anchors[anchor].name }
        }
        guard SchemaDocument.isSchema(Value(location.node)) else {
            throw document.failure(at: reference.node, "refers to what is not a schema")
        }
        return (Subschema(document: number, location: location, routine: 0), dynamicAnchor)
    }

    /// The routine of a subschema, which is written later.
    private mutating func routine(for location: SchemaDocument.Location, in document: Int)
        throws(Failure) -> UInt32
    {
        let owner = documents[document]
        let index = firstNodes[document] &+ owner.document.index(of: location.node)
        if routineOf[index] != 0 { return routineOf[index] &- 1 }
        let number = program.routines.count
        let resource = owner.resource(of: location.node) ?? location.resource
        let location = SchemaDocument.Location(node: location.node, resource: resource)
        routineOf[index] = UInt32(truncatingIfNeeded: number &+ 1)
        try program.routines.append(
            Routine(
                resource: UInt32(truncatingIfNeeded: firstResources[document] &+ resource)))
        try pending.append(
            Subschema(document: document, location: location, routine: number))
        try reach(resource, of: document)
        return UInt32(truncatingIfNeeded: number)
    }

    /// A call from a subschema to one that is a part of it.
    mutating func call(
        _ part: Value, of subschema: Subschema, _ keyword: Keyword, index: Int? = nil,
        name: Value? = nil
    ) throws(Failure) -> UInt32 {
        let location = SchemaDocument.Location(
            node: part.node, resource: subschema.location.resource)
        return try call(
            location, in: subschema.document, by: subschema.routine, keyword, index: index,
            name: name)
    }

    private mutating func call(
        _ location: SchemaDocument.Location, in document: Int, by caller: Int?,
        _ keyword: Keyword, index: Int? = nil, name: Value? = nil
    ) throws(Failure) -> UInt32 {
        let routine = try routine(for: location, in: document)
        try program.calls.append(
            Call(
                routine: routine,
                caller: caller.map { UInt32(truncatingIfNeeded: $0) } ?? Call.none,
                name: name?.node, index: UInt32(truncatingIfNeeded: index ?? 0), keyword: keyword,
                hasIndex: index != nil))
        return UInt32(truncatingIfNeeded: program.calls.count &- 1)
    }

    /// What `$ref` and `$dynamicRef` are compiled to.
    mutating func instruction(
        for reference: Value, of subschema: Subschema, _ keyword: Keyword
    ) throws(Failure) -> Instruction {
        let (target, dynamicAnchor) = try resolve(reference, from: subschema)
        let call = try call(
            target.location, in: target.document, by: subschema.routine, keyword)
        guard keyword == .dynamicRef, let dynamicAnchor else {
            return Instruction(
                operation: .apply, keyword: keyword, types: .any, count: 1, operand: UInt64(call))
        }
        let name = try number(ofDynamicName: dynamicAnchor)
        dynamicNames[name].isUsed = true
        return Instruction(
            operation: .applyDynamic, keyword: keyword, types: .any,
            count: UInt32(truncatingIfNeeded: name), operand: UInt64(call))
    }

    // MARK: - Dynamic anchors

    /// From now on values may come by a resource: its dynamic anchors count.
    private mutating func reach(_ resource: Int, of number: Int) throws(Failure) {
        let index = firstResources[number] &+ resource
        if isReached[index] { return }
        isReached[index] = true
        let document = documents[number]
        var next = document.resources[resource].lastAnchor
        while next >= 0 {
            let anchor = document.anchors[next]
            if anchor.isDynamic {
                try dynamicAnchors.append(
                    DynamicAnchor(
                        name: try self.number(ofDynamicName: anchor.name), document: number,
                        location: SchemaDocument.Location(
                            node: anchor.schema, resource: resource)))
            }
            next = anchor.before
        }
    }

    private mutating func number(ofDynamicName name: UnsafePointer<Node>) throws(Failure) -> Int {
        let text = Value(name).content
        let hash = Equality.hash(text, seed: program.seed)
        let found = dynamicNameIndex.find(hash: hash) {
            equalBytes(Value(dynamicNames[$0].name).content, text)
        }
        if let found { return found }
        try dynamicNames.append(DynamicName(name: name, isUsed: false))
        try dynamicNameIndex.insert(dynamicNames.count &- 1, hash: hash)
        return dynamicNames.count &- 1
    }

    /// Compiles what `$dynamicRef` may lead to; false when nothing was added.
    private mutating func compileDynamicAnchors() throws(Failure) -> Bool {
        var isNew = false
        var index = 0
        while index < dynamicAnchors.count {
            let anchor = dynamicAnchors[index]
            if dynamicNames[anchor.name].isUsed, !anchor.isCompiled {
                dynamicAnchors[index].isCompiled = true
                isNew = true
                let call = try call(anchor.location, in: anchor.document, by: nil, .dynamicRef)
                let name = UInt32(truncatingIfNeeded: anchor.name)
                let resource = UInt32(
                    truncatingIfNeeded: firstResources[anchor.document]
                        &+ anchor.location.resource)
                try program.dynamicCalls.append(
                    Program.DynamicCall(name: name, resource: resource, call: call))
                try program.dynamicIndex.insert(
                    program.dynamicCalls.count &- 1, hash: Program.dynamicHash(name, resource))
            }
            index &+= 1
        }
        return isNew
    }

    // MARK: - Routines

    private mutating func write(_ subschema: Subschema) throws(Failure) {
        let document = documents[subschema.document]
        let vocabularies = document.resources[subschema.location.resource].vocabularies
        // What a reference found where no schema was expected has not been looked at.
        if document.resource(of: subschema.location.node) == nil {
            try document.check(subschema.value, vocabularies)
        }
        var keywords = Keywords()
        try document.forEachKeyword(of: subschema.value, vocabularies) {
            keyword, value throws(Failure) in
            keywords[keyword] = value
        }
        keywords.assertsFormat = assertsFormat || vocabularies.contains(.formatAssertion)

        // Routines are written one after the other, whatever they call.
        let first = program.instructions.count
        if subschema.value.type == .bool, subschema.value.node.pointee.payload == 0 {
            try append(.never, .schema, .any)
        }
        try writeChecks(keywords, subschema)
        let checkCount = program.instructions.count &- first
        try writeCalls(keywords, subschema)
        var extent = Call.Extent.plain
        if program.instructions.count &- first == checkCount {
            let isTypes = checkCount == 0 || checkCount == 1 && keywords[.type] != nil
            extent = isTypes ? .types : .checks
        }
        for index in (first &+ checkCount)..<program.instructions.count
        where !mayBePlain(program.instructions[index]) {
            extent = .notes
        }
        if program.instructions.count > first {
            // As a whole: of a part that is changed in place ThreadSanitizer takes the list's
            // allocator, which all lists share, for the place.
            let index = program.instructions.count &- 1
            var last = program.instructions[index]
            last.flags.formUnion(.isLast)
            program.instructions[index] = last
        }
        try append(.end, .schema, .any)
        program.routines[subschema.routine] = Routine(
            first: UInt32(truncatingIfNeeded: first),
            resource: program.routines[subschema.routine].resource, types: types(keywords),
            extent: extent)
    }

    /// Whether nothing need be noted for an instruction that applies others, unless they ask.
    private func mayBePlain(_ instruction: Instruction) -> Bool {
        switch instruction.operation {
        case .apply, .anyOf, .oneOf, .not: true
        case .elements: program.arrayRules[instruction.index].treatsAllAlike
        case .members: program.objectRules[instruction.index].goesByNames
        default: false
        }
    }

    mutating func append(
        _ operation: Instruction.Operation, _ keyword: Keyword, _ types: TypeSet,
        count: Int = 0, operand: UInt64 = 0, flags: Instruction.Flags = []
    ) throws(Failure) {
        try program.instructions.append(
            Instruction(
                operation: operation, keyword: keyword, types: types, flags: flags,
                count: UInt32(truncatingIfNeeded: count), operand: operand))
    }

    // MARK: - Loops

    /// Refuses references that lead back to where they are without going into the value: whatever
    /// value came there would never leave. `$dynamicRef` is looked after when it is followed.
    private mutating func refuseEndlessLoops() throws(Failure) {
        /// Where a walk along the calls is.
        struct Step: BitwiseCopyable {
            var routine: Int
            var instruction: Int
            var call: Int
        }
        var path = List<Step>(memory)
        // 0: not seen, 1: on the path, 2: done.
        var states = List<UInt8>(memory)
        try states.append(repeating: 0, count: program.routines.count)
        for start in 0..<program.routines.count where states[start] == 0 {
            states[start] = 1
            try path.append(
                Step(routine: start, instruction: Int(program.routines[start].first), call: 0))
            while path.count > 0 {
                var step = path[path.count &- 1]
                let instruction = program.instructions[step.instruction]
                let calls = program.callsInPlace(instruction)
                if step.call < calls.count {
                    let next = Int(program.calls[calls.lowerBound &+ step.call].routine)
                    step.call &+= 1
                    path[path.count &- 1] = step
                    if states[next] == 1 { throw endlessLoop(at: step.routine, instruction) }
                    if states[next] == 0 {
                        states[next] = 1
                        try path.append(
                            Step(
                                routine: next, instruction: Int(program.routines[next].first),
                                call: 0))
                    }
                } else if instruction.operation == .end {
                    states[step.routine] = 2
                    path.truncate(to: path.count &- 1)
                } else {
                    step.instruction &+= 1
                    step.call = 0
                    path[path.count &- 1] = step
                }
            }
        }
    }

    private func endlessLoop(at routine: Int, _ instruction: Instruction) -> Failure {
        for (number, document) in documents.enumerated() {
            for index in 0..<document.nodeCount
            where routineOf[firstNodes[number] &+ index] == UInt32(truncatingIfNeeded: routine &+ 1)
            {
                let schema = Value(document.document.root.node + index)
                let place = schema.member(named: Bytes(instruction.keyword.name)) ?? schema
                return document.failure(
                    at: place.node,
                    "leads back to this schema for the same value: validating would not end")
            }
        }
        return Failure(.invalidArgument, .validate, "the schema refers to itself without end")
    }
}

/// The keywords of one schema.
struct Keywords {
    private var values = InlineArray<72, UnsafePointer<Node>?>(repeating: nil)
    /// Whether `format` is more than an annotation.
    var assertsFormat = false

    subscript(keyword: Keyword) -> Value? {
        get { values[Int(keyword.rawValue)].map { Value($0) } }
        set { values[Int(keyword.rawValue)] = newValue?.node }
    }
}
