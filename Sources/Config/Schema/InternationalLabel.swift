// A label of an internationalised host name as it is written in ASCII: `xn--` and Punycode (RFC
// 3492). It is valid when what it stands for may stand in such a name (RFC 5891, section 4.2, with
// the tables of RFC 5892). Which letters are compatibility forms of others, and which way text
// runs, is not looked at.

enum InternationalLabel {
    /// Whether what follows `xn--` is the encoding of a label.
    static func isValid(_ encoded: Bytes) -> Bool {
        var label = Label()
        guard label.decode(encoded), label.count > 0, label.hasNonASCII else { return false }
        let (first, last) = (label[0], label[label.count &- 1])
        if first == hyphen || last == hyphen { return false }
        if label.count > 3, label[2] == hyphen, label[3] == hyphen { return false }
        if !GeneralCategory(of: first).isDisjoint(with: GeneralCategory.marks) { return false }
        for index in 0..<label.count where !label.allows(index) { return false }
        return true
    }

    private static var hyphen: UInt32 { 0x2D }

    /// The characters that a label stands for. A label of 63 bytes has no more of them.
    private struct Label {
        private var characters = InlineArray<64, UInt32>(repeating: 0)
        private(set) var count = 0

        subscript(index: Int) -> UInt32 { characters[index] }

        var hasNonASCII: Bool {
            for index in 0..<count where characters[index] >= 0x80 { return true }
            return false
        }

        /// RFC 3492, section 6.2.
        mutating func decode(_ text: Bytes) -> Bool {
            guard text.count < 64 else { return false }
            var position = 0
            if let delimiter = text.lastIndex(of: UInt8(ascii: "-")) {
                for byte in text[..<delimiter] {
                    characters[count] = UInt32(byte)
                    count &+= 1
                }
                position = delimiter &+ 1
            }
            var (character, index, bias): (UInt64, UInt64, UInt64) = (128, 0, 72)
            var isFirst = true
            while position < text.count {
                let before = index
                var weight: UInt64 = 1
                var step: UInt64 = 36
                while true {
                    guard position < text.count, let digit = Label.digit(text[position]) else {
                        return false
                    }
                    position &+= 1
                    // A few digits overflow what any label can mean.
                    guard index < 1 << 32, weight < 1 << 32 else { return false }
                    index &+= digit &* weight
                    let threshold = step <= bias ? 1 : min(step &- bias, 26)
                    if digit < threshold { break }
                    weight &*= 36 &- threshold
                    step &+= 36
                }
                let length = UInt64(count) &+ 1
                bias = Label.adapted(index &- before, length, isFirst)
                isFirst = false
                character &+= index / length
                index %= length
                guard character <= UInt64(CodeRange.highest), count < 63 else { return false }
                insert(UInt32(character), at: Int(index))
                index &+= 1
            }
            return true
        }

        private mutating func insert(_ character: UInt32, at index: Int) {
            var place = count
            while place > index {
                characters[place] = characters[place &- 1]
                place &-= 1
            }
            characters[index] = character
            count &+= 1
        }

        private static func digit(_ byte: UInt8) -> UInt64? {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(byte &- UInt8(ascii: "a"))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt64(byte &- UInt8(ascii: "A"))
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte &- zero) &+ 26
            default: nil
            }
        }

        private static func adapted(_ delta: UInt64, _ count: UInt64, _ isFirst: Bool) -> UInt64 {
            var delta = isFirst ? delta / 700 : delta / 2
            delta &+= delta / count
            var step: UInt64 = 0
            while delta > 455 {
                delta /= 35
                step &+= 36
            }
            return step &+ 36 &* delta / (delta &+ 38)
        }

        // MARK: What may stand where (RFC 5892)

        private func character(_ index: Int) -> UInt32? {
            index >= 0 && index < count ? characters[index] : nil
        }

        private func hasAny(in range: ClosedRange<UInt32>) -> Bool {
            for index in 0..<count where range.contains(characters[index]) { return true }
            return false
        }

        func allows(_ index: Int) -> Bool {
            switch characters[index] {
            case 0x2D, 0x30...0x39, 0x61...0x7A: return true
            case 0...0x7F: return false
            // Exceptions, section 2.6.
            case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
            case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
            // Rules that depend on the characters around, appendix A.
            case 0x200C:
                return isBehindVirama(index)
                    || isArabic(character(index &- 1)) && isArabic(character(index &+ 1))
            case 0x200D: return isBehindVirama(index)
            case 0xB7: return character(index &- 1) == 0x6C && character(index &+ 1) == 0x6C
            case 0x375:
                let next = character(index &+ 1) ?? 0
                return 0x370...0x3FF ~= next || 0x1F00...0x1FFF ~= next
            case 0x5F3, 0x5F4: return 0x590...0x5FF ~= character(index &- 1) ?? 0
            case 0x30FB:
                return hasAny(in: 0x3041...0x309F) || hasAny(in: 0x30A0...0x30FA)
                    || hasAny(in: 0x30FC...0x30FF) || hasAny(in: 0x3400...0x9FFF)
                    || hasAny(in: 0x2_0000...0x3_FFFF) || hasAny(in: 0x3005...0x3007)
            case 0x660...0x669: return !hasAny(in: 0x6F0...0x6F9)
            case 0x6F0...0x6F9: return !hasAny(in: 0x660...0x669)
            // Jamo that older Korean was put together from, section 2.9.
            case 0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF: return false
            default:
                let category = GeneralCategory(of: characters[index])
                return !category.isDisjoint(with: GeneralCategory.ofLabels)
            }
        }

        private func isBehindVirama(_ index: Int) -> Bool {
            guard let before = character(index &- 1) else { return false }
            for number in CharacterTable.viramas.indices
            where CharacterTable.viramas[number] == before {
                return true
            }
            return false
        }

        private func isArabic(_ character: UInt32?) -> Bool { 0x620...0x8FF ~= character ?? 0 }
    }
}

extension GeneralCategory {
    fileprivate static var marks: GeneralCategory { GeneralCategory(rawValue: 0b111 << 5) }

    /// Letters that are no capital ones, marks and digits (section 2.1).
    fileprivate static var ofLabels: GeneralCategory { GeneralCategory(rawValue: 0b1_0111_1010) }
}
