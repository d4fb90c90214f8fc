// When a layer is due: a pure machine, on a clock of the tests' own.

import Testing

@testable import Reload

private let start = Instant(nanoseconds: 1_000_000_000_000)
private func at(_ milliseconds: Int64) -> Instant { start.advanced(byMilliseconds: milliseconds) }

@Suite struct ReloadStateTests {
    @Test("a mount is due as soon as it signals")
    func mount() {
        var state = ReloadState.idle
        state.onSignal(at: start, settle: nil)
        #expect(state == .due)
    }

    @Test("a settle time of 0 does not wait")
    func noSettling() {
        var state = ReloadState.idle
        state.onSignal(at: start, settle: 0)
        #expect(state == .due)
    }

    @Test("a plain directory is due when it was quiet for the settle time, not before")
    func quiet() {
        var state = ReloadState.idle
        state.onSignal(at: start, settle: 100)
        #expect(state.deadline == at(100))
        state.onTime(at(99))
        #expect(state != .due)
        state.onTime(at(100))
        #expect(state == .due)
    }

    @Test("each write starts the settle time anew")
    func writes() {
        var state = ReloadState.idle
        state.onSignal(at: start, settle: 100)
        state.onSignal(at: at(60), settle: 100)
        state.onTime(at(159))
        #expect(state != .due)
        state.onTime(at(160))
        #expect(state == .due)
    }

    @Test("continuous writes do not put a load off beyond ten settle times")
    func ceiling() {
        var state = ReloadState.idle
        for time in stride(from: Int64(0), to: 5_000, by: 50) {
            state.onSignal(at: at(time), settle: 100)
            state.onTime(at(time))
            if state == .due {
                #expect(time == 1_000)
                return
            }
        }
        Issue.record("never due")
    }

    @Test("a signal during a load is for the next one")
    func duringLoad() {
        var state = ReloadState.due
        state.onLoad()
        #expect(state == .idle)
        state.onSignal(at: start, settle: nil)
        #expect(state == .due)
    }

    @Test("a write does not put off a load that is due")
    func stayDue() {
        var state = ReloadState.due
        state.onSignal(at: start, settle: 100)
        #expect(state == .due)
    }

    @Test("moments too far away are never")
    func saturates() {
        #expect(Instant(nanoseconds: .max - 5).advanced(byMilliseconds: 1) == .never)
        #expect(start.advanced(byMilliseconds: .max) == .never)
    }
}
