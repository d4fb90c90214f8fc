// Labels in Punycode: what they decode to decides.
import Testing

@testable import Config

@Suite struct InternationalLabelTests {
    static let labels: [(String, Bool)] = [
        ("mnchen-3ya", true), ("wgbh1c", true), ("4gbwdl", true), ("fiqs8s", true),
        ("zca29lwxobi7a", true), ("qmbc", true), ("chb89f", false), ("07jceefgh4c", false),
        ("al-0ea", false), ("l-fda", false), ("la-0ea", false), ("l-gda", false), ("ll-0ea", true),
        ("S-jib3p", false), ("wva3j", false), ("wva3je", true), ("A-2hc5h", false),
        ("5db1e", false),
        ("4dbc5h", true), ("A-2hc8h", false), ("5db3e", false), ("4dbc8h", true),
        ("defabc-k64e", false), ("vek", false), ("k8j5u", true), ("bck0j", true), ("vek778f", true),
        ("ngb6iyr", false), ("ngba1o", true), ("0-gyc", true), ("02b508i", false),
        ("11b2er09f", false), ("11b2ezcw70k", true), ("11b2ezcs70k", true), ("ngba5hb2804a", true),
        ("-hello-txk", false), ("hello--zed", false), ("hello-6bf", false), ("hello-zed", false),
        ("X", false), ("", false), ("abc-", false), ("99999999999", false), ("a_b-3ya", false),
    ]

    @Test(arguments: labels)
    func `is valid when what it stands for may stand in a name`(encoded: String, isValid: Bool) {
        #expect(encoded.withBytes { InternationalLabel.isValid($0) } == isValid, "\(encoded)")
    }

    @Test func `the viramas are those that the standard library knows`() {
        var viramas: [UInt32] = []
        for codePoint in 0...CodeRange.highest as ClosedRange<UInt32>
        where Unicode.Scalar(codePoint)?.properties.canonicalCombiningClass == .virama {
            viramas.append(codePoint)
        }
        #expect(CharacterTable.viramas.indices.map { CharacterTable.viramas[$0] } == viramas)
    }

    @Test func `any letters and digits end in an answer`() {
        var random = TestRandom(seed: 5)
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789-".map { String($0) }
        for _ in 0..<5000 {
            let text = random.text(59, of: letters)
            _ = text.withBytes { InternationalLabel.isValid($0) }
        }
    }
}
