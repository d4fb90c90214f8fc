// One number of JSON text: how far it goes, and what it is kept as.

import Testing

@testable import Config

@Suite struct JSONNumberTests {
    /// What is left behind the number, its type and its problem.
    private func parse(_ text: String) -> (rest: String, type: ValueType, problem: Bool) {
        let guarded = GuardedBytes(text.utf8)
        var limbs = [UInt64](repeating: 0, count: 2 * Exact.limbCount)
        return limbs.withUnsafeMutableBufferPointer { limbs in
            guard let start = guarded.bytes.baseAddress, let limbs = limbs.baseAddress else {
                return ("", .null, true)
            }
            let parsed = JSONNumber.parse(start, limbs: limbs)
            let rest = Bytes(rebasing: guarded.bytes[(parsed.end - start)...])
            return (rest.text, parsed.type, parsed.problem != nil)
        }
    }

    @Test(
        arguments: [
            ("0", .int64), ("-0", .int64), ("7", .int64), ("9223372036854775807", .int64),
            ("-9223372036854775808", .int64), ("9223372036854775808", .double),
            ("-9223372036854775809", .double), ("123456789012345678901234567890", .double),
            ("1.0", .double), ("1e2", .double), ("1E+2", .double), ("-1.5e-2", .double),
        ] as [(String, ValueType)])
    func `an integer stays one as long as it fits, and what follows is left alone`(
        text: String, type: ValueType
    ) {
        for rest in ["", ",", " ]", "x", "-", "\u{E9}"] {
            let parsed = parse(text + rest)
            #expect(parsed.rest == rest && parsed.type == type && !parsed.problem)
        }
    }

    @Test(
        arguments: [
            ("-", ""), ("-x", "x"), ("01", "01"), ("-01", "01"), ("1.", ""), ("1.x", "x"),
            ("1e", ""),
            ("1e+", ""), ("1.e1", "e1"), ("1e400", "1e400"),
        ])
    func `what is no number is shown where it stops being one`(text: String, rest: String) {
        let parsed = parse(text)
        #expect(parsed.problem && parsed.rest == rest)
    }
}
