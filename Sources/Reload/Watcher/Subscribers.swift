// Who hears of a watcher, and what they have yet to hear. A watcher has two of these: the
// subscribers that are called on the library's threads, and those that are called in `dispatch`.
// All state is guarded by the lock.

internal import Config

/// Subscribers that are called one after the other, in rounds that never overlap.
final class Subscribers {
    private(set) var all: [Subscriber] = []
    /// A round runs: somebody is calling subscribers.
    var isRunning = false

    /// What the last round told; held, for the next one to compare with.
    private var told: SharedSnapshot?
    /// There are versions that nobody was told of; the cause of the newest.
    private var published: Event.Cause?
    private var rejected: (rejection: Rejection, cause: Event.Cause)?
    /// Lost and recovered sources, the newest word for each.
    private var sources: [(kind: Event.Kind, failure: Failure, cause: Event.Cause)] = []

    /// The highest version that nobody holds any more, if somebody wants to hear of that.
    private var drained: UInt64 = 0
    /// A source is about to change, if somebody wants to hear of that.
    private var isUpcoming = false

    var hasPending: Bool { hasNews || isUpcoming }
    /// There is more to tell than that something may be about to come.
    var hasNews: Bool {
        published != nil || rejected != nil || !sources.isEmpty || drained > 0
    }

    func add(_ subscriber: Subscriber) { all.append(subscriber) }

    /// Before anything is told of: they are called there instead, after those that are.
    func moveAll(to others: Subscribers) {
        others.all += all
        all.removeAll()
    }

    /// The subscriber that was there. Without any nothing is pending, and whoever comes next begins
    /// at `current`.
    func remove(_ id: UInt64, current: SharedSnapshot?) -> Subscriber? {
        guard let index = all.firstIndex(where: { $0.id == id }) else { return nil }
        let subscriber = all.remove(at: index)
        subscriber.isRemoved = true
        if !subscriber.isRunning { subscriber.forgetBeginning() }
        if all.isEmpty {
            dropPending()
            if let current { tell(current) }
        }
        return subscriber
    }

    // MARK: - Something happened

    func notePublished(_ snapshot: SharedSnapshot, _ cause: Event.Cause) {
        if all.isEmpty {
            tell(snapshot)
        } else {
            // Versions that wait become one event; the first version stays one that nobody knows
            // of.
            published = published == .start ? .start : cause
            rejected = nil
        }
    }

    func noteRejected(_ rejection: Rejection, _ cause: Event.Cause) {
        if !all.isEmpty { rejected = (rejection, cause) }
    }

    func noteSource(_ kind: Event.Kind, _ failure: Failure, _ cause: Event.Cause) {
        if all.isEmpty { return }
        sources.removeAll { $0.failure.key.isIdentical(to: failure.key) }
        sources.append((kind, failure, cause))
    }

    func noteDrained(_ version: UInt64) {
        if all.contains(where: { $0.flags.contains(.drained) }) { drained = max(drained, version) }
    }

    func noteUpcoming() {
        if all.contains(where: { $0.flags.contains(.upcoming) }) { isUpcoming = true }
    }

    func dropPending() {
        published = nil
        rejected = nil
        sources.removeAll()
        drained = 0
        isUpcoming = false
        if let told { told.engineRelease() }
        told = nil
        for subscriber in all where !subscriber.isRunning { subscriber.forgetBeginning() }
    }

    private func tell(_ snapshot: SharedSnapshot) {
        if let told { told.engineRelease() }
        snapshot.engineRetain()
        told = snapshot
    }

    // MARK: - A round

    /// What one round tells: each of these to each subscriber, in this order.
    struct Round {
        let subscribers: [Subscriber]
        let events: [Event]
        /// Held until `end`.
        fileprivate let held: [SharedSnapshot]

        /// Somebody prepares for what may be about to come; the watcher does so too.
        var isRehearsed: Bool { events.first?.kind == .upcoming }

        /// The round is over. Under the lock.
        func end() { for snapshot in held { snapshot.engineRelease() } }
    }

    /// Takes what is pending.
    func beginRound(current: SharedSnapshot?) -> Round {
        var events: [Event] = []
        var held: [SharedSnapshot] = []
        if let current {
            current.engineRetain()
            held.append(current)
        }
        // Not once it has come.
        if isUpcoming, published == nil { events.append(Event(.upcoming, .change, current)) }
        for source in sources {
            events.append(Event(source.kind, source.cause, current, failure: source.failure))
        }
        if let cause = published, let current {
            if let told {
                told.engineRetain()
                held.append(told)
            }
            events.append(Event(.published, cause, current, previous: told))
            tell(current)
        }
        if let rejected {
            let rejection = rejected.rejection
            events.append(
                Event(
                    .rejected, rejected.cause, current, failure: rejection.failure,
                    violations: rejection.violations))
        }
        if drained > 0 { events.append(Event(.drained, .change, current, drained: drained)) }
        published = nil
        rejected = nil
        sources.removeAll()
        drained = 0
        isUpcoming = false
        return Round(subscribers: all, events: events, held: held)
    }
}

extension Event {
    /// The event with its changes, as a subscriber with this pattern is to hear it; nil when none
    /// of its keys changed. The changes are to be freed after the call. `name` is the watcher's.
    func narrowed(to pattern: KeyPattern?, of name: String) -> Event? {
        guard kind == .published, let snapshot else { return self }
        let changes: Changes
        do throws(Failure) {
            changes = try Changes.between(
                previous?.body, snapshot.body, matching: pattern, memory: .system)
        } catch {
            // Without memory for the list the event still comes: the version is what counts.
            Log.write(.error, of: name, error.message)
            return self
        }
        if pattern != nil, changes.count == 0 { return nil }
        return Event(kind, cause, snapshot, previous: previous, changes: changes)
    }
}
