// What subscribers are told, before it takes the shape of a C struct.

package import Config

/// One event for one subscriber. Everything in it lives for the call.
package struct Event {
    package enum Kind: UInt32, Sendable {
        case published = 1
        case rejected = 2
        case sourceLost = 3
        case sourceRecovered = 4
    }

    package enum Cause: UInt32, Sendable {
        case start = 1
        case change = 2
        case reload = 3
    }

    package let kind: Kind
    package let cause: Cause
    package let snapshot: SharedSnapshot?
    package let previous: SharedSnapshot?
    package let changes: Changes
    package let failure: Failure?
}

/// Somebody who wants to hear.
package final class Subscriber {
    package let id: UInt64
    /// The version that was current when it subscribed: it hears of newer ones.
    let since: UInt64
    let pattern: KeyPattern?
    let isManual: Bool
    let receive: (Event) -> Void

    // Guarded by the lock.
    var isRemoved = false
    var isRunning = false

    init(
        id: UInt64, since: UInt64, pattern: KeyPattern?, isManual: Bool,
        receive: @escaping (Event) -> Void
    ) {
        self.id = id
        self.since = since
        self.pattern = pattern
        self.isManual = isManual
        self.receive = receive
    }
}
