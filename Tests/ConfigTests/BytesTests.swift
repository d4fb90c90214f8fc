// Comparing bytes: equality at every length, and the order that keys are sorted in.

import Config
import Testing

@Suite struct BytesTests {
    @Test func `equal means every byte, at any length`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(bytes.withBytes { a in Array(bytes).withBytes { b in equalBytes(a, b) } })
            for changed in 0..<count {
                var other = bytes
                other[changed] ^= 0x80
                #expect(
                    !bytes.withBytes { a in other.withBytes { b in equalBytes(a, b) } },
                    "\(changed) of \(count)")
            }
            #expect(!bytes.withBytes { a in (bytes + [0]).withBytes { b in equalBytes(a, b) } })
        }
    }

    @Test func `order is that of unsigned bytes, a prefix first`() {
        var random = TestRandom(seed: 11)
        for _ in 0..<20_000 {
            let common = (0..<random.below(20)).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            func end() -> [UInt8] {
                (0..<random.below(12)).map { _ in random.pick([0, 1, 0x7F, 0x80, 0xFF]) }
            }
            let (a, b) = (common + end(), common + end())
            let order = a.withBytes { a in b.withBytes { b in compareBytes(a, b) } }
            #expect((order < 0) == a.lexicographicallyPrecedes(b))
            #expect((order == 0) == (a == b))
        }
    }
}
