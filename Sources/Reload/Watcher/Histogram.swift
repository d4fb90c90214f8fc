// How long reloads take, counted by upper bounds: from well below what a small mount takes to what
// only a sick file system does.

/// Durations in buckets. A value, copied whole.
package struct Histogram: Sendable {
    /// A bucket's upper bound, and how Prometheus writes it, in seconds.
    package struct Bound: Sendable {
        package let nanoseconds: Int64
        package let label: StaticString
    }

    package static let bounds: InlineArray<17, Bound> = [
        Bound(nanoseconds: 50_000, label: "5e-05"),
        Bound(nanoseconds: 100_000, label: "0.0001"),
        Bound(nanoseconds: 250_000, label: "0.00025"),
        Bound(nanoseconds: 500_000, label: "0.0005"),
        Bound(nanoseconds: 1_000_000, label: "0.001"),
        Bound(nanoseconds: 2_500_000, label: "0.0025"),
        Bound(nanoseconds: 5_000_000, label: "0.005"),
        Bound(nanoseconds: 10_000_000, label: "0.01"),
        Bound(nanoseconds: 25_000_000, label: "0.025"),
        Bound(nanoseconds: 50_000_000, label: "0.05"),
        Bound(nanoseconds: 100_000_000, label: "0.1"),
        Bound(nanoseconds: 250_000_000, label: "0.25"),
        Bound(nanoseconds: 500_000_000, label: "0.5"),
        Bound(nanoseconds: 1_000_000_000, label: "1"),
        Bound(nanoseconds: 2_500_000_000, label: "2.5"),
        Bound(nanoseconds: 5_000_000_000, label: "5"),
        Bound(nanoseconds: 10_000_000_000, label: "10"),
    ]

    /// How many durations each bound is the first to hold.
    private var counts = InlineArray<17, UInt64>(repeating: 0)
    /// How many there are, also of those beyond the last bound.
    package private(set) var count: UInt64 = 0
    package private(set) var sumNanoseconds: Int64 = 0

    package init() {}

    package mutating func add(nanoseconds: Int64) {
        count &+= 1
        // 292 years of reloading.
        sumNanoseconds &+= nanoseconds
        for index in counts.indices where nanoseconds <= Histogram.bounds[index].nanoseconds {
            counts[index] &+= 1
            return
        }
    }

    /// Calls `body` with each bound, and how many durations are not above it.
    package func forEachBound(_ body: (Bound, _ cumulated: UInt64) -> Void) {
        var cumulated: UInt64 = 0
        for index in counts.indices {
            cumulated &+= counts[index]
            body(Histogram.bounds[index], cumulated)
        }
    }
}
