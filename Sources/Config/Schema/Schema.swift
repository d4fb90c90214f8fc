// A compiled JSON Schema (draft 2020-12), and what may be asked of it. Compiling finds out all that
// is wrong with the schema; validating finds out all that is wrong with a value. Pure: fetches
// nothing, and holds no state between values.
//
// Text. A key of text format holds text, and no number ever: `PORT` is "8080". Where a schema asks
// for something else, the text is what it reads as, by the rules of all getters (`Text`):
//
// 1. `type` that lists "string": the text is a string.
// 2. `type` that does not: it is the first of these that is listed and that it reads as: an integer
//    or number, a boolean, null (the text "null", or nothing). It stays a string, which `type` then
//    refuses, when it reads as none.
// 3. No `type`: it is a string; but `minimum` and the like look at a number that it reads as, and
//    `enum` and `const` compare each of their values with what it reads as of that value's type.
//
// What 1 and 2 decide holds for the schema in which `type` stands and for those that it applies to
// the same value, `anyOf` and `$ref` among them: alternatives without a `type` above them each
// decide for themselves.

/// A schema that is fit to validate. Any number of threads may do so at once.
package final class Schema: @unchecked Sendable {
    // Safe to share: nothing is written after `init`, and the documents do not change either.
    let program: Program
    private let documents: [SchemaDocument]

    /// Compiles the schema in a text.
    ///
    /// - `path`: what it is set for, as messages call it.
    /// - `registry`: what it may refer to, by addresses.
    /// - `assertsFormat`: whether `format` is more than an annotation.
    package static func compile(
        json: Bytes, path: Bytes, registry: SchemaRegistry?, assertsFormat: Bool, memory: Memory
    ) throws(Failure) -> Schema {
        let document = try SchemaDocument.read(
            text: json, name: path, address: Bytes(SchemaDocument.noAddress), registry: registry,
            memory: memory)
        var compiler = SchemaCompiler(
            registry: registry, assertsFormat: assertsFormat, memory: memory)
        try compiler.compile(document)
        let documents = compiler.documents
        return Schema(compiler.takeProgram(), documents)
    }

    // Does not throw: in Embedded Swift an object whose initialiser does is not freed.
    private init(_ program: consuming Program, _ documents: [SchemaDocument]) {
        self.program = program
        self.documents = documents
    }

    /// Adds what a value breaks to `violations`; true when that is nothing. A `Failure` says why it
    /// could not be found out: there was no memory, or it would have taken too long.
    package func validate(_ value: Value, into violations: Violations, memory: Memory)
        throws(Failure) -> Bool
    {
        try Validation.run(self, value, violations, memory)
    }

    /// Validates the configuration as one object, with a member for each key.
    package func validate(_ snapshot: Snapshot, into violations: Violations, memory: Memory)
        throws(Failure) -> Bool
    {
        let listing = try Document.listing(of: snapshot, memory: memory)
        defer { listing.release(memory) }
        return try Validation.run(self, listing.root, listing: listing, violations, memory)
    }
}
