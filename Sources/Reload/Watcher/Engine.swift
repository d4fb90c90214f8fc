// The threads behind all watchers, and the descriptors that they wait on. One thread leads: it
// waits for the kernel, loads, publishes and calls subscribers itself, without a hop to another
// thread. One is spare: when a callback takes longer than a moment, the spare takes the lead, and
// the thread that is stuck in the callback becomes the spare when it returns. So a slow callback
// delays nobody, and while callbacks return there are two.

/// One generation of threads: from the first watcher that starts to the last one that stops.
final class Engine: @unchecked Sendable {
    // Sendable: the counters and the inotify instance are guarded by the reactor's lock, the other
    // descriptors do not change while threads run.
    private unowned(unsafe) let reactor: Reactor
    private var waker: Waker?
    private var timer: Timer?

    /// How long a callback may take before somebody else takes the lead.
    private static let patienceMilliseconds: Int64 = 10
    /// The same of one that prepares for what may come at any moment.
    private static let rehearsalMilliseconds: Int64 = 1
    /// Threads that may be stuck in callbacks at once. Beyond that callbacks wait, loading and
    /// publishing do not.
    private static let mostStuck = 256
    /// How long callbacks wait before it is tried again to make a thread that could not be made.
    private static let retryMilliseconds: Int64 = 100

    // MARK: Guarded by the lock

    /// nil while the user has no instance left. One that is there stays.
    private var inotify: Inotify?
    private(set) var isStopping = false
    /// Nobody waits for the threads: they clean up after themselves.
    private var isUnattended = false
    private var threads: [Thread] = []
    private var finished: [Thread] = []
    private var running = 0
    private var spares = 0
    private var stuck = 0
    private var hasLeader = false
    /// Grows with each change of leader, so that one who was replaced notices.
    private var term = 0
    /// The leader is in callbacks that it is being timed for.
    private var isTimed = false

    /// Starts a thread that leads, and one that is spare. Under the lock.
    init(_ reactor: Reactor) throws(Errno) {
        self.reactor = reactor
        waker = try Waker()
        timer = try Timer()
        inotify = try? Inotify()
        try spawn()
        // The first one runs already and sees to a spare as soon as there can be one.
        try? spawn()
        Wakeup.open(waker?.number ?? -1)
    }

    // MARK: - Watches

    func watch(_ watch: Watch) throws(Errno) -> Int32 {
        let number = inotifyNumber
        if number < 0 { throw .tooManyOpenFiles }
        return try Inotify.add(watch.path, watch.mask, to: number)
    }

    func unwatch(_ watch: Int32) { Inotify.remove(watch, from: inotifyNumber) }

    private var inotifyNumber: Int32 {
        reactor.lock.withLock { inotify?.descriptor.number ?? -1 }
    }

    /// Without an instance the sources are polled; somebody may have freed one meanwhile.
    private func openInotify() {
        guard let opened = try? Inotify() else { return }
        reactor.lock.acquire()
        inotify = consume opened
        reactor.lock.release()
    }

    // MARK: - Threads

    /// One more thread, spare at first. Under the lock.
    private func spawn() throws(Errno) {
        let thread = try Thread(self) { context in
            guard let context else { return }
            Thread.take(context, as: Engine.self).run()
        }
        threads.append(thread)
        running += 1
        spares += 1
    }

    private func run() {
        let lock = reactor.lock
        lock.acquire()
        while !isStopping {
            if !hasLeader {
                hasLeader = true
                spares -= 1
                term += 1
                let mine = term
                lock.release()
                lead(mine)
                // A callback may have been the last to hold a version, and nobody else may come to
                // look.
                reactor.reclaim()
                lock.acquire()
                if term == mine { hasLeader = false } else { stuck -= 1 }
                spares += 1
                if spares > 1 && !isStopping { break }
                if reactor.hasRounds { reactor.wake() }
                continue
            }
            lock.release()
            timer?.wait()
            lock.acquire()
            if isTimed {
                // The leader is stuck in a callback: leave it there.
                isTimed = false
                hasLeader = false
                stuck += 1
            }
        }
        spares -= 1
        running -= 1
        retire()
        lock.wakeAll()
        lock.release()
    }

    /// The thread that calls this ends. Under the lock.
    private func retire() {
        guard let index = threads.firstIndex(where: { $0.isCurrent }) else { return }
        let thread = threads.remove(at: index)
        if isUnattended { thread.detach() } else { finished.append(thread) }
    }

    /// Waits, loads, tells, tidies; returns when the engine stops or another thread has taken the
    /// lead.
    private func lead(_ mine: Int) {
        let events = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
        defer { events.deallocate() }
        var inotifyNumber = inotifyNumber
        let wakerNumber = waker?.number ?? -1
        ensureSpare()
        reactor.tidy()
        while true {
            // What was queued before this thread took the lead comes first.
            while true {
                guard let ran = runAttempt(mine) else { return }
                if !runRounds(mine) { return }
                if !ran, !reactor.hasAttempts { break }
            }
            reactor.tidy()
            if reactor.lock.withLock({ endIfUnused() }) { return }
            let deadline = min(reactor.nextDeadline, nextTry())
            let ready = Poller.wait(inotifyNumber, wakerNumber, until: deadline)
            if ready.b {
                waker?.clear()
                if reactor.lock.withLock({ isStopping }) { return }
                reactor.takeReloadRequests()
            }
            if ready.a {
                let count = Inotify.read(inotifyNumber, into: events)
                reactor.handle(UnsafeRawBufferPointer(rebasing: events.prefix(count)))
            }
            // A source that is polled sets its watches anew in the load that it is due for now.
            if reactor.handleTime(), inotifyNumber < 0 {
                openInotify()
                inotifyNumber = self.inotifyNumber
            }
        }
    }

    /// Calls the subscribers that have something to hear. False when another thread took the lead
    /// meanwhile.
    private func runRounds(_ mine: Int) -> Bool {
        while canCall(), let (watcher, isNews) = reactor.takeRound() {
            let patience = isNews ? Engine.patienceMilliseconds : Engine.rehearsalMilliseconds
            let leads = timed(mine, for: patience) {
                _ = reactor.runRound(of: watcher, watcher.threadSubscribers, isRepeated: true)
            }
            if !leads {
                // Whoever leads now sees to what there is to look at after the round.
                reactor.wake()
                return false
            }
        }
        return true
    }

    /// One attempt; whether there was one, or nil when another thread took the lead meanwhile.
    private func runAttempt(_ mine: Int) -> Bool? {
        guard reactor.nextAttemptCallsTheHost else { return reactor.runAttempt() }
        ensureSpare()
        var ran = false
        let leads = timed(mine, for: Engine.patienceMilliseconds) { ran = reactor.runAttempt() }
        if leads { return ran }
        // As after a round.
        reactor.wake()
        return nil
    }

    /// Runs what calls the host; false when that took long and another thread took the lead.
    private func timed(_ mine: Int, for milliseconds: Int64, _ body: () -> Void) -> Bool {
        reactor.lock.withLock { isTimed = true }
        timer?.arm(milliseconds: milliseconds)
        body()
        return reactor.lock.withLock { () -> Bool in
            if term != mine || !isTimed { return false }
            isTimed = false
            // Under the lock: a stop that has begun needs the timer to end the spare thread.
            if !isStopping { timer?.disarm() }
            return true
        }
    }

    /// Whether the leader may go into callbacks: there is a spare, or nobody who could come back as
    /// one.
    private func canCall() -> Bool {
        if !reactor.lock.withLock({ reactor.hasRounds }) { return false }
        ensureSpare()
        return reactor.lock.withLock { spares > 0 || stuck == 0 }
    }

    /// When to see to a spare thread again: callbacks wait for one that could not be made, and
    /// nothing else may happen that leads back here. At the bound a thread that returns wakes.
    private func nextTry() -> Instant {
        let isOverdue = reactor.lock.withLock {
            reactor.hasRounds && spares == 0 && stuck < Engine.mostStuck
        }
        return isOverdue ? .now.advanced(byMilliseconds: Engine.retryMilliseconds) : .never
    }

    /// Sees to it that there is a spare thread, and joins those that were one too many.
    private func ensureSpare() {
        let gone = reactor.lock.withLock { () -> [Thread] in
            if spares == 0, stuck < Engine.mostStuck, !isStopping { try? spawn() }
            defer { finished.removeAll() }
            return finished
        }
        for thread in gone { thread.join() }
    }

    // MARK: - End. Under the lock.

    /// Ends the threads, and waits for those that are not in a callback, at most until the
    /// deadline.
    func stop(until deadline: Deadline) {
        isStopping = true
        waker?.signal()
        timer?.expireNow()
        while running > stuck + (isTimed ? 1 : 0), !deadline.hasPassed {
            reactor.lock.wait(until: deadline)
        }
        Wakeup.close()
        // Those that return from their callbacks later find nobody to join them.
        isUnattended = true
        let gone = finished
        finished.removeAll()
        reactor.lock.release()
        for thread in gone { thread.join() }
        reactor.tidy()
        reactor.lock.acquire()
    }

    private var endsItself = false

    /// The last watcher was destroyed inside a callback, where nobody can wait for the threads.
    func stopItself() {
        endsItself = true
        waker?.signal()
    }

    private func endIfUnused() -> Bool {
        guard endsItself, reactor.isUnused, !isStopping else { return isStopping }
        isStopping = true
        isUnattended = true
        timer?.expireNow()
        Wakeup.close()
        for thread in finished { thread.detach() }
        finished.removeAll()
        reactor.disconnect(self)
        return true
    }

    /// In the child of a fork(2): a thread of this engine that forked inside a callback ends when
    /// it returns.
    func abandon() {
        isStopping = true
        isUnattended = true
    }

    /// In the child of a fork(2): what the parent's threads wait on is not this process's.
    func closeDescriptors() {
        inotify = nil
        waker = nil
        timer = nil
    }
}
