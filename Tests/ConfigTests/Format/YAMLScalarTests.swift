// What YAML scalars are: numbers, truth values and null by the core schema of YAML 1.2, the tags of
// the language, and text for everything else.
import Foundation
import Testing

@testable import Config

@Suite struct YAMLScalarTests {
    /// The value of a document that is one scalar.
    private func value(_ text: String) throws -> String { try YAMLParserTests.tree("- " + text) }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("+0", "0"), ("7", "7"), ("+12", "12"), ("-3", "-3"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x0", "0"), ("0xFf", "255"), ("0x7fffffffffffffff", "9223372036854775807"),
        ("0x00000000000000000000000000ff", "255"), ("0o17", "15"), ("0o0", "0"),
        ("0o777777777777777777777", "9223372036854775807"),
    ])
    func `integers are exact`(text: String, tree: String) throws {
        #expect(try value(text) == "[\(tree)]")
    }

    @Test(arguments: [
        ("1.5", 1.5), ("-.5", -0.5), ("+.5", 0.5), ("1.", 1), ("1e3", 1000), ("1.5E-3", 0.0015),
        ("0.1", 0.1), ("-0.0", -0.0), ("00.5", 0.5), ("1e-400", 0),
        ("5e-324", .leastNonzeroMagnitude),
        ("9007199254740993.0", 9_007_199_254_740_992),
        ("1.7976931348623157e308", 0x1.fffffffffffffp1023),
        ("9223372036854775808", 9_223_372_036_854_775_808),
        ("-9223372036854775809", -9_223_372_036_854_775_808),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("0x8000000000000000", 0x1p63), ("0xFFFFFFFFFFFFFFFF", 0x1p64),
        // Halfway between two doubles, and a bit more than that, far down.
        ("0x100000000000008000000000000000", 0x1.0p116),
        ("0x100000000000008000000000000001", 0x1.0000000000001p116),
        ("0x100000000000018000000000000000", 0x1.0000000000002p116),
        ("0o1000000000000000000000", 0x1p63),
    ])
    func `other numbers are the nearest double`(text: String, double: Double) throws {
        #expect(try value(text) == "[\(double)d]")
    }

    @Test func `doubles are those of the standard library, to the last bit`() throws {
        var random = TestRandom(seed: 11)
        for _ in 0..<2000 {
            let digits = (0...random.below(25)).map { _ in "\(random.below(10))" }.joined()
            let text = "\(random.below(9)).\(digits)e\(random.below(640) - 320)"
            guard let double = Double(text), double.isFinite else { continue }
            #expect(try value(text) == "[\(double)d]", "\(text)")
        }
    }

    @Test(arguments: [
        ("~", "null"), ("null", "null"), ("Null", "null"), ("NULL", "null"), ("", "null"),
        ("true", "true"), ("True", "true"), ("TRUE", "true"), ("false", "false"),
        ("False", "false"), ("FALSE", "false"),
    ])
    func `null and truth values have a few spellings`(text: String, tree: String) throws {
        #expect(try value(text) == "[\(tree)]")
    }

    @Test(arguments: [
        "yes", "no", "on", "off", "Yes", "NO", "y", "n", "nULL", "tRUE", "truer", "0777", "-0777",
        "+08", "00", "1_000", "190:20:30", "12:30", "0b101", "-0x10", "+0x10", "0x", "0xg", "0o8",
        "0o", "1e", "1e+", "e5", ".", "+", "+.", ".e1", "1.2.3", "1 2", "0x1.8p1",
        "2001-01-01",
        "2001-12-14t21:59:43.10-05:00", "inf", "nan", ".infinity", "=", "1,5",
    ])
    func `everything else is text`(text: String) throws {
        #expect(try value(text) == "[\"\(text)\"]")
        #expect(try value("\"\(text)\"") == "[\"\(text)\"]")
    }

    @Test func `what has quotes is text`() throws {
        for text in ["1", "true", "null", "1.5", "~", ".inf", ""] {
            #expect(try value("'\(text)'") == "[\"\(text)\"]")
            #expect(try value("\"\(text)\"") == "[\"\(text)\"]")
            #expect(try value("|-\n  \(text)x") == "[\"\(text)x\"]")
        }
    }

    @Test(arguments: [
        ".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", ".nan", ".NaN", ".NAN", "!!float .inf",
    ])
    func `what is not finite is refused`(text: String) {
        #expect(
            YAMLParserTests.problem("a: " + text)
                == "1:4: a number is not finite, which JSON cannot hold")
    }

    @Test func `what no double is near is refused`() {
        for text in ["1e309", "-1e999", "0x1" + String(repeating: "0", count: 256)] {
            let problem = YAMLParserTests.problem("a: " + text)
            #expect(problem == "1:4: a number fits neither a 64-bit integer nor a finite double")
        }
        #expect(
            ParsedText.failure("a: 0xf" + String(repeating: "f", count: 254), format: .yaml) == nil)
    }

    @Test(arguments: [
        ("!!str 12", #""12""#), ("!!str true", #""true""#), ("!!str", #""""#), ("! 12", #""12""#),
        ("!!str null", #""null""#), ("! &a 12", #""12""#),
        ("!!int \"3\"", "3"), ("!!int 0x1F", "31"), ("!!int 99999999999999999999", "1e+20d"),
        ("!!float 3", "3.0d"), ("!!float \"0.5\"", "0.5d"),
        ("!!float 9007199254740993", "9007199254740992.0d"),
        ("!!bool \"true\"", "true"), ("!!null \"\"", "null"), ("!!null ~", "null"),
        ("!local 12", "12"), ("!local \"12\"", #""12""#),
        ("!!timestamp 2001-01-01", #""2001-01-01""#),
        ("!!set {a, b}", #"{"a":null,"b":null}"#), ("!!omap [a: 1]", #"[{"a":1}]"#),
        ("!<tag:yaml.org,2002:int> \"7\"", "7"), ("!<tag:example.com,2026:int> \"7\"", #""7""#),
        ("!!binary aGVsbG8=", "bytes(104 101 108 108 111)"), ("!!binary \"\"", "bytes()"),
        ("!!binary |\n  /w\n  ==\n", "bytes(255)"), ("!!binary AAEC", "bytes(0 1 2)"),
    ])
    func `tags of the language say what a scalar is, others say nothing`(text: String, tree: String)
        throws
    {
        #expect(try value(text) == "[\(tree)]")
    }

    @Test(arguments: [
        ("!!int 3.5", "integer, as its tag !!int says"),
        ("!!int x", "integer, as its tag !!int says"),
        ("!!int 0777", "integer, as its tag !!int says"),
        ("!!float x", "number, as its tag !!float says"),
        ("!!bool yes", "boolean, as its tag !!bool says"),
        ("!!bool 1", "boolean, as its tag !!bool says"),
        ("!!null 0", "not null, as its tag !!null says"),
        ("!!binary a", "base64, as its tag !!binary says"),
        ("!!binary aGVsbG8", "base64, as its tag !!binary says"),
        ("!!binary =aGVsbG8", "base64, as its tag !!binary says"),
        ("!!binary a-_=", "base64, as its tag !!binary says"),
    ])
    func `a scalar that is not what its tag says is refused`(text: String, problem: String) {
        #expect(YAMLParserTests.problem("a: " + text)?.hasPrefix("1:4: the value is no") == true)
        #expect(YAMLParserTests.problem("a: " + text)?.hasSuffix(problem) == true)
    }

    @Test func `bytes are written as base64 in JSON`() throws {
        let parsed = try ParsedText(
            "a: !!binary |\n  R0lGODlh\n  DAA=\n", key: "app.yaml", format: .yaml)
        let json = try JSONWriter.write(parsed.root, memory: guardedMemory)
        defer { json.free(guardedMemory) }
        #expect(json.bytes.text == #"{"a":"R0lGODlhDAA="}"#)
    }
}
