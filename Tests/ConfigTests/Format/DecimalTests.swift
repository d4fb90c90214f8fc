// The nearest double to digits and a power of ten, where it is hardest to tell; the parser's tests
// try a million more.

import Testing

@testable import Config

@Suite struct DecimalTests {
    private func nearest(_ text: String) -> Double {
        var limbs = [UInt64](repeating: 0, count: 2 * Exact.limbCount)
        return limbs.withUnsafeMutableBufferPointer { limbs in
            text.withBytes { text in
                guard let start = text.baseAddress, let limbs = limbs.baseAddress else {
                    return .nan
                }
                return Double(bitPattern: Decimal(start, start + text.count).nearest(limbs: limbs))
            }
        }
    }

    @Test(arguments: [
        "0", "-0", "1", "0.1", "123456789012345678", "9007199254740993", "1e22", "1e23", "8.5e-5",
        "4.9e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "2.2250738585072014e-308",
        "1.7976931348623157e308", "0.000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000e-50",
        "1e-999999999999999999999", "0e999999999999999999999",
    ])
    func `is what strtod says`(text: String) throws {
        let expected = try #require(Double(text))
        #expect(nearest(text).bitPattern == expected.bitPattern)
    }

    @Test(arguments: [
        "1.7976931348623159e308", "1e309", "-1e309", "1e999999999999999999999",
    ])
    func `is infinity where no double is near`(text: String) {
        #expect(nearest(text).isInfinite)
        #expect((nearest(text) < 0) == text.hasPrefix("-"))
    }

    @Test func `a tie goes to the even one, and any digit behind it upwards`() {
        // Between 2^53 and the next double lies one integer; 800 digits further on nothing is lost.
        let middle = "9007199254740993"
        #expect(nearest(middle) == 9_007_199_254_740_992)
        #expect(
            nearest(middle + ".0" + String(repeating: "0", count: 900)) == 9_007_199_254_740_992)
        #expect(
            nearest(middle + "." + String(repeating: "0", count: 900) + "1")
                == 9_007_199_254_740_994)
        #expect(nearest("9007199254740995") == 9_007_199_254_740_996)
    }
}
