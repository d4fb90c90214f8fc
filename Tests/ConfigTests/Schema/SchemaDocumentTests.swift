// A schema that is wrong is refused, and the message leads to where.
import Testing

@testable import Config

@Suite struct SchemaDocumentTests {
    static let wrong: [(String, String, UInt32, UInt32)] = [
        (#"{"type":"integr"}"#, "/type", 1, 9), (#"{"type":[]}"#, "/type", 1, 9),
        (#"{"type":["null","null"]}"#, "/type/1", 1, 17), (#"{"type":5}"#, "/type", 1, 9),
        (#"{"type":["null","x"]}"#, "/type/1", 1, 17), (#"{"enum":1}"#, "/enum", 1, 9),
        (#"{"minimum":"1"}"#, "/minimum", 1, 12), (#"{"multipleOf":0}"#, "/multipleOf", 1, 15),
        (#"{"multipleOf":-1}"#, "/multipleOf", 1, 15), (#"{"maxLength":-1}"#, "/maxLength", 1, 14),
        (#"{"minItems":1.5}"#, "/minItems", 1, 13), (#"{"maxItems":null}"#, "/maxItems", 1, 13),
        (#"{"uniqueItems":1}"#, "/uniqueItems", 1, 16), (#"{"pattern":1}"#, "/pattern", 1, 12),
        (#"{"pattern":"("}"#, "/pattern", 1, 12), (#"{"required":"a"}"#, "/required", 1, 13),
        (#"{"required":[1]}"#, "/required/0", 1, 14),
        (#"{"required":["a","a"]}"#, "/required/1", 1, 18),
        (#"{"dependentRequired":{"a":"b"}}"#, "/dependentRequired/a", 1, 27),
        (#"{"dependentRequired":[]}"#, "/dependentRequired", 1, 22),
        (#"{"properties":[]}"#, "/properties", 1, 15),
        (#"{"properties":{"a":1}}"#, "/properties/a", 1, 20),
        (#"{"patternProperties":{"[":true}}"#, "/patternProperties/[", 1, 23),
        (#"{"additionalProperties":null}"#, "/additionalProperties", 1, 25),
        (#"{"items":[true]}"#, "/items", 1, 10), (#"{"prefixItems":[]}"#, "/prefixItems", 1, 16),
        (#"{"allOf":[]}"#, "/allOf", 1, 10), (#"{"anyOf":{}}"#, "/anyOf", 1, 10),
        (#"{"oneOf":[1]}"#, "/oneOf/0", 1, 11), (#"{"not":"x"}"#, "/not", 1, 8),
        (#"{"if":[]}"#, "/if", 1, 7), (#"{"$defs":{"a":3}}"#, "/$defs/a", 1, 15),
        (#"{"format":1}"#, "/format", 1, 11), (#"{"title":1}"#, "/title", 1, 10),
        (#"{"deprecated":"yes"}"#, "/deprecated", 1, 15),
        (#"{"examples":{}}"#, "/examples", 1, 13),
        (#"{"contentSchema":1}"#, "/contentSchema", 1, 18),
        (#"{"$id":1}"#, "/$id", 1, 8), (#"{"$id":"a#b"}"#, "/$id", 1, 8),
        (#"{"$id":"a b"}"#, "/$id", 1, 8), (#"{"$anchor":"1a"}"#, "/$anchor", 1, 12),
        (#"{"$anchor":""}"#, "/$anchor", 1, 12), (#"{"$ref":1}"#, "/$ref", 1, 9),
        (##"{"$ref":"#nowhere"}"##, "/$ref", 1, 9), (##"{"$ref":"#/$defs/x"}"##, "/$ref", 1, 9),
        (##"{"$ref":"http://a/b"}"##, "/$ref", 1, 9),
        (##"{"$ref":"#/title","title":"x"}"##, "/$ref", 1, 9),
        (##"{"$dynamicRef":"#nowhere"}"##, "/$dynamicRef", 1, 16),
        (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "/$schema", 1, 12),
        (#"{"$schema":"x"}"#, "/$schema", 1, 12),
        (#"{"$vocabulary":{"a":1}}"#, "/$vocabulary/a", 1, 21),
        (#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, "/$defs/b/$anchor", 1, 46),
        (#"{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}"#, "/$defs/b/$id", 1, 38),
        (
            "{\n  \"properties\": {\n    \"a/b~c\": { \"minimum\": [] }\n  }\n}",
            "/properties/a~1b~0c/minimum", 3, 27
        ),
        ("{\"dependencies\":{\"a\":1}}", "/dependencies/a", 1, 22),
    ]

    @Test(arguments: wrong)
    func `refuses a schema that is wrong and says where`(
        text: String, pointer: String, line: UInt32, column: UInt32
    ) throws {
        let failure = try #require(Schema.failure(text))
        #expect(failure.kind == .invalidArgument && failure.stage == .validate)
        #expect(failure.key == "test.json")
        #expect(
            failure.message.hasPrefix("the schema is wrong at \(pointer): "), "\(failure.message)")
        #expect(
            failure.line == line && failure.column == column, "\(failure.line):\(failure.column)")
    }

    @Test(arguments: ["1", "[]", "null", "\"x\""])
    func `refuses what is no schema at all`(text: String) throws {
        let failure = try #require(Schema.failure(text))
        #expect(failure.message == "the schema is wrong: expected an object or a boolean")
    }

    @Test func `refuses what is not JSON and says where`() throws {
        let failure = try #require(Schema.failure("{\n \"type\": }"))
        #expect(failure.kind == .parse && failure.line == 2 && failure.column == 10)
        #expect(failure.message.hasPrefix("the schema is not JSON: expected a value"))
    }

    @Test func `what no keyword calls a schema is not looked at`() throws {
        for text in [
            #"{"unknown":{"type":5}}"#, #"{"enum":[{"type":5}]}"#, #"{"const":{"$id":1}}"#,
            #"{"default":{"minimum":"x"}}"#, #"{"examples":[{"$ref":1}]}"#,
            #"{"properties":{"type":{},"minimum":{},"$ref":true}}"#,
            #"{"enum":[{"$anchor":"a"}],"$defs":{"x":{"$anchor":"a"}}}"#,
        ] {
            #expect(Schema.failure(text) == nil, "\(text)")
        }
    }

    @Test func `a reference makes a schema of what no keyword calls one, and then it is looked at`()
        throws
    {
        let schema = try Schema.test(##"{"x":{"y":{"type":"integer"}},"$ref":"#/x/y"}"##)
        #expect(try schema.accepts("1") && !schema.accepts("\"a\""))
        let failure = try #require(Schema.failure(##"{"x":{"type":5},"$ref":"#/x"}"##))
        #expect(failure.message.hasPrefix("the schema is wrong at /x/type"))
    }

    @Test func `nests a thousand levels`() throws {
        let depth = 500
        let text =
            String(repeating: #"{"items":"#, count: depth) + #"{"type":"integer"}"#
            + String(repeating: "}", count: depth)
        let schema = try Schema.test(text)
        #expect(try schema.accepts("[[[]]]"))
        let tooDeep = String(repeating: #"{"not":"#, count: 1100)
        #expect(
            Schema.failure(tooDeep + "{}" + String(repeating: "}", count: 1100))?.kind == .limit)
    }
}
