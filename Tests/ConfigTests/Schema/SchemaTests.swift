// The whole configuration as one object, and what text means in it.
import Foundation
import Testing

@testable import Config

@Suite struct SchemaTests {
    /// What a schema for one key finds in a text of text format.
    private func violations(_ schema: String, _ text: String) throws -> [TestViolation] {
        try Schema.test("{\"properties\":{\"KEY\":\(schema)}}").violations([("KEY", text)])
    }

    static let texts: [(String, [String], [String])] = [
        // `type` without string: what the text reads as.
        (
            #"{"type":"integer","minimum":1,"maximum":65535}"#,
            ["8080", " 8080\n", "1e3", "+5", "80.0"],
            ["0", "65536", "80.5", "http", "", "true"]
        ),
        (#"{"type":"number"}"#, ["1.5", "1e300", "-3"], ["1,5", "x", ""]),
        (#"{"type":"boolean"}"#, ["true", "False", "yes", "off", "1", "0"], ["2", "maybe", ""]),
        (#"{"type":"null"}"#, ["", "null", " \n"], ["none", "0", "NULL"]),
        (#"{"type":["integer","null"]}"#, ["5", ""], ["x", "true"]),
        (#"{"type":["boolean","integer"],"minimum":1}"#, ["1", "true", "5"], ["0", "x"]),
        (#"{"type":"integer","enum":[80,443]}"#, ["80", "443.0"], ["81", "x"]),
        (#"{"type":"integer","const":80}"#, ["80"], ["81"]),
        (#"{"type":"boolean","const":true}"#, ["on", "true"], ["off"]),
        (#"{"type":"array"}"#, [], ["[]", "x"]), (#"{"type":"object"}"#, [], ["{}"]),
        // What `type` decides holds for what is applied to the same value.
        (
            #"{"type":"integer","allOf":[{"minimum":5}],"not":{"const":7}}"#, ["5", "6"],
            ["4", "7"]
        ),
        (#"{"type":"integer","anyOf":[{"type":"string"}]}"#, [], ["5"]),
        (#"{"type":"integer","minLength":9}"#, ["5"], []),
        // `type` with string: a string.
        (#"{"type":"string"}"#, ["8080", "true", "", "x"], []),
        (#"{"type":["string","integer"],"minimum":5}"#, ["4", "x"], []),
        (#"{"type":["string","integer"],"minLength":2}"#, ["44"], ["4"]),
        (#"{"type":"string","enum":["1","2"]}"#, ["1"], ["3", "1.0"]),
        (#"{"type":"string","const":1}"#, [], ["1"]),
        // No `type`: a string, but limits and constants look at numbers in it.
        (#"{"minimum":5}"#, ["5", "x", ""], ["4", "-1e3"]),
        (#"{"multipleOf":0.1}"#, ["0.3", "x"], ["0.35"]),
        (#"{"exclusiveMaximum":5}"#, ["4.9", "x"], ["5", "5.0"]),
        (#"{"const":8080}"#, ["8080", "8080.0"], ["8081", "x"]),
        (#"{"const":"8080"}"#, ["8080"], ["8080.0", "8081"]),
        (
            #"{"enum":[1,true,null,"a",2.5]}"#, ["1", "yes", "", "a", "2.5", "null"],
            ["2", "no", "b"]
        ),
        (
            #"{"enum":[10,11,12,13,14,15,16,17,18,true,null,"a"]}"#, ["18", "on", "", "a"],
            ["19", "off"]
        ),
        (#"{"pattern":"^[0-9]+$","maxLength":4}"#, ["8080"], ["80800", "x"]),
        (#"{"minLength":3}"#, ["100"], ["10"]),
        // Alternatives decide for themselves.
        (
            #"{"anyOf":[{"type":"integer","minimum":1},{"const":"auto"}]}"#, ["5", "auto"],
            ["0", "x"]
        ),
        (#"{"oneOf":[{"type":"integer"},{"type":"boolean"}]}"#, ["5", "true"], ["1", "x"]),
        (
            #"{"if":{"type":"integer"},"then":{"minimum":10},"else":{"const":"off"}}"#,
            ["10", "off"],
            ["9", "on"]
        ),
        (#"{"not":{"type":"integer"}}"#, ["x", "1.5"], ["5"]),
        ("false", [], ["x"]), ("true", ["x"], []),
    ]

    @Test(arguments: texts)
    func `text is what the schema asks for, when it reads as that`(
        schema: String, good: [String], bad: [String]
    ) throws {
        for text in good {
            #expect(try violations(schema, text) == [], "\(schema) allows \(text)")
        }
        for text in bad {
            #expect(try violations(schema, text) != [], "\(schema) refuses \(text)")
        }
    }

    @Test func `follows references with what type decides`() throws {
        let schema = try Schema.test(
            ##"""
            {"$defs":{"port":{"type":"integer","$ref":"#/$defs/positive"},"positive":{
            "exclusiveMinimum":0}},"additionalProperties":{"$ref":"#/$defs/port"}}
            """##
        )
        #expect(try schema.violations([("A", "1"), ("B", "2")]) == [])
        #expect(try schema.violations([("A", "0"), ("B", "x")]).map(\.key) == ["A", "B"])
    }

    @Test func `only the text of keys is read as something else`() throws {
        let schema = try Schema.test(
            #"""
            {"properties":{"a.json":{"properties":{"n":{"type":"integer"}}},"b.json":{
            "type":"integer"}}}
            """#
        )
        let found = try schema.violations([("a.json", #"{"n":"5"}"#), ("b.json", #""5""#)])
        #expect(found.map { $0.key + $0.path } == ["a.json/n", "b.json"])
        #expect(try Schema.test(#"{"type":"integer"}"#).violations(#""5""#).count == 1)
    }

    @Test func `the text of one key is read likewise`() throws {
        let document = try Document.test("PORT", "8080")
        defer { document.release(TestMemory.memory) }
        #expect(
            try Schema.test(#"{"type":"integer","minimum":1}"#).violations(of: document.root) == [])
        let found = try Schema.test(#"{"type":"integer","maximum":1}"#).violations(
            of: document.root)
        #expect(found.first?.key == "PORT" && found.first?.line == 1 && found.first?.column == 1)
    }

    @Test func `sees the configuration as one object of keys`() throws {
        let schema = try Schema.test(
            #"""
            {"required":["A","B"],"properties":{"A":true,"x.json":{"properties":{"y":{
            "items":{"maximum":1}}}}},"patternProperties":{"^P_":{"type":"integer"}},
            "additionalProperties":false,"maxProperties":4,"propertyNames":{"maxLength":6},
            "dependentRequired":{"A":["C"]}}
            """#
        )
        let found = try schema.violations([
            ("A", "a"), ("D", "d"), ("LONG_KEY", "e"), ("P_1", "x"), ("x.json", "{\"y\":[1,\n 2]}"),
        ])
        #expect(
            found.map { "\($0.key)\($0.path) \($0.line):\($0.column) \($0.schemaPath)" } == [
                " 0:0 /maxProperties", "D 1:1 /additionalProperties",
                "LONG_KEY 0:0 /propertyNames/maxLength", "LONG_KEY 1:1 /additionalProperties",
                "P_1 1:1 /patternProperties/^P_/type",
                "x.json/y/1 2:2 /properties/x.json/properties/y/items/maximum",
                " 0:0 /required", " 0:0 /dependentRequired/A",
            ])
        #expect(
            found.map(\.expected) == [
                "at most 4 members, found an object of 5 members", "no member of this name",
                "at most 6 characters, found a string of 8 characters", "no member of this name",
                "an integer, found a string of 1 character",
                "a number of at most 1, found an integer", "a member named \"B\"",
                "a member named \"C\" beside \"A\"",
            ])
    }

    @Test func `the whole configuration has a constant and unevaluated keys, too`() throws {
        let constant = try Schema.test(#"{"const":{"a.json":[1],"B":"b"}}"#)
        #expect(try constant.violations([("a.json", "[1.0]"), ("B", "b")]) == [])
        #expect(try constant.violations([("a.json", "[2]"), ("B", "b")]).count == 1)
        let many = (0..<10).map { "{\"k\":\"\($0)\"}" }.joined(separator: ",")
        let choice = try Schema.test("{\"enum\":[\(many)]}")
        #expect(try choice.violations([("k", "7")]) == [])
        #expect(try choice.violations([("k", "17")]).count == 1)
        let strict = try Schema.test(
            #"{"allOf":[{"properties":{"A":true}}],"unevaluatedProperties":false}"#)
        #expect(try strict.violations([("A", "1")]) == [])
        #expect(try strict.violations([("A", "1"), ("B", "2")]).map(\.key) == ["B"])
    }

    @Test func `an empty configuration is an empty object`() throws {
        #expect(try Schema.test(#"{"maxProperties":0}"#).violations([]) == [])
        #expect(try Schema.test(#"{"required":["A"]}"#).violations([]).count == 1)
    }

    @Test func `what is not UTF-8 is of no type`() throws {
        let document = try Document.test("binary", [0xFF, 0xFE])
        defer { document.release(TestMemory.memory) }
        for schema in [
            #"{"type":"string"}"#,
            #"{"type":["null","boolean","number","string","array","object"]}"#,
            #"{"const":"x"}"#,
        ] {
            let found = try Schema.test(schema).violations(of: document.root)
            #expect(found.count == 1)
            #expect(found[0].expected.hasSuffix("found bytes that are no text, 2 of them"))
        }
        #expect(
            try Schema.test(#"{"minLength":9,"pattern":"x","minimum":5}"#)
                .violations(of: document.root) == [])
    }

    @Test func `one schema serves many threads`() throws {
        let schema = try Schema.test(
            ##"""
            {"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"pattern":"^(a|b)+\\p{Nd}$","enum":[
            "a1","b2","ab3","c","d","e","f","g","h"]}}}
            """##
        )
        DispatchQueue.concurrentPerform(iterations: 64) { number in
            let text = #"["a1","b2","ab3","\#(number)"]"#
            let found = try? schema.violations(text)
            #expect(found?.map(\.path) == ["/3", "/3"])
        }
    }
}
