// UTF-8 against the standard library's opinion of it.

import Testing

@testable import Config

@Suite struct UTF8CheckTests {
    private func isValid(_ bytes: [UInt8]) -> Bool {
        let guarded = GuardedBytes(bytes)
        return withExtendedLifetime(guarded) { UTF8Check.isValid(guarded.bytes) }
    }

    private func length(_ bytes: [UInt8]) -> Int {
        bytes.withBytes { $0.baseAddress.map { UTF8Check.sequenceLength(at: $0) } ?? 0 }
    }

    /// The bytes at which a rule of the encoding begins or ends.
    private static let edges: [UInt8] = [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
        0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]

    @Test func `a sequence is as long as the standard library says, at every edge`() {
        let ends: [UInt8] = [0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF]
        for first in UTF8CheckTests.edges where first >= 0x80 {
            for second in UTF8CheckTests.edges {
                for third in ends {
                    for fourth in ends {
                        let bytes = [first, second, third, fourth]
                        let valid = (1...4).first {
                            String(validating: bytes.prefix($0), as: UTF8.self) != nil
                        }
                        if length(bytes) != valid ?? 0 { Issue.record("\(bytes)") }
                    }
                }
            }
        }
    }

    @Test func `finds what is wrong wherever it stands, cut off at the end too`() {
        let wrong: [[UInt8]] = [
            [0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80],
        ]
        for place in 0..<40 {
            let text = Array(String(repeating: "é", count: 20).utf8).prefix(place / 2 * 2)
            #expect(isValid(Array(text)))
            for bytes in wrong {
                #expect(!isValid(text + bytes))
                #expect(!isValid(text + bytes + [0x61]))
                #expect(!isValid([UInt8](repeating: 0x61, count: place) + bytes))
            }
        }
    }

    @Test func `agrees with the standard library about random bytes`() {
        var random = TestRandom(seed: 7)
        for _ in 0..<5_000 {
            var bytes = Array(random.text(20, of: ["a", "é", "€", "😀"]).utf8)
            if !bytes.isEmpty, random.below(2) == 0 {
                bytes[random.below(bytes.count)] = random.pick(UTF8CheckTests.edges)
            }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if isValid(bytes) != expected { Issue.record("\(bytes)") }
        }
    }
}
