// A number of TOML: decimal as JSON has it, and what TOML adds, a plus sign, underscores between
// digits, and integers in hexadecimal, octal and binary digits.

enum TOMLNumber {
    struct Taken {
        /// After the last character.
        var end: UnsafePointer<UInt8>
        var type: ValueType
        /// The payload of the node.
        var payload: UInt64
    }

    /// Takes the number at `start`. `spare` has room for as many bytes as there are in the source,
    /// and 16 more. Offsets of errors count from `start`.
    static func take(
        _ start: UnsafePointer<UInt8>, spare: UnsafeMutablePointer<UInt8>,
        limbs: UnsafeMutablePointer<UInt64>
    ) throws(ParseError) -> Taken {
        let isSigned = start.pointee == UInt8(ascii: "+") || start.pointee == UInt8(ascii: "-")
        let digits = isSigned ? start + 1 : start
        if digit(digits.pointee) > 9 {
            switch digits.load(as: UInt32.self) & 0xff_ffff {
            case 0x66_6e69, 0x6e_616e:  // inf, nan
                throw ParseError("a number is not finite, which JSON cannot hold", at: 0)
            default:
                throw ParseError(
                    problem: isSigned ? .expectedDigit : .expectedValue, offset: digits - start)
            }
        }
        if !isSigned && start[0] == UInt8(ascii: "0") {
            switch start[1] {
            case UInt8(ascii: "x"): return try integer(start, bits: 4)
            case UInt8(ascii: "o"): return try integer(start, bits: 3)
            case UInt8(ascii: "b"): return try integer(start, bits: 1)
            default: break
            }
        }
        let first = start.pointee == UInt8(ascii: "+") ? digits : start
        let number = JSONNumber.parse(first, limbs: limbs)
        if number.problem == nil && number.end.pointee == UInt8(ascii: "_") {
            return try separated(first, start, spare, limbs)
        }
        return try checked(number, from: first, end: number.end, start)
    }

    /// A number with underscores: without them it is one of JSON.
    @inline(never)
    private static func separated(
        _ first: UnsafePointer<UInt8>, _ start: UnsafePointer<UInt8>,
        _ spare: UnsafeMutablePointer<UInt8>, _ limbs: UnsafeMutablePointer<UInt64>
    ) throws(ParseError) -> Taken {
        var p = first
        var plain = spare
        scan: while true {
            switch p.pointee {
            case UInt8(ascii: "_"):
                // A digit before it: an underscore is not first.
                if digit(p[-1]) > 9 || digit(p[1]) > 9 { throw misplaced(p, start) }
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                plain.pointee = p.pointee
                plain += 1
            default:
                break scan
            }
            p += 1
        }
        Block(0).store(to: plain)
        let number = JSONNumber.parse(spare, limbs: limbs)
        var left = number.end - UnsafePointer(spare)
        p = first
        while left > 0 || p.pointee == UInt8(ascii: "_") {
            if p.pointee != UInt8(ascii: "_") { left = left &- 1 }
            p += 1
        }
        return try checked(number, from: spare, end: p, start)
    }

    private static func checked(
        _ number: JSONNumber.Parsed, from first: UnsafePointer<UInt8>,
        end: UnsafePointer<UInt8>, _ start: UnsafePointer<UInt8>
    ) throws(ParseError) -> Taken {
        if let problem = number.problem {
            throw ParseError(problem: problem, offset: end - start)
        }
        if number.type == .double {
            var p = first
            while digit(p.pointee) <= 9 || p.pointee == UInt8(ascii: "-") { p += 1 }
            if p == number.end { throw tooLarge() }
        }
        return Taken(end: end, type: number.type, payload: number.payload)
    }

    /// An integer whose digits have `bits` bits each.
    private static func integer(
        _ start: UnsafePointer<UInt8>, bits: UInt64
    ) throws(ParseError) -> Taken {
        var p = start + 2
        var value: UInt64 = 0
        while true {
            let digit = hexadecimalDigit(p.pointee)
            if UInt64(digit) >= 1 &<< bits {
                throw ParseError(problem: .expectedDigit, offset: p - start)
            }
            if value &>> (63 &- bits) != 0 { throw tooLarge() }
            value = value &<< bits | UInt64(digit)
            p += 1
            if p.pointee == UInt8(ascii: "_") {
                p += 1
            } else if UInt64(hexadecimalDigit(p.pointee)) >= 1 &<< bits {
                return Taken(end: p, type: .int64, payload: value)
            }
        }
    }

    private static func tooLarge() -> ParseError {
        ParseError("an integer does not fit into 64 bits", at: 0)
    }

    private static func misplaced(
        _ p: UnsafePointer<UInt8>, _ start: UnsafePointer<UInt8>
    ) -> ParseError {
        ParseError("an underscore does not stand between two digits", at: p - start)
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "0") }

    /// The value of a hexadecimal digit, more than 15 for what is none.
    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8 {
        if digit(byte) <= 9 { return digit(byte) }
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "f")
            ? letter &- UInt8(ascii: "a") &+ 10 : .max
    }
}
