// What a keyword's value must look like. A schema that breaks this is refused when it is set, and
// not found out by the first value.

extension SchemaDocument {
    /// Tells the keywords of a schema that its vocabularies turn on.
    func forEachKeyword(
        of schema: Value, _ vocabularies: Vocabularies,
        _ visit: (Keyword, Value) throws(Failure) -> Void
    ) throws(Failure) {
        guard schema.type == .object else { return }
        var name = schema.first
        for _ in 0..<schema.count {
            if let keyword = Keyword(name.content),
                !keyword.vocabulary.isDisjoint(with: vocabularies)
            {
                try visit(keyword, name.after)
            }
            name = name.after.after
        }
    }

    /// Refuses a schema in which a keyword has a value of the wrong form. The schemas below it are
    /// only looked at from outside.
    func check(_ schema: Value, _ vocabularies: Vocabularies) throws(Failure) {
        try forEachKeyword(of: schema, vocabularies) { keyword, value throws(Failure) in
            try check(value, keyword)
        }
    }

    func check(_ value: Value, _ keyword: Keyword) throws(Failure) {
        switch keyword.form {
        case .anything: break
        case .boolean: try require(value.type == .bool, value, "expected a boolean")
        case .string: try require(value.type == .string, value, "expected a string")
        case .number:
            try require(Number(value.node.pointee) != nil, value, "expected a number")
        case .positiveNumber:
            let number = Number(value.node.pointee)
            try require(
                number?.compared(to: .integer(0)) ?? 0 > 0, value, "expected a number above 0")
        case .count:
            let number = Number(value.node.pointee)
            try require(
                number?.isInteger ?? false && number?.compared(to: .integer(0)) ?? -1 >= 0, value,
                "expected an integer of at least 0")
        case .uri: try checkURI(value, mayHaveFragment: true, isAbsolute: true)
        case .uriReference: try checkURI(value, mayHaveFragment: true, isAbsolute: false)
        case .uriWithoutFragment: try checkURI(value, mayHaveFragment: false, isAbsolute: false)
        case .anchorName: try checkAnchorName(value)
        case .vocabularies: try checkVocabularies(value)
        case .types: try checkTypes(value)
        case .array: try require(value.type == .array, value, "expected an array")
        case .uniqueStrings: try checkStrings(value)
        case .uniqueStringsByName:
            try forEachMember(of: value) { _, strings throws(Failure) in
                try checkStrings(strings)
            }
        case .pattern:
            try require(value.type == .string, value, "expected a string")
            try checkPattern(value)
        case .schema: try checkSchema(value)
        case .schemas:
            try require(
                value.type == .array && value.count > 0, value,
                "expected an array of at least one schema")
            try forEachElement(of: value) { schema throws(Failure) in try checkSchema(schema) }
        case .schemasByName:
            try forEachMember(of: value) { _, schema throws(Failure) in try checkSchema(schema) }
        case .schemasByPattern:
            try forEachMember(of: value) { name, schema throws(Failure) in
                try checkPattern(name)
                try checkSchema(schema)
            }
        case .schemasOrStringsByName:
            try forEachMember(of: value) { _, item throws(Failure) in
                if item.type == .array { try checkStrings(item) } else { try checkSchema(item) }
            }
        }
    }

    private func require(_ isRight: Bool, _ value: Value, _ message: StaticString) throws(Failure) {
        if !isRight { throw failure(at: value.node, "\(message)") }
    }

    private func checkSchema(_ value: Value) throws(Failure) {
        try require(
            SchemaDocument.isSchema(value), value, "expected a schema: an object or a boolean")
    }

    private func checkPattern(_ value: Value) throws(Failure) {
        do throws(Failure) {
            try Patterns.check(value.content, memory)
        } catch {
            if error.kind == .noMemory { throw error }
            throw failure(
                at: value.node, "the pattern, at byte \(error.column): \(error.message)"
            ).replacing(kind: error.kind)
        }
    }

    private func checkURI(_ value: Value, mayHaveFragment: Bool, isAbsolute: Bool)
        throws(Failure)
    {
        guard let text = try? value.string else {
            throw failure(at: value.node, "expected a string")
        }
        try require(
            StringFormat.uriReference.accepts(text), value, "expected a URI reference")
        let uri = URI(text)
        try require(
            mayHaveFragment || uri.fragment?.isEmpty ?? true, value,
            "expected a URI without a fragment")
        try require(!isAbsolute || uri.scheme != nil, value, "expected a URI with its scheme")
    }

    private func checkAnchorName(_ value: Value) throws(Failure) {
        let text = (try? value.string) ?? .none
        var isName = !text.isEmpty
        for (index, byte) in text.enumerated() {
            let isInner =
                byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte &- zero < 10
            isName =
                isName && (isWordCharacter(UInt32(byte)) || isInner) && (index > 0 || !isInner)
        }
        try require(isName, value, "expected a name: a letter or _, then letters, digits, -, _, .")
    }

    private func checkVocabularies(_ value: Value) throws(Failure) {
        try forEachMember(of: value) { _, isRequired throws(Failure) in
            try require(isRequired.type == .bool, isRequired, "expected a boolean")
        }
    }

    private func checkTypes(_ value: Value) throws(Failure) {
        let message: StaticString =
            "expected null, boolean, integer, number, string, array or object, or several of them"
        if value.type != .array {
            return try require(
                value.type == .string && TypeSet(name: value.content) != nil, value, message)
        }
        try require(value.count > 0, value, message)
        try checkStrings(value)
        try forEachElement(of: value) { name throws(Failure) in
            try require(TypeSet(name: name.content) != nil, name, message)
        }
    }

    /// An array of strings of which no two are the same.
    private func checkStrings(_ value: Value) throws(Failure) {
        try require(value.type == .array, value, "expected an array of strings")
        var seen = HashIndex(memory)
        try forEachElement(of: value) { item throws(Failure) in
            try require(item.type == .string, item, "expected a string")
            let hash = Equality.hash(item.content, seed: seed)
            let other = seen.find(hash: hash) {
                equalBytes(Value(document.root.node + $0).content, item.content)
            }
            try require(other == nil, item, "this string is there twice")
            try seen.insert(document.index(of: item.node), hash: hash)
        }
    }

    private func forEachElement(of array: Value, _ visit: (Value) throws(Failure) -> Void)
        throws(Failure)
    {
        var element = array.first
        for _ in 0..<array.count {
            try visit(element)
            element = element.after
        }
    }

    private func forEachMember(
        of value: Value, _ visit: (_ name: Value, _ value: Value) throws(Failure) -> Void
    ) throws(Failure) {
        try require(value.type == .object, value, "expected an object")
        var name = value.first
        for _ in 0..<value.count {
            try visit(name, name.after)
            name = name.after.after
        }
    }
}
