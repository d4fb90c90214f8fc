// What the JSON parser accepts, what it makes of it, and what it says of the rest.
import Foundation
import Testing

@testable import Config

@Suite struct JSONParserTests {
    @Test(arguments: [
        ("null", "null"), ("true", "true"), ("false", "false"), ("0", "0"), ("-0", "0"), ("7", "7"),
        ("42", "42"),
        ("\"\"", "\"\""), ("\"a\"", "\"a\""), ("[]", "[]"), ("{}", "{}"), (" [ ] ", "[]"),
        ("\t{\r\n}\n", "{}"),
        ("[1,2,3]", "[1,2,3]"), ("[[],{},[[]]]", "[[],{},[[]]]"), ("[10,-1,100]", "[10,-1,100]"),
        (
            "{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}",
            "{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}"
        ),
        (" { \"a\" : [ 1 , 2 ] , \"b\" : 1.5 } ", "{\"a\":[1,2],\"b\":1.5d}"),
        (
            "{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": []\r\n  }\r\n}\r\n",
            "{\"a\":1,\"b\":{\"c\":[]}}"
        ),
        ("{\"\":0}", "{\"\":0}"), ("[\"\",\"x\",\"\"]", "[\"\",\"x\",\"\"]"),
        ("[0 , 12 ,3 ]", "[0,12,3]"),
    ])
    func `parses every kind of value`(text: String, tree: String) throws {
        #expect(try ParsedText(text).tree == tree)
    }

    @Test func `skips a byte order mark at the beginning only`() throws {
        #expect(try ParsedText("\u{FEFF}{\"a\":1}").tree == "{\"a\":1}")
        #expect(try ParsedText("\u{FEFF} 5").offsets(1) == [4])
        #expect(ParsedText.failure(" \u{FEFF}1")?.kind == .parse)
        #expect(ParsedText.failure("\u{FEFF}\u{FEFF}1")?.kind == .parse)
        #expect(ParsedText.failure("\u{FEFF}")?.kind == .parse)
    }

    @Test func `a node knows where its value begins`() throws {
        let parsed = try ParsedText("  [1, {\"k\" : \"v\"}, true, -5, 1.5]")
        #expect(parsed.offsets(8) == [2, 3, 6, 7, 13, 19, 25, 29])
    }
}

// MARK: - Strings

extension JSONParserTests {
    @Test func `copies strings of every length up to 200, names as well as values`() throws {
        for length in 0...200 {
            let text = String(
                (0..<length).map { Character(UnicodeScalar(UInt8(0x21 + $0 * 7 % 90))) }
            )
            .replacingOccurrences(of: "\"", with: "q").replacingOccurrences(of: "\\", with: "b")
            #expect(try ParsedText("{\"\(text)\":\"\(text)\"}").tree == "{\"\(text)\":\"\(text)\"}")
            #expect(try ParsedText("\"\(text)\"").tree == "\"\(text)\"")
        }
    }

    @Test func `unescapes at every place of a string`() throws {
        for before in 0...160 {
            let clean = String(repeating: "x", count: before)
            let text =
                #""\#(clean)\n\t\r\b\f\/\\\"\u0041\u00e9\u65E5\ud83d\uDE00\u0000y\#(clean)""#
            let expected = "\(clean)\n\t\r\u{8}\u{c}/\\\"Aé日😀\u{0}y\(clean)"
            #expect(try ParsedText(text).tree == "\"\(expected)\"")
            #expect(try ParsedText("{\(text):1}").tree == "{\"\(expected)\":1}")
        }
    }

    @Test func `unescapes every character of the basic plane and many of the others`() throws {
        let scalars = (Array(1...0xffff) + Array(stride(from: 0x10000, through: 0x10ffff, by: 97)))
            .compactMap(UnicodeScalar.init)
        let escaped = scalars.map {
            String($0).utf16.map { String(format: "\\u%04x", $0) }.joined()
        }
        let parsed = try ParsedText("[" + escaped.map { "\"\($0)\"" }.joined(separator: ",") + "]")
        for (index, scalar) in scalars.enumerated() {
            #expect(
                parsed.document.text(of: parsed.root.node[1 + index]).elementsEqual(
                    String(scalar).utf8))
        }
    }

    @Test(arguments: [
        "\"\\x\"", "\"\\", "\"\\\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\u123",
        "\"\\uD800\"", "\"\\uDC00\"",
        "\"\\uD800\\uD800\"", "\"\\uD800\\n\"", "\"\\uD800x\"", "\"\\ud800\\u0041\"", "\"\\U0041\"",
        "\"\\'\"",
        "\"\\u 123\"", "\"\\u-123\"", "\"\\u+123\"", "\"\\u\u{e9}123\"",
    ])
    func `refuses a wrong escape sequence`(text: String) {
        #expect(ParsedText.failure(text)?.kind == .parse)
        #expect(ParsedText.failure("{" + text + ":1}")?.kind == .parse)
    }

    @Test func `refuses every control character in a string and takes all others`() throws {
        for byte in 0..<0x20 as Range<UInt8> {
            for before in [0, 3, 15, 16, 17, 31, 40] {
                let clean = [UInt8](repeating: 0x78, count: before)
                #expect(ParsedText.failure([0x22] + clean + [byte, 0x22])?.kind == .parse)
            }
        }
        #expect(try ParsedText("\"\u{7f} ~!\"").tree == "\"\u{7f} ~!\"")
    }

    @Test func `agrees with the standard library about what is UTF-8`() throws {
        var sequences: [[UInt8]] = []
        for first in 0x80...0xff as ClosedRange<UInt8> {
            sequences.append([first])
            for second in [0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff] as [UInt8] {
                sequences.append([first, second])
                if first < 0xe0 { continue }
                for third in [0x41, 0x80, 0xbf, 0xc2] as [UInt8] {
                    sequences.append([first, second, third])
                    if first >= 0xf0 { sequences.append([first, second, third, 0xbf]) }
                }
            }
        }
        for (index, sequence) in sequences.enumerated() {
            let before = [UInt8](repeating: 0x78, count: index % 35)
            let isValid = String(validating: sequence, as: UTF8.self) != nil
            #expect(
                (ParsedText.failure([0x22] + before + sequence + [0x22]) == nil) == isValid,
                "\(sequence)")
            let guarded = GuardedBytes(before + sequence)
            #expect(
                withExtendedLifetime(guarded) { UTF8Check.isValid(guarded.bytes) } == isValid,
                "\(sequence)")
        }
    }

    @Test func `keeps long text beyond ASCII as it is`() throws {
        var random = TestRandom(seed: 1)
        for _ in 0..<500 {
            let text = random.text(
                60,
                of: [
                    "日本語", "é", "пример", "a b ", "😀", "text", "\u{10FFFF}", "\u{D7FF}", "\u{E000}",
                ])
            #expect(try ParsedText("[\"\(text)\"]").tree == "[\"\(text)\"]")
            #expect(try ParsedText("\"\(text)\"").tree == "\"\(text)\"")
        }
    }
}

// MARK: - Numbers

extension JSONParserTests {
    @Test(arguments: [
        "9223372036854775807", "-9223372036854775808", "9223372036854775806",
        "-9223372036854775807", "1", "99", "100",
        "999", "1000", "9999", "10000", "99999", "12345678", "123456789", "1234567890123456",
        "12345678901234567",
        "123456789012345678", "1234567890123456789", "-1", "-10", "-123456789012345678",
    ])
    func `keeps 64-bit integers exactly`(text: String) throws {
        #expect(try ParsedText(text).tree == text)
        #expect(try ParsedText("[\(text)]").tree == "[\(text)]")
        #expect(try ParsedText("{\"a\":\(text) }").tree == "{\"a\":\(text)}")
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "10000000000000000000",
        "18446744073709551615",
        "18446744073709551616", "123456789012345678901234567890", "1e400e", "0.1", "-0.0", "0.0",
        "1.0", "1e0", "1E5",
        "1e+5", "1e-5", "123.456", "0e99999", "1.7976931348623157e308", "1.7976931348623158e308",
        "5e-324", "4.9e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.225073858507201136057409796709131975934819546351645648e-308", "1e-400",
        "1e-99999999999999999999",
        "9007199254740993", "9007199254740993.0", "9007199254740992.9999999999999999999999999999",
        "9007199254740993.0000000000000000000000000001",
        "0.000000000000000000000000000000000001e36",
        "1000000000000000000000000000000000000e-36", "6.0221407623e23",
        "3.14159265358979323846264338327950288",
        "1797693134862315807" + String(repeating: "0", count: 290) + ".0",
        "8.41e21", "9.5e-23", "1e22", "1e23", "4503599627370496.5", "4503599627370497.5",
    ])
    func `rounds as strtod does`(text: String) throws {
        let (number, hasRest) =
            text.hasSuffix("e") ? (String(text.dropLast()), true) : (text, false)
        if hasRest {
            #expect(ParsedText.failure(number)?.kind == .parse)
            return
        }
        #expect(
            try ParsedText.double(number).bitPattern == strtod(number, nil).bitPattern, "\(number)")
    }

    @Test func `rounds random doubles to the last bit`() throws {
        var random = TestRandom(seed: 2)
        var scratch = ParseScratch(memory: TestMemory.memory)
        for round in 0..<30_000 {
            let value = Double(bitPattern: random.next())
            if !value.isFinite { continue }
            let formats = ["%.17g", "%.16e", "%.5g", "%.25e", "%.40e", "%.0f.5"]
            let text = String(format: formats[round % formats.count], value)
            let expected = strtod(text, nil)
            if !expected.isFinite || !text.contains(where: { ".eE".contains($0) }) { continue }
            #expect(
                try ParsedText.double(text, scratch: &scratch).bitPattern == expected.bitPattern,
                "\(text)")
        }
    }

    /// The hardest case: the number is the middle between two doubles, or a digit far behind
    /// decides.
    @Test func `rounds at and next to the middle between two doubles`() throws {
        var random = TestRandom(seed: 3)
        var scratch = ParseScratch(memory: TestMemory.memory)
        for round in 0..<1_000 {
            let low = Double(bitPattern: random.next() & 0x7fff_ffff_ffff_ffff)
            if !low.isFinite || !low.nextUp.isFinite { continue }
            // glibc prints exactly, so the digits of both and the average of their digits are exact
            // too.
            let exact = ExactDecimal.middle(low, low.nextUp)
            for text in [
                exact, exact + "0000", exact + String(repeating: "0", count: round % 900) + "1",
            ] {
                let number = text + "e0"
                #expect(
                    try ParsedText.double(number, scratch: &scratch).bitPattern
                        == strtod(number, nil).bitPattern,
                    "\(number)")
            }
        }
    }

    @Test(arguments: [
        "1e400", "-1e400", "1.8e308", "1e309", "1e99999999999999999999", "123456789e301",
        String(repeating: "9", count: 310),
    ])
    func `refuses a number that fits neither an integer nor a double`(text: String) {
        let failure = ParsedText.failure("[1,\n \(text)]")
        #expect(failure?.kind == .parse)
        #expect(failure?.line == 2 && failure?.column == 2)
        #expect(failure?.message == "a number fits neither a 64-bit integer nor a finite double")
    }

    @Test(arguments: [
        "01", "-01", "00", "1.", "1.e5", ".5", "-", "-.5", "+1", "1e", "1e+", "1e-", "1E", "0x1",
        "1.5.5", "1-2", "--1",
        "Infinity", "NaN", "-Infinity", "1_000", "1e5.5", "0e", "- 1", "1 2", "1a", "12a", "123a",
    ])
    func `refuses what is no number`(text: String) {
        #expect(ParsedText.failure(text)?.kind == .parse)
        #expect(ParsedText.failure("[\(text)]")?.kind == .parse)
        #expect(ParsedText.failure("{\"a\":\(text)}")?.kind == .parse)
    }

    @Test func `every power of five in the table is right`() {
        for exponent in PowersOfFive.lowest...PowersOfFive.highest {
            let index = 2 * (exponent - PowersOfFive.lowest)
            let expected = ExactDecimal.powerOfFive(exponent)
            #expect(
                PowersOfFive.table[index] == expected.high
                    && PowersOfFive.table[index + 1] == expected.low, "5^\(exponent)")
        }
    }
}

// MARK: - Errors

extension JSONParserTests {
    @Test(arguments: [
        ("", 1, 1, "expected a value, found the end of the text"),
        (" \n ", 2, 2, "expected a value, found the end of the text"),
        ("[1,]", 1, 4, "expected a value, found ']'"),
        ("[1 2]", 1, 4, "expected ',' or ']' after an element, found a digit"),
        ("[1}", 1, 3, "expected ',' or ']' after an element, found '}'"),
        ("{\"a\":1]", 1, 7, "expected ',' or '}' after a member, found ']'"),
        ("{\"a\" 1}", 1, 6, "expected ':' after a member's name, found a digit"),
        ("{\"a\":}", 1, 6, "expected a value, found '}'"),
        ("{,}", 1, 2, "expected a member's name in double quotes or '}', found ','"),
        ("{\"a\":1,}", 1, 8, "expected a member's name in double quotes, found '}'"),
        ("{\"a\":1,\n  b:2}", 2, 3, "expected a member's name in double quotes, found a letter"),
        (
            "{\n\n  'a': 1}", 3, 3,
            "expected a member's name in double quotes or '}', found another character"
        ),
        ("[\n1,\n\ttru]", 3, 2, "expected a value, found a letter"),
        ("1 2", 1, 3, "expected nothing more after the value, found a digit"),
        ("{} ,", 1, 4, "expected nothing more after the value, found ','"),
        ("[1]\u{0}", 1, 4, "expected nothing more after the value, found a NUL byte"),
        ("5,", 1, 2, "expected nothing more after the value, found ','"),
        ("[\"abc", 1, 2, "a string is not closed"),
        ("[\"abc\ndef\"]", 1, 6, "unescaped control character in a string"),
        ("[\"a\u{0}\"]", 1, 4, "unescaped control character in a string"),
        ("[\"\\q\"]", 1, 3, "invalid escape sequence in a string"),
        ("[\"\\u12\"]", 1, 3, "expected four hexadecimal digits after \\u in a string"),
        ("[\"\\ud800\"]", 1, 3, "half of a surrogate pair in a string"),
        ("[01]", 1, 2, "a number begins with a superfluous zero"),
        ("[1.]", 1, 4, "expected a digit in a number, found ']'"),
        ("[-]", 1, 3, "expected a digit in a number, found ']'"),
        ("[1,\r\n2,\r\n é]", 3, 2, "expected a value, found a character outside ASCII"),
        ("[", 1, 2, "expected a value, found the end of the text"),
        ("{", 1, 2, "expected a member's name in double quotes or '}', found the end of the text"),
        ("{\"a\":1", 1, 7, "expected ',' or '}' after a member, found the end of the text"),
    ])
    func `says what is wrong and where`(text: String, line: UInt32, column: UInt32, message: String)
        throws
    {
        let failure = try #require(ParsedText.failure(text))
        #expect(failure.kind == .parse && failure.stage == .parse && failure.key == "test.json")
        #expect(failure.message == message)
        #expect(
            failure.line == line && failure.column == column, "\(failure.line):\(failure.column)")
    }

    @Test func `never quotes the text of a value`() throws {
        var random = TestRandom(seed: 4)
        let text = Array(
            #"{"name":"Xsecret","list":["Xsecret",12345678],"n":{"Xsecret":"\u00e9Xsecret"}}"#
                .utf8)
        for _ in 0..<3_000 {
            var broken = text
            for _ in 0...random.below(3) {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let failure = ParsedText.failure(broken) else { continue }
            #expect(!failure.message.contains("Xsecret") && !failure.message.contains("12345678"))
        }
    }

    @Test func `every beginning of a text is refused`() throws {
        let text = Array(
            #"{"a":[1,-2.5e3,true,false,null,"\u00e9\ud83d\ude00\n日"],"name":{"b":{}},"c":[[],{}]}"#
                .utf8)
        #expect(ParsedText.failure(text) == nil)
        for length in 0..<text.count {
            #expect(ParsedText.failure(text.prefix(length))?.kind == .parse)
        }
    }

    @Test func `refuses nesting beyond the limit and takes what is at it`() throws {
        var limits = Limits()
        for depth in [1, 2, 127, 128, 1023, 1024] {
            limits.maxDepth = depth
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let inside = open == "[" ? "" : "1"
                let deep = {
                    String(repeating: open, count: $0) + inside
                        + String(repeating: close, count: $0)
                }
                #expect(try ParsedText(deep(depth), limits: limits).tree == deep(depth))
                let failure = ParsedText.failure(deep(depth + 1), limits: limits)
                #expect(failure?.kind == .limit)
                #expect(failure?.column == UInt32(open.utf8.count * depth + 1))
            }
        }
        limits.maxDepth = 0
        #expect(try ParsedText("1", limits: limits).tree == "1")
        #expect(ParsedText.failure("[]", limits: limits)?.kind == .limit)
        limits.maxDepth = 1 << 40
        #expect(
            ParsedText.failure(String(repeating: "[", count: 100_000), limits: limits)?.kind
                == .limit)
    }

    @Test func `refuses more values than a document can number`() throws {
        var scratch = ParseScratch(memory: guardedMemory)
        func parse(_ text: String) throws -> Int {
            let bytes = GuardedBytes(text.utf8)
            return try withExtendedLifetime(bytes) {
                try JSONParser.parse(
                    bytes.bytes, limits: Limits(), mostNodes: 100, scratch: &scratch
                ).nodeCount
            }
        }
        func list(_ count: Int) -> String {
            "[" + Array(repeating: "0", count: count).joined(separator: ",") + "]"
        }
        #expect(try parse(list(99)) == 100)
        for text in [
            list(100), list(101), list(5_000), "[" + list(99) + "]", "[" + list(98) + ",[]]",
        ] {
            do {
                _ = try parse(text)
                Issue.record("parsed \(text.prefix(20))")
            } catch {
                #expect((error as? ParseError)?.problem == .tooManyValues)
            }
        }
    }
}

// MARK: - Names that repeat

extension JSONParserTests {
    @Test(arguments: [
        ("{\"a\":1,\"a\":2}", "{\"a\":2}", 1, "a", 1, 8),
        ("{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}", 1, "a", 1, 14),
        ("{\"a\":1,\"a\":2,\"a\":3}", "{\"a\":3}", 2, "a", 1, 8),
        ("{\"a\":{\"x\":1},\n\"a\":[1,2],\"b\":{}}", "{\"a\":[1,2],\"b\":{}}", 1, "a", 2, 1),
        ("[{\"a\":1,\"a\":{\"b\":2,\"b\":3}},7]", "[{\"a\":{\"b\":3}},7]", 2, "b", 1, 20),
        ("{\"x\":{\"a\":1,\"a\":2},\"x\":5,\"y\":[]}", "{\"x\":5,\"y\":[]}", 2, "a", 1, 13),
        ("{\"\":1,\"\":2}", "{\"\":2}", 1, "", 1, 7),
        ("{\"\\u0061\":1,\"a\":2}", "{\"a\":2}", 1, "a", 1, 13),
        ("{\"é\":1,\"\\u00e9\":2}", "{\"é\":2}", 1, "é", 1, 9),
        (
            "{\"a\":[{\"b\":1,\"b\":2},{\"c\":1}],\"d\":1}",
            "{\"a\":[{\"b\":2},{\"c\":1}],\"d\":1}", 1, "b", 1, 14
        ),
    ])
    func `the last member of a name wins`(
        text: String, tree: String, count: Int, name: String, line: UInt32, column: UInt32
    ) throws {
        let parsed = try ParsedText(text)
        #expect(parsed.tree == tree)
        let repeats = try #require(parsed.parsed.repeats)
        #expect(repeats.count == count && repeats.name == name)
        #expect(repeats.position.line == line && repeats.position.column == column)
    }

    @Test func `the same name in different objects repeats nothing`() throws {
        for text in [
            "{\"a\":{\"a\":{\"a\":1}}}", "[{\"a\":1},{\"a\":1}]",
            "{\"a\":1,\"b\":{\"a\":1},\"c\":{\"a\":1}}",
        ] {
            let parsed = try ParsedText(text)
            #expect(parsed.tree == text && parsed.parsed.repeats == nil)
        }
    }

    @Test func `notices repetition among any number of names of any length`() throws {
        var random = TestRandom(seed: 5)
        for count in [2, 3, 5, 8, 16, 31, 32, 33, 34, 64, 100, 1_000] {
            for length in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 70] {
                if length == 1 && count > 60 { continue }
                var names = (0..<count).map { String(format: "%0\(length)d", $0) }
                if length == 1 {
                    names = (0..<count).map { String(UnicodeScalar(UInt8(0x40 + $0))) }.filter {
                        $0 != "\\"
                    }
                }
                let unique = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
                #expect(try ParsedText(unique).parsed.repeats == nil)
                let (earlier, later) = (random.below(names.count), random.below(names.count))
                if earlier == later { continue }
                names[later] = names[earlier]
                let repeated = "{" + names.map { "\"\($0)\":[0]" }.joined(separator: ",") + "}"
                let parsed = try ParsedText(repeated)
                #expect(parsed.parsed.repeats?.count == 1, "\(count) names of \(length)")
                names.remove(at: min(earlier, later))
                #expect(
                    parsed.tree == "{" + names.map { "\"\($0)\":[0]" }.joined(separator: ",") + "}")
            }
        }
    }

    @Test func `a hundred thousand names with common beginnings and ends take no time to speak of`()
        throws
    {
        let names = (0..<100_000).map {
            "a common beginning of names \($0) and a common end of all of them"
        }
        let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        var limits = Limits()
        limits.maxValueBytes = 1 << 28
        let bytes = GuardedBytes(text.utf8)
        let clock = ContinuousClock()
        var scratch = ParseScratch(memory: TestMemory.memory)
        let time = try clock.measure {
            let output = try withExtendedLifetime(bytes) {
                try JSONParser.parse(bytes.bytes, limits: limits, scratch: &scratch)
            }
            #expect(output.nodeCount == 200_001 && output.replacedCount == 0)
        }
        // Comparing each with each would take minutes; an unoptimised build under a sanitizer takes
        // a second.
        #expect(time < .seconds(20))
    }

    @Test func `agrees with a dictionary about random objects`() throws {
        var random = TestRandom(seed: 6)
        func object(_ depth: Int) -> (text: String, tree: String) {
            var members: [(name: String, text: String, tree: String)] = []
            for _ in 0..<random.below(6) {
                let name = random.pick(["a", "b", "c", "a longer name than the others", "d"])
                if depth > 0 && random.below(2) == 0 {
                    let inner = object(depth - 1)
                    members.append((name, inner.text, inner.tree))
                } else {
                    let number = String(random.below(100))
                    members.append((name, "[\(number), {}]", "[\(number),{}]"))
                }
            }
            var last: [String: Int] = [:]
            for (index, member) in members.enumerated() { last[member.name] = index }
            let kept = members.enumerated().filter { last[$0.element.name] == $0.offset }
            return (
                "{" + members.map { "\"\($0.name)\": \($0.text)" }.joined(separator: " , ") + "}",
                "{"
                    + kept.map { "\"\($0.element.name)\":\($0.element.tree)" }.joined(
                        separator: ",") + "}"
            )
        }
        for _ in 0..<2_000 {
            let (text, tree) = object(4)
            #expect(try ParsedText(text).tree == tree, "\(text)")
        }
    }
}

// MARK: - Corpus

extension JSONParserTests {
    /// Files whose name begins with y_ are JSON, those with n_ are not; for others it only matters
    /// that nothing breaks. Each is cut at every length too.
    @Test(arguments: corpora)
    func `judges every file of a corpus as its name says`(folder: URL) throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files where file.pathExtension == "json" {
            let content = try Data(contentsOf: file)
            let name = file.lastPathComponent
            var limits = Limits()
            limits.maxDepth = Limits.depthCeiling
            let failure = ParsedText.failure(content, limits: limits)
            if name.hasPrefix("y_") { #expect(failure == nil, "\(name)") }
            if name.hasPrefix("n_") { #expect(failure != nil, "\(name)") }
            if content.count <= 300 {
                for length in 0..<content.count {
                    _ = ParsedText.failure(content.prefix(length), limits: limits)
                }
            }
        }
    }

    static var corpora: [URL] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let package = tests.deletingLastPathComponent()
        let candidates = [
            tests.appending(path: "Fuzz/corpus/json"),
            package.deletingLastPathComponent().appending(path: "shared/conformance/json"),
            package.deletingLastPathComponent().deletingLastPathComponent().appending(
                path: "shared/conformance/json"),
        ]
        return candidates.filter { FileManager.default.fileExists(atPath: $0.path) }
    }
}

// MARK: - Random texts

extension JSONParserTests {
    @Test func `agrees with Foundation about broken texts`() throws {
        var random = TestRandom(seed: 7)
        let seeds: [[UInt8]] = [
            #"{"a":[1,2.5e3,-0,null,true,false,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}},"d":[]}"#,
            "[1e308,5e-324,0.1,123456789012345678901234567890,9223372036854775807]",
            " { \"k\" : [ 1 , 2 ] } ",
            "[\"é日😀\",\"a string of more than thirty-two plain characters\",[[[]]],{\"\":0}]",
        ].map { Array($0.utf8) }
        let bytes =
            Array("{}[]:,\"\\ \n0123456789eE+-.truefalsnu\u{e9}\u{1}\u{7f}".utf8) + [
                0xed, 0xa0, 0xf0, 0x9f,
            ]
        var accepted = 0
        var scratch = ParseScratch(memory: guardedMemory)
        for _ in 0..<10_000 {
            var text = random.pick(seeds)
            for _ in 0...random.below(3) {
                let place = random.below(text.count + 1)
                switch random.below(4) {
                case 0 where place < text.count: text[place] = random.pick(bytes)
                case 1: text.insert(random.pick(bytes), at: place)
                case 2 where place < text.count: text.remove(at: place)
                default: text.removeLast(min(text.count, random.below(4)))
                }
            }
            let isAccepted = ParsedText.isJSON(text, scratch: &scratch)
            let isJSON =
                (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed))
                != nil
            if isAccepted { accepted += 1 }
            #expect(
                isAccepted == isJSON || ParsedText.isKnownToDiffer(text),
                "\(String(decoding: text, as: UTF8.self))")
        }
        #expect(accepted > 500)
    }

    @Test func `a scratch serves documents large and small one after the other`() throws {
        var scratch = ParseScratch(memory: guardedMemory)
        for length in [1, 5_000, 3, 20_000, 100, 0, 20_000] {
            let text = "[" + (0..<length).map { "\"\($0)\"" }.joined(separator: ",") + "]"
            let parsed = try ParsedText.make(text.utf8, scratch: &scratch)
            #expect(parsed.document.root.count == length)
            parsed.document.release(guardedMemory)
        }
        let full = scratch.size
        scratch.trim(to: 4096)
        #expect(scratch.size < full && scratch.size <= 5 * 4096)
        let parsed = try ParsedText.make("[1]".utf8, scratch: &scratch)
        parsed.document.release(guardedMemory)
    }

    @Test func `runs out of memory at every allocation without a trace`() throws {
        let text = "{" + (0..<40).map { "\"name \($0)\":[1,\"two\"]" }.joined(separator: ",") + "}"
        var refused = 0
        while true {
            var failure: Failure?
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do {
                    try Document.test("a.json", text, memory: memory).release(memory)
                } catch {
                    failure = error as? Failure
                }
            }
            #expect(leaked == 0)
            guard let failure else { break }
            #expect(failure.kind == .noMemory)
            refused += 1
        }
        #expect(refused >= 6)
    }
}
