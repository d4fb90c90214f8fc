// What a YAML scalar is: by the core schema of YAML 1.2 where it is plain, by its tag where it has
// one of the language's own, and otherwise text. `yes`, `no`, `on` and `off` are text here, and so
// are numbers as YAML 1.1 had them: 0777, 1_000, 190:20:30.

/// A scalar as its node holds it.
struct YAMLScalar {
    let type: ValueType
    let payload: UInt64
    /// It is written as a whole number, though it may be one that only a double can hold.
    private var isInteger = false

    private init(_ type: ValueType, _ payload: UInt64) {
        self.type = type
        self.payload = payload
    }

    /// Reads a scalar; text that its node needs is kept in `tree`.
    init(_ scalar: YAMLEvents.Scalar, at offset: Int, in tree: inout TreeBuilder)
        throws(ParseError)
    {
        let tag = scalar.tag.flatMap { Tag($0) }
        if tag == .binary {
            self.init(.bytes, try tree.base64(scalar.text, at: offset))
            return
        }
        if tag != .string, tag != nil || scalar.isPlain,
            let value = try YAMLScalar.plain(scalar.text, at: offset, tree.limbs)
        {
            self = try value.tagged(tag, at: offset)
            return
        }
        if let tag, tag != .string { throw tag.problem(at: offset) }
        self.init(.string, try tree.text(scalar.text))
    }

    // MARK: - Tags

    private enum Tag {
        case string, integer, double, bool, null, binary

        /// Nil for a tag that is none of the language's own scalars': it tells nothing.
        init?(_ tag: Bytes) {
            let prefix: StaticString = "tag:yaml.org,2002:"
            guard tag.hasPrefix(prefix) else { return nil }
            switch ShortWord(Bytes(rebasing: tag.dropFirst(prefix.utf8CodeUnitCount))) {
            case "str": self = .string
            case "int": self = .integer
            case "float": self = .double
            case "bool": self = .bool
            case "null": self = .null
            case "binary": self = .binary
            default: return nil
            }
        }

        func problem(at offset: Int) -> ParseError {
            switch self {
            case .integer: ParseError("the value is no integer, as its tag !!int says", at: offset)
            case .double: ParseError("the value is no number, as its tag !!float says", at: offset)
            case .bool: ParseError("the value is no boolean, as its tag !!bool says", at: offset)
            case .null: ParseError("the value is not null, as its tag !!null says", at: offset)
            case .binary: ParseError("the value is no base64, as its tag !!binary says", at: offset)
            case .string: ParseError("the value is no text, as its tag !!str says", at: offset)
            }
        }
    }

    /// The value as the tag has it.
    private func tagged(_ tag: Tag?, at offset: Int) throws(ParseError) -> YAMLScalar {
        let fits =
            switch tag {
            case nil: true
            case .integer: type == .int64 || isInteger
            case .double: type == .int64 || type == .double
            case .bool: type == .bool
            case .null: type == .null
            case .string, .binary: false
            }
        if let tag, !fits { throw tag.problem(at: offset) }
        guard tag == .double, type == .int64 else { return self }
        return YAMLScalar(.double, Double(Int64(bitPattern: payload)).bitPattern)
    }

    // MARK: - The core schema

    /// What a plain scalar is; nil when it is text.
    private static func plain(
        _ text: Bytes, at offset: Int, _ limbs: UnsafeMutablePointer<UInt64>
    ) throws(ParseError) -> YAMLScalar? {
        switch ShortWord(text) {
        case "", "~", "null", "Null", "NULL": return YAMLScalar(.null, 0)
        case "true", "True", "TRUE": return YAMLScalar(.bool, 1)
        case "false", "False", "FALSE": return YAMLScalar(.bool, 0)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
            ".nan", ".NaN", ".NAN":
            throw ParseError("a number is not finite, which JSON cannot hold", at: offset)
        default: break
        }
        guard let first = text.first,
            first &- zero < 10 || first == UInt8(ascii: "-")
                || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
        else { return nil }
        guard let number = number(text, limbs) else { return nil }
        if number.type == .double, !Double(bitPattern: number.payload).isFinite {
            throw ParseError(problem: .numberTooLarge, offset: offset)
        }
        return number
    }

    /// A number, infinite when it is too large; nil when it is none.
    private static func number(_ text: Bytes, _ limbs: UnsafeMutablePointer<UInt64>) -> YAMLScalar?
    {
        if text.hasPrefix("0x") { return number(digits: text.dropFirst(2), bits: 4) }
        if text.hasPrefix("0o") { return number(digits: text.dropFirst(2), bits: 3) }
        var cursor = TextCursor(text)
        let isNegative = cursor.takeSign()
        let start = cursor.position
        let whole = cursor.takeDigits()
        var isInteger = true
        if cursor.take(UInt8(ascii: ".")) {
            isInteger = false
            if cursor.takeDigits().isEmpty, whole.isEmpty { return nil }
        } else if whole.isEmpty {
            return nil
        }
        if cursor.take(UInt8(ascii: "e")) || cursor.take(UInt8(ascii: "E")) {
            isInteger = false
            _ = cursor.takeSign()
            if cursor.takeDigits().isEmpty { return nil }
        }
        guard cursor.isAtEnd, let first = text.baseAddress else { return nil }
        if isInteger {
            // Octal to YAML 1.1, decimal to the core schema: to be on the safe side, text.
            if whole.count > 1, whole[0] == zero { return nil }
            if let integer = integer(whole, isNegative) { return integer }
        }
        let bits = Decimal(first + start, first + text.count).nearest(limbs: limbs)
        var number = YAMLScalar(.double, isNegative ? bits | 1 &<< 63 : bits)
        number.isInteger = isInteger
        return number
    }

    /// An integer; nil when it does not fit.
    private static func integer(_ digits: Bytes, _ isNegative: Bool) -> YAMLScalar? {
        guard digits.count < 20 else { return nil }
        var magnitude: UInt64 = 0
        // Nineteen digits are less than 2^64.
        for digit in digits { magnitude = magnitude &* 10 &+ UInt64(digit &- zero) }
        guard let value = try? Text.int64(magnitude, isNegative) else { return nil }
        return YAMLScalar(.int64, UInt64(bitPattern: value))
    }

    /// A number of hexadecimal or octal digits; nil when others are among them.
    private static func number(digits: Slice<Bytes>, bits: Int) -> YAMLScalar? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        // Digits that do not fit: how many, and whether they were all zero. 61 bits are there then,
        // more than a double has, so that they only break a tie.
        var dropped = 0
        var isExact = true
        for byte in digits {
            guard let digit = hexadecimal(byte), digit &>> UInt64(bits) == 0 else { return nil }
            if value &>> UInt64(64 &- bits) == 0 {
                value = value &<< UInt64(bits) | digit
            } else {
                dropped = dropped &+ 1
                if digit != 0 { isExact = false }
            }
        }
        if dropped == 0, value <= Int64.max { return YAMLScalar(.int64, value) }
        let exponent = dropped &* bits
        let scale =
            exponent > 1023 ? .infinity : Double(bitPattern: UInt64(exponent &+ 1023) &<< 52)
        var number = YAMLScalar(.double, (Double(value | (isExact ? 0 : 1)) * scale).bitPattern)
        number.isInteger = true
        return number
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte &- zero)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }
}

extension TreeBuilder {
    /// Keeps the bytes that base64 stands for; white space in it is ignored.
    fileprivate mutating func base64(_ text: Bytes, at offset: Int) throws(ParseError) -> UInt64 {
        let room = try room(for: text.count)
        guard let count = Base64.decode(text, to: room) else {
            throw ParseError("the value is no base64, as its tag !!binary says", at: offset)
        }
        return keep(count)
    }
}
