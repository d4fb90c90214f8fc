// Options by the numbers that the C interface gives them.

import Config
import Testing

@testable import Reload

@Suite struct OptionsTests {
    private static let hundredYears: Int64 = 100 * 366 * 86_400_000

    /// What each option takes at least and at most, and where it is kept.
    private static let all: [(Int32, ClosedRange<Int64>, @Sendable (Options) -> Int64)] = [
        (1, 0...hundredYears, { $0.settleMilliseconds }),
        (2, 0...hundredYears, { $0.rescanMilliseconds }),
        (3, 1...hundredYears, { $0.pollMilliseconds }),
        (4, 0...1, { $0.isOptional ? 1 : 0 }),
        (5, 0...1, { $0.isDispatchManual ? 1 : 0 }),
        (6, 0...1000, { Int64($0.historyCount) }),
        (7, 0...hundredYears, { $0.drainMilliseconds }),
        (8, 0...hundredYears, { $0.confirmMilliseconds }),
        (9, 0...1, { $0.isSensitive ? 1 : 0 }),
        (10, 0...1, { $0.parsing.sniffJSON ? 1 : 0 }),
        (11, 0...1, { $0.parsing.isLenient ? 1 : 0 }),
        (12, 1...1 << 30, { Int64($0.limits.maxValueBytes) }),
        (13, 1...1 << 46, { Int64($0.limits.maxTotalBytes) }),
        (14, 1...1 << 46, { Int64($0.limits.maxKeys) }),
        (15, 1...1024, { Int64($0.limits.maxDepth) }),
        (16, 0...1, { $0.parsing.variables == nil ? 0 : 1 }),
        (17, 0...1, { $0.assertsFormat ? 1 : 0 }),
    ]

    @Test("each option keeps what it is given, its least and its most", arguments: all.indices)
    func bounds(_ index: Int) throws {
        let (number, range, kept) = OptionsTests.all[index]
        var options = Options()
        for value in [range.upperBound, range.lowerBound] {
            try options.set(number, to: value)
            #expect(kept(options) == value)
        }
        for value in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
            let failure = #expect(throws: Failure.self) { try options.set(number, to: value) }
            #expect(failure?.kind == .invalidArgument)
        }
        #expect(kept(options) == range.lowerBound)
    }

    @Test("a number that is no option is refused")
    func unknown() {
        var options = Options()
        for number: Int32 in [0, -1, 99, .min, .max] {
            #expect(throws: Failure.self) { try options.set(number, to: 1) }
        }
    }
}
