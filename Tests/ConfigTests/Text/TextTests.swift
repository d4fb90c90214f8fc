// Text as numbers and truth values: what reads, as what, and what is refused.

import Config
import Foundation
import Testing

@Suite struct TextTests {
    private func int64(_ text: String) throws -> Int64 {
        try text.withBytes { (b) throws(ReadError) in try Text.int64(b) }
    }
    private func double(_ text: String) throws -> Double {
        try text.withBytes { (b) throws(ReadError) in try Text.double(b) }
    }
    private func bool(_ text: String) throws -> Bool {
        try text.withBytes { (b) throws(ReadError) in try Text.bool(b) }
    }

    @Test(
        arguments: [
            ("100", 100), ("0", 0), ("-0", 0), ("+7", 7), (" \t-42\r\n", -42), ("007", 7),
            ("1e3", 1000), ("2.0", 2),
            ("-1.5e1", -15), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min),
            ("00000000000000000000000000000012", 12), ("\u{0B}5\u{0C}", 5),
            ("1234567890123456789e0", 1_234_567_890_123_456_789),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("-9223372036854775808.000", Int64.min), ("9.223372036854775807E+18", Int64.max),
            ("1200e-2", 12), ("0e99999999999999999999", 0), ("-0.0", 0),
        ] as [(String, Int64)])
    func `text reads as an integer`(text: String, value: Int64) throws {
        #expect(try int64(text) == value)
    }

    @Test(arguments: [
        "", " ", "+", "-", "abc", "1a", "0x10", "1_000", "1,000", "--1", "+-1", "1 2", "1.", ".5",
        "1e", "1e+", "1.5", "1.e1", "1E1k", "1e1.", "9007199254740992.5", "1e-1", "1e-400",
        "9223372036854775807.5", "0.1e-99999999999999999999",
        "inf", "nan", "true", "1\u{A0}", "\0", "1\0",
    ])
    func `text that is no integer is of another type`(text: String) {
        #expect(throws: ReadError.type) { try int64(text) }
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1e19", "99999999999999999999999999",
        "1e999", "9223372036854775808.0", "-9223372036854775809.5", "1e99999999999999999999",
    ])
    func `an integer that does not fit is out of range`(text: String) {
        #expect(throws: ReadError.range) { try int64(text) }
    }

    @Test func `every integer survives being written and read`() throws {
        var random = TestRandom(seed: 2)
        for _ in 0..<20_000 {
            let value = Int64(truncatingIfNeeded: random.next()) >> Int64(random.below(64))
            #expect(try int64("\(value)") == value)
        }
    }

    @Test func `every double survives being written and read`() throws {
        var random = TestRandom(seed: 3)
        for _ in 0..<50_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let read = try double(value.description)
            #expect(read.bitPattern == value.bitPattern, "\(value)")
            if read.bitPattern != value.bitPattern { return }
        }
    }

    @Test func `text of any length reads as the double that strtod finds`() throws {
        var random = TestRandom(seed: 4)
        let digits = (0...9).map(String.init)
        for _ in 0..<20_000 {
            let text =
                random.pick(["", "-", "+", "00"]) + random.pick(digits)
                + random.text(30, of: digits)
                + (random.below(2) == 0
                    ? "." + random.pick(digits) + random.text(30, of: digits) : "")
                + (random.below(2) == 0
                    ? random.pick(["e", "E", "e-", "E+"]) + "\(random.below(330))" : "")
            let expected = strtod(text, nil)
            if expected.isFinite {
                #expect(try double(text).bitPattern == expected.bitPattern, "\(text)")
            } else {
                #expect(throws: ReadError.range) { try double(text) }
            }
        }
    }

    @Test(arguments: [
        "", "1.", ".5", "1e", "0x1p3", "inf", "-inf", "nan", "1..2", "1.5f", "1 .5", "e5",
    ])
    func `text that is no number is of another type`(text: String) {
        #expect(throws: ReadError.type) { try double(text) }
    }

    @Test func `doubles keep their sign and their range`() throws {
        #expect(try double("-0").sign == .minus)
        #expect(try double("-0.0").sign == .minus)
        #expect(try double(" +1.5 ") == 1.5)
        #expect(try double("5e-324") == .leastNonzeroMagnitude)
        #expect(try double("1e-400") == 0)
        #expect(try double("1.7976931348623157e308") == .greatestFiniteMagnitude)
        #expect(throws: ReadError.range) { try double("1.8e308") }
        #expect(throws: ReadError.range) { try double("-1e400") }
    }

    @Test func `truth has four spellings, in any case`() throws {
        for text in ["true", "yes", "on", "1", "TRUE", "Yes", "oN", " true\n"] {
            #expect(try bool(text))
        }
        for text in ["false", "no", "off", "0", "FALSE", "No", "oFf", "\t0"] {
            #expect(try !bool(text))
        }
        for text in [
            "", "t", "y", "2", "01", "truefalse", "enabled", "onn", "tru", "falsey", "!", "Yes\0",
            "\u{11}",
        ] {
            #expect(throws: ReadError.type) { try bool(text) }
        }
    }

    @Test func `a double is an integer when it has no fraction and fits`() throws {
        #expect(try Text.int64(exactly: 3.0) == 3)
        #expect(try Text.int64(exactly: -0x1p62) == Int64.min / 2)
        #expect(throws: ReadError.range) { try Text.int64(exactly: -0x1p63) }
        #expect(throws: ReadError.range) { try Text.int64(exactly: 0x1p63) }
        #expect(throws: ReadError.type) { try Text.int64(exactly: 0.5) }
        #expect(throws: ReadError.range) { try Text.int64(exactly: 1e300) }
    }
}
