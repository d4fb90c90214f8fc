// Unicode's general categories: what `\p{…}` may name, and which one a character has. The data come
// with the standard library, of the version of Unicode that it knows.

/// General categories, one bit for each.
struct GeneralCategory: OptionSet {
    let rawValue: UInt32

    /// How many there are.
    static var count: Int { 30 }
    static var every: GeneralCategory { GeneralCategory(rawValue: 1 &<< 30 &- 1) }

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The only category with that number.
    init(number: Int) { rawValue = 1 &<< UInt32(truncatingIfNeeded: number) }

    /// The category of a code point; surrogates have theirs although no text holds one.
    init(of codePoint: UInt32) {
        guard let scalar = Unicode.Scalar(codePoint) else {
            self.init(number: 27)
            return
        }
        self.init(number: GeneralCategory.number(scalar.properties.generalCategory))
    }

    private static func number(_ category: Unicode.GeneralCategory) -> Int {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 29
        }
    }

    /// The categories that ECMA-262 knows by that name: each with its short name, its long one and
    /// its aliases.
    init?(name: Bytes) {
        let names = GeneralCategory.names
        for index in names.indices where names[index].names.hasWord(name) {
            self.init(rawValue: names[index].bits)
            return
        }
        return nil
    }

    /// What ECMA-262 takes from Unicode's PropertyValueAliases.txt for General_Category.
    private static var names: InlineArray<38, (names: StaticString, bits: UInt32)> {
        [
            ("Lu Uppercase_Letter", 1 << 0), ("Ll Lowercase_Letter", 1 << 1),
            ("Lt Titlecase_Letter", 1 << 2), ("LC Cased_Letter", 0b111),
            ("Lm Modifier_Letter", 1 << 3), ("Lo Other_Letter", 1 << 4), ("L Letter", 0b11111),
            ("Mn Nonspacing_Mark", 1 << 5), ("Mc Spacing_Mark", 1 << 6),
            ("Me Enclosing_Mark", 1 << 7), ("M Mark Combining_Mark", 0b111 << 5),
            ("Nd Decimal_Number digit", 1 << 8), ("Nl Letter_Number", 1 << 9),
            ("No Other_Number", 1 << 10), ("N Number", 0b111 << 8),
            ("Pc Connector_Punctuation", 1 << 11), ("Pd Dash_Punctuation", 1 << 12),
            ("Ps Open_Punctuation", 1 << 13), ("Pe Close_Punctuation", 1 << 14),
            ("Pi Initial_Punctuation", 1 << 15), ("Pf Final_Punctuation", 1 << 16),
            ("Po Other_Punctuation", 1 << 17), ("P Punctuation punct", 0b111_1111 << 11),
            ("Sm Math_Symbol", 1 << 18), ("Sc Currency_Symbol", 1 << 19),
            ("Sk Modifier_Symbol", 1 << 20), ("So Other_Symbol", 1 << 21),
            ("S Symbol", 0b1111 << 18), ("Zs Space_Separator", 1 << 22),
            ("Zl Line_Separator", 1 << 23), ("Zp Paragraph_Separator", 1 << 24),
            ("Z Separator", 0b111 << 22), ("Cc Control cntrl", 1 << 25), ("Cf Format", 1 << 26),
            ("Cs Surrogate", 1 << 27), ("Co Private_Use", 1 << 28), ("Cn Unassigned", 1 << 29),
            ("C Other", 0b11111 << 25),
        ]
    }
}

extension StaticString {
    /// Whether `word` is one of the words between blanks.
    fileprivate func hasWord(_ word: Bytes) -> Bool {
        let text = Bytes(self)
        var start = 0
        while start <= text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: " ") { end &+= 1 }
            if equalBytes(Bytes(rebasing: text[start..<end]), word) { return !word.isEmpty }
            start = end &+ 1
        }
        return false
    }
}
