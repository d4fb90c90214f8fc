// Two hashes, neither of them cryptographic: 64 bits that find a key in a snapshot's table, and 128
// bits that say whether contents are the same. Both give the same answer in every process.

package enum Hash {
    /// The hash of a key, made to be fast for the 5 to 30 bytes that keys have: every byte is read
    /// once, in words, and folded by wide multiplications. Never reads outside of the key. Where
    /// colliding keys would cost time, a `seed` that nobody can know keeps them from being made.
    @inline(__always)
    package static func text(
        _ key: UnsafePointer<UInt8>, _ count: Int, seed secondSecret: UInt64 = 0
    ) -> UInt64 {
        let bytes = UnsafeRawPointer(key)
        let secret = secret ^ secondSecret
        let length = UInt64(truncatingIfNeeded: count)
        var seed: UInt64 = 0xA076_1D64_78BD_642F
        let (a, b): (UInt64, UInt64)
        if count > 16 {
            var rest = bytes
            var left = count
            while left > 16 {
                seed = fold(word(rest) ^ secret, word(rest + 8) ^ seed)
                rest += 16
                left &-= 16
            }
            (a, b) = (word(rest + (left &- 16)), word(rest + (left &- 8)))
        } else if count >= 8 {
            (a, b) = (word(bytes), word(bytes + (count &- 8)))
        } else if count >= 4 {
            (a, b) = (halfWord(bytes), halfWord(bytes + (count &- 4)))
        } else if count > 0 {
            let (first, middle, last) = (key[0], key[count &>> 1], key[count &- 1])
            (a, b) = (UInt64(first) &<< 16 | UInt64(middle) &<< 8 | UInt64(last), 0)
        } else {
            (a, b) = (0, 0)
        }
        return fold(secret ^ length, fold(a ^ secret, b ^ seed))
    }

    /// One hash of two, in which their order counts.
    @inline(__always)
    static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        fold(a ^ secret, b ^ 0x8EBC_6AF0_9C88_C6E3)
    }

    /// A running hash of byte sequences, of which each is told apart from its neighbours by its
    /// length.
    package struct Content {
        private var high: UInt64 = 0x9E37_79B9_7F4A_7C15
        private var low: UInt64 = 0xC2B2_AE3D_27D4_EB4F

        package init() {}

        /// The hash of all that was added, in the order in which it was added.
        package var digest: (high: UInt64, low: UInt64) {
            (fold(high ^ low, secret), fold(low ^ secret, high &+ 0xD6E8_FEB8_6659_FD93))
        }

        package mutating func add(_ bytes: Bytes) {
            mix(UInt64(truncatingIfNeeded: bytes.count), 0x8EBC_6AF0_9C88_C6E3)
            guard var rest = UnsafeRawPointer(bytes.baseAddress) else { return }
            var left = bytes.count
            while left >= 16 {
                mix(word(rest), word(rest + 8))
                rest += 16
                left &-= 16
            }
            // What is left is less than a step: put together byte by byte.
            var tail: (UInt64, UInt64) = (0, 0)
            for offset in 0..<left {
                let byte = UInt64(rest.load(fromByteOffset: offset, as: UInt8.self))
                if offset < 8 {
                    tail.0 |= byte &<< UInt64(8 &* offset)
                } else {
                    tail.1 |= byte &<< UInt64(8 &* offset &- 64)
                }
            }
            mix(tail.0, tail.1)
        }

        /// Two chains that see the same words with different secrets, each fed by the other's last
        /// state.
        @inline(__always)
        private mutating func mix(_ a: UInt64, _ b: UInt64) {
            let (oldHigh, oldLow) = (high, low)
            high = fold(a ^ secret ^ oldHigh, b ^ 0x5895_89D7_7BC0_1BC1) &+ oldLow
            low = fold(b ^ 0x1D8E_4E27_C47D_124F ^ oldLow, a ^ 0xEB44_ACCA_B455_D165) ^ oldHigh
        }
    }
}

private let secret: UInt64 = 0xE703_7ED1_A0B4_28DB

/// Both halves of a 128-bit product, one upon the other.
@inline(__always)
private func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}

@inline(__always)
private func word(_ bytes: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
}

@inline(__always)
private func halfWord(_ bytes: UnsafeRawPointer) -> UInt64 {
    UInt64(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
}
