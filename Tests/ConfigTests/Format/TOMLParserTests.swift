// What the TOML parser accepts, what it makes of it, and what it says of the rest. The order of the
// parts is the specification's.
import Foundation
import Testing

@testable import Config

private func tree(_ text: String) throws -> String { try ParsedText.tree(text, .toml) }

private func complaint(_ text: String) -> String? { ParsedText.complaint(text, .toml) }

@Suite struct TOMLParserTests {
    @Test(arguments: [
        ("", "{}"), ("\n\r\n \t\n", "{}"), ("# nothing", "{}"), ("\u{FEFF}a = 1", #"{"a":1}"#),
        ("a=1", #"{"a":1}"#), ("\ta\t=\t1\t# one\r\n", #"{"a":1}"#),
        ("a = 1\nb = 2\r\nc = 3", #"{"a":1,"b":2,"c":3}"#),
        ("# é\u{7e} \t\na = 1", #"{"a":1}"#), ("a = '#' # b = 2", ##"{"a":"#"}"##),
        ("[a] # c\n[[b]]# c\n", #"{"a":{},"b":[{}]}"#),
    ])
    func `a document is lines of keys and values, headers and comments`(
        text: String, expected: String
    ) throws {
        #expect(try tree(text) == expected)
    }

    @Test func `a value knows where it begins, and a name too`() throws {
        let parsed = try ParsedText("a = 1\n[b.c]\nd.e = [2, 'x']\n[[f]]\n[b]\n", format: .toml)
        //  {"a":1,"b":{"c":{"d":{"e":[2,"x"]}}},"f":[{}]}
        #expect(
            parsed.offsets(16)
                == [0, 0, 4, 7, 34, 9, 9, 12, 12, 14, 18, 19, 22, 29, 29, 29])
        #expect(parsed.tree == #"{"a":1,"b":{"c":{"d":{"e":[2,"x"]}}},"f":[{}]}"#)
    }

    @Test(arguments: [
        ("a = 1 b = 2", "1:7: expected the end of the line, found a letter"),
        ("a", "1:2: expected '.' or '=' after a key, found the end of the text"),
        ("a = ", "1:5: expected a value, found the end of the text"),
        ("a = # 1", "1:5: expected a value, found another character"),
        ("a\n= 1", "1:2: expected '.' or '=' after a key, found the end of the line"),
        ("= 1", "1:1: expected a key, found '='"),
        ("\n é = 1", "2:2: expected a key, found a character outside ASCII"),
        ("a = 1\rb = 2", "1:6: a carriage return without a line feed"),
        ("# a\rb", "1:4: a carriage return without a line feed"),
        ("# a\u{0}b", "1:4: a control character"), ("# a\u{7f}", "1:4: a control character"),
        ("a = 1 \u{1}", "1:7: a control character"),
        ("\u{0}", "1:1: expected a key, found a NUL byte"),
        ("a = [1,\r2]", "1:8: a carriage return without a line feed"),
        ("a = [1, # \u{8}\n2]", "1:11: a control character"),
        ("a = 1\n \u{FEFF}", "2:2: expected a key, found a character outside ASCII"),
    ])
    func `says what is wrong and where`(text: String, message: String) {
        #expect(complaint(text) == message)
        #expect(ParsedText.failure(text.utf8, format: .toml)?.kind == .parse)
    }

    @Test func `a text that is not UTF-8 is refused wherever that shows`() {
        for bytes in [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80]] as [[UInt8]] {
            for before in [
                "", "# ", "a = '", "a = \"", "\"", "# é日😀", String(repeating: "# x", count: 20),
            ] {
                #expect(
                    ParsedText.complaint(Array(before.utf8) + bytes, .toml)
                        == "1:\(before.utf8.count + 1): the text is not valid UTF-8")
            }
        }
    }
}

// MARK: - Keys

extension TOMLParserTests {
    @Test(arguments: [
        ("bare_key-1 = 1", #"{"bare_key-1":1}"#), ("1234 = 1", #"{"1234":1}"#),
        ("-_ = 1", #"{"-_":1}"#), ("\"\" = 1", #"{"":1}"#), ("'' = 1", #"{"":1}"#),
        ("'a.b' = 1", #"{"a.b":1}"#), (#""\u00e9\t" = 1"#, "{\"é\t\":1}"),
        ("'quoted \"value\"' = 1", "{\"quoted \"value\"\":1}"),
        ("a.b.c = 1", #"{"a":{"b":{"c":1}}}"#), ("a . b\t.\tc = 1", #"{"a":{"b":{"c":1}}}"#),
        ("site.\"google.com\" = true", #"{"site":{"google.com":true}}"#),
        ("3.14 = 'pi'", #"{"3":{"14":"pi"}}"#), ("true = false", #"{"true":false}"#),
        ("inf = 1\nnan = 2\n1979-05-27 = 3", #"{"inf":1,"nan":2,"1979-05-27":3}"#),
        (
            "apple.type = 1\norange.type = 2\napple.skin = 3\norange.skin = 4",
            #"{"apple":{"type":1,"skin":3},"orange":{"type":2,"skin":4}}"#
        ),
        (
            "more_than_sixteen_characters.x = 1\nmore_than_sixteen_characters.y = 2",
            #"{"more_than_sixteen_characters":{"x":1,"y":2}}"#
        ),
    ])
    func `keys are bare, quoted or dotted`(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("a = 1\na = 2", "2:1: the key has a value already"),
        ("a = 1\n\"a\" = 2", "2:1: the key has a value already"),
        ("'a' = 1\n\"\\u0061\" = 2", "2:1: the key has a value already"),
        ("a.b = 1\na.b = 2", "2:3: the key has a value already"),
        ("a.b = 1\na = 2", "2:1: the table is defined already"),
        ("a = 1\na.b = 2", "2:1: a dotted key leads through a value"),
        ("a = []\na.b = 2", "2:1: a dotted key leads through a value"),
        ("a. = 1", "1:4: expected a key, found '='"),
        (".a = 1", "1:1: expected a key, found another character"),
        ("a..b = 1", "1:3: expected a key, found another character"),
        ("a b = 1", "1:3: expected '.' or '=' after a key, found a letter"),
        ("\"\"\"a\"\"\" = 1", "1:3: expected '.' or '=' after a key, found a string"),
        ("'a = 1", "1:1: a string is not closed"), ("\"a\nb\" = 1", "1:1: a string is not closed"),
        ("[a]\nb = 1\n[c]\n[a.b]", "4:4: the key has a value already"),
    ])
    func `refuses what is no key, or one that has a value`(text: String, message: String) {
        #expect(complaint(text) == message)
    }

    @Test func `finds any of many keys again`() throws {
        for count in [1, 2, 100, 128, 129, 1_000, 20_000] {
            let keys = (0..<count).map {
                "key.number \($0 % 7).'\($0)'".replacingOccurrences(
                    of: "number ", with: "number-")
            }
            let text = keys.map { "\($0) = 1\n" }.joined()
            let parsed = try ParsedText(text, format: .toml)
            #expect(parsed.root.count == 1)
            #expect(
                complaint(text + keys[count / 2] + " = 2\n")?.hasSuffix("has a value already")
                    == true)
        }
    }
}

// MARK: - Strings

extension TOMLParserTests {
    @Test(arguments: [
        (#""""#, ""), ("''", ""), (#""a\tb\n\r\f\b\"\\""#, "a\tb\n\r\u{c}\u{8}\"\\"),
        (#""\u00e9\U0001F600\u0000\uFFFF""#, "é😀\u{0}\u{FFFF}"), ("\"tab\tin\"", "tab\tin"),
        (#"'C:\Users\n'"#, #"C:\Users\n"#), ("'a \"b\"'", "a \"b\""), ("\"a 'b'\"", "a 'b'"),
        ("\"日本 😀 é\"", "日本 😀 é"), ("'日本 😀 é'", "日本 😀 é"),
        ("\"\"\"\"\"\"", ""), ("''''''", ""), ("\"\"\"a\"\"\"", "a"), ("'''a'''", "a"),
        ("\"\"\"\na\nb\n\"\"\"", "a\nb\n"), ("'''\r\na\r\n\r\nb'''", "a\n\nb"),
        ("\"\"\"\n\na\"\"\"", "\na"), ("\"\"\"a \"\" b\"\"\"", "a \"\" b"),
        ("\"\"\"\"a\"\"\"\"", "\"a\""), ("\"\"\"\"\"a\"\"\"\"\"", "\"\"a\"\""),
        ("''''a''''", "'a'"), ("'''''a'''''", "''a''"), ("'''a''b'''", "a''b"),
        ("\"\"\"a\\\"\"\"\"\"\"", "a\"\"\""), ("\"\"\"\"\"\"\"\"", "\"\""),
        ("\"\"\"a \\\n   b\"\"\"", "a b"), ("\"\"\"\\\n  a\\\r\n\t\r\n\n  b\\   \n\"\"\"", "ab"),
        ("\"\"\"a\\\\\nb\"\"\"", "a\\\nb"), ("'''a\\\nb'''", "a\\\nb"),
        ("\"\"\"a\t\\u0041\"\"\"", "a\tA"),
    ])
    func `strings are basic or literal, with one line or several`(
        source: String, expected: String
    ) throws {
        #expect(try tree("a = \(source) # \"") == "{\"a\":\"\(expected)\"}")
        #expect(
            try tree("a = [\(source),\(source)]") == "{\"a\":[\"\(expected)\",\"\(expected)\"]}")
    }

    @Test func `copies strings of every length`() throws {
        for length in 0...70 {
            let text = String((0..<length).map { Character(UnicodeScalar(UInt8(0x61 + $0 % 26))) })
            for quotes in ["\"", "'", "\"\"\"", "'''"] {
                #expect(try tree("a = \(quotes)\(text)\(quotes)") == "{\"a\":\"\(text)\"}")
                #expect(try tree("a = \(quotes)\(text)é\(quotes)") == "{\"a\":\"\(text)é\"}")
            }
            #expect(
                try tree("\"\(text)\\u00e9\" = \"\(text)\\n\"") == "{\"\(text)é\":\"\(text)\n\"}")
            #expect(try tree("x\(text) = 1") == "{\"x\(text)\":1}")
        }
    }

    @Test(arguments: [
        (#""\x41""#, "1:6: invalid escape sequence in a string"),
        (#""\e""#, "1:6: invalid escape sequence in a string"),
        (#""\ ""#, "1:6: invalid escape sequence in a string"),
        ("\"\"\"a\\ b\"\"\"", "1:9: invalid escape sequence in a string"),
        ("\"a\\\nb\"", "1:7: invalid escape sequence in a string"),
        (#""\u12""#, "1:6: expected four hexadecimal digits after \\u in a string"),
        (#""\U0001F60""#, "1:6: expected eight hexadecimal digits after \\U in a string"),
        (#""\ud800""#, "1:6: half of a surrogate pair in a string"),
        (#""\ud83d\ude00""#, "1:6: half of a surrogate pair in a string"),
        (#""\U0000DFFF""#, "1:6: half of a surrogate pair in a string"),
        (#""\U00110000""#, "1:6: an escape sequence is beyond the last character"),
        (#""\UFFFFFFFF""#, "1:6: an escape sequence is beyond the last character"),
        ("\"abc", "1:5: a string is not closed"), ("\"abc\\\"", "1:5: a string is not closed"),
        ("'abc\n'", "1:5: a string is not closed"), ("'abc\r\n'", "1:5: a string is not closed"),
        ("\"\"\"abc\n\"\"", "1:5: a string is not closed"),
        ("'''abc", "1:5: a string is not closed"),
        ("\"a\u{0}\"", "1:7: unescaped control character in a string"),
        ("'a\u{1f}'", "1:7: unescaped control character in a string"),
        ("'a\u{7f}'", "1:7: unescaped control character in a string"),
        ("'''a\rb'''", "1:9: unescaped control character in a string"),
        ("\"\"\"a\rb\"\"\"", "1:9: unescaped control character in a string"),
        ("\"\"\"\\\r\"\"\"", "1:8: invalid escape sequence in a string"),
        ("\"\"\"a\"\"\"\"\"\"", "1:14: expected the end of the line, found a string"),
        ("'a'b'", "1:8: expected the end of the line, found a letter"),
    ])
    func `refuses what no string may contain`(source: String, message: String) {
        #expect(complaint("a = \(source)") == message)
    }

    @Test func `every control character but a tab is refused in every string and comment`() throws {
        for byte in (0..<0x20).filter({ $0 != 9 && $0 != 10 }) + [0x7f] as [UInt8] {
            for before in [0, 5, 14, 15, 16, 17, 40] {
                let clean = [UInt8](repeating: 0x78, count: before)
                for quotes in ["\"", "'", "\"\"\"", "'''"].map({ Array($0.utf8) }) {
                    let text = Array("a = ".utf8) + quotes + clean + [byte] + clean + quotes
                    #expect(ParsedText.complaint(text, .toml) != nil)
                }
                let text = Array("# ".utf8) + clean + [byte] + clean
                #expect(ParsedText.complaint(text, .toml) != nil)
            }
        }
    }
}

// MARK: - Numbers

extension TOMLParserTests {
    @Test(arguments: [
        ("+99", "99"), ("42", "42"), ("0", "0"), ("+0", "0"), ("-0", "0"), ("-17", "-17"),
        ("1_000", "1000"), ("1_2_3_4_5", "12345"), ("-9_2", "-92"), ("+1_0", "10"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9_223_372_036_854_775_807", "9223372036854775807"),
        ("0xDEADBEEF", "3735928559"), ("0xdead_beef", "3735928559"), ("0x0", "0"), ("0x00_1", "1"),
        ("0x7FFFFFFFFFFFFFFF", "9223372036854775807"), ("0o755", "493"), ("0o01234567", "342391"),
        ("0o777777777777777777777", "9223372036854775807"), ("0b11010110", "214"), ("0b0_1", "1"),
        (
            "0b111111111111111111111111111111111111111111111111111111111111111",
            "9223372036854775807"
        ),
        ("+1.0", "1.0d"), ("3.1415", "3.1415d"), ("-0.01", "-0.01d"), ("5e+22", "5e+22d"),
        ("1e06", "1000000.0d"), ("-2E-2", "-0.02d"), ("6.626e-34", "6.626e-34d"),
        ("224_617.445_991_228", "224617.445991228d"), ("1e1_0", "10000000000.0d"), ("0e0", "0.0d"),
        ("-0.0", "-0.0d"), ("+0.0", "0.0d"), ("1_0e0_1", "100.0d"),
        (
            "9_007_199_254_740_993.0",
            "9007199254740992.0d"
        ),
        ("1.7976931348623157e308", "1.7976931348623157e+308d"), ("5e-324", "5e-324d"),
        ("1e-400", "0.0d"), ("123456789012345678901234567890.5", "1.2345678901234568e+29d"),
        ("0.1_0000000000000000000000000000000000000001", "0.1d"),
        ("true", "true"), ("false", "false"),
    ])
    func `numbers keep their value`(source: String, expected: String) throws {
        #expect(try tree("a = \(source)") == "{\"a\":\(expected)}")
        #expect(try tree("a=[\(source),\(source) ]") == "{\"a\":[\(expected),\(expected)]}")
        #expect(try tree("a={b=\(source)}#") == "{\"a\":{\"b\":\(expected)}}")
    }

    @Test(arguments: [
        ("9223372036854775808", "1:5: an integer does not fit into 64 bits"),
        ("-9223372036854775809", "1:5: an integer does not fit into 64 bits"),
        ("9_223_372_036_854_775_808", "1:5: an integer does not fit into 64 bits"),
        ("99999999999999999999999999", "1:5: an integer does not fit into 64 bits"),
        ("0x8000000000000000", "1:5: an integer does not fit into 64 bits"),
        ("0o1000000000000000000000", "1:5: an integer does not fit into 64 bits"),
        ("0b" + String(repeating: "1", count: 64), "1:5: an integer does not fit into 64 bits"),
        ("inf", "1:5: a number is not finite, which JSON cannot hold"),
        ("+inf", "1:5: a number is not finite, which JSON cannot hold"),
        ("-inf", "1:5: a number is not finite, which JSON cannot hold"),
        ("nan", "1:5: a number is not finite, which JSON cannot hold"),
        ("+nan", "1:5: a number is not finite, which JSON cannot hold"),
        ("-nan", "1:5: a number is not finite, which JSON cannot hold"),
        ("1e400", "1:5: a number fits neither a 64-bit integer nor a finite double"),
        ("1_0e999", "1:5: a number fits neither a 64-bit integer nor a finite double"),
        ("01", "1:5: a number begins with a superfluous zero"),
        ("-01", "1:6: a number begins with a superfluous zero"),
        ("0_1", "1:5: a number begins with a superfluous zero"),
        ("00.5", "1:5: a number begins with a superfluous zero"),
        ("1__0", "1:6: an underscore does not stand between two digits"),
        ("1_", "1:6: an underscore does not stand between two digits"),
        ("1_.5", "1:6: an underscore does not stand between two digits"),
        ("1.5_", "1:8: an underscore does not stand between two digits"),
        ("1_e5", "1:6: an underscore does not stand between two digits"),
        ("1e5_", "1:8: an underscore does not stand between two digits"),
        ("1_0._5", "1:9: an underscore does not stand between two digits"),
        ("1_0e_5", "1:9: an underscore does not stand between two digits"),
        ("1_0e-_5", "1:10: an underscore does not stand between two digits"),
        ("_1", "1:5: expected a value, found another character"),
        ("1._5", "1:7: expected a digit in a number, found another character"),
        ("1e_5", "1:7: expected a digit in a number, found another character"),
        (".7", "1:5: expected a value, found another character"),
        ("7.", "1:7: expected a digit in a number, found the end of the text"),
        ("3.e+20", "1:7: expected a digit in a number, found a letter"),
        ("+", "1:6: expected a digit in a number, found the end of the text"),
        ("+-1", "1:6: expected a digit in a number, found another character"),
        ("- 1", "1:6: expected a digit in a number, found another character"),
        ("+true", "1:6: expected a digit in a number, found a letter"),
        ("0x", "1:7: expected a digit in a number, found the end of the text"),
        ("0xg", "1:7: expected a digit in a number, found a letter"),
        ("0x_1", "1:7: expected a digit in a number, found another character"),
        ("0x1_", "1:9: expected a digit in a number, found the end of the text"),
        ("0b2", "1:7: expected a digit in a number, found a digit"),
        ("0o18", "1:8: expected the end of the line, found a digit"),
        ("0X1", "1:6: expected the end of the line, found a letter"),
        ("+0x1", "1:7: expected the end of the line, found a letter"),
        ("1 2", "1:7: expected the end of the line, found a digit"),
        ("12a", "1:7: expected the end of the line, found a letter"),
        ("1_0-5", "1:8: expected the end of the line, found another character"),
        ("1.2.3", "1:8: expected the end of the line, found another character"),
        ("1.5e5.5", "1:10: expected the end of the line, found another character"),
        ("True", "1:5: expected a value, found a letter"),
        ("trueish", "1:9: expected the end of the line, found a letter"),
        ("tru", "1:5: expected a value, found a letter"),
        ("infinity", "1:5: a number is not finite, which JSON cannot hold"),
        ("in", "1:5: expected a value, found a letter"),
        ("null", "1:5: expected a value, found a letter"),
    ])
    func `refuses what is no number or none that can be held`(source: String, message: String) {
        #expect(complaint("a = \(source)") == message)
    }

    @Test func `rounds doubles as strtod does, with underscores or without`() throws {
        var random = TestRandom(seed: 11)
        for round in 0..<3_000 {
            let value = Double(bitPattern: random.next())
            let text = String(format: ["%.17g", "%.3e", "%.25e"][round % 3], value)
            let expected = strtod(text, nil)
            if !expected.isFinite || !text.contains(where: { ".e".contains($0) }) { continue }
            var separated = ""
            for (index, character) in text.enumerated() {
                if index > 0, character.isNumber, separated.last?.isNumber == true,
                    random.below(3) == 0
                {
                    separated += "_"
                }
                separated.append(character)
            }
            for source in [text, separated] {
                let parsed = try ParsedText("a = \(source)", format: .toml)
                #expect(parsed.root.node[2].payload == expected.bitPattern, "\(source)")
            }
        }
    }
}

// MARK: - Dates and times

extension TOMLParserTests {
    @Test(arguments: [
        ("1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"),
        ("1979-05-27t07:32:00z", "1979-05-27T07:32:00Z"),
        ("1979-05-27 07:32:00Z", "1979-05-27T07:32:00Z"),
        ("1979-05-27T00:32:00-07:00", "1979-05-27T00:32:00-07:00"),
        ("1979-05-27T00:32:00.999999+23:59", "1979-05-27T00:32:00.999999+23:59"),
        ("1979-05-27T07:32:00", "1979-05-27T07:32:00"),
        ("1979-05-27 00:32:00.5", "1979-05-27T00:32:00.5"),
        ("1979-05-27", "1979-05-27"), ("2024-02-29", "2024-02-29"), ("2000-02-29", "2000-02-29"),
        ("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-01"), ("1979-04-30", "1979-04-30"),
        ("07:32:00", "07:32:00"), ("23:59:60", "23:59:60"),
        (
            "00:00:00.000000001",
            "00:00:00.000000001"
        ),
    ])
    func `dates and times are text as RFC 3339 has it`(source: String, expected: String) throws {
        #expect(try tree("a = \(source)") == "{\"a\":\"\(expected)\"}")
        #expect(try tree("a = \(source) # c") == "{\"a\":\"\(expected)\"}")
        #expect(
            try tree("a = [\(source),\(source)]") == "{\"a\":[\"\(expected)\",\"\(expected)\"]}")
    }

    @Test func `a date that is the last of a text has room for all of it`() throws {
        for count in 0..<40 {
            let padding = String(repeating: "\n", count: count)
            #expect(try tree("\(padding)a=1979-05-27") == #"{"a":"1979-05-27"}"#)
        }
    }

    @Test(arguments: [
        ("1979-13-01", "1:5: there is no such date"), ("1979-00-01", "1:5: there is no such date"),
        ("1979-01-00", "1:5: there is no such date"), ("1979-01-32", "1:5: there is no such date"),
        ("1979-04-31", "1:5: there is no such date"), ("2023-02-29", "1:5: there is no such date"),
        ("1900-02-29", "1:5: there is no such date"), ("2024-02-30", "1:5: there is no such date"),
        ("24:00:00", "1:5: there is no such time of day"),
        ("00:60:00", "1:5: there is no such time of day"),
        ("1979-05-27T00:00:61Z", "1:5: there is no such time of day"),
        ("1979-05-27T00:00:00+24:00", "1:5: there is no such offset from UTC"),
        ("1979-05-27T00:00:00-00:60", "1:5: there is no such offset from UTC"),
        ("1979-5-27", "1:11: \(wanted), found another character"),
        ("1979-05-2", "1:14: \(wanted), found the end of the text"),
        ("1979-05-27T", "1:16: \(wanted), found the end of the text"),
        ("1979-05-27T7:32:00", "1:17: \(wanted), found ':'"),
        ("1979-05-27T07:32", "1:21: \(wanted), found the end of the text"),
        ("1979-05-27 07:32Z", "1:21: \(wanted), found a letter"),
        ("07:32", "1:10: \(wanted), found the end of the text"),
        ("07:32:00.", "1:14: \(wanted), found the end of the text"),
        ("1979-05-27T07:32:00.Z", "1:25: \(wanted), found a letter"),
        ("1979-05-27T07:32:00+0700", "1:27: \(wanted), found a digit"),
        ("1979-05-27T07:32:00+07", "1:27: \(wanted), found the end of the text"),
        ("1979-05-27  07:32:00", "1:17: expected the end of the line, found a digit"),
        ("1979-05-27Z", "1:15: expected the end of the line, found a letter"),
        ("07:32:00Z", "1:13: expected the end of the line, found a letter"),
        ("19790-05-27", "1:10: expected the end of the line, found another character"),
        ("1979-05-277", "1:15: expected the end of the line, found a digit"),
    ])
    func `refuses what is no date or time`(source: String, message: String) {
        #expect(complaint("a = \(source)") == message)
    }

    private static var wanted: String { "expected a date or time as in 1979-05-27T07:32:00Z" }
}

// MARK: - Arrays and inline tables

extension TOMLParserTests {
    @Test(arguments: [
        ("[]", "[]"), ("[ ]", "[]"), ("[\n# c\n\r\n]", "[]"), ("[1,2,3]", "[1,2,3]"),
        ("[1,]", "[1]"), ("[ 1 , 'a' , [ ] , { } , ]", "[1,\"a\",[],{}]"),
        ("[\n 1, # one\n 2 # two\n\n , 3\n, # c\n]", "[1,2,3]"), ("[[1,2],[3]]", "[[1,2],[3]]"),
        ("[[[[]]],[[]]]", "[[[[]]],[[]]]"), ("[{a=1},{a=2}]", "[{\"a\":1},{\"a\":2}]"),
        ("{}", "{}"), ("{ }", "{}"), ("{a=1}", "{\"a\":1}"),
        (
            "{ a = 1 , b = 2 }",
            "{\"a\":1,\"b\":2}"
        ),
        ("{a.b=1,a.c=2,d=3}", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}"),
        ("{a.b=1,d=3,a.c=2}", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}"),
        ("{a=[\n1,\n2]}", "{\"a\":[1,2]}"), ("{a='''\n'''}", "{\"a\":\"\"}"),
        ("{a={b={c={}}},d=[{}]}", "{\"a\":{\"b\":{\"c\":{}}},\"d\":[{}]}"),
        ("[{a.b={c.d=[{e.f=1}]}},2]", "[{\"a\":{\"b\":{\"c\":{\"d\":[{\"e\":{\"f\":1}}]}}}},2]"),
    ])
    func `arrays and inline tables hold values of any kind`(source: String, expected: String) throws
    {
        #expect(try tree("x = \(source) # c") == "{\"x\":\(expected)}")
    }

    @Test(arguments: [
        ("[1", "1:7: expected ',' or ']' after an element, found the end of the text"),
        ("[1 2]", "1:8: expected ',' or ']' after an element, found a digit"),
        ("[,]", "1:6: expected a value, found ','"), ("[1,,2]", "1:8: expected a value, found ','"),
        ("[1}", "1:7: expected ',' or ']' after an element, found '}'"),
        ("[", "1:6: expected a value, found the end of the text"),
        ("[a=1]", "1:6: expected a value, found a letter"),
        ("]", "1:5: expected a value, found ']'"),
        ("[]]", "1:7: expected the end of the line, found ']'"),
        ("{a=1,}", "1:10: expected a key, found '}'"), ("{,}", "1:6: expected a key, found ','"),
        ("{a=1", "1:9: expected ',' or '}' after a member, found the end of the text"),
        ("{a=1 b=2}", "1:10: expected ',' or '}' after a member, found a letter"),
        ("{a=1]", "1:9: expected ',' or '}' after a member, found ']'"),
        ("{\na=1}", "1:6: expected a key, found the end of the line"),
        ("{a=1\n}", "1:9: expected ',' or '}' after a member, found the end of the line"),
        ("{a=1,\nb=2}", "1:10: expected a key, found the end of the line"),
        ("{a=1 # c\n}", "1:10: expected ',' or '}' after a member, found another character"),
        ("{a}", "1:7: expected '.' or '=' after a key, found '}'"),
        ("{a=1,a=2}", "1:10: the key has a value already"),
        ("{a.b=1,a=2}", "1:12: the table is defined already"),
        ("{a=1,a.b=2}", "1:10: a dotted key leads through a value"),
        ("{a={b=1},a.c=2}", "1:14: a dotted key leads through a value"),
        ("{a.b={},a.b.c=2}", "1:15: a dotted key leads through a value"),
    ])
    func `refuses what is no array or inline table`(source: String, message: String) {
        #expect(complaint("x = \(source)") == message)
    }

    @Test(arguments: [
        ("a = {}\n[a]", "2:2: the key has a value already"),
        ("a = {}\n[a.b]", "2:2: a header leads through a value"),
        ("a = {b = {}}\n[a.b]", "2:2: a header leads through a value"),
        ("a = {b.c = 1}\na.b.d = 2", "2:1: a dotted key leads through a value"),
        ("a = [{}]\n[[a]]", "2:3: the key has a value already"),
        ("a = []\n[[a]]", "2:3: the key has a value already"),
        ("a = [{}]\n[a.b]", "2:2: a header leads through a value"),
        ("a.b = 1\na = {}", "2:1: the table is defined already"),
        ("[a.b]\n[x]\ny = {}\ny.z = 1", "4:1: a dotted key leads through a value"),
    ])
    func `nothing is added to an inline table or array once it is closed`(
        text: String, message: String
    ) {
        #expect(complaint(text) == message)
    }
}

// MARK: - Tables

extension TOMLParserTests {
    @Test(arguments: [
        ("[a]", #"{"a":{}}"#), ("[ a . 'b' .\t\"c\" ]", #"{"a":{"b":{"c":{}}}}"#),
        ("[a]\nb=1\n[c]\nd=2", #"{"a":{"b":1},"c":{"d":2}}"#),
        ("[x.y.z.w]\n[x]\na=1", #"{"x":{"y":{"z":{"w":{}}},"a":1}}"#),
        ("[x.y.z.w]\n[x.y]\na=1\n[x]\nb=2", #"{"x":{"y":{"z":{"w":{}},"a":1},"b":2}}"#),
        (
            "[fruit.apple]\n[animal]\n[fruit.orange]",
            #"{"fruit":{"apple":{},"orange":{}},"animal":{}}"#
        ),
        ("a=1\n[b]\nc=2\n[b.d]\ne=3\n[f]\n", #"{"a":1,"b":{"c":2,"d":{"e":3}},"f":{}}"#),
        ("[a]\nb.c=1\nb.d=2\n[a.b.e]\nf=3", #"{"a":{"b":{"c":1,"d":2,"e":{"f":3}}}}"#),
        ("[a.b.c]\nz=9\n[a]\nb.x=1", #"{"a":{"b":{"c":{"z":9},"x":1}}}"#),
        ("['']\n''=1", #"{"":{"":1}}"#), ("[a]\na=1\n[a.b]\nb=2", #"{"a":{"a":1,"b":{"b":2}}}"#),
        ("[[a]]\n[[a]]\nb=1\n[[a]]", #"{"a":[{},{"b":1},{}]}"#),
        ("[[ a . b ]]\n[[a.b]]", #"{"a":{"b":[{},{}]}}"#),
        (
            "[[f]]\nn=1\n[f.p]\nc=2\n[[f.v]]\nn=3\n[[f.v]]\nn=4\n[[f]]\nn=5\n[[f.v]]\nn=6",
            #"{"f":[{"n":1,"p":{"c":2},"v":[{"n":3},{"n":4}]},{"n":5,"v":[{"n":6}]}]}"#
        ),
        ("[[a]]\nb.c=1\n[[a]]\nb.c=2", #"{"a":[{"b":{"c":1}},{"b":{"c":2}}]}"#),
        ("[[a]]\n[a.b]\n[[a]]\n[a.b]\n[a.b.c]", #"{"a":[{"b":{}},{"b":{"c":{}}}]}"#),
        ("[a.b]\n[[a.c]]\n[a]\nd=1", #"{"a":{"b":{},"c":[{}],"d":1}}"#),
    ])
    func `headers define tables in any order`(text: String, expected: String) throws {
        #expect(try tree(text) == expected)
    }

    @Test(arguments: [
        ("[a]\n[a]", "2:2: the table is defined already"),
        ("[a]\nb=1\n[a.b]", "3:4: the key has a value already"),
        ("[a]\nb=1\n[a.b.c]", "3:4: a header leads through a value"),
        ("[a.b]\n[a]\n[a]", "3:2: the table is defined already"),
        ("a.b=1\n[a]", "2:2: the table is defined already"),
        ("[a]\nb.c=1\n[a.b]", "3:4: the table is defined already"),
        ("[a]\nb.c.d=1\n[a.b.c]", "3:6: the table is defined already"),
        ("[a.b]\n[a]\nb.c=1", "3:1: a dotted key adds to what a header defines"),
        ("[a.b.c]\nz=9\n[a]\nb.c.t=1", "4:3: a dotted key adds to what a header defines"),
        ("[a.b.c.d]\nz=9\n[a]\nb.c.d.k.t=1", "4:5: a dotted key adds to what a header defines"),
        ("[a.b.c]\n[a]\nb.x=1\n[a.b]", "4:4: the table is defined already"),
        ("[[a.b]]\n[a]\nb.y=2", "3:1: a dotted key adds to what a header defines"),
        ("[[a]]\n[a]", "2:2: an array of tables is defined already"),
        ("[a]\n[[a]]", "2:3: the table is defined already"),
        ("[a.b]\n[[a]]", "2:3: the table is defined already"),
        ("a.b=1\n[[a]]", "2:3: the table is defined already"),
        ("[[a]]\nb=1\n[[a.b]]", "3:5: the key has a value already"),
        ("[[a]]\n[[a.b]]\n[a.b]", "3:4: an array of tables is defined already"),
        ("[[a]]\n[a.b]\n[[a.b]]", "3:5: the table is defined already"),
        ("[[a]]\n[a.b]\n[a.b]", "3:4: the table is defined already"),
        ("a=1\n[[a]]", "2:3: the key has a value already"),
        ("[a]\nb.c=[]\n[[a.b.c]]", "3:7: the key has a value already"),
    ])
    func `no table is defined twice, nor as something else`(text: String, message: String) {
        #expect(complaint(text) == message)
    }

    @Test(arguments: [
        ("[]", "1:2: expected a key, found ']'"), ("[a.]", "1:4: expected a key, found ']'"),
        ("[a", "1:3: expected '.' or ']' after a key in a header, found the end of the text"),
        ("[a b]", "1:4: expected '.' or ']' after a key in a header, found a letter"),
        ("[a]b=1", "1:4: expected the end of the line, found a letter"),
        ("[a]]", "1:4: expected the end of the line, found ']'"),
        (
            "[[a]",
            "1:5: expected ']]' after an element's header, found the end of the text"
        ),
        (
            "[[a] ]",
            "1:5: expected ']]' after an element's header, found another character"
        ),
        ("[ [a]]", "1:3: expected a key, found '['"), ("[[]]", "1:3: expected a key, found ']'"),
        ("[a\n]", "1:3: expected '.' or ']' after a key in a header, found the end of the line"),
        ("[a] = 1", "1:5: expected the end of the line, found '='"),
        ("[\"a\n\"]", "1:2: a string is not closed"),
    ])
    func `refuses what is no header`(text: String, message: String) {
        #expect(complaint(text) == message)
    }
}

// MARK: - Limits

extension TOMLParserTests {
    @Test func `nesting is held to its limit, however it is written`() throws {
        func deep(_ count: Int) -> [String] {
            let keys = (1..<count).map { "k\($0)" }
            return [
                "a = " + String(repeating: "[", count: count - 1)
                    + String(repeating: "]", count: count - 1),
                "a = " + String(repeating: "{b=", count: count - 1) + "1"
                    + String(repeating: "}", count: count - 1),
                (keys + ["x"]).joined(separator: ".") + " = 1",
                "[" + keys.joined(separator: ".") + "]",
                "a = {" + (keys.dropFirst() + ["x"]).joined(separator: ".") + " = 1}",
            ]
        }
        var limits = Limits()
        for depth in [2, 3, 128, 1024] {
            limits.maxDepth = depth
            for text in deep(depth) {
                #expect(ParsedText.failure(text.utf8, format: .toml, limits: limits) == nil)
            }
            for text in deep(depth + 1) {
                let failure = ParsedText.failure(text.utf8, format: .toml, limits: limits)
                #expect(failure?.kind == .limit, "\(text.prefix(100))")
            }
        }
        limits.maxDepth = 3
        #expect(try ParsedText.tree("[[a]]", .toml, limits: limits) == #"{"a":[{}]}"#)
        #expect(
            ParsedText.failure("[[a]]\n[a.b]".utf8, format: .toml, limits: limits)?.kind == .limit)
        limits.maxDepth = 0
        #expect(ParsedText.failure("".utf8, format: .toml, limits: limits)?.kind == .limit)
    }

    @Test func `refuses more values than a document can number`() throws {
        var scratch = ParseScratch(memory: guardedMemory)
        func parse(_ text: String) throws -> Int {
            let bytes = GuardedBytes(text.utf8)
            return try withExtendedLifetime(bytes) {
                try TOMLParser.parse(
                    bytes.bytes, limits: Limits(), mostNodes: 100, scratch: &scratch
                ).nodeCount
            }
        }
        let numbers = { Array(repeating: "0", count: $0).joined(separator: ",") }
        #expect(try parse("a=[\(numbers(97))]") == 100)
        #expect(try parse((0..<49).map { "k\($0)=0\n" }.joined() + "") == 99)
        for text in ["a=[\(numbers(98))]", (0..<50).map { "k\($0)=0\n" }.joined()] {
            let error = try #require(throws: ParseError.self) { try parse(text) }
            #expect(error.problem == .tooManyValues)
        }
    }

    /// Work that grows with the square would go on for minutes.
    @Test(arguments: HostileText.allCases)
    func `a megabyte made to be slow takes no time to speak of`(hostile: HostileText) throws {
        let bytes = GuardedBytes(hostile.text.utf8)
        var scratch = ParseScratch(memory: TestMemory.memory)
        let tree = try withExtendedLifetime(bytes) {
            try TOMLParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)
        }
        #expect(tree.nodeCount == hostile.nodeCount)
    }

    enum HostileText: String, CaseIterable {
        case dottedKeys, longKeys, reopenedTables, elements, array, dottedMembers, escapes, quotes
        case lineEnds, underscores

        var text: String {
            switch self {
            case .dottedKeys: (0..<40_000).map { "a.b.k\($0).c = 1\n" }.joined()
            case .longKeys:
                (0..<4_000).map { "k\($0)\(String(repeating: ".a", count: 100)) = 1\n" }.joined()
            case .reopenedTables:
                (0..<60_000).map { "[a.k\($0 % 30_000).t\($0 / 30_000)]\n" }.joined()
            case .elements: String(repeating: "[[a]]\n[a.b]\n[[a.c]]\n", count: 40_000)
            case .array: "a = [\(String(repeating: "1,", count: 400_000))]"
            case .dottedMembers:
                "a = {\((0..<60_000).map { "b.c.d.k\($0) = 1" }.joined(separator: ","))}"
            case .escapes: "a = \"\(String(repeating: #"\u00e9"#, count: 150_000))\""
            case .quotes: "a = \"\"\"\(String(repeating: "\"\"x", count: 300_000))\"\"\""
            case .lineEnds: "a = \"\"\"\(String(repeating: "\\\n \n", count: 200_000))\"\"\""
            case .underscores: "a = 0.\(String(repeating: "1_", count: 400_000))1"
            }
        }

        var nodeCount: Int {
            switch self {
            case .dottedKeys: 5 + 4 * 40_000
            case .longKeys: 1 + 4_000 * 202
            case .reopenedTables: 3 + 2 * 90_000
            case .elements: 3 + 40_000 * 6
            case .array: 3 + 400_000
            case .dottedMembers: 9 + 2 * 60_000
            case .escapes, .quotes, .lineEnds, .underscores: 3
            }
        }
    }
}

// MARK: - Any text

extension TOMLParserTests {
    @Test func `judges every file of the fuzzer's corpus as its name says`() throws {
        try judgeCorpus("toml", .toml)
    }

    @Test func `never quotes the text of a value`() throws {
        var random = TestRandom(seed: 12)
        let text = Array(
            "a = \"Xsecret\"\nb.c = ['Xsecret', 12345678, {d = 'Xsecret'}]\n[e]\nf = '''Xsecret'''"
                .utf8)
        for _ in 0..<3_000 {
            var broken = text
            for _ in 0...random.below(3) {
                broken[random.below(broken.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let failure = ParsedText.failure(broken, format: .toml) else { continue }
            #expect(!failure.message.contains("Xsecret") && !failure.message.contains("12345678"))
        }
    }

    /// Statements about few keys collide in every way; what is accepted is what a model accepts
    /// that keeps tables in dictionaries.
    @Test func `agrees with a dictionary about tables and keys that collide`() throws {
        var random = TestRandom(seed: 13)
        var accepted = 0
        for _ in 0..<4_000 {
            var text = ""
            let model = TableModel()
            var isValid = true
            for _ in 0..<1 + random.below(6) {
                let key = (0...random.below(3)).map { _ in random.pick(["a", "b", "c"]) }
                let dotted = key.joined(separator: ".")
                switch random.below(3) {
                case 0:
                    text += "[\(dotted)]\n"
                    isValid = model.header(key) && isValid
                case 1:
                    text += "[[\(dotted)]]\n"
                    isValid = model.element(key) && isValid
                default:
                    text += "\(dotted) = 1\n"
                    isValid = model.assign(key) && isValid
                }
                if !isValid { break }
            }
            if isValid {
                accepted += 1
                #expect(try tree(text) == model.root.text)
            }
            #expect((complaint(text) == nil) == isValid, "\(text)")
        }
        #expect(accepted > 500)
    }

    @Test func `runs out of memory at every allocation without a trace`() throws {
        let text = (0..<300).map { "[t\($0)]\nk = [1, \"two\"]\n" }.joined()
        var refused = 0
        while true {
            var failure: Failure?
            let leaked = TestMemory.leaked(refusing: refused) { memory in
                do {
                    try Document.test("a.toml", text, memory: memory).release(memory)
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

/// What the specification says of tables, in dictionaries: nothing shared with the parser.
private final class TableModel {
    final class Table {
        enum Origin { case implicit, header, dotted }
        var members: [(name: String, member: Member)] = []
        var origin: Origin
        init(_ origin: Origin) { self.origin = origin }

        subscript(name: String) -> Member? {
            get { members.first { $0.name == name }?.member }
            set {
                guard let newValue else { return }
                if let index = members.firstIndex(where: { $0.name == name }) {
                    members[index].member = newValue
                } else {
                    members.append((name, newValue))
                }
            }
        }

        var text: String {
            let parts = members.map { name, member in
                switch member {
                case .value: "\"\(name)\":1"
                case .table(let table): "\"\(name)\":\(table.text)"
                case .array(let tables):
                    "\"\(name)\":[\(tables.map(\.text).joined(separator: ","))]"
                }
            }
            return "{\(parts.joined(separator: ","))}"
        }
    }

    enum Member {
        case value
        case table(Table)
        case array([Table])
    }

    let root = Table(.header)
    private lazy var current = root

    func header(_ key: [String]) -> Bool {
        guard let parent = walk(key.dropLast()) else { return false }
        switch parent[key.last!] {
        case nil:
            current = Table(.header)
            parent[key.last!] = .table(current)
        case .table(let table) where table.origin == .implicit:
            table.origin = .header
            current = table
        default: return false
        }
        return true
    }

    func element(_ key: [String]) -> Bool {
        guard let parent = walk(key.dropLast()) else { return false }
        current = Table(.header)
        switch parent[key.last!] {
        case nil: parent[key.last!] = .array([current])
        case .array(let elements): parent[key.last!] = .array(elements + [current])
        default: return false
        }
        return true
    }

    func assign(_ key: [String]) -> Bool {
        var table = current
        for part in key.dropLast() {
            switch table[part] {
            case nil:
                let made = Table(.dotted)
                table[part] = .table(made)
                table = made
            case .table(let next) where next.origin != .header:
                next.origin = .dotted
                table = next
            default: return false
            }
        }
        guard table[key.last!] == nil else { return false }
        table[key.last!] = .value
        return true
    }

    private func walk(_ key: ArraySlice<String>) -> Table? {
        var table = root
        for part in key {
            switch table[part] {
            case nil:
                let made = Table(.implicit)
                table[part] = .table(made)
                table = made
            case .table(let next): table = next
            case .array(let elements): table = elements.last!
            case .value: return nil
            }
        }
        return table
    }
}
