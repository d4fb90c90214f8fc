// Base64 (RFC 4648, with padding), as `binaryData` of a ConfigMap and YAML's `!!binary` have it.

enum Base64 {
    /// Writes what `text` stands for, which is not longer than it; gives the number of bytes, or
    /// nil when it is no base64. White space is ignored: lines may be broken.
    static func decode(_ text: Bytes, to target: UnsafeMutablePointer<UInt8>) -> Int? {
        var count = 0
        // The sextets of the group that is not complete, and how many.
        var group: UInt32 = 0
        var sextets = 0
        var padding = 0
        for byte in text {
            if byte == 0x20 || byte >= 0x09 && byte <= 0x0d { continue }
            if byte == UInt8(ascii: "=") {
                padding = padding &+ 1
                continue
            }
            guard padding == 0, let sextet = sextet(byte) else { return nil }
            group = group &<< 6 | sextet
            sextets = sextets &+ 1
            if sextets == 4 {
                write(group, 3, to: target + count)
                count = count &+ 3
                (group, sextets) = (0, 0)
            }
        }
        switch (sextets, padding) {
        case (0, 0): return count
        case (2, 2): write(group &<< 12, 1, to: target + count)
        case (3, 1): write(group &<< 6, 2, to: target + count)
        default: return nil
        }
        return count &+ sextets &- 1
    }

    /// Writes the upper `count` bytes of three.
    private static func write(_ group: UInt32, _ count: Int, to target: UnsafeMutablePointer<UInt8>)
    {
        for index in 0..<count {
            target[index] = UInt8(truncatingIfNeeded: group &>> UInt32(16 &- 8 &* index))
        }
    }

    private static func sextet(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte &- UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte &- UInt8(ascii: "a")) &+ 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- zero) &+ 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// The character of six bits.
    static func digit(_ sextet: UInt8) -> UInt8 {
        switch sextet {
        case 0..<26: UInt8(ascii: "A") &+ sextet
        case 26..<52: UInt8(ascii: "a") &+ (sextet &- 26)
        case 52..<62: zero &+ (sextet &- 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
