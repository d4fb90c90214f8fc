// Unicode's general categories: what `\p{…}` may name, and which one a character has, by the
// version of Unicode that the standard library knows.

/// General categories, one bit for each.
struct GeneralCategory: OptionSet {
    let rawValue: UInt32

    /// How many there are.
    static var count: Int { 30 }
    static var every: GeneralCategory { GeneralCategory(rawValue: 1 &<< 30 &- 1) }

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The only category with that number.
    init(number: Int) { rawValue = 1 &<< UInt32(truncatingIfNeeded: number) }

    /// The category of a code point; surrogates have theirs although no text holds one, and so has
    /// what is beyond the last code point.
    @_optimize(speed) @inline(never)
    init(of codePoint: UInt32) {
        guard codePoint <= CodeRange.highest else {
            self.init(number: 27)
            return
        }
        // The last of the indexed runs that do not begin behind it: the first one begins at 0.
        var (low, high) = (0, CharacterTable.index.count)
        while high &- low > 1 {
            let middle = (low &+ high) &>> 1
            if CharacterTable.index[middle] &>> 32 <= UInt64(codePoint) {
                low = middle
            } else {
                high = middle
            }
        }
        let indexed = CharacterTable.index[low]
        var position = Int(indexed & 0xFFFF_FFFF)
        var rest = codePoint &- UInt32(truncatingIfNeeded: indexed &>> 32)
        while true {
            let head = GeneralCategory.byte(position)
            position &+= 1
            var length = UInt32(head & 7)
            if length == 0 {
                length = UInt32(GeneralCategory.byte(position)) &+ 8
                position &+= 1
                if length == 8 &+ 255 {
                    length = 0
                    for place in 0..<3 {
                        length |=
                            UInt32(GeneralCategory.byte(position &+ place)) &<< UInt32(8 &* place)
                    }
                    position &+= 3
                }
            }
            // The runs reach up to the highest code point.
            if rest < length {
                let number = Int(head &>> 3)
                self.init(number: number == CharacterTable.alternating ? Int(rest & 1) : number)
                return
            }
            rest &-= length
        }
    }

    /// A byte of the runs.
    @inline(__always)
    private static func byte(_ position: Int) -> UInt8 {
        UInt8(
            truncatingIfNeeded: CharacterTable.runs[position &>> 3] &>> UInt64(8 &* (position & 7)))
    }

    /// The categories that ECMA-262 knows by that name: each with its short name, its long one and
    /// its aliases.
    @inline(never)
    init?(name: Bytes) {
        var text = Bytes(GeneralCategory.names)
        var number = 0
        while !text.isEmpty {
            let end = text.firstIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }
            let length = end ?? text.count
            if equalBytes(Bytes(rebasing: text[..<length]), name) {
                guard number >= GeneralCategory.count else {
                    self.init(number: number)
                    return
                }
                self.init(rawValue: GeneralCategory.groups[number &- GeneralCategory.count])
                return
            }
            if length < text.count, text[length] == UInt8(ascii: ",") { number &+= 1 }
            text = Bytes(rebasing: text.dropFirst(length &+ 1))
        }
        return nil
    }

    /// What ECMA-262 takes from Unicode's PropertyValueAliases.txt for General_Category: the
    /// categories in the order of their numbers, and behind them groups of them.
    private static var names: StaticString {
        """
        Lu Uppercase_Letter,Ll Lowercase_Letter,Lt Titlecase_Letter,Lm Modifier_Letter,\
        Lo Other_Letter,Mn Nonspacing_Mark,Mc Spacing_Mark,Me Enclosing_Mark,\
        Nd Decimal_Number digit,Nl Letter_Number,No Other_Number,Pc Connector_Punctuation,\
        Pd Dash_Punctuation,Ps Open_Punctuation,Pe Close_Punctuation,Pi Initial_Punctuation,\
        Pf Final_Punctuation,Po Other_Punctuation,Sm Math_Symbol,Sc Currency_Symbol,\
        Sk Modifier_Symbol,So Other_Symbol,Zs Space_Separator,Zl Line_Separator,\
        Zp Paragraph_Separator,Cc Control cntrl,Cf Format,Cs Surrogate,Co Private_Use,\
        Cn Unassigned,LC Cased_Letter,L Letter,M Mark Combining_Mark,N Number,\
        P Punctuation punct,S Symbol,Z Separator,C Other
        """
    }

    /// What the groups consist of.
    private static var groups: InlineArray<8, UInt32> {
        [
            0b111, 0b11111, 0b111 << 5, 0b111 << 8, 0b111_1111 << 11, 0b1111 << 18, 0b111 << 22,
            0b11111 << 25,
        ]
    }
}
