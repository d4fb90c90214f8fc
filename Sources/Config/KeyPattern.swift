// Which keys somebody wants to hear of: a glob over a whole key, as fnmatch(3) without flags would
// match it. `*` any run · `?` one character · `[a-z]`, `[!a-z]`, `[[:digit:]]` one of a set · `\`
// takes the next literally. A character is a UTF-8 scalar, or one byte where bytes are not UTF-8. A
// slash and a leading dot are ordinary. A malformed pattern is refused, where fnmatch would take it
// literally: it is most likely a slip.

/// A glob that a key either matches or does not.
package struct KeyPattern: Sendable {
    /// The longest pattern accepted: as long as the longest path that a key can be.
    package static let byteCeiling = 4095

    private let pattern: [UInt8]

    /// Keeps a copy of a well-formed pattern.
    package init(_ pattern: Bytes) throws(Failure) {
        guard pattern.count > 0 else {
            throw Failure(.invalidArgument, .none, "the key pattern is empty")
        }
        guard pattern.count <= KeyPattern.byteCeiling else {
            throw Failure(
                .limit, .none, "the key pattern is longer than \(KeyPattern.byteCeiling) bytes")
        }
        self.pattern = [UInt8](pattern)
        try self.pattern.withUnsafeBufferPointer { (bytes) throws(Failure) in
            var position = 0
            while position < bytes.count { position = try KeyPattern.checkElement(bytes, position) }
        }
    }

    /// Whether the whole of `key` matches. Takes at most (length of the key) × (length of the
    /// pattern) steps: of several stars only the last ever needs to be tried again.
    package func matches(_ key: Bytes) -> Bool {
        pattern.withUnsafeBufferPointer { pattern in
            var (at, keyAt) = (0, 0)
            var (afterStar, resumeAt) = (-1, 0)
            while true {
                if at < pattern.count, pattern[at] == star {
                    at += 1
                    (afterStar, resumeAt) = (at, keyAt)
                    continue
                }
                if keyAt == key.count { return at == pattern.count }
                if at < pattern.count {
                    let character = KeyCharacter(key, keyAt)
                    let element = KeyPattern.element(pattern, at, contains: character.scalar)
                    if element.contains {
                        (at, keyAt) = (element.end, keyAt + character.count)
                        continue
                    }
                }
                guard afterStar >= 0 else { return false }
                resumeAt += KeyCharacter(key, resumeAt).count
                (at, keyAt) = (afterStar, resumeAt)
            }
        }
    }

    /// Whether the element at `position`, which is no star, contains the character, and where the
    /// element ends.
    private static func element(
        _ pattern: Bytes, _ position: Int, contains scalar: UInt32
    ) -> (contains: Bool, end: Int) {
        switch pattern[position] {
        case UInt8(ascii: "?"):
            return (true, position + 1)
        case UInt8(ascii: "["):
            return set(pattern, position + 1, contains: scalar)
        default:
            let literal = Literal(pattern, position)
            return (literal.scalar == scalar, literal.end)
        }
    }

    /// Whether the set whose inside begins at `start` contains the character, and where the set
    /// ends.
    private static func set(
        _ pattern: Bytes, _ start: Int, contains scalar: UInt32
    ) -> (contains: Bool, end: Int) {
        var position = start
        let negated = isNegation(pattern[position])
        if negated { position += 1 }
        var found = false
        var first = true
        while first || pattern[position] != UInt8(ascii: "]") {
            first = false
            if let named = NamedClass(pattern, position) {
                found = found || named.contains(scalar)
                position = named.end
                continue
            }
            let low = Literal(pattern, position)
            position = low.end
            if isRange(pattern, position) {
                let high = Literal(pattern, position + 1)
                position = high.end
                found = found || (low.scalar <= scalar && scalar <= high.scalar)
            } else {
                found = found || low.scalar == scalar
            }
        }
        return (found != negated, position + 1)
    }

    /// Refuses a malformed element and gives the position behind a good one. What passes here
    /// cannot lead `matches` past the pattern's end.
    private static func checkElement(_ pattern: Bytes, _ position: Int) throws(Failure) -> Int {
        switch pattern[position] {
        case star, UInt8(ascii: "?"):
            return position + 1
        case UInt8(ascii: "["):
            return try checkSet(pattern, position + 1)
        default:
            return try checkLiteral(pattern, position)
        }
    }

    private static func checkSet(_ pattern: Bytes, _ start: Int) throws(Failure) -> Int {
        var position = start
        if position < pattern.count, isNegation(pattern[position]) { position += 1 }
        var first = true
        while position < pattern.count {
            if pattern[position] == UInt8(ascii: "]"), !first { return position + 1 }
            first = false
            if pattern[position] == UInt8(ascii: "["), position + 1 < pattern.count {
                switch pattern[position + 1] {
                case UInt8(ascii: ":"):
                    guard let named = NamedClass(pattern, position) else {
                        throw malformed("names a class of characters that does not exist")
                    }
                    position = named.end
                    continue
                case UInt8(ascii: "."), UInt8(ascii: "="):
                    throw malformed("has a collating element, which keys do not know")
                default:
                    break
                }
            }
            let low = position
            position = try checkLiteral(pattern, position)
            if isRange(pattern, position) {
                let high = position + 1
                position = try checkLiteral(pattern, high)
                if Literal(pattern, high).scalar < Literal(pattern, low).scalar {
                    throw malformed("has a range whose end comes before its beginning")
                }
            }
        }
        throw malformed("has a [ without its ]")
    }

    private static func checkLiteral(_ pattern: Bytes, _ position: Int) throws(Failure) -> Int {
        if pattern[position] == backslash, position + 1 == pattern.count {
            throw malformed("ends with a backslash that escapes nothing")
        }
        let literal = Literal(pattern, position)
        guard literal.scalar <= 0x10_FFFF else { throw malformed("is not UTF-8") }
        return literal.end
    }

    private static func malformed(_ reason: StaticString) -> Failure {
        Failure(.invalidArgument, .none, "the key pattern \(reason)")
    }

    private static func isNegation(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "!") || byte == UInt8(ascii: "^")
    }

    /// Whether a `-` stands at `position` that joins two ends: before `]` it is an ordinary
    /// character.
    private static func isRange(_ pattern: Bytes, _ position: Int) -> Bool {
        position + 1 < pattern.count && pattern[position] == UInt8(ascii: "-")
            && pattern[position + 1] != UInt8(ascii: "]")
    }
}

private let star = UInt8(ascii: "*")
private let backslash = UInt8(ascii: "\\")
private let colon = UInt8(ascii: ":")

/// One character of a key or of a pattern.
private struct KeyCharacter {
    /// The scalar; a byte that is not part of UTF-8 is told apart from every scalar by a bit above
    /// them.
    let scalar: UInt32
    /// How many bytes it takes.
    let count: Int

    /// Reads what stands at `position`, which is before the end.
    init(_ bytes: Bytes, _ position: Int) {
        let lead = bytes[position]
        let (length, minimum): (Int, UInt32) =
            switch lead {
            case 0xC2...0xDF: (2, 0x80)
            case 0xE0...0xEF: (3, 0x800)
            case 0xF0...0xF4: (4, 0x1_0000)
            default: (1, 0)
            }
        if lead < 0x80 {
            (scalar, count) = (UInt32(lead), 1)
            return
        }
        if length > 1, position + length <= bytes.count {
            var value = UInt32(lead) & (0x7F >> UInt32(length))
            var whole = true
            for byte in bytes[(position + 1)..<(position + length)] {
                whole = whole && byte & 0xC0 == 0x80
                value = value << 6 | UInt32(byte & 0x3F)
            }
            if whole, value >= minimum, value <= 0x10_FFFF, value & 0x1F_F800 != 0xD800 {
                (scalar, count) = (value, length)
                return
            }
        }
        (scalar, count) = (1 << 31 | UInt32(lead), 1)
    }
}

/// A character of a pattern that stands for itself, after a backslash or without.
private struct Literal {
    let scalar: UInt32
    let end: Int

    init(_ pattern: Bytes, _ position: Int) {
        let escaped = pattern[position] == backslash && position + 1 < pattern.count
        let start = escaped ? position + 1 : position
        let character = KeyCharacter(pattern, start)
        scalar = character.scalar
        end = start + character.count
    }
}

/// `[:name:]` within a set: the classes of POSIX, over ASCII whatever the locale.
private struct NamedClass {
    private enum Name {
        case alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, space, upper, xdigit
    }
    private let name: Name
    let end: Int

    /// Reads the class at `position`, if a known one stands there.
    init?(_ pattern: Bytes, _ position: Int) {
        let start = position + 2
        guard start < pattern.count, pattern[position] == UInt8(ascii: "["),
            pattern[position + 1] == colon,
            let length = pattern[start...].firstIndex(of: colon).map({ $0 - start }),
            start + length + 1 < pattern.count,
            pattern[start + length + 1] == UInt8(ascii: "]")
        else { return nil }
        switch ShortWord(Bytes(rebasing: pattern[start..<(start + length)])) {
        case "alnum": name = .alnum
        case "alpha": name = .alpha
        case "blank": name = .blank
        case "cntrl": name = .cntrl
        case "digit": name = .digit
        case "graph": name = .graph
        case "lower": name = .lower
        case "print": name = .print
        case "punct": name = .punct
        case "space": name = .space
        case "upper": name = .upper
        case "xdigit": name = .xdigit
        default: return nil
        }
        end = start + length + 2
    }

    func contains(_ scalar: UInt32) -> Bool {
        let lower = 0x61...0x7A ~= scalar
        let upper = 0x41...0x5A ~= scalar
        let digit = 0x30...0x39 ~= scalar
        let graph = 0x21...0x7E ~= scalar
        return switch name {
        case .alnum: lower || upper || digit
        case .alpha: lower || upper
        case .blank: scalar == 0x20 || scalar == 0x09
        case .cntrl: scalar < 0x20 || scalar == 0x7F
        case .digit: digit
        case .graph: graph
        case .lower: lower
        case .print: graph || scalar == 0x20
        case .punct: graph && !lower && !upper && !digit
        case .space: scalar == 0x20 || 0x09...0x0D ~= scalar
        case .upper: upper
        case .xdigit: digit || 0x61...0x66 ~= scalar || 0x41...0x46 ~= scalar
        }
    }
}
