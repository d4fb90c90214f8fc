// One source of a watcher and its last good content. Layers lie on each other in the order in which
// they were added; a later one wins, key by key.

internal import Config

/// A source with what the watcher knows of it. The state is guarded by the reactor's lock;
/// `source`, `examined`, `needsArming` and the content belong to whoever loads.
package final class Layer {
    package let source: any Source
    package let isOptional: Bool

    // MARK: Guarded by the lock

    package var state = ReloadState.idle
    /// When the source is looked at again without a signal: it is polled, lost or could not be
    /// read.
    package var nextCheck = Instant.never
    /// The next load reads it in any case: what is changed within a generation does not show in
    /// the generation's name.
    package var needsReading = false
    /// Nothing but time asks for the next load.
    package var isDueByTime = false
    /// What the kernel watches for it.
    package var registrations: [Registration] = []
    /// The watches came loose or may lead elsewhere now: they are set anew before the next load.
    package var needsArming = true
    /// The kernel has no watches left to give.
    package var isUnwatched = false
    /// The kernel cannot tell of changes: the source is polled.
    package var isPolled = false
    package var health = Health.good
    /// It has new content that could not be laid on the other layers'.
    package var isHeldBack = false

    // MARK: Owned by the load

    /// The last good content; nil before the first.
    package var content: Content?
    /// What it offered and was left again.
    var quarantine = Quarantine()
    /// What was asked to be watched when the watches were last set.
    package var watched: [Watch] = []
    /// The generation that was read last, good or bad; nil when it has to be read in any case.
    package var examined: Generation?
    /// Why what it offered last did not parse: it is parsed again when formats change, or somebody
    /// asks.
    var refused: Rejection?
    /// The fingerprint of content that waits or was rejected, once what it was forgiven is told.
    var warnedOf: UInt64?

    package init(_ source: any Source, isOptional: Bool) {
        self.source = source
        self.isOptional = isOptional
    }

    /// As before a start that failed.
    package func reset() {
        state = .idle
        nextCheck = .never
        needsArming = true
        health = .good
        isHeldBack = false
        content = nil
        quarantine = Quarantine()
        watched = []
        examined = nil
        refused = nil
        warnedOf = nil
        source.reset()
    }

    /// What was made of its bytes does not count any more. Under the lock, by whoever loads.
    func loadAgain() {
        examined = nil
        // One that is being written is loaded when it is quiet.
        if state == .idle { state = .due }
    }

    /// How the source is doing.
    package enum Health {
        case good
        /// It was there and is gone or empty; `content` is the last good one.
        case lost
        /// Its newest content was not accepted.
        case rejected(Rejection)
    }

    package var isGood: Bool {
        switch health {
        case .good: return true
        case .lost, .rejected: return false
        }
    }

    package var isLost: Bool {
        switch health {
        case .lost: return true
        case .good, .rejected: return false
        }
    }
}

/// A watch that the kernel holds for a layer.
package struct Registration {
    package let number: Int32
    package let watch: Watch
}
