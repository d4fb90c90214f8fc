// Whether bytes are UTF-8, sixteen at a time: each byte is judged together with the three before
// it, which unaligned loads supply. Needs no table and no instruction beyond those that every
// 64-bit processor has.

enum UTF8Check {
    /// The lanes at which UTF-8 is violated, given that everything before `pointer` is valid. Three
    /// bytes before `pointer` must be readable. A sequence that is cut short shows at the byte
    /// after its last.
    @inline(__always)
    static func violations(in block: Block, at pointer: UnsafePointer<UInt8>) -> Lanes {
        let one = Block(at: pointer - 1)
        let two = Block(at: pointer - 2)
        let three = Block(at: pointer - 3)
        // A byte must be a continuation exactly when a leading byte at the right distance asks for
        // it.
        let continuation = block.belowSigned(0xc0)
        let asked = one.atLeast(0xc0) | two.atLeast(0xe0) | three.atLeast(0xf0)
        // The second byte of some sequences has a smaller range: no overlong forms, no surrogates,
        // nothing above U+10FFFF.
        let below90 = block.belowSigned(0x90)
        let belowA0 = block.belowSigned(0xa0)
        let overlong = (one.equal(0xe0) & belowA0) | (one.equal(0xf0) & below90)
        let beyond =
            (one.equal(0xed) & block.atLeast(0xa0)) | (one.equal(0xf4) & block.atLeast(0x90))
        let never = block.masked(0xfe).equal(0xc0) | block.atLeast(0xf5)
        return (continuation ^ asked) | overlong | beyond | never
    }

    /// The length of the valid sequence at `pointer`, whose first byte is outside ASCII; 0 when it
    /// is none. Reads no further than the first byte that does not belong to it.
    static func sequenceLength(at pointer: UnsafePointer<UInt8>) -> Int {
        let first = pointer[0]
        let second: ClosedRange<UInt8>
        let length: Int
        switch first {
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return 0
        }
        if !second.contains(pointer[1]) { return 0 }
        if length > 2 && pointer[2] & 0xc0 != 0x80 { return 0 }
        if length > 3 && pointer[3] & 0xc0 != 0x80 { return 0 }
        return length
    }

    /// Throws where `bytes` cease to be valid UTF-8, if they do; at least 64 zero bytes must follow
    /// them.
    static func check(_ bytes: Bytes) throws(ParseError) {
        guard let start = bytes.baseAddress, !isValid(bytes) else { return }
        var next = start
        while next < start + bytes.count {
            let length = next.pointee < 0x80 ? 1 : sequenceLength(at: next)
            if length == 0 { break }
            next += length
        }
        throw ParseError("the text is not valid UTF-8", at: next - start)
    }

    /// Whether all of `bytes` are valid UTF-8. At least 64 zero bytes must follow them: they end
    /// what is cut short.
    @_optimize(speed)
    static func isValid(_ bytes: Bytes) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let end = start + bytes.count
        var next = start
        // By hand, through the zeros if need be, until there are three bytes to look back at.
        while next - start < 3 {
            let length = next.pointee < 0x80 ? 1 : sequenceLength(at: next)
            if length == 0 { return false }
            next += length
        }
        while next <= end {
            let block = Block(at: next)
            let isASCII = (block.belowSigned(0) | Block(at: next - 3).belowSigned(0)).bits == 0
            if !isASCII && violations(in: block, at: next).bits != 0 { return false }
            next += 16
        }
        return true
    }
}

extension UnsafePointer where Pointee == UInt8 {
    /// Behind the byte order mark that begins here, if one does: editors on some systems write it.
    var afterByteOrderMark: UnsafePointer<UInt8> {
        self[0] == 0xef && self[1] == 0xbb && self[2] == 0xbf ? self + 3 : self
    }
}
