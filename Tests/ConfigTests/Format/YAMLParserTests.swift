// What the YAML parser makes of documents: structure, anchors, merge keys, limits, and what it says
// of the rest. What scalars are is tested by YAMLScalarTests.
import Foundation
import Testing

@testable import Config

@Suite struct YAMLParserTests {
    static func tree(_ text: String, limits: Limits = Limits()) throws -> String {
        try ParsedText(text, key: "app.yaml", format: .yaml, limits: limits).tree
    }

    /// What is wrong with a text, as an error and a log line say it.
    static func problem(_ text: String, limits: Limits = Limits()) -> String? {
        ParsedText.failure(text, format: .yaml, limits: limits).map {
            "\($0.line):\($0.column): \($0.message)"
        }
    }

    @Test(arguments: [
        ("a: 1\nb:\n  - x\n  - y: z\n", #"{"a":1,"b":["x",{"y":"z"}]}"#),
        ("- 1\n-\n  - 2\n- {}\n- []\n", "[1,[2],{},[]]"),
        ("{a: [1, 2], \"b\": {c: 'd'}}", #"{"a":[1,2],"b":{"c":"d"}}"#),
        (#"{"a":[1,2.5,null,true,"x"],"b":{}}"#, #"{"a":[1,2.5d,null,true,"x"],"b":{}}"#),
        ("text", #""text""#),
        ("a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\ntwo\n\",\"b\":\"one two\"}"),
        ("a: 'it''s'\nb: \"\\x41\\u00e9\\U0001F600\\0\"\n", "{\"a\":\"it's\",\"b\":\"Aé😀\u{0}\"}"),
        ("? a\n: 1\n? b\n", #"{"a":1,"b":null}"#),
        ("--- 5\n...\n", "5"), ("%YAML 1.2\n---\na: 1\n", #"{"a":1}"#),
        ("a: 1 # one\r\nb: 2\r\n", #"{"a":1,"b":2}"#),
        ("\u{FEFF}a: é\n", #"{"a":"é"}"#),
    ])
    func `parses what documents are made of`(text: String, tree: String) throws {
        #expect(try Self.tree(text) == tree)
    }

    @Test(arguments: [
        ("a: 1\nb: 2\n", #"{"a":1,"b":2}"#), ("- é\n-\n  - b\n", #"["é",["b"]]"#),
        ("---\na: 1\nb: 2", #"{"a":1,"b":2}"#), ("%YAML 1.2\n---\na: 1\nb: 2\n", #"{"a":1,"b":2}"#),
        ("# one\r\na: |\r\n  two\r\n", #"{"a":"two\#n"}"#), ("", "null"), ("\n", "null"),
    ])
    func `a byte order mark stands before any text`(text: String, tree: String) throws {
        #expect(try Self.tree("\u{FEFF}" + text) == tree)
        #expect(try Self.tree(text) == tree)
    }

    @Test func `a byte order mark is a part of the first line, of three bytes`() throws {
        let parsed = try ParsedText(
            "\u{FEFF}é: 1\nb: ü\nc: 2\n", key: "app.yaml", format: .yaml)
        #expect(parsed.offsets(7) == [3, 3, 7, 9, 12, 15, 18])
        #expect(Self.problem("\u{FEFF}a: b: c\n") == "1:8: mapping values are not allowed here")
        #expect(
            Self.problem("\u{FEFF}a: 1\nb: c: d\n") == "2:5: mapping values are not allowed here")
        #expect(Self.problem("\u{FEFF}a: \u{7f}\n") == "1:7: control characters are not allowed")
        let many = String(repeating: "%TAG !a! x\n", count: 17) + "---\n"
        #expect(Self.problem("\u{FEFF}" + many) == "17:1: too many directives")
    }

    @Test(arguments: [
        ("a: 1\rb: [}", "2:5"), ("a: 1\r\nb: [}", "2:5"), ("a: 1\n\rb: [}", "3:5"),
        ("\r\r\n\rb: [}", "4:5"), ("a: \"\r\" b", "2:3"), ("a: 1\rb: b: c\r", "2:5"),
    ])
    func `a carriage return ends a line too`(text: String, place: String) throws {
        let problem = try #require(Self.problem(text))
        #expect(problem.hasPrefix(place + ": "), "\(problem)")
    }

    @Test(arguments: ["", "\n\n", "# nothing but a comment\n", "---\n", "--- # here\n...\n"])
    func `a text without a value is null`(text: String) throws {
        #expect(try Self.tree(text) == "null")
    }

    @Test func `a name is what is written, whatever it would be as a value`() throws {
        let text = "1: a\n1.50: b\ntrue: c\n~: d\n0x10: e\n\"\": f\n2001-01-01: g\n"
        #expect(
            try Self.tree(text)
                == #"{"1":"a","1.50":"b","true":"c","~":"d","0x10":"e","":"f","2001-01-01":"g"}"#)
    }

    @Test func `a node knows where its value begins, in bytes`() throws {
        let parsed = try ParsedText(
            "é: [1, \"ü\"]\nb: &x c\nd: *x\n", key: "app.yaml", format: .yaml)
        #expect(parsed.offsets(9) == [0, 0, 4, 5, 8, 14, 17, 22, 25])
    }

    @Test(arguments: [
        ("a: b: c\n", "1:5: mapping values are not allowed here"),
        (
            "server:\n  port: 80\n host: x\n",
            "3:2: did not find expected key while parsing a block mapping"
        ),
        ("é: 1\nñ: b: c\n", "2:6: mapping values are not allowed here"),
        ("a: [1, 2\n", "2:1: did not find expected ',' or ']' while parsing a flow sequence"),
        ("a: 'x", "1:6: found unexpected end of stream while scanning a quoted scalar"),
        (
            "a:\n\t- b\n",
            "2:1: found character that cannot start any token while scanning for the next token"
        ),
        ("a: 1\na: 2\n", "2:1: a name occurs twice in one object"),
        ("a: {b: 1, c: 2, b: 3}\n", "1:17: a name occurs twice in one object"),
        ("a: 1\n---\nb: 2\n", "2:1: expected a single document, found another"),
        ("? [a, b]\n: c\n", "1:3: an array or object cannot be the name of a member"),
        ("? {a: b}\n: c\n", "1:3: an array or object cannot be the name of a member"),
        ("a: *b\n", "1:4: an alias of an anchor that is not there"),
        ("a: &a\n  b: *a\n", "2:6: an alias inside of the value that it stands for"),
        ("%YAML 3.0\n---\na\n", "1:1: found incompatible YAML document"),
        ("a: \u{7f}\n", "1:4: control characters are not allowed"),
    ])
    func `says what is wrong and where`(text: String, problem: String) {
        #expect(Self.problem(text) == problem)
        #expect(ParsedText.failure(text, format: .yaml)?.kind == .parse)
    }

    @Test func `what is not UTF-8 is refused where it begins`() throws {
        for (bytes, column) in [
            ([0x61, 0x3a, 0x20, 0xff], 4), ([0xc3], 1), ([0x61, 0xed, 0xa0, 0x80], 2),
            ([0xff, 0xfe, 0x61, 0x00], 1), ([0x61, 0x00], 2),
        ] as [([UInt8], UInt32)] {
            let failure = try #require(ParsedText.failure(bytes, format: .yaml))
            #expect(failure.kind == .parse && failure.line == 1 && failure.column == column)
        }
    }
}

// MARK: - Anchors and merge keys

extension YAMLParserTests {
    @Test(arguments: [
        ("- &a 1\n- *a\n- {*a : x}\n", #"[1,1,{"1":"x"}]"#),
        ("&k key: &v [1, {b: c}]\nother: *v\n*k : *v\n", nil),
        ("- &a text\n- *a\n- *a\n", #"["text","text","text"]"#),
        ("- &a [1, {b: [c]}]\n- *a\n", #"[[1,{"b":["c"]}],[1,{"b":["c"]}]]"#),
        ("&1 key: v\nb: *1\n", #"{"key":"v","b":"key"}"#),
        ("- &a 1\n- &a 2\n- *a\n", "[1,2,2]"),
        ("- &a [&a x]\n- *a\n", #"[["x"],"x"]"#),
        ("- &a\n- *a\n", "[null,null]"),
    ])
    func `an alias stands for the value that its anchor named last`(text: String, tree: String?)
        throws
    {
        if let tree {
            #expect(try Self.tree(text) == tree)
        } else {
            #expect(Self.problem(text) == "3:1: a name occurs twice in one object")
        }
    }

    @Test(arguments: [
        ("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", #"{"a":{"x":1,"y":2},"b":{"y":3,"x":1}}"#),
        (
            "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\n",
            #"{"a":{"x":1},"b":{"x":2,"y":2},"c":{"z":3,"x":1,"y":2}}"#
        ),
        ("a: {z: 0, <<: {x: [1, {y: 2}]}}\n", #"{"a":{"z":0,"x":[1,{"y":2}]}}"#),
        ("a: {<<: [{x: 1}, {x: 2, y: {}}]}\n", #"{"a":{"x":1,"y":{}}}"#),
        (
            "a: &a {<<: {x: 1}, y: 2}\nb: &b {<<: *a, z: 3}\nc: *b\nd: {<<: *b}\n",
            #"{"a":{"y":2,"x":1},"b":{"z":3,"y":2,"x":1},"c":{"z":3,"y":2,"x":1},"#
                + #""d":{"z":3,"y":2,"x":1}}"#
        ),
        ("l: &l [{x: 1}, {y: 2}]\na: {<<: *l}\n", #"{"l":[{"x":1},{"y":2}],"a":{"x":1,"y":2}}"#),
        ("<<: {}\n", "{}"), ("<<: []\na: 1\n", #"{"a":1}"#),
        ("\"<<\": {a: 1}\n", #"{"<<":{"a":1}}"#), ("- <<\n", #"["<<"]"#),
        ("!!merge <<: {a: 1}\n", #"{"a":1}"#),
    ])
    func `a merge key gives an object the members that it lacks`(text: String, tree: String) throws
    {
        #expect(try Self.tree(text) == tree)
    }

    @Test(arguments: [
        "<<: 1\n", "<<:\n", "<<: [1]\n", "<<: [[{a: 1}]]\n", "a: &a [1]\nb: {<<: *a}\n",
        "a: &a 1\nb: {<<: *a}\n", "a: &a 1\nb: {<<: [*a]}\n",
    ])
    func `only objects can be merged`(text: String) throws {
        let problem = try #require(Self.problem(text))
        #expect(problem.hasSuffix("only an object, or an array of objects, can be merged by <<"))
    }

    @Test func `two merge keys in one object are one too many`() {
        #expect(
            Self.problem("<<: {a: 1}\n<<: {b: 2}\n") == "2:1: a name occurs twice in one object")
    }

    @Test func `merges large objects as it does small ones`() throws {
        func members(_ range: Range<Int>, _ value: String) -> String {
            range.map { "name \($0): \(value)" }.joined(separator: ", ")
        }
        let text = "- &a {\(members(0..<300, "a"))}\n- {<<: *a, \(members(200..<500, "b"))}\n"
        let parsed = try ParsedText(text, key: "app.yaml", format: .yaml)
        let merged = try #require(parsed.root.element(at: 1))
        #expect(merged.count == 500)
        for number in 0..<500 {
            let value = try #require("name \(number)".withBytes { merged.member(named: $0) })
            #expect(try value.string.text == (number < 200 ? "a" : "b"))
        }
        #expect(!parsed.tree.isEmpty)
    }

    @Test func `thousands of anchors are told apart`() throws {
        let count = 20_000
        let anchors = (0..<count).map { "- &anchor_\($0) \($0)\n" }.joined()
        let aliases = (0..<count).reversed().map { "- *anchor_\($0)\n" }.joined()
        let parsed = try ParsedText(anchors + aliases, key: "app.yaml", format: .yaml)
        #expect(parsed.root.count == 2 * count)
        for number in [0, 1, 777, count - 1] {
            #expect(try parsed.root.element(at: 2 * count - 1 - number)?.int64 == Int64(number))
        }
    }
}

// MARK: - Limits

extension YAMLParserTests {
    @Test(arguments: [("[", "]"), ("{a: ", "}"), ("- ", "")])
    func `refuses nesting beyond the limit and takes what is at it`(open: String, close: String)
        throws
    {
        var limits = Limits()
        for depth in [1, 2, 127, 128, 900] {
            limits.maxDepth = depth
            func deep(_ depth: Int) -> String {
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            _ = try Self.tree(deep(depth), limits: limits)
            let failure = ParsedText.failure(deep(depth + 1), format: .yaml, limits: limits)
            #expect(failure?.kind == .limit)
            #expect(failure?.column == UInt32(open.utf8.count * depth + 1))
        }
        let bottomless = String(repeating: open, count: 200_000)
        #expect(ParsedText.failure(bottomless, format: .yaml)?.kind == .limit)
    }

    @Test func `copies count for depth as what they are copies of`() throws {
        var limits = Limits()
        limits.maxDepth = 4
        let anchor = "- &a [[1]]\n"
        #expect(try Self.tree(anchor + "- [*a]\n", limits: limits) == "[[[1]],[[[1]]]]")
        for deeper in ["- [[*a]]\n", "- [[{<<: {x: *a}}]]\n", "- &b [*a]\n- [*b]\n"] {
            let failure = ParsedText.failure(anchor + deeper, format: .yaml, limits: limits)
            #expect(failure?.kind == .limit)
            #expect(failure?.message == "arrays and objects are nested too deeply")
        }
    }

    @Test func `a billion laughs end at the limit`() {
        var text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let failure = ParsedText.failure(text, format: .yaml)
        #expect(failure?.kind == .limit)
        #expect(failure?.message == "aliases make the value too large")

        let members = (0..<1000).map { "n\($0): 1" }.joined(separator: ", ")
        let merges = "- &a {\(members)}\n" + String(repeating: "- {<<: *a}\n", count: 5000)
        #expect(ParsedText.failure(merges, format: .yaml)?.kind == .limit)
    }

    @Test func `a long text that many aliases stand for counts each time`() {
        let long = String(repeating: "x", count: 10_000)
        func text(_ aliases: Int) -> String {
            "- &a \(long)\n" + String(repeating: "- *a\n", count: aliases)
        }
        #expect(ParsedText.failure(text(400), format: .yaml) == nil)
        #expect(ParsedText.failure(text(500), format: .yaml)?.kind == .limit)
        let names = "- &a \(long)\n" + String(repeating: "- {*a : 1}\n", count: 500)
        #expect(ParsedText.failure(names, format: .yaml)?.kind == .limit)
    }

    @Test(arguments: ["", "a: 1\n", "a\n...\n"])
    func `more than sixteen directives are refused`(before: String) throws {
        func text(_ count: Int, _ lineBreak: String = "\n") -> String {
            let directives = (0..<count).map { "%TAG !t\($0)! tag:x,2026:\(lineBreak)" }.joined()
            return before + directives + "---\nb\n"
        }
        for lineBreak in ["\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}"] {
            let failure = ParsedText.failure(text(17, lineBreak), format: .yaml)
            #expect(failure?.kind == .limit)
        }
        if before.isEmpty { #expect(try Self.tree(text(16)) == "\"b\"") }
    }

    @Test func `a directive of more than 1,024 bytes is refused`() throws {
        func text(_ before: String, _ count: Int, _ after: String = "---\n!a b\n") -> String {
            let tag = "%TAG ! "
            return before + tag + String(repeating: "t", count: count - tag.count) + "\n" + after
        }
        #expect(try Self.tree(text("", 1024)) == "\"b\"")
        for before in ["", "%YAML 1.2\n", "# comment\r", "a\n...\n"] {
            let failure = ParsedText.failure(text(before, 1025), format: .yaml)
            #expect(failure?.kind == .limit && failure?.message == "a directive is too long")
            #expect(failure.map { $0.column == 1 && Int($0.line) == before.lines + 1 } == true)
        }
        // Text may be as long as it wants.
        #expect(try Self.tree("a: |\n" + text("  ", 2000, "")).count > 2000)
    }

    @Test(arguments: [" ", "\n", "\r\n", "\t", "\u{85}", "\u{2028}", " \n\u{2029}"])
    func `white space beyond reason is refused where something follows`(space: String) throws {
        let short = String(repeating: space, count: 8192 / space.utf8.count)
        let long = String(repeating: space, count: 9000 / space.utf8.count)
        for (before, after) in [("\"a", "b\""), ("'a", "b'"), ("a", "# b")] {
            let failure = ParsedText.failure(before + long + after, format: .yaml)
            #expect(failure?.kind == .limit)
            #expect(failure?.message == "too much white space in one place")
        }
        #expect(try !Self.tree("\"a\(short)b\"").isEmpty)
        if space != "\t" { #expect(try Self.tree("a" + long) == "\"a\"") }
    }

    @Test func `text without a space is no white space`() throws {
        for character in ["x", "é", "日", "😀", "\u{2026}"] {
            let text = String(repeating: character, count: 10_000)
            #expect(try Self.tree(text) == "\"\(text)\"")
        }
    }

    /// Work that grows with the square would go on for minutes, and memory would run out.
    @Test(arguments: HostileText.allCases)
    func `a megabyte made to be slow is refused`(hostile: HostileText) throws {
        var limits = Limits()
        limits.maxDepth = Limits.depthCeiling
        let bytes = GuardedBytes(hostile.text.utf8)
        var scratch = ParseScratch(memory: TestMemory.memory)
        let error = try withExtendedLifetime(bytes) {
            try #require(throws: ParseError.self) {
                try YAMLParser.parse(bytes.bytes, limits: limits, scratch: &scratch)
            }
        }
        #expect(error.problem == hostile.problem)
    }

    enum HostileText: String, CaseIterable {
        case prefix, prefixOfTwo, emptyMerges, mergesInOneObject, mergesOfReplaced
        case deepArrays, deepObjects, deepFlowInDeepBlocks
        case spaces, lines, blockLines

        var text: String {
            let half = 1 << 19
            func of(_ text: String, _ count: Int) -> String {
                String(repeating: text, count: count)
            }
            switch self {
            case .prefix: return "%TAG ! \(of("t", half))\n---\n[\(of("!a,", half / 3))]"
            case .prefixOfTwo:
                let tag = "%TAG !! \(of("t", half / 2))\r"
                return "# one\r\(tag)---\r[\(of("!!a,", half / 4))]"
            case .emptyMerges:
                return "a: &a [\(of("{},", half / 3))]\nb: [\(of("{<<: *a},", half / 9))]"
            case .mergesInOneObject:
                return "a: &a [\(of("{},", half / 3))]\nb: {\(of("<<: *a,", half / 7))}"
            case .mergesOfReplaced:
                let source = "&a {x: 1, <<: [\(of("{x: 1},", 60_000))]}"
                return "a: \(source)\nb: [\(of("{<<: *a},", 60_000))]"
            case .deepArrays: return of("[", 1023) + of("a,", half - 1023) + of("]", 1023)
            case .deepObjects:
                return of("{a: ", 1023) + "{" + (0..<100_000).map { "k\($0)," }.joined()
                    + of("}", 1024)
            case .deepFlowInDeepBlocks:
                return of("- ", 400) + of("[", 600) + of("a,\n", half / 2) + of("]", 600)
            case .spaces: return "a" + of(" ", half) + "b" + of(" c", half / 2)
            case .lines: return "\"a" + of("\n", half) + "b" + of(" c", half / 2) + "\""
            case .blockLines: return "a: |\n" + of("\r", half) + of("  c\n", half / 4)
            }
        }

        var problem: ParseError.Problem {
            switch self {
            case .prefix, .prefixOfTwo: .tooLongDirective
            case .emptyMerges, .mergesInOneObject, .mergesOfReplaced: .tooManyCopies
            case .deepArrays, .deepObjects, .deepFlowInDeepBlocks: .tooDeep
            case .spaces, .lines, .blockLines: .tooMuchSpace
            }
        }
    }

    @Test func `as deep as is allowed by default may be as long as any`() throws {
        let elements = String(repeating: "a,", count: 200_000)
        let depth = Limits().maxDepth
        _ = try Self.tree(
            String(repeating: "[", count: depth) + elements + String(repeating: "]", count: depth))
    }

    @Test func `judges every file of the fuzzer's corpus as its name says`() throws {
        try judgeCorpus("yaml", .yaml)
    }

    @Test func `percent signs that begin no directive are not counted`() throws {
        let lines = String(repeating: "%percent\n", count: 50)
        let expected = Array(repeating: "%percent", count: 50).joined(separator: " ")
        #expect(try Self.tree("\"x\n\(lines)\"") == "\"x \(expected) \"")
        #expect(Self.problem(lines)?.hasSuffix("too many directives") == true)
    }

    @Test func `memory that is refused ends the parse, and nothing is lost`() {
        let list = (0..<300).map { "- &a\($0) {<<: *b, z: \($0), text: of some length}\n" }
        let text = "- &b {x: 1, y: [a, b]}\n" + list.joined()
        var refused = 0
        for allocation in 0..<60 {
            let leaked = TestMemory.leaked(refusing: allocation) { memory in
                var scratch = ParseScratch(memory: memory)
                let bytes = GuardedBytes(text.utf8)
                do throws(ParseError) {
                    _ = try YAMLParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)
                } catch {
                    #expect(error.problem == .noMemory)
                    refused += 1
                }
            }
            #expect(leaked == 0)
        }
        #expect(refused > 15)
    }
}

extension String {
    /// How many lines the text has before its last one.
    fileprivate var lines: Int { unicodeScalars.count { $0 == "\n" || $0 == "\r" } }
}
