// Where references lead, and which lead nowhere or round in circles.
import Testing

@testable import Config

@Suite struct SchemaCompilerTests {
    @Test(arguments: [
        ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##,
        ##"{"$ref":"#a","$defs":{"x":{"$anchor":"a","type":"integer"}}}"##,
        ##"{"$ref":"#a","$defs":{"x":{"$dynamicAnchor":"a","type":"integer"}}}"##,
        ##"{"$id":"http://x/y","$ref":"z","$defs":{"x":{"$id":"z","type":"integer"}}}"##,
        ##"""
        {"$id":"http://x/y","$ref":"/z#a","$defs":{"x":{"$id":"/z","$defs":{"q":{"$anchor":
        "a","type":"integer"}}}}}
        """##,
        ##"{"$ref":"#/$defs/a%25b~1c~0d","$defs":{"a%b/c~d":{"type":"integer"}}}"##,
        ##"{"$ref":"#/$defs/%C3%A9","$defs":{"é":{"type":"integer"}}}"##,
        ##"{"allOf":[{"$ref":"#/allOf/1"},{"type":"integer"}]}"##,
        ##"""
        {"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{
        "type":"integer"}}}
        """##,
        ##"{"$dynamicRef":"#a","$defs":{"x":{"$dynamicAnchor":"a","type":"integer"}}}"##,
        ##"{"$dynamicRef":"#/$defs/x","$defs":{"x":{"type":"integer"}}}"##,
        ##"{"$id":"urn:x:y","$ref":"urn:x:y#/$defs/a","$defs":{"a":{"type":"integer"}}}"##,
        ##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"integer"}"##,
        ##"{"$schema":"https://json-schema.org/draft/2020-12/schema#","type":"integer"}"##,
    ])
    func `follows references`(text: String) throws {
        let schema = try Schema.test(text)
        #expect(try schema.accepts("1") && !schema.accepts("\"a\""))
    }

    @Test func `what leads to a schema that takes notes is not plain`() throws {
        // The root is the first routine.
        for (text, extent) in [
            ("true", .types), (#"{"type":["null","array"]}"#, .types), (#"{"minimum":1}"#, .checks),
            (#"{"properties":{"a":{"items":{"anyOf":[{"not":true}]}}}}"#, .plain),
            (##"{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"items":{"$ref":"#"}}}}"##, .plain),
            (#"{"items":{"properties":{"a":{"contains":true}}}}"#, .notes),
            (#"{"patternProperties":{"a":true}}"#, .notes),
            (
                ##"""
                {"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"items":{"$ref":"#"},"properties":{"b":{
                "$ref":"#/$defs/c"}}},"c":{"unevaluatedItems":false}}}
                """##, .notes
            ),
        ] as [(String, Call.Extent)] {
            #expect(try Schema.test(text).program.routines[0].extent == extent, "\(text)")
        }
    }

    @Test func `resolves a pointer within the resource that it comes from`() throws {
        let schema = try Schema.test(
            ##"""
            {"$defs":{"a":{"type":"string"},"in":{"$id":"in","$defs":{"a":{"type":
            "integer"}},"$ref":"#/$defs/a"}},"$ref":"in"}
            """##
        )
        #expect(try schema.accepts("1") && !schema.accepts("\"a\""))
    }

    @Test func `a reference to a resource within what it passes over has its base`() throws {
        // #/$defs/in/$defs/b crosses into a resource; its own reference is relative to that.
        let schema = try Schema.test(
            ##"""
            {"$id":"http://x/root","$ref":"#/$defs/in/$defs/b","$defs":{"in":{"$id":
            "sub/in","$defs":{"b":{"$ref":"other"},"c":{"$id":"http://x/sub/other","type":
            "integer"}}}}}
            """##
        )
        #expect(try schema.accepts("1") && !schema.accepts("\"a\""))
    }

    @Test(arguments: [
        (##"{"$ref":"#"}"##, "/$ref"),
        (##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##, "/$defs/"),
        (##"{"allOf":[{"anyOf":[{"$ref":"#"}]}]}"##, "/"),
        (##"{"if":{"type":"string"},"then":{"$ref":"#"}}"##, "/"),
        (##"{"not":{"$ref":"#"}}"##, "/"),
        (##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##, "/"),
        (##"{"oneOf":[true,{"$dynamicRef":"#/oneOf/1"}]}"##, "/"),
    ])
    func `refuses references that lead back without going into the value`(
        text: String, pointer: String
    ) throws {
        let failure = try #require(Schema.failure(text))
        #expect(failure.kind == .invalidArgument)
        #expect(
            failure.message.hasPrefix("the schema is wrong at \(pointer)"), "\(failure.message)")
        #expect(failure.message.contains("validating would not end"))
    }

    @Test func `a reference back that goes into the value is recursion`() throws {
        let schema = try Schema.test(
            ##"""
            {"type":"object","properties":{"next":{"$ref":"#"},"value":{"type":"integer"}},
            "additionalProperties":false}
            """##
        )
        #expect(try schema.accepts(#"{"next":{"next":{"value":1}}}"#))
        #expect(
            try schema.violations(#"{"next":{"next":{"value":"x"}}}"#).map(\.path)
                == ["/next/next/value"])
    }

    @Test func `the outermost dynamic anchor is the one that counts`() throws {
        let schema = try Schema.test(
            ##"""
            {"$id":"http://x/strings","$ref":"list","$defs":{"T":{"$dynamicAnchor":"T",
            "type":"string"},"list":{"$id":"list","type":"array","items":{"$dynamicRef":
            "#T"},"$defs":{"T":{"$dynamicAnchor":"T","type":"integer"}}},"plain":{"$ref":
            "list"}},"properties":{}}
            """##
        )
        #expect(try schema.accepts(#"["a"]"#) && !schema.accepts("[1]"))
        let registry = try SchemaRegistry([
            (
                "http://x/list",
                ##"""
                {"type":"array","items":{"$dynamicRef":"#T"},"$defs":{"T":{"$dynamicAnchor":
                "T","type":"integer"}}}
                """##
            )
        ])
        let plain = try Schema.test(##"{"$ref":"http://x/list"}"##, registry: registry)
        #expect(try plain.accepts("[1]") && !plain.accepts(#"["a"]"#))
    }

    @Test func `a dynamic reference that leads back to where it is ends validation`() throws {
        let schema = try Schema.test(
            ##"""
            {"$id":"http://x/a","$dynamicAnchor":"T","$ref":"b","$defs":{"b":{"$id":"b",
            "$dynamicRef":"#T","$defs":{"T":{"$dynamicAnchor":"T"}}}}}
            """##
        )
        #expect(throws: Failure.self) { try schema.violations("1") }
        do {
            _ = try schema.violations("1")
        } catch let failure as Failure {
            #expect(failure.kind == .limit && failure.key == "test.json")
            #expect(failure.message.contains("$dynamicRef"))
        }
    }

    @Test func `validates schemas by the draft's metaschema`() throws {
        let schema = try Schema.test(##"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"##)
        #expect(try schema.accepts(#"{"properties":{"a":{"minimum":1}}}"#))
        let violations = try schema.violations(#"{"properties":{"a":{"minimum":"x"}}}"#)
        #expect(violations.map(\.path) == ["/properties/a/minimum"])
        #expect(
            violations.first?.schemaPath
                == "/$ref/allOf/1/$ref/properties/properties/additionalProperties/$dynamicRef"
                + "/allOf/3/$ref/properties/minimum/type"
        )
        #expect(try !schema.accepts(#"{"$defs":{"a":{"anyOf":[]}}}"#))
    }

    @Test func `compiles ten thousand rules, each referred to`() throws {
        let count = 10_000
        let definitions = (0..<count).map {
            let pattern = $0 % 100 == 0 ? #","pattern":"^a{1,3}b\#($0)$""# : ""
            return #""d\#($0)":{"type":"integer","maximum":\#($0)\#(pattern)}"#
        }
        let properties = (0..<count).map { ##""p\##($0)":{"$ref":"#/$defs/d\##($0)"}"## }
        let schema = try Schema.test(
            "{\"$defs\":{\(definitions.joined(separator: ","))},"
                + "\"properties\":{\(properties.joined(separator: ","))}}")
        let members = (0..<count).map { #""p\#($0)":\#($0)"# }
        #expect(try schema.accepts("{\(members.joined(separator: ","))}"))
        let found = try schema.violations(#"{"p9999":10000,"p7":7}"#)
        #expect(found.map(\.schemaPath) == ["/properties/p9999/$ref/maximum"])
    }

    @Test func `twenty thousand references in a row are one step`() throws {
        let count = 20_000
        let definitions = (0..<count).map { ##""\##($0)":{"$ref":"#/$defs/\##($0 + 1)"}"## }
        let schema = try Schema.test(
            "{\"$ref\":\"#/$defs/0\",\"$defs\":{\(definitions.joined(separator: ",")),"
                + "\"\(count)\":{\"type\":\"integer\"}}}")
        #expect(try schema.accepts("1") && !schema.accepts("\"a\""))
    }

    @Test func `an enum, names and required ones by the thousand are found by hash`() throws {
        let words = (0..<20_000).map { "\"word \($0)\"" }
        let schema = try Schema.test(
            "{\"properties\":{\"e\":{\"items\":{\"enum\":[\(words.joined(separator: ","))]}}},"
                + "\"required\":[\(words.joined(separator: ","))]}")
        let members = words.reversed().map { "\($0):1" }.joined(separator: ",")
        #expect(try schema.accepts("{\(members),\"e\":[\(words.joined(separator: ","))]}"))
        let found = try schema.violations("{\(members),\"e\":[\"word 20000\"]}")
        #expect(found.map(\.keyword) == ["enum"])
    }

    @Test func `gives back all memory, whichever allocation is refused`() throws {
        let text =
            ##"""
            {"$defs":{"a":{"$anchor":"x","pattern":"^(a|b)*c{2,3}$"}},"properties":{"p":{
            "$ref":"#x"},"q":{"enum":[1,2,3,4,5,6,7,8,9,10]}},"unevaluatedProperties":{
            "$dynamicRef":"#y"},"patternProperties":{"^x":{"$dynamicAnchor":"y",
            "uniqueItems":true}},"required":["p"]}
            """##
        var refused = 0
        var wasRefused = true
        while wasRefused {
            wasRefused = false
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do throws(Failure) {
                    let schema = try Schema.test(text, memory: memory)
                    _ = try? schema.violations(
                        #"{"p":"abcc","z":["x"],"xa":[1,2,3,4,5,6,7,8,9,1]}"#, memory: memory)
                } catch {
                    wasRefused = true
                    #expect(error.kind == .noMemory)
                }
            }
            #expect(leaked == 0, "allocation \(refused)")
            refused += 1
        }
        #expect(refused > 50)
    }
}
