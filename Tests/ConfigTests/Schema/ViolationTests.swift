// How violations are kept, counted, bounded and handed on.
import Foundation
import Testing

@testable import Config

@Suite struct ViolationTests {
    private func violations(_ schema: String, _ json: String, tellsNames: Bool = true) throws
        -> Violations
    {
        let document = try Document.test("test.json", json)
        defer { document.release(TestMemory.memory) }
        let violations = Violations(memory: TestMemory.memory, tellsNames: tellsNames)
        _ = try Schema.test(schema).validate(
            document.root, into: violations, memory: TestMemory.memory)
        try violations.seal()
        return violations
    }

    @Test func `a hundred are kept and all are counted`() throws {
        let elements = Array(repeating: "1", count: 250).joined(separator: ",")
        let violations = try violations(#"{"items":{"type":"string"}}"#, "[\(elements)]")
        #expect(violations.count == 250 && violations.list.count == 100)
        #expect(String(cString: violations.list[99].instancePath) == "/99")
        let failure = try #require(violations.failure)
        #expect(failure.kind == .rejected && failure.stage == .validate)
        #expect(failure.message == "type at /0: expected a string, found an integer; 249 more")
        #expect(failure.key == "test.json" && failure.line == 1 && failure.column == 2)
    }

    @Test func `outlive what they were found in`() throws {
        let violations = try violations(#"{"required":["a"]}"#, "{}")
        #expect(TestViolation(violations.list[0]).expected == "a member named \"a\"")
    }

    @Test func `are JSON with the members of the interface`() throws {
        let violations = try violations(
            #"{"properties":{"a\"":{"pattern":"\\d\""}}}"#, "{\n \"a\\\"\": \"x\"}")
        let json = try violations.json(memory: TestMemory.memory)
        defer { json.free(TestMemory.memory) }
        struct Parsed: Decodable, Equatable {
            var key, instance_path, schema_path, keyword, expected: String
            var line, column: Int
        }
        #expect(
            try JSONDecoder().decode([Parsed].self, from: Data(json.bytes)) == [
                Parsed(
                    key: "test.json", instance_path: "/a\"", schema_path: "/properties/a\"/pattern",
                    keyword: "pattern",
                    expected: "a string that matches \\d\", found a string of 1 character", line: 2,
                    column: 9)
            ])
        let none = try self.violations("true", "1").json(memory: TestMemory.memory)
        defer { none.free(TestMemory.memory) }
        #expect(none.bytes.text == "[]")
    }

    @Test func `long texts are cut between characters`() throws {
        let name = String(repeating: "é", count: 5000)
        let violations = try violations(#"{"additionalProperties":false}"#, "{\"\(name)\":1}")
        let path = String(cString: violations.list[0].instancePath)
        #expect(path.hasSuffix("é…") && path.utf8.count <= 4100)
    }

    @Test func `a NUL in a name does not end a text`() throws {
        let violations = try violations(
            #"{"additionalProperties":false,"required":["x\u0000y"]}"#, #"{"a\u0000b":1}"#)
        #expect(violations.list.map { TestViolation($0).path } == ["/a?b", ""])
    }

    @Test(arguments: [
        #"{"type":"integer"}"#, #"{"const":1}"#, #"{"enum":["a","b"]}"#, #"{"maxLength":1}"#,
        #"{"pattern":"^x"}"#, #"{"format":"ipv4"}"#, #"{"not":true}"#, #"{"anyOf":[false]}"#,
        #"{"oneOf":[true,true]}"#, "false",
        #"{"type":["null","boolean","number","array","object"]}"#,
    ])
    func `nothing of a value is told`(schema: String) throws {
        let secret = "hunter2-hunter2"
        let compiled = try Schema.test(schema, assertsFormat: true)
        let found = try compiled.violations("\"\(secret)\"") + compiled.violations([("K", secret)])
        #expect(!found.isEmpty)
        for violation in found {
            #expect(!violation.description.contains("hunter"), "\(violation)")
        }
    }

    @Test(arguments: [
        (#"{"additionalProperties":false}"#, #"{"hunter2":1}"#, "/*"),
        (#"{"properties":{"a":{"items":{"type":"null"}}}}"#, #"{"a":[null,1]}"#, "/*/1"),
        (#"{"additionalProperties":{"required":["a"]}}"#, #"{"a/b~c":{}}"#, "/*"),
        (#"{"propertyNames":{"maxLength":1}}"#, #"{"*":0,"hunter2":1}"#, "/*"),
        (#"{"items":{"type":"null"}}"#, "[1]", "/0"), (#"{"type":"null"}"#, "1", ""),
    ])
    func `names of members are not told where they are secrets`(
        schema: String, json: String, path: String
    ) throws {
        let violations = try violations(schema, json, tellsNames: false)
        #expect(TestViolation(violations.list[0]).path == path)
        let failure = try #require(violations.failure)
        #expect(failure.message.contains(path.isEmpty ? "type: " : " at \(path): "))
        #expect(!failure.message.contains("hunter"))
    }

    @Test(arguments: [
        ("null", "null"), ("true", "a boolean"), ("5", "an integer"), ("5.5", "a number"),
        ("\"日本\"", "a string of 2 characters"), ("[1]", "an array of 1 element"),
        ("{\"a\":1,\"b\":2}", "an object of 2 members"),
    ])
    func `what was found is told by type and length`(json: String, found: String) throws {
        let violations = try violations(#"{"const":"x"}"#, json)
        #expect(TestViolation(violations.list[0]).expected == "\"x\", found \(found)")
    }

    static let words: [(String, String, String)] = [
        (#"{"type":["string","null"]}"#, "1", "null or a string"),
        (#"{"type":["integer","boolean"]}"#, "[]", "a boolean or an integer"),
        (#"{"enum":[1,"a",[2]]}"#, "null", "one of 1, \"a\", [2]"),
        (
            #"{"enum":[0,1,2,3,4,5,6,7,8,9,10,11]}"#, "null",
            "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 others"
        ),
        (#"{"enum":[]}"#, "null", "nothing: no value is allowed"),
        (#"{"const":{"a":[1.5]}}"#, "null", #"{"a":[1.5]}"#),
        (#"{"multipleOf":0.5}"#, "0.7", "a multiple of 0.5"),
        (#"{"exclusiveMinimum":1}"#, "1", "a number above 1"),
        (#"{"exclusiveMaximum":1.5}"#, "2", "a number below 1.5"),
        (#"{"minItems":1}"#, "[]", "at least 1 element"),
        (#"{"minItems":4611686018427387904}"#, "[]", "at least 4611686018427387904 elements"),
        (#"{"minLength":9223372036854775808}"#, "\"\"", "at least 9223372036854775808 characters"),
        (#"{"minLength":1e30}"#, "\"\"", "at least 2^64 characters"),
        (#"{"contains":true,"minContains":1e30}"#, "[1]", "at least 2^64 matching elements"),
        (#"{"maxItems":2}"#, "[1,2,3]", "at most 2 elements"),
        (#"{"minProperties":1}"#, "{}", "at least 1 member"),
        (#"{"contains":{"const":1}}"#, "[2]", "at least 1 matching element, found 0"),
        (
            #"{"contains":true,"maxContains":1}"#, "[2,3]",
            "at most 1 matching element, found 2"
        ),
    ]

    @Test(arguments: words)
    func `what would have been right is told in words`(
        schema: String, json: String, expected: String
    ) throws {
        let violations = try violations(schema, json)
        #expect(TestViolation(violations.list[0]).expected.hasPrefix(expected))
    }

    @Test func `keywords that count what others found are named`() throws {
        for (schema, json, keyword) in [
            (#"{"contains":{"const":1}}"#, "[2]", "contains"),
            (#"{"contains":{"const":1},"minContains":2}"#, "[1]", "minContains"),
            (#"{"contains":{"const":1},"maxContains":1}"#, "[1,1]", "maxContains"),
            ("false", "1", "false"), (#"{"properties":{"a":false}}"#, #"{"a":1}"#, "properties"),
            (#"{"items":false}"#, "[1]", "items"),
            (#"{"unevaluatedItems":false}"#, "[1]", "unevaluatedItems"),
        ] {
            let violations = try violations(schema, json)
            #expect(TestViolation(violations.list[0]).keyword == keyword)
        }
    }
}
