// Chance that can be repeated: the same seed gives the same test.
import Config

struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func pick<C: RandomAccessCollection>(_ items: C) -> C.Element where C.Index == Int {
        items[items.startIndex + below(items.count)]
    }

    /// Text of up to `length` characters of `alphabet`.
    mutating func text(_ length: Int, of alphabet: [String]) -> String {
        (0..<below(length + 1)).map { _ in pick(alphabet) }.joined()
    }
}

extension String {
    /// The text's bytes, for the time of the call.
    func withBytes<R, E: Error>(_ body: (Bytes) throws(E) -> R) throws(E) -> R {
        try Array(utf8).withBytes(body)
    }
}

extension [UInt8] {
    func withBytes<R, E: Error>(_ body: (Bytes) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { (bytes) throws(E) in try body(bytes) }
    }
}

extension Bytes {
    var text: String { String(decoding: self, as: UTF8.self) }
}
