// What a caller may set before start, with the defaults and the reasons for them.

package import Config

/// The options of one watcher.
package struct Options: Sendable {
    /// How long a plain directory or file has to be quiet before it is loaded: an editor writes in
    /// several steps.
    package var settleMilliseconds: Int64 = 100
    /// How often all sources are looked at although nothing was notified; 0 is never.
    package var rescanMilliseconds: Int64 = 10_000
    /// How often sources are looked at that cannot notify.
    package var pollMilliseconds: Int64 = 1_000
    /// Whether sources that are added from now on may be missing at start.
    package var isOptional = false
    /// Whether all subscribers are called in `dispatch`.
    package var isDispatchManual = false
    /// How many versions before the current one are kept to look or go back to.
    package var historyCount = 10
    /// How long a version waits for the holders of the one before it; 0 does not wait.
    package var drainMilliseconds: Int64 = 0
    /// How long a version may stay unconfirmed; 0 needs no confirmation.
    package var confirmMilliseconds: Int64 = 0
    /// Whether `format` is more than an annotation in schemas that are set from now on.
    package var assertsFormat = false
    /// Whether values are secrets: no trace of them may stay.
    package var isSensitive = false
    package var parsing = ParseOptions()
    package var limits = Limits()

    package init() {}

    /// Where everything that holds a value lies.
    package var memory: Memory { isSensitive ? .sensitive : .system }

    /// Under continuous writes a load comes after this many settle times all the same.
    package static let settleCeiling: Int64 = 10

    /// Sets an option by the number that the C interface gives it.
    package mutating func set(_ option: Int32, to value: Int64) throws(Failure) {
        switch option {
        case 1: settleMilliseconds = try Options.checked(value, 0...Options.longest)
        case 2: rescanMilliseconds = try Options.checked(value, 0...Options.longest)
        case 3: pollMilliseconds = try Options.checked(value, 1...Options.longest)
        case 4: isOptional = try Options.checked(value, 0...1) == 1
        case 5: isDispatchManual = try Options.checked(value, 0...1) == 1
        case 6: historyCount = Int(try Options.checked(value, 0...Options.longestHistory))
        case 7: drainMilliseconds = try Options.checked(value, 0...Options.longest)
        case 8: confirmMilliseconds = try Options.checked(value, 0...Options.longest)
        case 9: isSensitive = try Options.checked(value, 0...1) == 1
        case 10: parsing.sniffJSON = try Options.checked(value, 0...1) == 1
        case 11: parsing.isLenient = try Options.checked(value, 0...1) == 1
        case 12:
            limits.maxValueBytes = Int(
                try Options.checked(value, 1...Int64(Limits.valueBytesCeiling)))
        case 13: limits.maxTotalBytes = Int(try Options.checked(value, 1...Options.largest))
        case 14: limits.maxKeys = Int(try Options.checked(value, 1...Options.largest))
        case 15: limits.maxDepth = Int(try Options.checked(value, 1...Int64(Limits.depthCeiling)))
        case 16:
            let isOn = try Options.checked(value, 0...1) == 1
            parsing.variables = isOn ? Environment.value : nil
        case 17: assertsFormat = try Options.checked(value, 0...1) == 1
        default: throw Failure(.invalidArgument, "there is no such option")
        }
    }

    /// A hundred years; far from where sums of nanoseconds overflow.
    private static let longest: Int64 = 100 * 366 * 86_400_000
    /// A version costs memory for as long as the history has it.
    private static let longestHistory: Int64 = 1000
    /// Far from where sums of sizes overflow, and more than any machine holds.
    private static let largest: Int64 = 1 << 46

    private static func checked(_ value: Int64, _ range: ClosedRange<Int64>) throws(Failure)
        -> Int64
    {
        guard range.contains(value) else {
            throw Failure(.invalidArgument, "the option does not take this value")
        }
        return value
    }
}
