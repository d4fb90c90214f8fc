// What a watcher has done so far: counters under the lock, copied out as a whole.

/// The counters of one watcher.
package struct Stats: Sendable {
    package var isHealthy = false
    package var version: UInt64 = 0
    package var succeeded: UInt64 = 0
    package var rejected: UInt64 = 0
    package var unchanged: UInt64 = 0
    package var sourceErrors: UInt64 = 0
    package var overflows: UInt64 = 0
    package var rescans: UInt64 = 0
    package var callbacks: UInt64 = 0
    package var lastSuccessNanoseconds: Int64 = 0
    package var lastFailureNanoseconds: Int64 = 0
    package private(set) var lastDurationNanoseconds: Int64 = 0
    /// Of attempts that read a source: those that only looked would hide them.
    package private(set) var durations = Histogram()
    package var polling: UInt32 = 0
    package var heldSnapshots: UInt32 = 0

    /// An attempt has ended, with or without a result.
    mutating func noteAttempt(nanoseconds: Int64, hasRead: Bool) {
        lastDurationNanoseconds = nanoseconds
        if hasRead { durations.add(nanoseconds: nanoseconds) }
    }
}

extension Watcher {
    /// Under the lock.
    var isHealthy: Bool {
        version > 0 && rejectedTogether == nil && layers.allSatisfy { $0.isGood }
    }

    package func copyStats() -> Stats {
        reactor.lock.withLock {
            var copy = currentStats
            copy.heldSnapshots = UInt32(clamping: reactor.heldSnapshots(of: current))
            return copy
        }
    }

    /// All but what is held. Under the lock.
    var currentStats: Stats {
        var copy = stats
        copy.version = version
        copy.isHealthy = isHealthy
        copy.polling = UInt32(layers.count(where: { $0.isPolled }))
        return copy
    }

    /// Under the lock: the line is written when nobody holds it.
    func log(_ level: LogLevel, _ line: @autoclosure () -> String) {
        Log.defer(level, of: name, line())
    }
}
