// What subscribers are told, before it takes the shape of a C struct.

package import Config

/// One event for one subscriber. Everything in it lives for the call.
package struct Event {
    package enum Kind: UInt32, Sendable {
        case published = 1
        case rejected = 2
        case sourceLost = 3
        case sourceRecovered = 4
        case drained = 5
        case upcoming = 6
    }

    package enum Cause: UInt32, Sendable {
        case start = 1
        case change = 2
        case reload = 3
        case rollback = 4
    }

    package let kind: Kind
    package let cause: Cause
    /// That of the snapshot; of `drained` the one that nobody holds any more.
    package let version: UInt64
    package let snapshot: SharedSnapshot?
    package let previous: SharedSnapshot?
    package let changes: Changes
    package let failure: Failure?
    /// All that a schema found.
    package let violations: Violations?

    init(
        _ kind: Kind, _ cause: Cause, _ snapshot: SharedSnapshot?,
        previous: SharedSnapshot? = nil, changes: Changes = .none, failure: Failure? = nil,
        violations: Violations? = nil, drained: UInt64? = nil
    ) {
        self.kind = kind
        self.cause = cause
        self.version = drained ?? snapshot?.version ?? 0
        self.snapshot = snapshot
        self.previous = previous
        self.changes = changes
        self.failure = failure
        self.violations = violations
    }
}

/// What somebody asks for who subscribes; the numbers are those of the header's flags.
package struct SubscriptionFlags: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// It is called in `dispatch`.
    package static let manual = SubscriptionFlags(rawValue: 1)
    /// It hears of drained versions.
    package static let drained = SubscriptionFlags(rawValue: 2)
    /// It hears that a version may be about to come.
    package static let upcoming = SubscriptionFlags(rawValue: 4)

    package static let all: SubscriptionFlags = [.manual, .drained, .upcoming]
}

/// Somebody who wants to hear.
package final class Subscriber {
    package let id: UInt64
    /// The version that was current when it subscribed: it hears of newer ones.
    let since: UInt64
    let pattern: KeyPattern?
    let flags: SubscriptionFlags
    let receive: (Event) -> Void

    // Guarded by the lock.
    var isRemoved = false
    var isRunning = false
    /// The snapshot of `since`, held until the first event compares with it.
    private(set) var beginning: SharedSnapshot?

    init(
        id: UInt64, since: SharedSnapshot?, pattern: KeyPattern?, flags: SubscriptionFlags,
        receive: @escaping (Event) -> Void
    ) {
        self.id = id
        self.since = since?.version ?? 0
        since?.engineRetain()
        beginning = since
        self.pattern = pattern
        self.flags = flags
        self.receive = receive
    }

    /// What others are told of more than it missed, it is told from where it began.
    func viewed(_ event: Event) -> Event {
        guard let beginning, event.kind == .published, (event.previous?.version ?? 0) < since else {
            return event
        }
        let cause = event.cause == .start ? .change : event.cause
        return Event(.published, cause, event.snapshot, previous: beginning)
    }

    /// Under the lock.
    func forgetBeginning() {
        beginning?.engineRelease()
        beginning = nil
    }
}
