// Waiting for those who hold former versions, and letting a new version wait for those who hold the
// current one.

package import Config

/// A candidate that passed everything and waits for the holders of the current version.
struct Waiting {
    let composition: Composition
    let candidate: SharedSnapshot?
    let cause: Event.Cause
    /// Callers of `reload` whom it answers.
    var tickets: [ReloadTicket]
    /// When it is published although the current version is held.
    let deadline: Instant
}

extension Watcher {
    /// Waits until no caller holds a version older than `before`; how many are held when time is
    /// up.
    package func drain(before: UInt64, until deadline: Deadline) throws(Failure) -> Int {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            drainers += 1
            defer {
                drainers -= 1
                if drainers == 0, waiting == nil { current.snapshot?.stopTelling() }
            }
            while true {
                guard life == .started else {
                    throw Failure(.state, "the watcher is not started, or was stopped")
                }
                current.snapshot?.tellOfRelease()
                let held = reactor.heldSnapshots(of: current, before: before)
                if held == 0 || deadline.hasPassed { return held }
                reactor.lock.wait(until: deadline)
            }
        }
    }

    /// A good candidate: it is published, or waits for the holders of the current version. Under
    /// the lock.
    func offer(
        _ composition: Composition, _ candidate: SharedSnapshot?, cause: Event.Cause,
        tickets: [ReloadTicket]
    ) -> [ReloadTicket] {
        let before = waiting?.deadline ?? withdrawnDeadline
        let tickets = dropWaiting() + tickets
        if let now = self.composition, composition.content.isSame(as: now.content) {
            // The sources are back at what is current: there is nothing left to wait for.
            if let candidate { reactor.retire(candidate) }
            return tickets
        }
        if options.drainMilliseconds > 0, let snapshot = current.snapshot {
            snapshot.tellOfRelease()
            if snapshot.isHeldByCallers {
                let deadline =
                    before ?? Instant.now.advanced(byMilliseconds: options.drainMilliseconds)
                waiting = Waiting(
                    composition: composition, candidate: candidate, cause: cause,
                    tickets: tickets, deadline: deadline)
                reactor.note(deadline)
                return []
            }
            if drainers == 0 { snapshot.stopTelling() }
        }
        publish(composition, candidate: candidate, cause: cause)
        return tickets
    }

    /// The holders let go, or time is up. Under the lock.
    func publishWaiting() {
        guard let waiting else { return }
        self.waiting = nil
        publish(waiting.composition, candidate: waiting.candidate, cause: waiting.cause)
        for ticket in waiting.tickets { ticket.end(nil, version: version) }
        reactor.lock.wakeAll()
    }

    /// What waits is not published; those whom it would have answered. Under the lock.
    func dropWaiting() -> [ReloadTicket] {
        guard let waiting else { return [] }
        self.waiting = nil
        if let candidate = waiting.candidate { reactor.retire(candidate) }
        if drainers == 0 { current.snapshot?.stopTelling() }
        return waiting.tickets
    }

    /// Rules change: what waits passed the former ones only. It is loaded and judged again, and its
    /// callers go on waiting. Under the lock, by whoever loads.
    func withdrawWaiting() {
        guard let waiting, let composition else { return }
        withdrawnDeadline = waiting.deadline
        if waiting.cause == .reload { isReloadRequested = true }
        tickets = dropWaiting() + tickets
        for (layer, published) in zip(layers, composition.contents) where layer.source.canChange {
            layer.content = published
            layer.loadAgain()
        }
    }

    /// Nobody holds one of the former versions any more. Under the lock.
    func noteDrained(_ number: UInt64) {
        guard life == .started else { return }
        note { $0.noteDrained(number) }
    }
}
