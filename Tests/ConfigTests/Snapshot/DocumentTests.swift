// A document as a whole: what it keeps, how its format is found, and how text is trimmed.
import Foundation
import Testing

@testable import Config

@Suite struct DocumentTests {
    @Test func `keeps key and bytes exactly, a NUL behind each`() throws {
        for (key, text) in [
            ("a.json", "{\"a\":\"b\"}"), ("a.json", " [ ] \n"), ("text", " x "), ("empty", ""),
            ("k", "a\u{0}b"),
        ] {
            let parsed = try ParsedText(text, key: key, format: key.withBytes { Format(key: $0) })
            let document = parsed.document
            #expect(document.key.text == key && document.bytes.elementsEqual(text.utf8))
            #expect(document.key.baseAddress![key.utf8.count] == 0)
            #expect(document.bytes.baseAddress![text.utf8.count] == 0)
            #expect(document.hasSameBytes(as: document.bytes))
            #expect(document.keyHash == key.withBytes { Hash.text($0.baseAddress!, $0.count) })
            withExtendedLifetime(parsed) {}
        }
    }

    @Test func `a suffix decides the format`() {
        for (key, format) in [
            ("a.json", Format.json), (".json", .json), ("a.b.json", .json), ("json", .text),
            ("a.JSON", .text),
            ("a.json.bak", .text), ("", .text), ("a.jso", .text),
            ("a.yaml", .yaml), ("a.yml", .yaml), ("a.toml", .toml), ("a.properties", .properties),
            (".env", .dotenv), ("a.env", .dotenv), ("env", .text), ("a.ini", .ini),
            ("a.conf", .text), ("ini", .text),
        ] {
            #expect(key.withBytes { Format(key: $0) } == format)
        }
    }

    @Test(arguments: [
        ("plain", "plain"), (" both ends\t\r\n", "both ends"), ("\n\u{b}\u{c} x", "x"),
        ("x \n", "x"), ("", ""),
        (" ", ""), ("\n\n", ""), ("inner  space", "inner  space"), ("日本", "日本"),
        ("\u{a0}x", "\u{a0}x"), ("a\u{0}b", "a\u{0}b"),
    ])
    func `text is trimmed at both ends and a NUL follows it`(content: String, text: String) throws {
        let parsed = try ParsedText(content, key: "text", format: .text)
        #expect(parsed.tree == "\"\(text)\"")
        #expect(parsed.document.bytes.elementsEqual(content.utf8))
    }

    @Test func `what is not UTF-8 stays bytes`() throws {
        for content in [[0xff], [0x61, 0xc3], [0x20, 0xed, 0xa0, 0x80, 0x20], [0, 0x80]]
            as [[UInt8]]
        {
            let parsed = try ParsedText(content, key: "binary", format: .text)
            #expect(parsed.tree == "bytes(\(content.map { String($0) }.joined(separator: " ")))")
            #expect(parsed.document.bytes.elementsEqual(content))
        }
    }

    @Test func `sniffing parses text as JSON when it is`() throws {
        var options = ParseOptions()
        options.sniffJSON = true
        for (content, tree) in [
            ("{\"a\":[1]}", "{\"a\":[1]}"), (" 5\n", "5"), ("true", "true"), ("five", "\"five\""),
            ("{a}", "\"{a}\""), ("", "\"\""),
            ("[1,]", "\"[1,]\""),
        ] {
            let parsed = try ParsedText(content, key: "key", format: .text, options: options)
            #expect(parsed.tree == tree && parsed.parsed.forgiven == nil)
        }
        #expect(ParsedText.failure("five")?.kind == .parse)
    }

    @Test func `leniency keeps what does not parse as text and says why`() throws {
        var options = ParseOptions()
        options.isLenient = true
        let parsed = try ParsedText(" {a} ", options: options)
        #expect(parsed.tree == "\"{a}\"")
        #expect(parsed.parsed.forgiven?.kind == .parse && parsed.parsed.forgiven?.column == 3)
        #expect(try ParsedText([0x7b, 0xff], options: options).tree == "bytes(123 255)")
        let deep = try ParsedText(String(repeating: "[", count: 200), options: options)
        #expect(deep.parsed.forgiven?.kind == .limit)
        #expect(try ParsedText("[1]", options: options).parsed.forgiven == nil)
    }

    @Test func `refuses what is larger than the limit`() throws {
        var limits = Limits()
        limits.maxValueBytes = 4
        #expect(ParsedText.failure("[1,2]", limits: limits)?.kind == .limit)
        #expect(ParsedText.failure("[1]", limits: limits) == nil)
        #expect(ParsedText.failure("12345".utf8, format: .text, limits: limits)?.kind == .limit)
    }

    @Test func `says where a value begins`() throws {
        let parsed = try ParsedText("\u{FEFF}{\n  \"a\": [1,\r\n    2],\n\n\"é\": {\"b\": null}}")
        func position(_ index: Int) -> [UInt32] {
            let place = parsed.document.position(of: Value(parsed.root.node + index))
            return [place.line, place.column]
        }
        #expect(
            (0..<9).map(position) == [
                [1, 4], [2, 3], [2, 8], [2, 9], [3, 5], [5, 1], [5, 7], [5, 8], [5, 13],
            ])
    }

    @Test(
        arguments: [
            ("a.yaml", "- 1\r- 2\r\n- 3\n- 4", [[1, 1], [1, 3], [2, 3], [3, 3], [4, 3]]),
            ("a.json", "[1,\r2,\r\n3,\n4]", [[1, 1], [1, 2], [1, 5], [2, 1], [3, 1]]),
            ("a.properties", "a=1\r\rb=2", [[1, 1], [1, 1], [1, 3], [3, 1], [3, 3]]),
            ("a.env", "A=1\rB=2", [[1, 1], [1, 1], [1, 3], [2, 1], [2, 3]]),
            ("a.toml", "a=1\r\nb=2", [[1, 1], [1, 1], [1, 3], [2, 1], [2, 3]]),
            ("a.ini", "a=1\rb\nc=2", [[1, 1], [1, 1], [1, 3], [2, 1], [2, 3]]),
        ] as [(String, String, [[UInt32]])])
    func `a carriage return alone ends a line where the format says so`(
        key: String, text: String, places: [[UInt32]]
    ) throws {
        let document = try Document.test(key, text)
        defer { document.release(TestMemory.memory) }
        var memory = PositionMemory()
        for (index, place) in places.enumerated() {
            let value = Value(document.root.node + index)
            let position = document.position(of: value)
            #expect([position.line, position.column] == place)
            #expect(memory.position(of: value.node, in: document) == position)
        }
    }

    @Test func `says where a name occurs again, by the lines of the format`() throws {
        let parsed = try ParsedText("a=1\r\rb=2\ra=3", format: .properties)
        #expect(parsed.parsed.repeats?.position.line == 4)
    }

    @Test func `finds the document of any of its nodes`() throws {
        let parsed = try ParsedText("[[1,{\"a\":2}],\"x\",null]")
        for index in 0..<7 {
            #expect(Document.of(parsed.root.node + index).base == parsed.document.base)
        }
    }

    @Test func `the last holder gives the memory back`() throws {
        let leaked = try TestMemory.leaked { memory in
            for (key, text) in [("a.json", "[1,\"two\"]"), ("a", "text "), ("b", "")] {
                let document = try Document.test(key, text, memory: memory)
                document.retain()
                document.release(memory)
                #expect(document.key.text == key)
                document.release(memory)
            }
        }
        #expect(leaked == 0)
    }

    @Test func `a failure names the key, whatever it is`() {
        #expect(ParsedText.failure("[")?.key == "test.json")
        let failure = ParsedText.failure([0xff])
        #expect(failure?.message == "expected a value, found a character outside ASCII")
    }
}
