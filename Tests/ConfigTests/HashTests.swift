// The two hashes: every byte counts, and the one that tells contents apart says the same for ever.

import Testing

@testable import Config

@Suite struct HashTests {
    private func text(_ bytes: [UInt8]) -> UInt64 {
        bytes.withBytes { bytes in bytes.baseAddress.map { Hash.text($0, bytes.count) } ?? 0 }
    }

    private func digest(_ parts: [[UInt8]]) -> [UInt64] {
        var content = Hash.Content()
        for part in parts { part.withBytes { content.add($0) } }
        return [content.digest.high, content.digest.low]
    }

    @Test func `each bit of a key counts, and so does its length`() {
        for count in 1..<70 {
            let key = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 1) }
            let hash = text(key)
            #expect(text(key + [0]) != hash)
            for bit in 0..<count * 8 {
                var other = key
                other[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(text(other) != hash, "bit \(bit) of \(count) bytes")
            }
        }
    }

    @Test func `never reads outside of the key`() {
        for count in 1..<70 {
            let key = [UInt8](repeating: 0x61, count: count)
            let alone = guardedMemory.allocate(count).map { block in
                block.copyMemory(from: key, byteCount: count)
                defer { guardedMemory.free(block, count) }
                return Hash.text(block.assumingMemoryBound(to: UInt8.self), count)
            }
            #expect(alone == text(key))
        }
    }

    @Test func `each bit of a content counts, its order, and where its parts end`() {
        let parts: [[UInt8]] = [[1, 2, 3], [], Array(0..<40)]
        let hash = digest(parts)
        for part in parts.indices {
            for bit in 0..<parts[part].count * 8 {
                var other = parts
                other[part][bit / 8] ^= 1 << UInt8(bit % 8)
                let changed = digest(other)
                #expect(changed[0] != hash[0] && changed[1] != hash[1])
            }
        }
        #expect(digest(parts.reversed()) != hash)
        #expect(digest([[1, 2], [3], Array(0..<40)]) != hash)
        #expect(digest([[1, 2, 3], Array(0..<40)]) != hash)
    }

    @Test func `a content has one hash in every process and every version of this library`() {
        #expect(digest([]) == [16_707_614_074_307_442_516, 8_776_363_420_261_664_815])
        #expect(
            digest([Array("log_level".utf8), Array("debug".utf8)])
                == [8_770_899_809_543_795_569, 13_579_951_361_554_260_575])
    }
}
