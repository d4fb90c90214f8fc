// What the dotenv parser makes of a text, and what it refuses.
import Foundation
import Testing

@testable import Config

private func tree(_ text: String) throws -> String { try ParsedText.tree(text, .dotenv) }

@Suite struct DotenvParserTests {
    @Test(arguments: [
        ("", "{}"), (" \n\t\r\n\r", "{}"), ("# A=1", "{}"), ("  # A=1\nB=2", #"{"B":"2"}"#),
        ("A=1", #"{"A":"1"}"#), ("A=1\nB=2\r\nC=3\rD=4", #"{"A":"1","B":"2","C":"3","D":"4"}"#),
        ("\u{FEFF}A=1", #"{"A":"1"}"#), ("  A\t=\t1  ", #"{"A":"1"}"#), ("A=", #"{"A":""}"#),
        ("A=\nB=", #"{"A":"","B":""}"#), ("A= \t\nB=2", #"{"A":"","B":"2"}"#),
        ("export A=1", #"{"A":"1"}"#), ("export\t A=1", #"{"A":"1"}"#),
        ("exportA=1", #"{"exportA":"1"}"#),
        ("export=1", #"{"export":"1"}"#), ("export export=1", #"{"export":"1"}"#),
        ("a.b-c/d=1", #"{"a.b-c/d":"1"}"#), ("'q k'=1", #"{"q k":"1"}"#),
        ("'a=b' = 1", #"{"a=b":"1"}"#),
        ("Ключ=значение", #"{"Ключ":"значение"}"#),
    ])
    func `a line is blank, a comment or an assignment`(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("two words", "two words"), ("  a  ", "a"), ("a # c", "a"), ("a\t# c", "a"), ("a#b", "a#b"),
        ("a#b # c", "a#b"), ("a # b # c", "a"), ("a ## b", "a"), ("#a", "#a"), (" # a", ""),
        ("a=b", "a=b"), (#"a\nb"#, #"a\nb"#), (#"a\"#, #"a\"#), ("a'b'", "a'b'"),
        ("a\"b\"", "a\"b\""),
        ("${A} $(b) $C `d`", "${A} $(b) $C `d`"), ("日本 😀", "日本 😀"), ("a\u{0}b", "a\u{0}b"),
        ("postgres://u:p@host/db?x=1", "postgres://u:p@host/db?x=1"),
    ])
    func `without quotes a value goes up to a comment, as it stands`(
        source: String, expected: String
    ) throws {
        #expect(try tree("A=\(source)") == "{\"A\":\"\(expected)\"}")
        #expect(try tree("A=\(source)\nB=2") == "{\"A\":\"\(expected)\",\"B\":\"2\"}")
    }

    @Test(arguments: [
        ("''", ""), ("'a'", "a"), ("' a '", " a "), ("'a # b'", "a # b"), ("'a' # c", "a"),
        ("'a'#c", "a"), (#"'a\'b'"#, "a'b"), (#"'a\\b'"#, #"a\b"#), (#"'a\nb'"#, #"a\nb"#),
        (#"'\\'"#, #"\"#), ("'\"'", "\""), ("'${A} $(b)'", "${A} $(b)"),
        ("\"\"", ""), ("\"a\"", "a"), ("\" a \"", " a "), ("\"a # b\" # c", "a # b"),
        (#""\n\r\t\b\f\v\a""#, "\n\r\t\u{8}\u{c}\u{b}\u{7}"), (#""\"\\\'""#, "\"\\'"),
        (#""\q\$\{\u0041""#, #"\q\$\{\u0041"#), ("\"'\"", "'"), ("\"${A} $(b)\"", "${A} $(b)"),
        ("\"a\nb\n\"", "a\nb\n"), ("'a\r\nb\rc'", "a\nb\nc"), ("\"a\\\nb\"", "a\\\nb"),
        ("\"日本\u{0}\"", "日本\u{0}"),
    ])
    func `in quotes a value may hold anything`(source: String, expected: String) throws {
        #expect(try tree("A=\(source)") == "{\"A\":\"\(expected)\"}")
        #expect(try tree("A = \(source)\r\nB=2") == "{\"A\":\"\(expected)\",\"B\":\"2\"}")
    }

    @Test(arguments: [
        ("A", "1:2: expected '=' after a variable's name, found the end of the text"),
        ("A\nB=1", "1:2: expected '=' after a variable's name, found the end of the line"),
        ("export A", "1:9: expected '=' after a variable's name, found the end of the text"),
        ("A B=1", "1:3: expected '=' after a variable's name, found a letter"),
        ("A: 1", "1:4: expected '=' after a variable's name, found a digit"),
        ("A#=1", "1:2: expected '=' after a variable's name, found another character"),
        ("=1", "1:1: expected a variable's name, found '='"),
        ("export =1", "1:8: expected a variable's name, found '='"),
        ("''=1", "1:2: expected a variable's name, found another character"),
        ("'A=1", "1:1: the quoted name of a variable is not closed"),
        ("'A\n'=1", "1:1: the quoted name of a variable is not closed"),
        ("A=1\n\u{0}=1", "2:1: expected a variable's name, found a NUL byte"),
        ("A='b", "1:3: a quoted value is not closed"),
        ("A=\"b\n\nc=d", "1:3: a quoted value is not closed"),
        (#"A="b\""#, "1:3: a quoted value is not closed"),
        (#"A='b\'"#, "1:3: a quoted value is not closed"),
        ("A=1\nB = \"b\" c", "2:9: expected the end of the line after a value, found a letter"),
        ("A='b''c'", "1:6: expected the end of the line after a value, found another character"),
    ])
    func `refuses what is no assignment, and says where`(text: String, message: String) {
        #expect(ParsedText.complaint(text, .dotenv) == message)
        #expect(ParsedText.failure(text.utf8, format: .dotenv)?.kind == .parse)
    }

    @Test func `a text that is not UTF-8 is refused`() {
        #expect(
            ParsedText.complaint(Array("A=1\n# ".utf8) + [0xff], .dotenv)
                == "2:3: the text is not valid UTF-8")
    }

    @Test func `names and values may be of any length`() throws {
        for length in 0...70 {
            let text = String((0..<length).map { Character(UnicodeScalar(UInt8(0x61 + $0 % 26))) })
            #expect(try tree("A\(text)=\(text)") == "{\"A\(text)\":\"\(text)\"}")
            for quote in ["'", "\""] {
                #expect(
                    try tree("'\(text)é'=\(quote)\(text)\\\\\(text)\(quote)")
                        == "{\"\(text)é\":\"\(text)\\\(text)\"}")
            }
            #expect(try tree("#\(text)\nA=1#\(text)") == "{\"A\":\"1#\(text)\"}")
        }
    }

    @Test func `of a name that occurs twice the last value counts`() throws {
        let parsed = try ParsedText("A=1\nB=2\nexport A=3\n", format: .dotenv)
        #expect(parsed.tree == #"{"B":"2","A":"3"}"#)
        #expect(parsed.parsed.repeats?.count == 1)
        #expect(parsed.parsed.repeats?.name == "A")
    }

    @Test func `a value knows where it begins, and a name too`() throws {
        let parsed = try ParsedText("# c\nexport A = 1\nB='2'\n", format: .dotenv)
        #expect(parsed.offsets(5) == [0, 11, 15, 17, 19])
    }
}

// MARK: - Limits

extension DotenvParserTests {
    @Test func `depth and number of values are held to their limits`() throws {
        var limits = Limits()
        limits.maxDepth = 1
        #expect(try ParsedText.tree("A=1", .dotenv, limits: limits) == #"{"A":"1"}"#)
        limits.maxDepth = 0
        #expect(ParsedText.failure("A=1".utf8, format: .dotenv, limits: limits)?.kind == .limit)

        var scratch = ParseScratch(memory: guardedMemory)
        let bytes = GuardedBytes((0..<50).map { "k\($0)=\n" }.joined().utf8)
        let error = try withExtendedLifetime(bytes) {
            try #require(throws: ParseError.self) {
                try DotenvParser.parse(
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
            try DotenvParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)
        }
        #expect(tree.nodeCount == hostile.nodeCount)
    }

    enum HostileText: String, CaseIterable {
        case names, sameName, marks, blanks, backslashes, lineEnds, comment

        var text: String {
            switch self {
            case .names: (0..<100_000).map { "A_NAME_\($0)=\n" }.joined()
            case .sameName: String(repeating: "A=1\n", count: 300_000)
            case .marks: "A=" + String(repeating: "# ", count: 500_000)
            case .blanks: "A=" + String(repeating: "a ", count: 500_000)
            case .backslashes: "A=\"" + String(repeating: "\\\\", count: 500_000) + "\""
            case .lineEnds: "A='" + String(repeating: "\r\n", count: 500_000) + "'"
            case .comment: "#" + String(repeating: "\u{0}", count: 1_000_000)
            }
        }

        var nodeCount: Int {
            switch self {
            case .names: 1 + 2 * 100_000
            case .comment: 1
            case .sameName, .marks, .blanks, .backslashes, .lineEnds: 3
            }
        }
    }
}

// MARK: - Any text

extension DotenvParserTests {
    @Test func `judges every file of the fuzzer's corpus as its name says`() throws {
        try judgeCorpus("dotenv", .dotenv)
    }

    @Test func `never quotes the text of a value`() throws {
        var random = TestRandom(seed: 31)
        let text = Array(
            "A=Xsecret\nexport B=\"Xsecret\\n\" # Xsecret\nC='Xsecret\nXsecret'\n".utf8)
        for _ in 0..<2_000 {
            var broken = text
            for _ in 0...random.below(3) {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let failure = ParsedText.failure(broken, format: .dotenv) else { continue }
            #expect(!failure.message.contains("Xsecret"))
        }
    }

    @Test func `any text in double quotes, escaped, comes back`() throws {
        var random = TestRandom(seed: 32)
        let pieces = ["\\", "\"", "'", "\n", "\t", "#", "$", "{", "a", " ", "é", "=", "\\n"]
        for _ in 0..<2_000 {
            let text = random.text(20, of: pieces)
            let quoted =
                text.replacingOccurrences(of: "\\", with: "\\\\")
                .replacingOccurrences(of: "\"", with: "\\\"")
            let parsed = try ParsedText("A=\"\(quoted)\"", format: .dotenv)
            #expect(parsed.members.map(\.value) == [text])
        }
    }

    @Test func `runs out of memory at every allocation without a trace`() throws {
        let text = (0..<400).map { "NAME_\($0)='a value'\n" }.joined()
        var refused = 0
        while true {
            var failure: Failure?
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do {
                    try Document.test(".env", text, memory: memory).release(memory)
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
