// When a layer is to be loaded: a pure machine. A signal is a hint, so it never says what to load,
// only that it is time to look.

/// Whether a layer waits to be loaded, and for what.
package enum ReloadState: Equatable {
    /// Nothing suggests that the source changed.
    case idle
    /// The source was written to; it is loaded when it is quiet at `quiet`, at the latest at
    /// `ceiling`.
    case settling(quiet: Instant, ceiling: Instant)
    /// The source is to be loaded now.
    case due

    /// The source may have changed. `settle`: how long it has to be quiet first; nil when what is
    /// seen is complete.
    package mutating func onSignal(at now: Instant, settle: Int64?) {
        guard let settle, settle > 0 else {
            self = .due
            return
        }
        let quiet = now.advanced(byMilliseconds: settle)
        switch self {
        case .idle:
            self = .settling(
                quiet: quiet, ceiling: now.advanced(byMilliseconds: settle * Options.settleCeiling))
        case .settling(_, let ceiling):
            self = .settling(quiet: min(quiet, ceiling), ceiling: ceiling)
        case .due: break
        }
    }

    /// Time has passed.
    package mutating func onTime(_ now: Instant) {
        switch self {
        case .settling(let quiet, _): if now >= quiet { self = .due }
        case .idle, .due: break
        }
    }

    /// The layer is being loaded: what is signalled from now on is for the next load.
    package mutating func onLoad() { self = .idle }

    /// When `onTime` has something to do.
    package var deadline: Instant {
        switch self {
        case .settling(let quiet, _): return quiet
        case .idle, .due: return .never
        }
    }
}
