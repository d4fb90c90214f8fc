// Durations: Go's own examples, bare numbers, and the edges of an int64.

import Config
import Testing

@Suite struct DurationTests {
    private func duration(_ text: String) throws -> Int64 {
        try text.withBytes { (bytes) throws(ReadError) in try Text.duration(bytes) }
    }

    @Test(
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("30s", 30_000_000_000), ("1478s", 1_478_000_000_000),
            ("-5s", -5_000_000_000), ("+5s", 5_000_000_000), ("-0", 0), ("+0", 0),
            ("5.0s", 5_000_000_000),
            ("5.6s", 5_600_000_000), ("5.s", 5_000_000_000), (".5s", 500_000_000),
            ("1.0s", 1_000_000_000),
            ("1.004s", 1_004_000_000), ("100.00100s", 100_001_000_000), ("10ns", 10),
            ("11us", 11_000),
            ("12µs", 12_000), ("12μs", 12_000), ("13ms", 13_000_000), ("14s", 14_000_000_000),
            ("15m", 900_000_000_000), ("16h", 57_600_000_000_000), ("3h30m", 12_600_000_000_000),
            ("1h30m", 5_400_000_000_000), ("250ms", 250_000_000), ("10.5s4m", 250_500_000_000),
            ("-2m3.4s", -123_400_000_000), ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("39h9m14.425s", 140_954_425_000_000), ("52763797000ns", 52_763_797_000),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("9007199254740993ns", 9_007_199_254_740_993),
            ("9223372036854775807ns", Int64.max), ("9223372036854775.807us", Int64.max),
            ("9223372036s854ms775us807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
            ("0.100000000000000000000h", 360_000_000_000), ("0.1ns", 0), ("  2s\n", 2_000_000_000),
            ("0.0000000000002777777777777777778h", 1), ("0.00000000000027777777777777777777h", 0),
        ] as [(String, Int64)])
    func `reads what Go writes`(text: String, nanoseconds: Int64) throws {
        #expect(try duration(text) == nanoseconds)
    }

    @Test(
        arguments: [
            ("90", 90_000_000_000), ("1.5", 1_500_000_000), ("-2", -2_000_000_000),
            ("+0.25", 250_000_000),
            ("1e3", 1_000_000_000_000), ("2.5E-3", 2_500_000), ("0.1", 100_000_000),
            ("9223372036.854775807", Int64.max),
        ] as [(String, Int64)])
    func `a bare number is seconds`(text: String, nanoseconds: Int64) throws {
        #expect(try duration(text) == nanoseconds)
    }

    @Test(arguments: [
        "", " ", "-", "+", "s", ".", "-.", ".s", "+.s", "3x", "1S", "1H", "1h 30m", "1h30", "30m1",
        "--1s", "1.2.3s",
        "1,5s", "1d", "1hour", "e3", "1e", "1h1e3", "ns", "1\0s", "∞",
    ])
    func `what is no duration is of another type`(text: String) {
        #expect(throws: ReadError.type) { try duration(text) }
    }

    @Test(arguments: [
        "9223372036854775808ns", "9223372036854775.808us", "3000000h", "-9223372036854775809ns",
        "9223372037",
        "2562047h47m16.854775808s", "99999999999999999999999s", "1e300", "-1e10",
        "9223372036854775807ns1ns",
    ])
    func `a duration that does not fit is out of range`(text: String) {
        #expect(throws: ReadError.range) { try duration(text) }
    }

    @Test func `seconds may be numbers`() throws {
        #expect(try Text.duration(seconds: 30 as Int64) == 30_000_000_000)
        #expect(try Text.duration(seconds: 0.3) == 300_000_000)
        #expect(try Text.duration(seconds: -0.3) == -300_000_000)
        #expect(try Text.duration(seconds: 1e-10) == 0)
        #expect(throws: ReadError.range) { try Text.duration(seconds: 9_223_372_037 as Int64) }
        #expect(throws: ReadError.range) { try Text.duration(seconds: 1e10) }
        #expect(throws: ReadError.range) { try Text.duration(seconds: -1e10) }
    }
}
