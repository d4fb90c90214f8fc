// Base64 both ways, against Foundation's.
import Foundation
import Testing

@testable import Config

@Suite struct Base64Tests {
    private func decode(_ text: String) -> [UInt8]? {
        var target = [UInt8](repeating: 0xa5, count: text.utf8.count + 3)
        let count = text.withBytes { text in
            target.withUnsafeMutableBufferPointer { Base64.decode(text, to: $0.baseAddress!) }
        }
        return count.map { Array(target.prefix($0)) }
    }

    @Test func `decodes what Foundation encodes, of every length`() {
        var random = TestRandom(seed: 3)
        for length in 0...200 {
            let bytes = (0..<length).map { _ in UInt8(random.below(256)) }
            let text = Data(bytes).base64EncodedString()
            #expect(decode(text) == bytes)
            #expect(decode(text.map { "\($0)\r\n\t " }.joined()) == bytes)
        }
    }

    @Test func `writes the same digits`() {
        let all = (0..<64).map { Base64.digit($0) }
        #expect(
            String(decoding: all, as: UTF8.self)
                == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    }

    @Test(arguments: [
        "a", "ab", "abc", "abcde", "ab=", "a===", "abc==", "abcd=", "=", "====", "ab==cd==", "=abc",
        "ab=c", "a-_=", "abc\u{e9}", "abc\u{0}", "ab==\u{b}x",
    ])
    func `refuses what is cut, padded wrongly, or of other characters`(text: String) {
        #expect(decode(text) == nil)
    }
}
