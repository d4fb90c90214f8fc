// Calling subscribers: the one place where the host's code runs on the library's threads. No lock
// is held here while it does.

internal import Config

extension Reactor {
    /// Tells a watcher's subscribers of one kind what is pending.
    ///
    /// - Parameters:
    ///   - isReserved: the caller has taken the round already, by setting `isRunning`.
    ///   - begun: what the round tells, if the caller has taken that too.
    ///   - isRepeated: goes on until nothing is pending.
    /// - Returns: how many calls that were.
    func runRound(
        of watcher: Watcher, _ subscribers: Subscribers, isReserved: Bool = false,
        begun: Subscribers.Round? = nil, isRepeated: Bool
    ) -> Int {
        lock.acquire()
        if !isReserved, begun == nil {
            guard !subscribers.isRunning else {
                lock.release()
                return 0
            }
            subscribers.isRunning = true
        }
        var calls = 0
        var begun = begun
        repeat {
            guard begun != nil || watcher.life == .started && subscribers.hasPending else { break }
            let round = begun ?? subscribers.beginRound(current: watcher.current.snapshot)
            begun = nil
            lock.release()
            for event in round.events {
                for subscriber in round.subscribers where call(subscriber, event, of: watcher) {
                    calls += 1
                }
            }
            lock.acquire()
            round.end()
            if round.isRehearsed { watcher.rehearse() }
        } while isRepeated
        subscribers.isRunning = false
        if watcher.life == .started, watcher.threadSubscribers.hasPending,
            !watcher.threadSubscribers.isRunning
        {
            queueRound(watcher)
            wake()
        }
        // On a thread of the host's nobody tidies up after the round.
        let isUntidy = !isRepeated && hasRetired
        lock.wakeAll()
        lock.release()
        watcher.finish()
        if isUntidy { Reclaimer.request() }
        return calls
    }

    /// Calls one subscriber, unless it does not want to hear of this.
    private func call(_ subscriber: Subscriber, _ event: Event, of watcher: Watcher) -> Bool {
        if event.kind == .published, event.version <= subscriber.since { return false }
        if event.kind == .drained, !subscriber.flags.contains(.drained) { return false }
        if event.kind == .upcoming, !subscriber.flags.contains(.upcoming) { return false }
        let viewed = lock.withLock { () -> Event? in
            guard !subscriber.isRemoved, watcher.life == .started else { return nil }
            subscriber.isRunning = true
            return subscriber.viewed(event)
        }
        guard let viewed else { return false }
        let told = viewed.narrowed(to: subscriber.pattern, of: watcher.name)
        if let told {
            if event.kind != .upcoming { lock.withLock { watcher.countCallback() } }
            RunningCallback.run(watcher.current.base) { subscriber.receive(told) }
            told.changes.free(.system)
        }
        lock.withLock {
            subscriber.isRunning = false
            // Whoever went meanwhile hears of no version that would be compared with it.
            let isOver = subscriber.isRemoved || watcher.life != .started
            if event.kind == .published || isOver { subscriber.forgetBeginning() }
            if subscriber.isRemoved { lock.wakeAll() }
        }
        return told != nil
    }
}
