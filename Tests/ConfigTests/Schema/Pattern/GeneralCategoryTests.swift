// Categories by all their names, and of every character.
import Testing

@testable import Config

@Suite struct GeneralCategoryTests {
    @Test func `each character has the category that its properties say`() {
        for (character, name) in [
            ("A", "Lu"), ("a", "Ll"), ("ǅ", "Lt"), ("ʰ", "Lm"), ("日", "Lo"), ("\u{301}", "Mn"),
            ("\u{903}", "Mc"), ("\u{20DD}", "Me"), ("1", "Nd"), ("Ⅷ", "Nl"), ("½", "No"),
            ("_", "Pc"),
            ("-", "Pd"), ("(", "Ps"), (")", "Pe"), ("«", "Pi"), ("»", "Pf"), ("!", "Po"),
            ("+", "Sm"),
            ("€", "Sc"), ("^", "Sk"), ("©", "So"), (" ", "Zs"), ("\u{2028}", "Zl"),
            ("\u{2029}", "Zp"),
            ("\n", "Cc"), ("\u{AD}", "Cf"), ("\u{E000}", "Co"), ("\u{378}", "Cn"),
        ] as [(Unicode.Scalar, String)] {
            let category = GeneralCategory(of: character.value)
            #expect(name.withBytes { GeneralCategory(name: $0) } == category, "\(name)")
        }
        #expect("Cs".withBytes { GeneralCategory(name: $0) } == GeneralCategory(of: 0xD800))
    }

    @Test func `every character has the category that the standard library says`() {
        // In the order of the numbers.
        let order: [Unicode.GeneralCategory] = [
            .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber,
            .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation,
            .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation,
            .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .control, .format, .surrogate, .privateUse,
            .unassigned,
        ]
        let numbers = Dictionary(uniqueKeysWithValues: zip(order, 0...))
        var different: [UInt32] = []
        for codePoint in 0...CodeRange.highest as ClosedRange<UInt32> {
            let said = Unicode.Scalar(codePoint)?.properties.generalCategory ?? .surrogate
            let expected = numbers[said].map { GeneralCategory(number: $0) }
            if GeneralCategory(of: codePoint) != expected { different.append(codePoint) }
        }
        #expect(different.isEmpty, "to be mended by .ci/unicode")
    }

    @Test func `what no character has is a surrogate, beyond the last one too`() {
        for codePoint in [0xD800, 0xDFFF, 0x11_0000, 0x1F_FFFF] as [UInt32] {
            #expect(GeneralCategory(of: codePoint) == GeneralCategory(number: 27))
        }
    }

    @Test func `groups are what their members are together`() throws {
        func named(_ name: String) throws -> GeneralCategory {
            try #require(name.withBytes { GeneralCategory(name: $0) })
        }
        for (group, members) in [
            ("L", ["Lu", "Ll", "Lt", "Lm", "Lo"]), ("LC", ["Lu", "Ll", "Lt"]),
            ("M", ["Mn", "Mc", "Me"]),
            ("N", ["Nd", "Nl", "No"]), ("P", ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"]),
            ("S", ["Sm", "Sc", "Sk", "So"]), ("Z", ["Zs", "Zl", "Zp"]),
            ("C", ["Cc", "Cf", "Cs", "Co", "Cn"]),
        ] {
            let union = try members.reduce(into: GeneralCategory()) { $0.formUnion(try named($1)) }
            #expect(try named(group) == union, "\(group)")
        }
        #expect(try named("Letter") == named("L") && named("Combining_Mark") == named("M"))
        for name in ["", "l", "letter", "Lx", "L ", "Lu Uppercase_Letter"] {
            #expect(name.withBytes { GeneralCategory(name: $0) } == nil, "\(name)")
        }
    }
}
