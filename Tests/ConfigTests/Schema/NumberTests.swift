// Numbers compared without rounding, and multiples of decimal numbers.
import Testing

@testable import Config

@Suite struct NumberTests {
    static let pairs: [(Number, Number, Int)] = [
        (Number.integer(1), Number.integer(2), -1), (.integer(2), .integer(2), 0),
        (.integer(1), .double(1), 0), (.double(1.5), .integer(1), 1),
        (.integer(.max), .double(0x1p63), -1), (.double(0x1p63), .integer(.max), 1),
        (.integer(.min), .double(-0x1p63), 0), (.integer(.min), .double(-0x1.0000000000001p63), 1),
        // As doubles these would be equal.
        (.integer(9_007_199_254_740_993), .double(9_007_199_254_740_992), 1),
        (.integer(-9_007_199_254_740_993), .double(-9_007_199_254_740_992), -1),
        (.integer(0), .double(0x1p-1074), -1), (.integer(0), .double(-0x1p-1074), 1),
        (.double(-0.0), .integer(0), 0), (.double(0.5), .integer(0), 1),
        (.double(-0.5), .integer(0), -1), (.integer(-1), .double(-0.5), -1),
        (.double(1e308), .integer(.max), 1), (.double(-1e308), .integer(.min), -1),
    ]

    @Test(arguments: pairs)
    func `compares integers and doubles exactly`(a: Number, b: Number, order: Int) {
        #expect(a.compared(to: b).signum() == order)
        #expect(b.compared(to: a).signum() == -order)
    }

    static let multiples: [(String, String, Bool)] = [
        ("0.0075", "0.0001", true), ("0.00751", "0.0001", false), ("4.02", "0.01", true),
        ("4.025", "0.01", false), ("0.3", "0.1", true), ("1.1", "0.1", true), ("35", "1.5", false),
        ("4.5", "1.5", true), ("0", "1.5", true), ("10", "2", true), ("7", "2", false),
        ("-10", "5", true), ("-4.02", "0.01", true), ("10.0", "2.5", true), ("10", "2.5", true),
        ("1e308", "0.123456789", false), ("1e308", "0.5", true), ("1e308", "1e-8", true),
        ("12391239123", "1e-8", true), ("1e308", "7", false), ("1e300", "5e299", true),
        ("5e-324", "5e-324", true), ("1e-300", "3e-301", false),
        ("9223372036854775807", "9223372036854775807", true),
        ("9223372036854775807", "0.7", true), ("9223372036854775806", "0.7", false),
        ("9223372036854775807", "9007199254740993", false), ("100", "1e2", true),
        ("150", "1e2", false), ("1e2", "50", true), ("123456789012345680", "10", true),
        ("-9223372036854775808", "2", true), ("0.1", "3", false),
    ]

    @Test(arguments: multiples)
    func `a multiple is one of the decimal numbers`(
        value: String, step: String, isMultiple: Bool
    ) throws {
        let schema = try Schema.test("{\"multipleOf\":\(step)}")
        #expect(try schema.accepts(value) == isMultiple)
    }

    @Test func `equal numbers have the same identity`() {
        for (a, b) in [
            (Number.integer(1), Number.double(1)), (.integer(0), .double(-0.0)),
            (.integer(.min), .double(-0x1p63)), (.double(0), .double(-0.0)),
        ] {
            #expect(a.identity == b.identity)
        }
        #expect(Number.integer(1).identity != Number.double(1.5).identity)
        #expect(
            Number.integer(9_007_199_254_740_993).identity
                != Number.double(9_007_199_254_740_992).identity)
    }

    @Test(arguments: [
        ("1", true), ("1.0", true), ("1.5", false), ("1e300", true), ("-0.0", true),
        ("1e-5", false), ("98249283749234923498293171823948729348710298301928331", true),
    ])
    func `a double without a fraction is an integer`(text: String, isInteger: Bool) throws {
        #expect(try Schema.test("{\"type\":\"integer\"}").accepts(text) == isInteger)
        #expect(try Schema.test("{\"type\":\"number\"}").accepts(text))
    }
}
