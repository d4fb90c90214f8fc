// Who hears of a watcher: coming, going, and being called on the host's own threads.

package import Config

extension Watcher {
    package func subscribe(
        pattern: KeyPattern?, flags: SubscriptionFlags, receive: @escaping (Event) -> Void
    ) throws(Failure) -> UInt64 {
        try reactor.lock.withLock { () throws(Failure) in
            guard life != .stopped else { throw Failure(.state, "the watcher was stopped") }
            lastSubscription += 1
            // Until the start the option may still change.
            let isManual = flags.contains(.manual) || life != .created && options.isDispatchManual
            let subscriber = Subscriber(
                id: lastSubscription, since: current.snapshot, pattern: pattern, flags: flags,
                receive: receive)
            (isManual ? manualSubscribers : threadSubscribers).add(subscriber)
            return subscriber.id
        }
    }

    package func unsubscribe(_ id: UInt64) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            let running = RunningCallback.watcher
            if let running, running != current.base {
                throw Failure(.state, "not inside a callback of another watcher")
            }
            let newest = current.snapshot
            let removed =
                threadSubscribers.remove(id, current: newest)
                ?? manualSubscribers.remove(id, current: newest)
            guard let subscriber = removed else {
                throw Failure(.notFound, "there is no such subscription")
            }
            // Nobody is left to hear of what the descriptor tells.
            if !manualSubscribers.hasPending { quietenEventDescriptor() }
            while running == nil, !reactor.isForked, subscriber.isRunning {
                reactor.lock.wait(until: .never)
            }
        }
    }

    /// The descriptor that is readable while a manual subscriber has something to hear.
    package func eventNumber() -> Int32 {
        reactor.lock.withLock {
            if eventDescriptor < 0, !isDestroyed {
                do throws(Errno) { eventDescriptor = try Waker.number() } catch { return -1 }
                if manualSubscribers.hasPending { Waker.signal(number: eventDescriptor) }
            }
            return eventDescriptor
        }
    }

    /// Calls the manual subscribers with what waits for them; how many calls that were.
    package func dispatch() throws(Failure) -> Int {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            guard life == .started else { throw Failure(.state, "the watcher is not started") }
            // Several threads take turns.
            while manualSubscribers.isRunning {
                reactor.lock.wait(until: .never)
                if life != .started { throw Failure(.state, "the watcher was stopped") }
            }
            if eventDescriptor >= 0 { Waker.clear(number: eventDescriptor) }
            manualSubscribers.isRunning = true
        }
        return reactor.runRound(of: self, manualSubscribers, isReserved: true, isRepeated: false)
    }

    /// Something happened that subscribers may want to hear. Under the lock.
    func note(_ body: (Subscribers) -> Void) {
        body(threadSubscribers)
        body(manualSubscribers)
        // What happens at start is told by `start` itself.
        if life == .started, threadSubscribers.hasPending { reactor.queueRound(self) }
        if manualSubscribers.hasPending, eventDescriptor >= 0 {
            Waker.signal(number: eventDescriptor)
        }
    }

    /// The kubelet begins to write what may become a version; who wants to prepare for it is told.
    /// Under the lock.
    func noteUpcoming() {
        threadSubscribers.noteUpcoming()
        if life == .started, threadSubscribers.hasPending { reactor.queueRound(self) }
    }

    /// Nothing waits for manual subscribers. Under the lock.
    func quietenEventDescriptor() {
        // In a child that was not told to go on the eventfd is the parent's.
        if eventDescriptor >= 0, !reactor.isForked { Waker.clear(number: eventDescriptor) }
    }

    /// A subscriber is called. Under the lock.
    func countCallback() { stats.callbacks += 1 }
}
