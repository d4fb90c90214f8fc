// What the INI parser makes of a text, and what it refuses.
import Foundation
import Testing

@testable import Config

private func tree(_ text: String) throws -> String { try ParsedText.tree(text, .ini) }

@Suite struct INIParserTests {
    @Test(arguments: [
        ("", "{}"), (" \n\t\r\n\n", "{}"), ("; a\n# b\n  ; c\n", "{}"),
        ("\u{FEFF}[a]", #"{"a":{}}"#),
        ("[a]\nb=1", #"{"a":{"b":"1"}}"#),
        ("[a]\r\nb = 1\r\nc : 2\r\n", #"{"a":{"b":"1","c":"2"}}"#),
        ("a=1\nb:2\n[c]\nd=3", #"{"a":"1","b":"2","c":{"d":"3"}}"#),
        ("[a]\n[b]\nc=1\n[d]", #"{"a":{},"b":{"c":"1"},"d":{}}"#),
        ("  [ a ]\t\n", #"{"a":{}}"#), ("[a] ; c\n[b]#c\nd=1", #"{"a":{},"b":{"d":"1"}}"#),
        ("[a.b c:d=e]\nf=1", #"{"a.b c:d=e":{"f":"1"}}"#), ("[a]\nb.c = 1", #"{"a":{"b.c":"1"}}"#),
        ("[секция]\nключ = 日本", #"{"секция":{"ключ":"日本"}}"#),
    ])
    func `sections are objects, and keys before them lie beside them`(
        text: String, expected: String
    ) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("b=1", "b", "1"), ("b:1", "b", "1"), ("b = 1", "b", "1"), (" b\t:\t1 \t", "b", "1"),
        ("b==1", "b", "=1"), ("b=:1", "b", ":1"), ("b:=1", "b", "=1"), ("b=", "b", ""),
        ("b:", "b", ""),
        ("b c = d e", "b c", "d e"), ("B = 1", "B", "1"), ("b = 1 ; c", "b", "1 ; c"),
        ("b = 1 # c", "b", "1 # c"), ("b = \"1\"", "b", "\"1\""), ("b = 'x'", "b", "'x'"),
        ("b = %(c)s ${d} $$", "b", "%(c)s ${d} $$"), ("b = \\n", "b", "\\n"),
        ("b = [x]", "b", "[x]"),
        ("b]=1", "b]", "1"), ("b;c = 1", "b;c", "1"), ("b\u{0} = \u{0}", "b\u{0}", "\u{0}"),
    ])
    func `a key ends at the first separator, and the value is the rest of the line`(
        line: String, key: String, value: String
    ) throws {
        #expect(try tree("[a]\n\(line)\n") == "{\"a\":{\"\(key)\":\"\(value)\"}}")
        #expect(try tree("\(line)\n[a]") == "{\"\(key)\":\"\(value)\",\"a\":{}}")
    }

    @Test(arguments: [
        ("b = 1\n  2\n\t3", "{\"b\":\"1\n2\n3\"}"), ("b =\n  1\n  2\n", "{\"b\":\"\n1\n2\"}"),
        ("b = 1\n\n  2\n\n\n", "{\"b\":\"1\n\n2\"}"), ("b = 1\n  ; c\n  2", "{\"b\":\"1\n2\"}"),
        ("b = 1\n# c\n  2", "{\"b\":\"1\n2\"}"),
        ("b = 1\n  c = 2\nd = 3", "{\"b\":\"1\nc = 2\",\"d\":\"3\"}"),
        ("  b = 1\n  c = 2\n    3\n d = 4", "{\"b\":\"1\",\"c\":\"2\n3\",\"d\":\"4\"}"),
        ("b = 1\n  [c]", "{\"b\":\"1\n[c]\"}"),
        ("b = 1\r\n  2\r\n\r\n  3\r\n", "{\"b\":\"1\n2\n\n3\"}"),
        ("b = 1\n\n\n", "{\"b\":\"1\"}"), ("b=\n\n\n", "{\"b\":\"\"}"),
    ])
    func `a line that is indented deeper than its key goes on with the value`(
        text: String, members: String
    ) throws {
        #expect(try tree(text) == members)
        #expect(try tree("[a]\n" + text) == "{\"a\":\(members)}")
    }

    @Test func `a line after a section is a key, however far it is indented`() throws {
        #expect(
            try tree("a = 1\n[b]\n    c = 2\n    d = 3\n") == #"{"a":"1","b":{"c":"2","d":"3"}}"#)
    }

    @Test(arguments: [
        ("a = 1\na = 2", #"{"a":"2"}"#, 1),
        ("[s]\na = 1\nb = 2\na = 3", #"{"s":{"a":"3","b":"2"}}"#, 1),
        ("[s]\na = 1\n[t]\na = 2\n[s]\nb = 3\na = 4", #"{"s":{"a":"4","b":"3"},"t":{"a":"2"}}"#, 1),
        ("[s]\na = 1\n  2\na = 3", #"{"s":{"a":"3"}}"#, 1),
        ("s = 1\n[s]\na = 2", #"{"s":{"a":"2"}}"#, 1),
        ("[s]\na = 1\na = 2\na = 3", #"{"s":{"a":"3"}}"#, 2),
    ])
    func `of a key that occurs twice the last value counts, and sections go on`(
        text: String, expected: String, count: Int
    ) throws {
        let parsed = try ParsedText(text, format: .ini)
        #expect(parsed.tree == expected)
        #expect(parsed.parsed.repeats?.count == count)
    }

    @Test func `a section that occurs again repeats nothing`() throws {
        let parsed = try ParsedText("[s]\na=1\n[t]\na=1\n[s]\nb=1\n[ s ]", format: .ini)
        #expect(parsed.tree == #"{"s":{"a":"1","b":"1"},"t":{"a":"1"}}"#)
        #expect(parsed.parsed.repeats == nil)
    }

    @Test func `names the key that occurs again, and where`() throws {
        let parsed = try ParsedText("[s]\nport = 1\nport = 2\n", format: .ini)
        #expect(parsed.parsed.repeats?.name == "port")
        #expect(parsed.parsed.repeats?.position == TextPosition(of: 13, in: parsed.document.bytes))
    }

    @Test func `a value knows where it begins, and a name too`() throws {
        let parsed = try ParsedText("a = 1\n[ b ]\nc:\n  2\n", format: .ini)
        #expect(parsed.offsets(7) == [0, 0, 4, 8, 8, 12, 14])
    }

    @Test(arguments: [
        ("[a]\nb", "2:2: expected '=' or ':' after a key, found the end of the text"),
        ("b  \n[a]", "1:2: expected '=' or ':' after a key, found another character"),
        ("[a]\n = 1", "2:2: expected a key, found '='"), (":", "1:1: expected a key, found ':'"),
        ("[a", "1:3: expected ']' after a section's name, found the end of the text"),
        ("[a\n]", "1:3: expected ']' after a section's name, found the end of the line"),
        ("x = 1\n[]", "2:1: a section has no name"), ("[ \t]", "1:1: a section has no name"),
        ("[a] b", "1:5: expected the end of the line after a section, found a letter"),
        ("[a]]", "1:4: expected the end of the line after a section, found ']'"),
        ("[a]b=1", "1:4: expected the end of the line after a section, found a letter"),
    ])
    func `refuses what is neither section nor key, and says where`(text: String, message: String) {
        #expect(ParsedText.complaint(text, .ini) == message)
        #expect(ParsedText.failure(text.utf8, format: .ini)?.kind == .parse)
    }

    @Test func `a text that is not UTF-8 is refused`() {
        #expect(
            ParsedText.complaint(Array("[a]\n; ".utf8) + [0xe2, 0x82], .ini)
                == "2:3: the text is not valid UTF-8")
    }

    @Test func `names and values may be of any length`() throws {
        for length in 0...70 {
            let text = String((0..<length).map { Character(UnicodeScalar(UInt8(0x61 + $0 % 26))) })
            #expect(
                try tree("[x\(text)]\ny\(text) = \(text)\n \(text)é")
                    == "{\"x\(text)\":{\"y\(text)\":\"\(text)\n\(text)é\"}}")
            #expect(try tree(";\(text)\na=\(text)") == "{\"a\":\"\(text)\"}")
        }
    }
}

// MARK: - Limits

extension INIParserTests {
    @Test func `depth and number of values are held to their limits`() throws {
        var limits = Limits()
        limits.maxDepth = 1
        #expect(try ParsedText.tree("a=1", .ini, limits: limits) == #"{"a":"1"}"#)
        #expect(ParsedText.failure("[a]".utf8, format: .ini, limits: limits)?.kind == .limit)
        limits.maxDepth = 2
        #expect(try ParsedText.tree("[a]\nb=1", .ini, limits: limits) == #"{"a":{"b":"1"}}"#)

        var scratch = ParseScratch(memory: guardedMemory)
        let bytes = GuardedBytes((0..<50).map { "k\($0)=\n" }.joined().utf8)
        let error = try withExtendedLifetime(bytes) {
            try #require(throws: ParseError.self) {
                try INIParser.parse(
                    bytes.bytes, limits: Limits(), mostNodes: 100, scratch: &scratch)
            }
        }
        #expect(error.problem == .tooManyValues)
    }

    /// Work that grows with the square would go on for minutes.
    @Test(arguments: HostileText.allCases)
    func `a megabyte made to be slow takes no time to speak of`(hostile: HostileText) throws {
        let bytes = GuardedBytes(hostile.text.utf8)
        var scratch = ParseScratch(memory: TestMemory.memory)
        let tree = try withExtendedLifetime(bytes) {
            try INIParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)
        }
        #expect(tree.nodeCount == hostile.nodeCount)
    }

    enum HostileText: String, CaseIterable {
        case keys, sameKey, sections, sameSection, blankLines, continuations, comment

        var text: String {
            switch self {
            case .keys: "[a]\n" + (0..<100_000).map { "key.\($0)=\n" }.joined()
            case .sameKey: "[a]\n" + String(repeating: "a=1\n", count: 300_000)
            case .sections: (0..<100_000).map { "[s\($0)]\na=1\n" }.joined()
            case .sameSection: String(repeating: "[a]\nb=1\n[c]\nb=1\n", count: 60_000)
            case .blankLines: "a=1" + String(repeating: "\n", count: 1_000_000) + " 2"
            case .continuations: "a=1" + String(repeating: "\n 2", count: 300_000)
            case .comment: ";" + String(repeating: "\u{0}", count: 1_000_000)
            }
        }

        var nodeCount: Int {
            switch self {
            case .keys: 3 + 2 * 100_000
            case .sections: 1 + 4 * 100_000
            case .sameSection: 9
            case .sameKey: 5
            case .blankLines, .continuations: 3
            case .comment: 1
            }
        }
    }
}

// MARK: - Any text

extension INIParserTests {
    @Test func `judges every file of the fuzzer's corpus as its name says`() throws {
        try judgeCorpus("ini", .ini)
    }

    @Test func `never quotes the text of a value`() throws {
        var random = TestRandom(seed: 41)
        let text = Array("Xsecret = Xsecret\n[s] ; Xsecret\nk: Xsecret\n  Xsecret\n".utf8)
        for _ in 0..<2_000 {
            var broken = text
            for _ in 0...random.below(3) {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let failure = ParsedText.failure(broken, format: .ini) else { continue }
            #expect(!failure.message.contains("Xsecret"))
        }
    }

    @Test func `agrees with a dictionary about sections and keys that come again`() throws {
        var random = TestRandom(seed: 42)
        for _ in 0..<2_000 {
            var text = ""
            var model: [String: [String: String]] = [:]
            var section: String?
            for number in 0..<1 + random.below(12) {
                if section == nil || random.below(3) == 0 {
                    section = random.pick(["a", "b", "a longer name than sixteen bytes"])
                    text += "[\(section!)]\n"
                    model[section!, default: [:]] = model[section!, default: [:]]
                } else {
                    let key = random.pick(["k", "l", "another name that is rather long"])
                    text += "\(key) = \(number)\n"
                    model[section!]![key] = "\(number)"
                }
            }
            let parsed = try ParsedText(text, format: .ini)
            let read = Dictionary(
                uniqueKeysWithValues: parsed.sections.map {
                    ($0, Dictionary(uniqueKeysWithValues: $1))
                })
            #expect(read == model, "\(text)")
        }
    }

    @Test func `runs out of memory at every allocation without a trace`() throws {
        let text = (0..<200).map { "[section \($0)]\nkey = a value\n" }.joined()
        var refused = 0
        while true {
            var failure: Failure?
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do {
                    try Document.test("a.ini", text, memory: memory).release(memory)
                } catch {
                    failure = error as? Failure
                }
            }
            #expect(leaked == 0)
            guard let failure else { break }
            #expect(failure.kind == .noMemory)
            refused += 1
        }
        #expect(refused >= 7)
    }
}
