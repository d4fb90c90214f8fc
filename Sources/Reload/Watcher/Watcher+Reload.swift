// What an attempt's result means: a version, a rejection, lost and recovered sources. And callers
// who ask for one.

package import Config

extension Watcher {
    /// Takes what is due for an attempt; nil when there is nothing to do. Under the lock.
    func beginAttempt() -> (attempt: ReloadAttempt, ticket: AttemptTicket)? {
        guard life == .started, !isLoading else { return nil }
        let isForced = isReloadRequested || !tickets.isEmpty
        isReloadRequested = false
        let due = layers.indices.filter {
            layers[$0].source.canChange
                && (isForced || layers[$0].state == .due || layers[$0].isHeldBack)
        }
        let taken = tickets
        if due.isEmpty && taken.isEmpty && withdrawnDeadline == nil { return nil }
        tickets.removeAll()
        isLoading = true
        let isRescan = !isForced && due.allSatisfy { layers[$0].isDueByTime }
        for index in due {
            layers[index].state.onLoad()
            layers[index].nextCheck = .never
            if layers[index].needsReading { layers[index].examined = nil }
            layers[index].needsReading = false
            layers[index].isDueByTime = false
        }
        return (
            attempt(at: due, isForced: isForced),
            AttemptTicket(
                callers: taken, cause: isForced ? .reload : .change, isRescan: isRescan,
                epoch: epoch, began: .now)
        )
    }

    /// An attempt at these layers, from what they hold now. Under the lock, or in `start`.
    func attempt(at due: [Int], isForced: Bool, options: Options? = nil) -> ReloadAttempt {
        ReloadAttempt(
            name: name, layers: layers, due: due, options: options ?? self.options, rules: rules,
            contents: layers.map { $0.content }, quarantines: layers.map { $0.quarantine },
            newest: (waiting?.composition ?? composition)?.content, known: rejectedTogether,
            isForced: isForced, isWithdrawn: withdrawnDeadline != nil)
    }

    /// Not under the lock.
    func run(_ attempt: ReloadAttempt, with bench: Workbench) -> ReloadAttempt.Result {
        attempt.run(with: bench) { layer, isForced in
            self.reactor.arm(layer, of: self, isForced: isForced)
        } validate: { content throws(Rejection) in
            try self.validate(content, by: attempt.rules, knowing: attempt.newest)
        } discard: { candidate in
            self.discard(candidate)
        }
    }

    /// Makes the result visible: a version, a rejection, lost and recovered sources. Under the
    /// lock.
    func endAttempt(_ result: ReloadAttempt.Result, _ ticket: AttemptTicket) {
        isLoading = false
        defer { reactor.lock.wakeAll() }
        guard life == .started else {
            if let candidate = result.proposal?.candidate { reactor.retire(candidate) }
            for caller in ticket.callers {
                caller.end(Failure(.state, "the watcher was stopped"))
            }
            return
        }
        if ticket.epoch != epoch { return repeatAttempt(result, ticket) }
        let now = Instant.now
        // A rescan that finds nothing new is no reload: it would hide those that are.
        let hasRead = result.outcomes.contains {
            switch $0.outcome {
            case .known: false
            case .content: true
            case .same, .missing, .quarantined, .failed: !ticket.isRescan
            }
        }
        stats.noteAttempt(
            nanoseconds: now.nanoseconds - ticket.began.nanoseconds, hasRead: hasRead)
        var problem: Failure?
        var rejections: [Rejection] = []
        for (index, outcome) in result.outcomes {
            let layer = layers[index]
            let isTaken = !result.heldBack.contains(index)
            if let bad = settle(outcome, of: layer, ticket.cause, isTaken: isTaken) {
                problem = problem ?? bad.rejection.failure
                if bad.isNews { rejections.append(bad.rejection) }
            }
            layer.isHeldBack = !isTaken
            // What is held back is read again in each attempt, until all fits together.
            if !isTaken { layer.examined = nil }
        }
        if let rejection = result.rejection {
            if rejectedTogether != rejection { rejections.append(rejection) }
            problem = problem ?? rejection.failure
        }
        rejectedTogether = result.rejection
        for (index, _) in result.outcomes { schedule(layers[index], at: now) }
        if problem == nil { newestRejection = nil }
        var callers = ticket.callers
        if let proposal = result.proposal {
            // Who is to hear of a problem does not wait for holders first.
            let waiters = problem == nil ? callers : []
            let answered = offer(
                proposal.composition, proposal.candidate, cause: ticket.cause, tickets: waiters)
            callers = problem == nil ? answered : callers + answered
        } else if problem == nil {
            stats.lastSuccessNanoseconds = unixTime()
            if hasRead || ticket.cause == .reload { stats.unchanged += 1 }
            // What they asked for is what waits.
            waiting?.tickets += callers
            if waiting != nil { callers = [] }
        }
        withdrawnDeadline = nil
        // After what was published: a version that is told drops the rejections that wait.
        for rejection in rejections { reject(rejection, cause: ticket.cause) }
        for caller in callers { caller.end(problem, version: version) }
        if needsAttempt { reactor.queue(self) }
    }

    /// Somebody went back while the attempt ran: what it read is looked at once more.
    private func repeatAttempt(_ result: ReloadAttempt.Result, _ ticket: AttemptTicket) {
        if let candidate = result.proposal?.candidate { reactor.retire(candidate) }
        for (index, _) in result.outcomes {
            layers[index].examined = nil
            layers[index].state = .due
        }
        tickets = ticket.callers + tickets
        reactor.queue(self)
    }

    /// What a layer's outcome means for the layer; the failure to be reported, if there is one.
    private func settle(
        _ outcome: ReloadAttempt.Outcome, of layer: Layer, _ cause: Event.Cause, isTaken: Bool
    ) -> (rejection: Rejection, isNews: Bool)? {
        switch outcome {
        case .known:
            if case .rejected(let rejection) = layer.health { return (rejection, false) }
            return nil
        case .same:
            recover(layer, cause)
            layer.quarantine.lift()
            return nil
        case .quarantined:
            recover(layer, cause)
            return nil
        case .content(let content, _):
            recover(layer, cause)
            if isTaken {
                layer.content = content
                layer.quarantine.lift()
                layer.warnedOf = nil
            }
            return nil
        case .missing(let failure):
            if layer.content == nil { return nil }  // optional, and never there
            stats.sourceErrors += 1
            if !layer.isLost {
                layer.health = .lost
                stats.lastFailureNanoseconds = unixTime()
                note { $0.noteSource(.sourceLost, failure, cause) }
                log(.warning, "the source \(failure.key) is lost: \(failure.message)")
            }
            return (Rejection(failure, fingerprint: 0), false)
        case .failed(let rejection):
            if rejection.failure.stage == .load { stats.sourceErrors += 1 }
            var isNews = true
            if case .rejected(let known) = layer.health, known == rejection { isNews = false }
            if layer.isLost { recover(layer, cause) }
            layer.health = .rejected(rejection)
            if rejection.isPassing { layer.examined = nil }
            return (rejection, isNews)
        }
    }

    func recover(_ layer: Layer, _ cause: Event.Cause) {
        if layer.isLost {
            let name = layer.source.name.description
            let failure = Failure(.notFound, .load, key: name, "the source is back")
            note { $0.noteSource(.sourceRecovered, failure, cause) }
            log(.info, "the source \(name) is back")
        }
        layer.health = .good
    }

    /// Makes a composition current. `candidate` is the snapshot that a validator saw. Under the
    /// lock.
    func publish(_ composition: Composition, candidate: SharedSnapshot?, cause: Event.Cause) {
        version += 1
        let snapshot =
            candidate
            ?? SharedSnapshot.make(content: composition.content, current: current, version: 0)
        snapshot.stamp(version: version)
        cells.follow(composition.content.body)
        if let before = current.publish(snapshot) { keep(before) }
        self.composition = composition
        let needsConfirmation = cause == .change || cause == .reload
        if needsConfirmation, options.confirmMilliseconds > 0 {
            let deadline = Instant.now.advanced(byMilliseconds: options.confirmMilliseconds)
            confirmation.await(version, composition, until: deadline)
            reactor.note(deadline)
        } else {
            confirmation.begin(version, composition)
        }
        stats.succeeded += 1
        stats.lastSuccessNanoseconds = snapshot.publishedNanoseconds
        note { $0.notePublished(snapshot, cause) }
        log(.info, "version \(version) with \(composition.content.body.count) keys")
    }

    /// A version is not current any more: it becomes history.
    private func keep(_ snapshot: SharedSnapshot) {
        guard let composition else { return reactor.retire(snapshot) }
        let version = PublishedVersion(snapshot: snapshot, composition: composition)
        snapshot.isKept = options.historyCount > 0
        reactor.retire(snapshot)
        for dropped in history.add(version, keeping: options.historyCount) {
            reactor.letGo(dropped)
        }
    }

    func reject(_ rejection: Rejection, cause: Event.Cause) {
        let failure = rejection.failure
        newestRejection = rejection
        stats.rejected += 1
        stats.lastFailureNanoseconds = unixTime()
        note { $0.noteRejected(rejection, cause) }
        log(.error, "rejected: \(failure.place)\(failure.message)")
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

/// Why an attempt was made, and for whom.
struct AttemptTicket {
    let callers: [ReloadTicket]
    let cause: Event.Cause
    /// Nothing asked for it but time.
    let isRescan: Bool
    let epoch: Int
    let began: Instant
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
