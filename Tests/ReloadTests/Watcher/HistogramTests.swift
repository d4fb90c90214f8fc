// Durations and the buckets that they fall into.

import Testing

@testable import Reload

@Suite struct HistogramTests {
    private func cumulated(_ histogram: Histogram) -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        histogram.forEachBound { counts[$0.label.description] = $1 }
        return counts
    }

    @Test func `bounds rise from 50 microseconds to 10 seconds, and are labelled in seconds`() {
        var before: Int64 = 0
        Histogram().forEachBound { bound, _ in
            #expect(bound.nanoseconds > before)
            #expect(Double(bound.label.description) == Double(bound.nanoseconds) / 1e9)
            before = bound.nanoseconds
        }
        #expect(Histogram.bounds[0].nanoseconds == 50_000)
        #expect(before == 10_000_000_000)
    }

    @Test func `a duration counts for its bucket and for all above, a bound belongs to its own`() {
        var histogram = Histogram()
        for nanoseconds: Int64 in [0, 50_000, 50_001, 3_000_000, 10_000_000_000, 10_000_000_001] {
            histogram.add(nanoseconds: nanoseconds)
        }
        let counts = cumulated(histogram)
        #expect(counts["5e-05"] == 2)
        #expect(counts["0.0001"] == 3)
        #expect(counts["0.0025"] == 3)
        #expect(counts["0.005"] == 4)
        #expect(counts["5"] == 4)
        #expect(counts["10"] == 5)
        #expect(histogram.count == 6)
        #expect(histogram.sumNanoseconds == 20_003_100_002)
    }

    @Test func `sums beyond what an integer holds are no reason to trap`() {
        var histogram = Histogram()
        histogram.add(nanoseconds: .max)
        histogram.add(nanoseconds: .max)
        #expect(histogram.count == 2)
    }
}
