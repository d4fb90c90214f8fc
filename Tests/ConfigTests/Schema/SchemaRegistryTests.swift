// Schemas that others refer to.
import Testing

@testable import Config

@Suite struct SchemaRegistryTests {
    private func accepts(_ reference: String, _ registry: SchemaRegistry) throws -> Bool {
        let schema = try Schema.test("{\"$ref\":\"\(reference)\"}", registry: registry)
        return try schema.accepts("1") && !schema.accepts("\"a\"")
    }

    @Test func `is found by the id that it was added with and by its own`() throws {
        let registry = try SchemaRegistry([
            ("http://x/a", #"{"type":"integer"}"#),
            (
                "http://x/b",
                #"{"$id":"http://y/c","$defs":{"d":{"$id":"e","type":"integer"}},"type":"integer"}"#
            ),
            ("common.json", #"{"$defs":{"port":{"$anchor":"port","type":"integer"}}}"#),
        ])
        for reference in [
            "http://x/a", "http://x/b", "http://y/c", "http://y/e", "common.json#/$defs/port",
            "common.json#port",
        ] {
            #expect(try accepts(reference, registry), "\(reference)")
        }
    }

    @Test func `schemas refer to one another whatever the order in which they were added`() throws {
        let registry = try SchemaRegistry([
            ("http://x/a", #"{"$ref":"b"}"#), ("http://x/b", #"{"$ref":"c#/$defs/d"}"#),
            ("http://x/c", #"{"$defs":{"d":{"type":"integer"}}}"#),
        ])
        #expect(try accepts("http://x/a", registry))
    }

    @Test func `refuses a schema that is wrong when it is added`() throws {
        let registry = SchemaRegistry()
        #expect {
            try registry.add("http://x/a", #"{"items":{"type":"x"}}"#)
        } throws: { error in
            (error as? Failure)?.key == "http://x/a"
                && (error as? Failure)?.message.contains("at /items/type") ?? false
        }
        // It is as if it had never been there.
        try registry.add("http://x/a", #"{"type":"integer"}"#)
        #expect(try accepts("http://x/a", registry))
    }

    @Test func `refuses the same id twice`() throws {
        let registry = try SchemaRegistry([
            ("http://x/a", "{}"), ("http://x/b", #"{"$id":"http://x/c"}"#),
        ])
        for (id, text) in [
            ("http://x/a", "{}"), ("http://x/c", "{}"), ("http://x/d", #"{"$id":"http://x/a"}"#),
            ("http://x/e", #"{"$defs":{"x":{"$id":"http://x/b"}}}"#),
            ("https://json-schema.org/draft/2020-12/schema", "{}"),
            ("https://json-schema.org/draft/2020-12/meta/core", "{}"),
        ] {
            #expect(throws: Failure.self, "\(id)") { try registry.add(id, text) }
        }
    }

    @Test(arguments: ["a b", "http://x/a#b", "%", "http://[x]/"])
    func `refuses an id that is no URI without a fragment`(id: String) {
        #expect(throws: Failure.self) { try SchemaRegistry().add(id, "{}") }
    }

    @Test func `a metaschema turns vocabularies off`() throws {
        let registry = try SchemaRegistry([
            (
                "http://x/meta",
                #"""
                {"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,
                "https://json-schema.org/draft/2020-12/vocab/applicator":true,
                "http://x/unknown":false}}
                """#
            )
        ])
        let schema = try Schema.test(
            #"{"$schema":"http://x/meta","properties":{"a":{"minimum":"no number"},"b":false}}"#,
            registry: registry)
        #expect(try schema.accepts(#"{"a":-1}"#) && !schema.accepts(#"{"b":1}"#))
    }

    @Test func `a metaschema that names no vocabularies has all of them`() throws {
        let registry = try SchemaRegistry([("http://x/meta", "{}")])
        let schema = try Schema.test(
            #"{"$schema":"http://x/meta","properties":{"a":{"minimum":0}}}"#, registry: registry)
        #expect(try schema.accepts(#"{"a":1}"#) && !schema.accepts(#"{"a":-1}"#))
    }

    @Test func `a metaschema that asks for an unknown vocabulary is refused`() throws {
        let registry = try SchemaRegistry([
            ("http://x/meta", #"{"$vocabulary":{"http://x/unknown":true}}"#)
        ])
        #expect(
            Schema.failure(#"{"$schema":"http://x/meta"}"#, registry: registry)?.message
                .contains("asks for a vocabulary that is not known") ?? false)
        #expect(Schema.failure(#"{"$schema":"http://x/other"}"#, registry: registry) != nil)
    }

    @Test func `a metaschema makes format assert`() throws {
        let registry = try SchemaRegistry([
            (
                "http://x/meta",
                #"""
                {"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,
                "https://json-schema.org/draft/2020-12/vocab/format-assertion":true}}
                """#
            )
        ])
        let schema = try Schema.test(
            #"{"$schema":"http://x/meta","format":"ipv4"}"#, registry: registry)
        #expect(try schema.accepts("\"127.0.0.1\"") && !schema.accepts("\"x\""))
    }
}
