// What an attempt's result means: a version, a rejection, lost and recovered sources. And callers
// who ask for one.

package import Config

extension Watcher {
    /// Takes what is due for an attempt; nil when there is nothing to do. Under the lock.
    func beginAttempt() -> (attempt: ReloadAttempt, tickets: [ReloadTicket], cause: Event.Cause)? {
        guard life == .started, !isLoading else { return nil }
        let isForced = isReloadRequested || !tickets.isEmpty
        isReloadRequested = false
        let due = layers.indices.filter {
            layers[$0].source.canChange
                && (isForced || layers[$0].state == .due || layers[$0].isHeldBack)
        }
        let taken = tickets
        if due.isEmpty && taken.isEmpty { return nil }
        tickets.removeAll()
        isLoading = true
        for index in due {
            layers[index].state.onLoad()
            layers[index].nextCheck = .never
        }
        let attempt = ReloadAttempt(
            layers: layers, due: due, options: options, current: current.snapshot?.content,
            isForced: isForced)
        return (attempt, taken, isForced ? .reload : .change)
    }

    /// Makes the result visible: a version, a rejection, lost and recovered sources. Under the
    /// lock.
    func endAttempt(
        _ result: ReloadAttempt.Result, tickets: [ReloadTicket], cause: Event.Cause, began: Instant
    ) {
        isLoading = false
        guard life == .started else {
            for ticket in tickets { ticket.end(Failure(.state, "the watcher was stopped")) }
            return reactor.lock.wakeAll()
        }
        let now = Instant.now
        stats.lastDurationNanoseconds = now.nanoseconds - began.nanoseconds
        var problem: Failure?
        var rejections: [Failure] = []
        for (index, outcome) in result.outcomes {
            let layer = layers[index]
            if let failure = settle(outcome, of: layer, cause, couldPublish: result.failure == nil)
            {
                problem = problem ?? failure.failure
                if failure.isNews { rejections.append(failure.failure) }
            }
            schedule(layer, at: now)
        }
        if let failure = result.failure {
            let isKnown = rejectedTogether?.message.isIdentical(to: failure.message) ?? false
            if !isKnown { rejections.append(failure) }
            problem = problem ?? failure
            // The layers keep what they had, and are read again in each attempt until all fits
            // together.
            for (index, outcome) in result.outcomes {
                layers[index].examined = nil
                if case .content = outcome { layers[index].isHeldBack = true }
            }
        } else {
            for (index, _) in result.outcomes { layers[index].isHeldBack = false }
        }
        rejectedTogether = result.failure
        let isGood = problem == nil
        if let content = result.content {
            publish(content, cause: cause)
        } else if isGood {
            stats.lastSuccessNanoseconds = unixTime()
            let isNewlyRead = result.outcomes.contains {
                if case .known = $0.outcome { false } else { true }
            }
            if isNewlyRead || cause == .reload { stats.unchanged += 1 }
        }
        // After what was published: a version that is told drops the rejections that wait.
        for failure in rejections { reject(failure, cause: cause) }
        for ticket in tickets { ticket.end(problem, version: version) }
        reactor.lock.wakeAll()
        if needsAttempt { reactor.queue(self) }
    }

    /// What a layer's outcome means for the layer; the failure to be reported, if there is one.
    private func settle(
        _ outcome: ReloadAttempt.Outcome, of layer: Layer, _ cause: Event.Cause, couldPublish: Bool
    ) -> (failure: Failure, isNews: Bool)? {
        switch outcome {
        case .known:
            if case .rejected(let rejection) = layer.health { return (rejection.failure, false) }
            return nil
        case .same:
            recover(layer, cause)
            return nil
        case .content(let content, _):
            recover(layer, cause)
            if couldPublish { layer.content = content }
            return nil
        case .missing(let failure):
            stats.sourceErrors += 1
            if layer.content == nil { return nil }  // optional, and never there
            if !layer.isLost {
                layer.health = .lost
                stats.lastFailureNanoseconds = unixTime()
                note { $0.noteSource(.sourceLost, failure, cause) }
                log(.warning, "the source \(failure.key) is lost: \(failure.message)")
            }
            return (failure.asMissing, false)
        case .failed(let rejection):
            if rejection.failure.stage == .load { stats.sourceErrors += 1 }
            var isNews = true
            if case .rejected(let known) = layer.health, known == rejection { isNews = false }
            if layer.isLost { recover(layer, cause) }
            layer.health = .rejected(rejection)
            return (rejection.failure, isNews)
        }
    }

    func recover(_ layer: Layer, _ cause: Event.Cause) {
        if layer.isLost {
            let name = layer.source.name.description
            let failure = Failure(.io, .load, key: name, "the source is back")
            note { $0.noteSource(.sourceRecovered, failure, cause) }
            log(.info, "the source \(name) is back")
        }
        layer.health = .good
    }

    func publish(_ content: Content, cause: Event.Cause) {
        version += 1
        let snapshot = SharedSnapshot.make(content: content, current: current, version: version)
        if let before = current.publish(snapshot) { reactor.retire(before) }
        stats.succeeded += 1
        stats.lastSuccessNanoseconds = snapshot.publishedNanoseconds
        note { $0.notePublished(snapshot, cause) }
        log(.info, "version \(version) with \(content.body.count) keys")
    }

    func reject(_ failure: Failure, cause: Event.Cause) {
        stats.rejected += 1
        stats.lastFailureNanoseconds = unixTime()
        note { $0.noteRejected(failure, cause) }
        log(
            .error, "rejected: \(failure.key):\(failure.line):\(failure.column): \(failure.message)"
        )
    }

    // MARK: - On demand

    /// Loads in an attempt that begins after this call; the version that is current when it has
    /// ended.
    package func reload(until deadline: Deadline) throws(Failure) -> UInt64 {
        let ticket = ReloadTicket()
        return try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            guard life == .started else { throw Failure(.state, "the watcher is not started") }
            tickets.append(ticket)
            reactor.queue(self)
            reactor.wake()
            while !ticket.isDone {
                if life != .started { throw Failure(.state, "the watcher was stopped") }
                if deadline.hasPassed { throw Failure(.timeout, "the reload goes on") }
                reactor.lock.wait(until: deadline)
            }
            if let failure = ticket.failure { throw failure }
            return ticket.version
        }
    }

    /// Somebody asked for a reload and does not wait. Under the lock.
    func takeReloadRequest() {
        if current.takeReloadRequest(), life == .started {
            isReloadRequested = true
            reactor.queue(self)
        }
    }

    /// Waits for a version newer than `version`; the one that is current then.
    package func wait(after version: UInt64, until deadline: Deadline) throws(Failure) -> UInt64 {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            while true {
                if life == .stopped { throw Failure(.state, "the watcher was stopped") }
                if self.version > version { return self.version }
                if deadline.hasPassed { throw Failure(.timeout, "there is no newer version yet") }
                reactor.lock.wait(until: deadline)
            }
        }
    }

    /// What needs the engine is not for callbacks, which it would wait for, nor for a child that
    /// has none.
    func checkCallable() throws(Failure) {
        if RunningCallback.watcher != nil { throw Failure(.state, "not inside a callback") }
        if reactor.isForked {
            throw Failure(.state, "not in a forked child before cmr_after_fork_child")
        }
    }
}

/// A caller's wait for an attempt. Guarded by the lock.
final class ReloadTicket {
    private(set) var isDone = false
    private(set) var failure: Failure?
    private(set) var version: UInt64 = 0

    func end(_ failure: Failure?, version: UInt64 = 0) {
        isDone = true
        self.failure = failure
        self.version = version
    }
}

extension Failure {
    /// A missing source as a caller of start or reload is told of it.
    fileprivate var asMissing: Failure {
        var failure = self
        failure.kind = .io
        return failure
    }
}
