// What the properties parser makes of a text, in the order in which the documentation of
// `java.util.Properties.load` tells it, and what it refuses.
import Foundation
import Testing

@testable import Config

private func tree(_ text: String) throws -> String { try ParsedText.tree(text, .properties) }

private func tree(_ bytes: [UInt8]) throws -> String {
    try ParsedText(bytes, format: .properties).tree
}

@Suite struct PropertiesParserTests {
    @Test(arguments: [
        ("", "{}"), (" \t\u{c}\r\n\n\r", "{}"), ("# a=1\n! b=2\n  # c=3\n\t!", "{}"),
        ("a=1", #"{"a":"1"}"#), ("a=1\nb=2\rc=3\r\nd=4", #"{"a":"1","b":"2","c":"3","d":"4"}"#),
        ("a=1\n\n\r\n  \n#c\nb=2", #"{"a":"1","b":"2"}"#), ("# no \\\na=1", #"{"a":"1"}"#),
        ("a=# no comment", ##"{"a":"# no comment"}"##), ("a#b!c=1", #"{"a#b!c":"1"}"#),
        ("server.port = 8080\nserver.host=x", #"{"server.port":"8080","server.host":"x"}"#),
    ])
    func `a line is blank, a comment or a pair`(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("Truth = Beauty", "{\"Truth\":\"Beauty\"}"), ("  Truth:Beauty", "{\"Truth\":\"Beauty\"}"),
        ("Truth\t\t\t:Beauty", "{\"Truth\":\"Beauty\"}"),
        ("Truth Beauty", "{\"Truth\":\"Beauty\"}"),
        ("Truth \u{c}=\u{c}\t Beauty", "{\"Truth\":\"Beauty\"}"), ("a==b", "{\"a\":\"=b\"}"),
        ("a=:b", "{\"a\":\":b\"}"), ("a = = b", "{\"a\":\"= b\"}"), ("a b=c", "{\"a\":\"b=c\"}"),
        ("a b  c", "{\"a\":\"b  c\"}"), ("a=b \t", "{\"a\":\"b \t\"}"), ("a", "{\"a\":\"\"}"),
        ("a\nb", "{\"a\":\"\",\"b\":\"\"}"), ("a=\nb:", "{\"a\":\"\",\"b\":\"\"}"),
        ("cheeses  \n", "{\"cheeses\":\"\"}"), ("=b", "{\"\":\"b\"}"), (":", "{\"\":\"\"}"),
        ("a\u{b}b=\u{b}", "{\"a\u{b}b\":\"\u{b}\"}"), ("a\u{1}=\u{7f}", "{\"a\u{1}\":\"\u{7f}\"}"),
    ])
    func `a key ends at a separator or white space, a value with its line`(
        text: String, expected: String
    ) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        (##"\:\== \:\=\ \#\!"##, ##"{":=":":= #!"}"##), (#"a\ b=c"#, #"{"a b":"c"}"#),
        (##"\#a=1"##, ##"{"#a":"1"}"##), (#"a=\t\n\f\r\\"#, "{\"a\":\"\t\n\u{c}\r\\\"}"),
        (#"a=\b\z\"\'\0"#, "{\"a\":\"bz\"'0\"}"), (#"a=\ b"#, #"{"a":" b"}"#),
        (#"a\\=b"#, #"{"a\":"b"}"#), (#"a\\\=b=c"#, #"{"a\=b":"c"}"#),
        (#"a\tb=\u00e9\u20AC\uD83D\uDE00"#, "{\"a\tb\":\"é€😀\"}"),
        (#"\u0061=\u0000"#, "{\"a\":\"\u{0}\"}"), (#"a\u003db=c"#, #"{"a=b":"c"}"#),
        (#"a=\é"#, #"{"a":"é"}"#), (#"a=\U0041"#, #"{"a":"U0041"}"#), ("a=b\\", #"{"a":"b"}"#),
        (#"a=b\\"#, #"{"a":"b\"}"#),
    ])
    func `a backslash escapes one character`(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        (
            "fruits  apple, banana, \\\n    pear, \\\n  mango",
            "{\"fruits\":\"apple, banana, pear, mango\"}"
        ),
        ("a=b\\\r\n \t\u{c}c\\\rd", "{\"a\":\"bcd\"}"),
        ("a=b\\\n\nc=d", "{\"a\":\"b\",\"c\":\"d\"}"),
        ("a=b\\\n   \nc=d", "{\"a\":\"b\",\"c\":\"d\"}"), ("a=b\\\n#c", "{\"a\":\"b#c\"}"),
        ("a=b\\\n!c", "{\"a\":\"b!c\"}"), ("a=b\\\\\nc=d", "{\"a\":\"b\\\",\"c\":\"d\"}"),
        ("a=b\\\\\\\nc=d", "{\"a\":\"b\\c=d\"}"), ("ke\\\n   y=v", "{\"key\":\"v\"}"),
        ("key\\\n   =v", "{\"key\":\"v\"}"), ("key \\\n =\\\n v", "{\"key\":\"v\"}"),
        ("\\\n  a=b", "{\"a\":\"b\"}"), ("\\\n#a=b", "{}"), ("\\\n", "{}"), ("\\", "{}"),
        ("a=\\\n\\\n\\\nb", "{\"a\":\"b\"}"), ("a=\\u00\\\n   e9", "{\"a\":\"é\"}"),
        ("a=\\ud83d\\\n \\u\\\nde00", "{\"a\":\"😀\"}"),
    ])
    func `a backslash that ends a line joins it with the next`(text: String, expected: String)
        throws
    {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("a=\\u12", "1:3"), ("a=\\u123g", "1:3"), ("a=1\nb\\uxyzw=2", "2:2"), ("a=\\u", "1:3"),
        ("a=1\rb=\\u1", "2:3"), ("a=1\r\nb=\\u1", "2:3"), ("a=1\r\r\n\n\rb=\\u1", "5:3"),
        ("a=\\u 041", "1:3"), ("a=\\u+041", "1:3"), ("a=\\ud83d\\u12", "1:9"),
        ("a=\\uu0041", "1:3"),
    ])
    func `refuses a wrong escape sequence`(text: String, place: String) {
        #expect(
            ParsedText.complaint(text, .properties)
                == "\(place): expected four hexadecimal digits after \\u")
    }

    @Test(arguments: [
        ("a=\\ud83d", "1:3"), ("a=\\ude00", "1:3"), ("a=x\\ud83dx", "1:4"),
        ("a=\\ud83d\\ud83d\\ude00", "1:3"), ("a=\\ud83d\\u0041", "1:3"), ("\\ud83d=\\ude00", "1:1"),
        ("a=\\ud83d\n\\ude00", "1:3"), ("a=\\ud83d\\n", "1:3"),
    ])
    func `refuses half of a surrogate pair, which Java would hold`(text: String, place: String) {
        #expect(
            ParsedText.complaint(text, .properties)
                == "\(place): half of a surrogate pair without the other")
    }

    @Test func `a text is UTF-8 when it is valid as such, and Latin-1 otherwise`() throws {
        #expect(try tree("é=日本 😀") == #"{"é":"日本 😀"}"#)
        #expect(try tree("\u{FEFF}é=\u{FEFF}") == "{\"é\":\"\u{FEFF}\"}")
        #expect(try tree([0xe9, 0x3d, 0xfc]) == #"{"é":"ü"}"#)
        #expect(try tree([0xe9] + Array("=é".utf8)) == #"{"é":"Ã©"}"#)
        #expect(try tree([0xef, 0xbb, 0xbf, 0x3d, 0xff]) == #"{"ï»¿":"ÿ"}"#)
        // White space and line ends of Latin-1 beyond ASCII are nothing special.
        #expect(try tree([0x61, 0xa0, 0x85, 0x3d, 0xa0]) == "{\"a\u{a0}\u{85}\":\"\u{a0}\"}")
        #expect(try tree([0x61, 0x3d, 0x5c, 0xe9, 0x5c, 0x0a, 0x20, 0xe9]) == #"{"a":"éé"}"#)
        for byte in 0x80...0xff as ClosedRange<UInt8> {
            for count in [1, 15, 16, 17, 40] {
                let bytes = [UInt8](repeating: byte, count: count)
                let expected = String(repeating: String(UnicodeScalar(byte)), count: count)
                #expect(
                    try tree([0xff] + bytes + [0x3d] + bytes)
                        == "{\"ÿ\(expected)\":\"\(expected)\"}")
            }
        }
    }

    @Test func `keys and values may be of any length and hold any character`() throws {
        for length in 0...70 {
            let text = String((0..<length).map { Character(UnicodeScalar(UInt8(0x61 + $0 % 26))) })
            #expect(try tree("x\(text)=\(text)\n") == "{\"x\(text)\":\"\(text)\"}")
            #expect(
                try tree("x\(text) = \(text)é\\n\\\n\(text)")
                    == "{\"x\(text)\":\"\(text)é\n\(text)\"}")
            #expect(try tree("#\(text)\na\(text)") == "{\"a\(text)\":\"\"}")
        }
        #expect(
            try tree("a\u{0}b = \u{0} # \u{0}\n#\u{0}\n\u{0}")
                == "{\"a\u{0}b\":\"\u{0} # \u{0}\",\"\u{0}\":\"\"}")
    }

    @Test func `of a key that occurs twice the last value counts`() throws {
        let parsed = try ParsedText("a=1\nb=2\na=3\n\\u0061:4\n", format: .properties)
        #expect(parsed.tree == #"{"b":"2","a":"4"}"#)
        #expect(parsed.parsed.repeats?.count == 2)
        #expect(parsed.parsed.repeats?.name == "a")
        #expect(parsed.parsed.repeats?.position == TextPosition(of: 8, in: parsed.document.bytes))
    }

    @Test func `a value knows where it begins, and a key too`() throws {
        let parsed = try ParsedText("# c\n a : 1\nb\n", format: .properties)
        #expect(parsed.offsets(5) == [0, 5, 9, 11, 12])
    }
}

// MARK: - Limits

extension PropertiesParserTests {
    @Test func `depth and number of values are held to their limits`() throws {
        var limits = Limits()
        limits.maxDepth = 1
        #expect(try ParsedText.tree("a=1", .properties, limits: limits) == #"{"a":"1"}"#)
        limits.maxDepth = 0
        #expect(ParsedText.failure("a=1".utf8, format: .properties, limits: limits)?.kind == .limit)

        var scratch = ParseScratch(memory: guardedMemory)
        let bytes = GuardedBytes((0..<50).map { "k\($0)=\n" }.joined().utf8)
        let error = try withExtendedLifetime(bytes) {
            try #require(throws: ParseError.self) {
                try PropertiesParser.parse(
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
            try PropertiesParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)
        }
        #expect(tree.nodeCount == hostile.nodeCount)
    }

    enum HostileText: String, CaseIterable {
        case keys, sameKey, blanks, continuations, escapes, comment

        var text: String {
            switch self {
            case .keys: (0..<100_000).map { "a.key.\($0)=\n" }.joined()
            case .sameKey: String(repeating: "a=1\n", count: 300_000)
            case .blanks: String(repeating: " \n\u{c}", count: 400_000)
            case .continuations: "a=" + String(repeating: "\\\n ", count: 400_000)
            case .escapes: "a=" + String(repeating: "\\u00e9", count: 200_000)
            case .comment: "#" + String(repeating: "\u{0}", count: 1_000_000)
            }
        }

        var nodeCount: Int {
            switch self {
            case .keys: 1 + 2 * 100_000
            case .blanks, .comment: 1
            case .sameKey, .continuations, .escapes: 3
            }
        }
    }
}

// MARK: - Any text

extension PropertiesParserTests {
    @Test func `judges every file of the fuzzer's corpus as its name says`() throws {
        try judgeCorpus("properties", .properties)
    }

    @Test func `never quotes the text of a value`() throws {
        var random = TestRandom(seed: 21)
        let text = Array("a=\\u00e9Xsecret\nXsecret\\\n = Xsecret\\ud83d\\ude00\n".utf8)
        for _ in 0..<2_000 {
            var broken = text
            for _ in 0...random.below(3) {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let failure = ParsedText.failure(broken, format: .properties) else { continue }
            #expect(!failure.message.contains("Xsecret"))
        }
    }

    /// A second reader that joins logical lines first and looks at single characters.
    @Test func `agrees with a reader that follows the documentation literally`() throws {
        var random = TestRandom(seed: 22)
        let pieces = [
            "\\", "\n", "\r", "\r\n", " ", "\t", "\u{c}", "=", ":", "#", "!", "a", "key", "é",
            "\\n",
            "\\u0041", "\\\n", "\\\r\n  ", "u", "0",
        ]
        var accepted = 0
        for _ in 0..<8_000 {
            let text = random.text(24, of: pieces)
            guard let expected = PropertiesModel.read(text) else {
                #expect(
                    ParsedText.failure(text.utf8, format: .properties)?.kind == .parse, "\(text)")
                continue
            }
            accepted += 1
            let parsed = try ParsedText(text, format: .properties)
            var members: [String: String] = [:]
            for (name, value) in parsed.members { members[name] = value }
            #expect(members == expected, "\(text)")
        }
        #expect(accepted > 4_000)
    }

    @Test func `runs out of memory at every allocation without a trace`() throws {
        let text = (0..<400).map { "key number \($0) = value\n" }.joined()
        var refused = 0
        while true {
            var failure: Failure?
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do {
                    try Document.test("a.properties", text, memory: memory).release(memory)
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

/// Properties, character by character: logical lines, then keys, then escape sequences.
private enum PropertiesModel {
    /// Nil when an escape sequence is wrong.
    static func read(_ text: String) -> [String: String]? {
        var properties: [String: String] = [:]
        for line in logicalLines(Array(text.unicodeScalars)) {
            var end = 0
            while end < line.count, !(isBlank(line[end]) || isSeparator(line[end])) {
                end += line[end] == "\\" ? 2 : 1
            }
            end = min(end, line.count)
            var value = end
            while value < line.count, isBlank(line[value]) { value += 1 }
            if value < line.count, isSeparator(line[value]) {
                value += 1
                while value < line.count, isBlank(line[value]) { value += 1 }
            }
            guard let key = unescape(line[..<end]), let text = unescape(line[value...]) else {
                return nil
            }
            properties[key] = text
        }
        return properties
    }

    private static func isBlank(_ c: UnicodeScalar) -> Bool {
        c == " " || c == "\t" || c == "\u{c}"
    }
    private static func isSeparator(_ c: UnicodeScalar) -> Bool { c == "=" || c == ":" }
    private static func isLineEnd(_ c: UnicodeScalar) -> Bool { c == "\n" || c == "\r" }

    private static func logicalLines(_ text: [UnicodeScalar]) -> [[UnicodeScalar]] {
        var lines: [[UnicodeScalar]] = []
        var at = 0
        func skipBlanks() { while at < text.count, isBlank(text[at]) { at += 1 } }
        while at < text.count {
            skipBlanks()
            var line: [UnicodeScalar] = []
            while at < text.count, !isLineEnd(text[at]) {
                if line.isEmpty, text[at] == "#" || text[at] == "!" {
                    while at < text.count, !isLineEnd(text[at]) { at += 1 }
                    break
                }
                guard text[at] == "\\" else {
                    line.append(text[at])
                    at += 1
                    continue
                }
                at += 1
                if at == text.count { break }
                if isLineEnd(text[at]) {
                    at += text[at] == "\r" && at + 1 < text.count && text[at + 1] == "\n" ? 2 : 1
                    skipBlanks()
                } else {
                    line += ["\\", text[at]]
                    at += 1
                }
            }
            at += 1
            if !line.isEmpty { lines.append(line) }
        }
        return lines
    }

    private static func unescape(_ line: ArraySlice<UnicodeScalar>) -> String? {
        var result = String.UnicodeScalarView()
        var rest = line
        while let c = rest.popFirst() {
            guard c == "\\", let escaped = rest.popFirst() else {
                result.append(c)
                continue
            }
            switch escaped {
            case "t": result.append("\t")
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "f": result.append("\u{c}")
            case "u":
                let digits = String(String.UnicodeScalarView(rest.prefix(4)))
                guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
                    let scalar = UInt32(digits, radix: 16).flatMap(UnicodeScalar.init)
                else { return nil }
                rest = rest.dropFirst(4)
                result.append(scalar)
            default: result.append(escaped)
            }
        }
        return String(result)
    }
}
