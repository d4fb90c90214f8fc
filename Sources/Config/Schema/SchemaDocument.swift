// One text of schemas, parsed and looked through: which values in it are schemas, which addresses
// and anchors they have, and that every keyword has a value that makes sense. It says where
// something is wrong. Never fetches anything, and knows of no other document but the metaschemas
// that it names.

/// A schema text that is well-formed, taken by itself. Does not change once it is made.
final class SchemaDocument: @unchecked Sendable {
    // Safe to share: nothing is written after `init`.
    let document: Document
    /// What messages call it: the path that it was set for, or its id.
    let name: String
    let memory: Memory
    private(set) var resources: List<Resource>
    private(set) var anchors: List<Anchor>
    private var addresses: List<UInt8>
    /// Where the text is, whatever `$id` it has.
    private var origin: List<UInt8>
    private var resourceIndex: HashIndex
    private var anchorIndex: HashIndex
    /// For each node one more than the resource that it is a schema of; 0 when it is none.
    private var resourceOf: List<UInt32>
    /// The members of `$defs` and the like, by container and name: references lead to them.
    private var memberIndex: HashIndex
    /// The schemas that were found, in the order in which they are looked into.
    private var found: List<(node: UnsafePointer<Node>, resource: Int)>

    /// A schema that has an address of its own, and what is below it but for other resources.
    struct Resource: BitwiseCopyable {
        var root: UnsafePointer<Node>
        var addressStart: Int
        var addressCount: Int
        var vocabularies: Vocabularies
        /// The last of its anchors; -1 when there is none.
        var lastAnchor = -1
    }

    struct Anchor: BitwiseCopyable {
        var resource: Int
        var name: UnsafePointer<Node>
        var schema: UnsafePointer<Node>
        var isDynamic: Bool
        /// The one before it in the same resource.
        var before: Int
    }

    /// A schema within some document.
    struct Location {
        var node: UnsafePointer<Node>
        var resource: Int
    }

    /// The address of what has none: relative ids are beside it.
    static var noAddress: StaticString { "cmreload:/" }

    /// Parses a text and looks through it. `address` is where it is, `registry` knows the
    /// metaschemas.
    static func read(
        text: Bytes, name: Bytes, address: Bytes, registry: SchemaRegistry?, memory: Memory
    ) throws(Failure) -> SchemaDocument {
        let parsed = try parse(text, name: name, memory: memory)
        let document = SchemaDocument(
            parsed, name: String(name), memory: memory)
        try document.origin.append(contentsOf: address)
        try document.lookThrough(address: address, registry: registry)
        return document
    }

    // Does not throw: in Embedded Swift an object whose initialiser does is not freed.
    private init(_ document: Document, name: String, memory: Memory) {
        self.memory = memory
        self.name = name
        self.document = document
        resources = List(memory)
        anchors = List(memory)
        addresses = List(memory)
        origin = List(memory)
        resourceIndex = HashIndex(memory)
        anchorIndex = HashIndex(memory)
        resourceOf = List(memory)
        memberIndex = HashIndex(memory)
        found = List(memory)
    }

    deinit { document.release(memory) }

    private static func parse(_ text: Bytes, name: Bytes, memory: Memory) throws(Failure)
        -> Document
    {
        var limits = Limits()
        limits.maxDepth = Limits.depthCeiling
        // The parser wants zeros behind the text.
        var padded = List<UInt8>(memory)
        try padded.append(contentsOf: text)
        try padded.append(repeating: 0, count: Payload.padding)
        var scratch = ParseScratch(memory: memory)
        do throws(Failure) {
            return try Document.make(
                key: name, bytes: Bytes(start: padded.base, count: text.count), format: .json,
                limits: limits, scratch: &scratch, memory: memory
            ).document
        } catch {
            throw error.replacing(
                stage: .validate, message: "the schema is not JSON: \(error.message)")
        }
    }

    // MARK: - Looking through

    private func lookThrough(address: Bytes, registry: SchemaRegistry?) throws(Failure) {
        let root = document.root.node
        try resourceOf.append(repeating: 0, count: nodeCount)
        guard SchemaDocument.isSchema(Value(root)) else {
            throw failure(at: root, "expected an object or a boolean")
        }
        try addResource(root, base: URI(address), registry, .standard)
        try found.append((root, 0))
        var next = 0
        while next < found.count {
            try lookInto(found[next].node, found[next].resource, registry)
            next &+= 1
        }
        found = List(memory)
    }

    /// What nobody can know, so that no names can be made which collide.
    var seed: UInt64 { UInt64(UInt(bitPattern: document.base)) }

    /// How many values and names there are.
    var nodeCount: Int {
        (document.header.pointee.textOffset &- Document.tapeOffset) / MemoryLayout<Node>.stride
    }

    private func lookInto(
        _ node: UnsafePointer<Node>, _ outer: Int, _ registry: SchemaRegistry?
    ) throws(Failure) {
        var resource = outer
        let schema = Value(node)
        if node != document.root.node, schema.type == .object,
            schema.member(named: Bytes(Keyword.id.name)) != nil
        {
            try addResource(
                node, base: URI(self.address(of: outer)), registry,
                resources[outer].vocabularies)
            resource = resources.count &- 1
        }
        resourceOf[document.index(of: node)] = UInt32(truncatingIfNeeded: resource &+ 1)
        let vocabularies = resources[resource].vocabularies
        try check(schema, vocabularies)
        try forEachKeyword(of: schema, vocabularies) { keyword, value throws(Failure) in
            switch keyword {
            case .anchor, .dynamicAnchor:
                try addAnchor(value.node, node, resource, isDynamic: keyword == .dynamicAnchor)
            default: try findSchemas(in: value, keyword.form, resource)
            }
        }
    }

    /// Notes the schemas that a keyword's value consists of.
    private func findSchemas(in value: Value, _ form: Keyword.Form, _ resource: Int)
        throws(Failure)
    {
        switch form {
        case .schema: try found.append((value.node, resource))
        case .schemas:
            var schema = value.first
            for _ in 0..<value.count {
                try found.append((schema.node, resource))
                schema = schema.after
            }
        case .schemasByName, .schemasByPattern, .schemasOrStringsByName:
            var name = value.first
            for _ in 0..<value.count {
                let schema = name.after
                if SchemaDocument.isSchema(schema) {
                    try found.append((schema.node, resource))
                    try memberIndex.insert(
                        document.index(of: name.node), hash: memberHash(value, name.content))
                }
                name = schema.after
            }
        case .anything, .boolean, .string, .number, .positiveNumber, .count, .uri,
            .uriWithoutFragment, .uriReference, .anchorName, .vocabularies, .types, .array,
            .uniqueStrings, .uniqueStringsByName, .pattern:
            break
        }
    }

    private func addResource(
        _ root: UnsafePointer<Node>, base: URI, _ registry: SchemaRegistry?,
        _ inherited: Vocabularies
    ) throws(Failure) {
        let schema = Value(root)
        let id = schema.member(named: Bytes(Keyword.id.name))
        let start = addresses.count
        if let id, let text = try? id.string {
            // The base may lie in the list that grows.
            var resolved = List<UInt8>(memory)
            try URI(text).resolve(against: base, into: &resolved)
            try addresses.append(contentsOf: resolved.elements)
        } else {
            try URI(.none).resolve(against: base, into: &addresses)
        }
        var vocabularies = inherited
        if let metaschema = schema.member(named: Bytes(Keyword.schema.name)) {
            try check(metaschema, .schema)
            vocabularies = try self.vocabularies(metaschema, registry)
        }
        let address = Bytes(rebasing: addresses.elements[start...])
        if resources.count > 0, resource(at: address) != nil {
            throw failure(at: (id ?? schema).node, "another schema has the same $id")
        }
        try resources.append(
            Resource(
                root: root, addressStart: start, addressCount: addresses.count &- start,
                vocabularies: vocabularies))
        try resourceIndex.insert(resources.count &- 1, hash: Equality.hash(address, seed: seed))
    }

    /// The vocabularies that a metaschema turns on.
    private func vocabularies(_ metaschema: Value, _ registry: SchemaRegistry?) throws(Failure)
        -> Vocabularies
    {
        guard let text = try? metaschema.string else { return .standard }
        if Metaschema.isStandard(text) { return .standard }
        guard
            let (other, resource) = registry?.find(SchemaDocument.withoutFragment(text))
        else {
            throw failure(
                at: metaschema.node,
                "this metaschema is neither that of draft 2020-12 nor was it added"
            )
        }
        let root = Value(other.resources[resource].root)
        guard let listed = root.member(named: Bytes(Keyword.vocabulary.name)) else {
            return .standard
        }
        var vocabularies = Vocabularies.core
        var name = listed.first
        for _ in 0..<listed.count {
            let known = Vocabularies(uri: name.content)
            if known.isEmpty, (try? name.after.bool) == true {
                throw failure(
                    at: metaschema.node,
                    "this metaschema asks for a vocabulary that is not known")
            }
            vocabularies.formUnion(known)
            name = name.after.after
        }
        return vocabularies
    }

    private func addAnchor(
        _ name: UnsafePointer<Node>, _ schema: UnsafePointer<Node>, _ resource: Int,
        isDynamic: Bool
    ) throws(Failure) {
        let text = Value(name).content
        if let other = anchor(text, in: resource), anchors[other].schema != schema {
            throw failure(at: name, "another schema has the same anchor")
        }
        try anchors.append(
            Anchor(
                resource: resource, name: name, schema: schema, isDynamic: isDynamic,
                before: resources[resource].lastAnchor))
        resources[resource].lastAnchor = anchors.count &- 1
        try anchorIndex.insert(anchors.count &- 1, hash: anchorHash(resource, text))
    }

    // MARK: - Finding

    /// The number of the resource with an address.
    func resource(at address: Bytes) -> Int? {
        let found = resourceIndex.find(hash: Equality.hash(address, seed: seed)) {
            equalBytes(self.address(of: $0), address)
        }
        return found ?? (equalBytes(origin.elements, address) ? 0 : nil)
    }

    func address(of resource: Int) -> Bytes {
        let resource = resources[resource]
        return Bytes(
            start: addresses.base + resource.addressStart, count: resource.addressCount)
    }

    /// The number of an anchor; of two for the same schema the dynamic one.
    func anchor(_ name: Bytes, in resource: Int) -> Int? {
        func find(_ isWanted: (Anchor) -> Bool) -> Int? {
            anchorIndex.find(hash: anchorHash(resource, name)) {
                let anchor = anchors[$0]
                return anchor.resource == resource && isWanted(anchor)
                    && equalBytes(Value(anchor.name).content, name)
            }
        }
        return find { $0.isDynamic } ?? find { _ in true }
    }

    /// The resource that a node is a schema of; nil when it is none.
    func resource(of node: UnsafePointer<Node>) -> Int? {
        let number = resourceOf[document.index(of: node)]
        return number == 0 ? nil : Int(number &- 1)
    }

    /// Tells each schema of the document, and its resource.
    func forEachSchema(
        _ visit: (UnsafePointer<Node>, _ resource: Int) throws(Failure) -> Void
    ) throws(Failure) {
        for index in 0..<nodeCount where resourceOf[index] != 0 {
            try visit(document.root.node + index, Int(resourceOf[index] &- 1))
        }
    }

    /// Where a pointer, as a fragment has it, leads from the root of a resource.
    func location(atPointer fragment: Bytes, in resource: Int) throws(Failure) -> Location? {
        var location = Location(node: resources[resource].root, resource: resource)
        var pointer = List<UInt8>(memory)
        for byte in PercentDecoded(fragment) { try pointer.append(byte) }
        var start = 0
        while start < pointer.count {
            var end = start &+ 1
            while end < pointer.count, pointer[end] != UInt8(ascii: "/") { end &+= 1 }
            let step = Bytes(start: pointer.base + start, count: end &- start)
            guard let next = child(of: Value(location.node), step) else { return nil }
            location.node = next.node
            location.resource = self.resource(of: next.node) ?? location.resource
            start = end
        }
        return location
    }

    /// What one step of a pointer, a slash and a token, leads to.
    private func child(of value: Value, _ step: Bytes) -> Value? {
        let token = Bytes(rebasing: step[1...])
        if value.type == .object, !token.contains(UInt8(ascii: "~")) {
            let found = memberIndex.find(hash: memberHash(value, token)) { index in
                let name = Value(document.root.node + index)
                return name.node > value.node && name.node < value.after.node
                    && equalBytes(name.content, token)
            }
            if let found { return Value(document.root.node + found).after }
        }
        return try? value.value(atPointer: step)
    }

    private func memberHash(_ container: Value, _ name: Bytes) -> UInt64 {
        Hash.mix(
            Equality.hash(name, seed: seed),
            UInt64(truncatingIfNeeded: document.index(of: container.node)))
    }

    private func anchorHash(_ resource: Int, _ name: Bytes) -> UInt64 {
        Hash.mix(Equality.hash(name, seed: seed), UInt64(truncatingIfNeeded: resource))
    }

    static func isSchema(_ value: Value) -> Bool { value.type == .object || value.type == .bool }

    static func withoutFragment(_ address: Bytes) -> Bytes {
        Bytes(rebasing: address.prefix { $0 != UInt8(ascii: "#") })
    }

    // MARK: - What is wrong

    /// What is said of a value in the schema that is wrong.
    func failure(at node: UnsafePointer<Node>, _ message: String) -> Failure {
        let position = document.position(of: Value(node))
        let pointer = document.pointer(to: node)
        let place = pointer.isEmpty ? "" : " at \(pointer)"
        return Failure(
            .invalidArgument, .validate, key: name, "the schema is wrong\(place): \(message)",
            osErrno: 0, line: position.line, column: position.column)
    }
}

extension Document {
    /// The number of a node on the tape.
    func index(of node: UnsafePointer<Node>) -> Int {
        Int(truncatingIfNeeded: node.pointee.head &>> 8) & 0xFF_FFFF
    }

    /// The RFC 6901 pointer from the root to a node, for a message.
    func pointer(to node: UnsafePointer<Node>) -> String {
        var text = ""
        walk(to: node) { token, index in
            text += "/"
            guard let token else {
                text += "\(index)"
                return
            }
            for character in String(token).unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
        }
        return text
    }

    /// Goes from the root to a node, or to the value of which it is the name; tells each step on
    /// the way, by the name of a member or the number of an element.
    func walk(to target: UnsafePointer<Node>, _ step: (_ name: Bytes?, _ index: Int) -> Void) {
        var value = root
        while value.node < target {
            let isObject = value.type == .object
            let end = value.after.node
            var child = value.first
            var index = 0
            while child.node < end {
                let name = child
                if isObject { child = child.after }
                if target < child.after.node {
                    step(isObject ? name.content : nil, index)
                    break
                }
                child = child.after
                index &+= 1
            }
            // Not below this value, or the name of what was just told.
            if child.node >= end || target < child.node { return }
            value = child
        }
    }
}
