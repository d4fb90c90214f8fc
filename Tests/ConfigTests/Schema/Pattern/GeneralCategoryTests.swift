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
