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

    @Test func `what lies deeper than is judged at once is found as well`() throws {
        let schema = try Schema.test(
            ##"""
            {"$ref":"#/$defs/node","$defs":{"node":{"type":["object","array"],"properties":{"a":{
            "$ref":"#/$defs/node"},"b":{"type":"integer"}},"required":["b"],"items":{
            "$ref":"#/$defs/node"},"additionalProperties":false}}}
            """##
        )
        let depth = 2 * Validation.mostLevels
        func nested(_ innermost: String) -> String {
            String(repeating: #"[{"b":1,"a":"#, count: depth) + innermost
                + String(repeating: "}]", count: depth)
        }
        #expect(try schema.accepts(nested(#"{"b":1}"#)))
        for (innermost, path, keyword) in [
            (#"{"b":"x"}"#, "/b", "type"), ("{}", "", "required"), ("1", "", "type"),
            (#"{"b":1,"c":1}"#, "/c", "additionalProperties"),
            (#"[{"b":1},{"b":null}]"#, "/1/b", "type"),
        ] {
            let found = try schema.violations(nested(innermost))
            let place = String(repeating: "/0/a", count: depth) + path
            #expect(found.map(\.path) == [place], "\(innermost)")
            #expect(found.map(\.keyword) == [keyword], "\(innermost)")
        }
    }

    @Test func `what is put together of plain parts allows what they allow`() throws {
        let schema = try Schema.test(
            ##"""
            {"properties":{"any":{"anyOf":[{"type":"null"},{"items":{"minimum":1}}]},"one":{
            "oneOf":[{"properties":{"a":{"type":"null"}}},{"properties":{"b":{"type":"null"}}}]},
            "not":{"not":{"items":{"type":"null"}}},"all":{"allOf":[{"items":{"minimum":1}},{
            "items":{"maximum":2}}]}},"additionalProperties":{"items":false}}
            """##
        )
        for (value, isValid) in [
            (#"{"any":null}"#, true), (#"{"any":[1]}"#, true), (#"{"any":[0]}"#, false),
            (#"{"one":{"a":null,"b":1}}"#, true), (#"{"one":{"a":1,"b":null}}"#, true),
            (#"{"one":{}}"#, false), (#"{"one":{"a":1,"b":1}}"#, false),
            (#"{"not":[1]}"#, true), (#"{"not":[null]}"#, false), (#"{"not":[]}"#, false),
            (#"{"all":[1,2]}"#, true), (#"{"all":[0]}"#, false), (#"{"all":[3]}"#, false),
            (#"{"else":[]}"#, true), (#"{"else":[1]}"#, false),
        ] {
            #expect(try schema.accepts(value) == isValid, "\(value)")
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
