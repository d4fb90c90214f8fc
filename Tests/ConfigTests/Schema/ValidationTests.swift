// What bounds a validation: depth, breadth, steps and memory.
import Testing

@testable import Config

@Suite struct ValidationTests {
    @Test func `values and schemas nested deeply need no stack`() throws {
        var limits = Limits()
        limits.maxDepth = 1024
        let schema = try Schema.test(
            ##"""
            {"$id":"http://x/","allOf":[{"anyOf":[{"oneOf":[{"if":true,"then":{"$ref":
            "#/$defs/a"}}]}]}],"$defs":{"a":{"items":{"$ref":"#"}}},"unevaluatedItems":
            false}
            """##
        )
        let text = String(repeating: "[", count: 1024) + String(repeating: "]", count: 1024)
        let parsed = try ParsedText(text, limits: limits)
        #expect(try schema.violations(of: parsed.root) == [])
    }

    @Test func `a hundred levels of schemas and values say where at the bottom`() throws {
        let schema = try Schema.test(
            String(repeating: #"{"properties":{"a":"#, count: 100) + #"{"type":"integer"}"#
                + String(repeating: "}}", count: 100))
        let found = try schema.violations(
            String(repeating: #"{"a":"#, count: 100) + "true" + String(repeating: "}", count: 100))
        #expect(found.map(\.path) == [String(repeating: "/a", count: 100)])
    }

    @Test func `unique items by the hundred thousand`() throws {
        let schema = try Schema.test(#"{"uniqueItems":true}"#)
        let items = (0..<100_000).map { "{\"name\":\"item \($0)\",\"n\":\($0)}" }
        #expect(try schema.accepts("[\(items.joined(separator: ","))]"))
        let found = try schema.violations(
            "[\(items.joined(separator: ",")),{\"n\":70000.0,\"name\":\"item 70000\"}]")
        #expect(
            found.map(\.expected) == [
                "elements that differ from one another, "
                    + "found numbers 70000 and 100000 to be the same"
            ])
    }

    @Test func `what fans out without end is given up`() throws {
        // Each level doubles what is applied to the next.
        let schema = try Schema.test(
            ##"{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#","title":"again"}]}}}"##)
        let deep = { (count: Int) in
            String(repeating: #"{"a":"#, count: count) + "1" + String(repeating: "}", count: count)
        }
        #expect(try schema.accepts(deep(10)))
        let document = try Document.test("test.json", deep(100))
        defer { document.release(TestMemory.memory) }
        #expect {
            try Validation.run(
                schema, document.root, Violations(memory: TestMemory.memory), TestMemory.memory,
                mostSteps: 100_000)
        } throws: { error in
            (error as? Failure)?.kind == .limit
                && (error as? Failure)?.message.hasPrefix("validating takes too many") ?? false
        }
    }

    @Test func `all is found that is wrong, not only the first`() throws {
        let schema = try Schema.test(
            #"""
            {"properties":{"a":{"type":"integer","minimum":5},"b":{"minLength":3,"pattern":
            "^x"},"c":{"items":{"maximum":1}}},"required":["d","e"],"allOf":[{
            "maxProperties":2},{"required":["f"]}]}
            """#
        )
        let found = try schema.violations(#"{"a":1,"b":"y","c":[0,5,6]}"#)
        #expect(
            found.map { "\($0.path) \($0.keyword)" } == [
                " maxProperties", " required", "/a minimum", "/b minLength", "/b pattern",
                "/c/1 maximum", "/c/2 maximum", " required", " required",
            ])
    }

    @Test func `only what applies is reported of alternatives`() throws {
        let schema = try Schema.test(
            #"""
            {"properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]},"b":{"not":{
            "type":"string"}},"c":{"oneOf":[{"minimum":1},{"minimum":2}]},"d":{"if":{"type":
            "integer"},"then":{"minimum":5},"else":{"minLength":5}}}}
            """#
        )
        let found = try schema.violations(#"{"a":"x","b":"y","c":3,"d":"abc"}"#)
        #expect(
            found.map { "\($0.path) \($0.schemaPath)" } == [
                "/a /properties/a/anyOf", "/b /properties/b/not", "/c /properties/c/oneOf",
                "/d /properties/d/else/minLength",
            ])
        #expect(
            found.map(\.expected) == [
                "a value that matches one or more of 2 schemas, found a string of 1 character",
                "a value that does not match the schema, found a string of 1 character",
                "a value that matches exactly one of 2 schemas, not several, found an integer",
                "at least 5 characters, found a string of 3 characters",
            ])
    }

    @Test func `what an alternative would have allowed is not complained about again`() throws {
        let schema = try Schema.test(
            #"""
            {"anyOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"a":false}}],
            "allOf":[{"properties":{"b":{"type":"integer"}}}],"unevaluatedProperties":false}
            """#
        )
        #expect(
            try schema.violations(#"{"a":"x","b":"y"}"#).map { "\($0.path) \($0.keyword)" }
                == ["/b type", " anyOf"])
    }

    @Test func `the paths tell members, elements, definitions and references apart`() throws {
        let schema = try Schema.test(
            ##"""
            {"$defs":{"x/y":{"prefixItems":[true,{"$ref":"#n"}]},"n":{"$anchor":"n","type":
            "number"}},"patternProperties":{"^a~":{"$ref":"#/$defs/x~1y"}},
            "dependentSchemas":{"q":{"items":true,"properties":{"q":{"contains":{"const":
            1}}}}}}
            """##
        )
        let found = try schema.violations(#"{"a~/":[1,"x"],"q":[2]}"#)
        #expect(
            found.map { "\($0.path) \($0.schemaPath)" } == [
                "/a~0~1/1 /patternProperties/^a~0/$ref/prefixItems/1/$ref/type",
                "/q /dependentSchemas/q/properties/q/contains",
            ])
    }
}
