// The two clocks: monotonic for waiting, real time for telling people.

internal import CSystem

/// A moment on the monotonic clock.
package struct Instant: Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: Instant { Instant(nanoseconds: cs_monotonic_now()) }
    package static var never: Instant { Instant(nanoseconds: .max) }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates: far enough is never.
    package func advanced(byMilliseconds milliseconds: Int64) -> Instant {
        let (product, tooMany) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooFar) = nanoseconds.addingReportingOverflow(product)
        return tooMany || tooFar ? .never : Instant(nanoseconds: sum)
    }
}

/// Until when a caller waits.
package struct Deadline: Sendable {
    package let nanoseconds: Int64

    /// `timeout_ms` of the C interface: negative waits for ever, 0 does not wait.
    package init(timeoutMilliseconds: Int64) {
        nanoseconds =
            timeoutMilliseconds < 0
            ? .max : Instant.now.advanced(byMilliseconds: timeoutMilliseconds).nanoseconds
    }

    package static var never: Deadline { Deadline(timeoutMilliseconds: -1) }
    package var hasPassed: Bool { nanoseconds != .max && cs_monotonic_now() >= nanoseconds }
}

/// Unix time in nanoseconds.
package func unixTime() -> Int64 { cs_realtime_now() }

/// Unix time as text, in UTC to the second: "2006_01_02_15_04_05".
package func utcTimestamp() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 20) { text in
        cs_utc_timestamp(text.baseAddress)
        return text.baseAddress.map { String(cString: $0) } ?? ""
    }
}

/// A number that nobody can foretell.
package func randomNumber() -> UInt32 { cs_random() }
