// Quantities: every suffix, rounding away from zero, and the edges of an int64.

import Config
import Testing

@Suite struct QuantityTests {
    private func quantity(_ text: String) throws -> Int64 {
        try text.withBytes { (bytes) throws(ReadError) in try Text.quantity(bytes) }
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("-1", -1), ("+5", 5), ("64Mi", 67_108_864), ("1k", 1000),
            ("1Ki", 1024),
            ("2M", 2_000_000), ("2G", 2_000_000_000), ("2T", 2_000_000_000_000),
            ("2P", 2_000_000_000_000_000),
            ("2E", 2_000_000_000_000_000_000), ("2Gi", 2_147_483_648), ("2Ti", 2_199_023_255_552),
            ("2Pi", 2_251_799_813_685_248), ("2Ei", 2_305_843_009_213_693_952),
            ("1.5Gi", 1_610_612_736), ("0.5Ki", 512), (".5Ki", 512), ("5.", 5), ("5.Ki", 5120),
            ("1e3", 1000), ("1E3", 1000),
            ("12e-2", 1), ("1.5e1", 15), ("1e+2", 100), ("0e999999999999999999999", 0),
            ("007k", 7000), (" 8 ", 8),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("-8Ei", Int64.min),
            ("0.0009765625Mi", 1024), ("9.223372036854775807E", Int64.max), ("1000000000n", 1),
            ("0.001k", 1),
            ("9223372036854775807000m", Int64.max),
            ("00000000000000000000000000000000000001Ki", 1024),
        ] as [(String, Int64)])
    func `reads what Kubernetes writes`(text: String, value: Int64) throws {
        #expect(try quantity(text) == value)
    }

    @Test(
        arguments: [
            ("100m", 1), ("-100m", -1), ("1n", 1), ("1u", 1), ("1500m", 2), ("-1500m", -2),
            ("1000m", 1), ("1001m", 2),
            ("0.1", 1), ("1.0000000000000000000000000000001", 2), ("1e-1000000000000", 1),
            ("0.0001Ki", 1),
            ("0.00000000000000000000000000001Ei", 1),
            ("0.00097656250000000000000000000000001Ki", 2), ("0m", 0), ("0.0", 0),
            ("1.00097656250000000000000000000000000Ki", 1025), ("-0.1Gi", -107_374_183),
        ] as [(String, Int64)])
    func `a fraction is rounded away from zero`(text: String, value: Int64) throws {
        #expect(try quantity(text) == value)
    }

    @Test(arguments: [
        "", " ", "+", "-", ".", "-.", "Ki", "m", "1ki", "1K", "1g", "1mi", "1Kib", "1KB", "1 Mi",
        "1e", "1e+", "1.2.3",
        "1e3k", "1e1.5", "1i", "0x10", "1,5", "abc", "1Zi", "1%", "1\0", "--1", "1e3Ki", "1é",
    ])
    func `what is no quantity is of another type`(text: String) {
        #expect(throws: ReadError.type) { try quantity(text) }
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "10E", "8Ei", "9Ei", "-8.1Ei", "1e19",
        "1e999999999999999999",
        "9223372036854775807.1", "9223372036854775807001m", "99999999999999999999999999",
        "9007199254740992Ki",
    ])
    func `a quantity that does not fit is out of range`(text: String) {
        #expect(throws: ReadError.range) { try quantity(text) }
    }

    @Test func `numbers are quantities`() throws {
        #expect(try Text.quantity(1.5) == 2)
        #expect(try Text.quantity(-1.5) == -2)
        #expect(try Text.quantity(2.0) == 2)
        #expect(try Text.quantity(-0x1p63 + 1024) == Int64.min + 1024)
        #expect(throws: ReadError.range) { try Text.quantity(0x1p63) }
    }

    @Test func `a double that may stand for less than the least int64 is out of range`() {
        #expect(throws: ReadError.range) { try Text.quantity(-0x1p63) }
    }

    @Test func `binary fractions are exact for any number of digits`() throws {
        // Every multiple of 1/1024 has at most ten decimals: each must come out whole, and one more
        // with any digit behind it, however far.
        for part in 1..<1024 {
            let decimals = String("\(10_000_000_000 + part * 9_765_625)".dropFirst())
            #expect(try quantity("0.\(decimals)Ki") == Int64(part))
            #expect(
                try quantity("0.\(decimals)\(String(repeating: "0", count: 40))1Ki")
                    == Int64(part + 1))
        }
    }
}
