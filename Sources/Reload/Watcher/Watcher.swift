package import Config

// One watcher: its layers, its life, and the moments at which something becomes visible to others. Loading is done
// by `ReloadAttempt`, calling by the reactor; here is what an attempt's result means.

/// Sources in, versions out. All state is guarded by the reactor's lock unless it says otherwise.
package final class Watcher {
    /// What readers touch; also the mark that tells whose callback runs on a thread.
    package let current: CurrentSnapshot
    let reactor: Reactor

    /// Where it is in its life.
    enum Life {
        case created
        /// `start` runs on some thread.
        case starting
        case started
        case stopped
    }

    var life = Life.created
    /// A `stop` has succeeded; until then one that timed out may be repeated.
    private var isStopped = false
    /// `destroy` was called: the owner is told when the last callback has returned.
    var isDestroyed = false
    private(set) var name = ""
    private(set) var options = Options()
    private let defaults = DefaultsSource()
    /// From the bottom up; the defaults lie under all.
    private(set) var layers: [Layer]

    /// Somebody loads: the reactor, or `start`.
    var isLoading = false
    /// It is among those that need the engine.
    var usesEngine = false
    /// It waits in the reactor's queue.
    var isQueued = false
    var nextRescan = Instant.never
    private var version: UInt64 = 0
    private var stats = Stats()
    /// Why the layers could not be laid on each other although each of them was good.
    private var rejectedTogether: Failure?
    /// Callers who wait for an attempt that begins after they asked.
    private var tickets: [ReloadTicket] = []
    /// A reload was asked for that nobody waits for.
    private var isReloadRequested = false

    let threadSubscribers = Subscribers()
    let manualSubscribers = Subscribers()
    private var lastSubscription: UInt64 = 0
    private var eventDescriptor: Int32 = -1
    private var closed: (() -> Void)?

    /// A watcher without sources.
    package init(reactor: Reactor) {
        self.reactor = reactor
        current = CurrentSnapshot.make()
        layers = [Layer(defaults, isOptional: true)]
    }

    // MARK: - Before start

    /// Runs `body` under the lock if the watcher is not started yet.
    private func configure<Answer>(_ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
        try reactor.lock.withLock { () throws(Failure) in
            guard life == .created else { throw Failure(.state, "the watcher was started or stopped") }
            return try body()
        }
    }

    package func setName(_ name: String) throws(Failure) { try configure { self.name = name } }

    package func setOption(_ option: Int32, _ value: Int64) throws(Failure) {
        try configure { () throws(Failure) in try options.set(option, to: value) }
    }

    package func addMount(_ path: FilePath) throws(Failure) {
        let absolute = try absolute(path)
        try add(MountSource(name: path, directory: absolute))
    }

    package func addFile(_ path: FilePath) throws(Failure) {
        let absolute = try absolute(path)
        try add(FileSource(name: path, path: absolute))
    }

    package func addEnvironment(_ prefix: Bytes) throws(Failure) { try add(EnvironmentSource(prefix: prefix)) }

    package func addDefault(_ key: Bytes, _ value: Bytes) throws(Failure) {
        try configure { () throws(Failure) in try defaults.add(key: key, value: value) }
    }

    private func add(_ source: any Source) throws(Failure) {
        try configure { layers.append(Layer(source, isOptional: options.isOptional)) }
    }

    private func absolute(_ path: FilePath) throws(Failure) -> FilePath {
        do throws(Errno) { return try path.absolute() } catch {
            throw error.failure(.load, key: path.description, "cannot tell the working directory")
        }
    }

    package func setClosed(_ closed: @escaping () -> Void) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            guard life != .stopped else { throw Failure(.state, "the watcher was stopped") }
            self.closed = closed
        }
    }

    // MARK: - Start

    /// Loads and publishes version 1, tells who subscribed, and goes on watching.
    package func start() throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            guard life == .created else { throw Failure(.state, "the watcher was started or stopped") }
            life = .starting
            isLoading = true
        }
        do throws(Failure) {
            try reactor.enter(self)
            try loadFirst()
        } catch {
            reactor.forget(self)
            reactor.lock.withLock {
                if life == .starting { life = .created }
                isLoading = false
                for layer in layers { layer.reset() }
                reactor.lock.wakeAll()
            }
            reactor.leave()
            throw error
        }
        for layer in layers {
            if let reason = layer.source.neverUpdates() { Log.write(.warning, "\(layer.source.name.description): \(reason)") }
        }
        Log.flush()
        // On this thread, so that settings are applied before the service serves.
        _ = reactor.runRound(of: self, threadSubscribers, isReserved: true, isRepeated: false)
    }

    /// The first load: every source must be there and good.
    private func loadFirst() throws(Failure) {
        let began = Instant.now
        let bench = reactor.takeBench()
        let attempt = ReloadAttempt(
            layers: layers, due: Array(layers.indices), options: options, current: nil, isForced: true)
        let result = attempt.run(with: bench) { self.reactor.arm($0, of: self) }
        bench.files.closeFiles()
        reactor.returnBench(bench)
        var problem = result.failure
        for (index, outcome) in result.outcomes {
            switch outcome {
            case .missing(let failure): if !layers[index].isOptional { problem = problem ?? failure }
            case .failed(let rejection): problem = problem ?? rejection.failure
            case .content, .known, .same: break
            }
        }
        if let problem { throw problem }
        try reactor.lock.withLock { () throws(Failure) in
            guard life == .starting else { throw Failure(.state, "the watcher was stopped") }
            let now = Instant.now
            for (index, outcome) in result.outcomes {
                if case .content(let content, _) = outcome { layers[index].content = content }
                schedule(layers[index], at: now)
            }
            stats.lastDurationNanoseconds = now.nanoseconds - began.nanoseconds
            if let content = result.content { publish(content, cause: .start) }
            life = .started
            // The first round is this thread's, whatever is published until it runs.
            threadSubscribers.isRunning = true
            isLoading = false
            nextRescan = rescan(after: now)
            if needsAttempt { reactor.queue(self) }
            reactor.wake()
        }
    }

    // MARK: - Reload

    /// Takes what is due for an attempt; nil when there is nothing to do. Under the lock.
    func beginAttempt() -> (attempt: ReloadAttempt, tickets: [ReloadTicket], cause: Event.Cause)? {
        guard life == .started, !isLoading else { return nil }
        let isForced = isReloadRequested || !tickets.isEmpty
        isReloadRequested = false
        let due = layers.indices.filter { layers[$0].source.canChange && (isForced || layers[$0].state == .due) }
        let taken = tickets
        if due.isEmpty && taken.isEmpty { return nil }
        tickets.removeAll()
        isLoading = true
        for index in due {
            layers[index].state.onLoad()
            layers[index].nextCheck = .never
        }
        let attempt = ReloadAttempt(
            layers: layers, due: due, options: options, current: current.snapshot?.content, isForced: isForced)
        return (attempt, taken, isForced ? .reload : .change)
    }

    /// Makes the result visible: a version, a rejection, lost and recovered sources. Under the lock.
    func endAttempt(_ result: ReloadAttempt.Result, tickets: [ReloadTicket], cause: Event.Cause, began: Instant) {
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
            if let failure = settle(outcome, of: layer, cause, couldPublish: result.failure == nil) {
                problem = problem ?? failure.failure
                if failure.isNews { rejections.append(failure.failure) }
            }
            schedule(layer, at: now)
        }
        if let failure = result.failure {
            let isKnown = rejectedTogether?.message.isIdentical(to: failure.message) ?? false
            if !isKnown { rejections.append(failure) }
            problem = problem ?? failure
            // The layers keep what they had, and are read again when they are looked at.
            for (index, _) in result.outcomes { layers[index].examined = nil }
        }
        rejectedTogether = result.failure
        let isGood = problem == nil
        if let content = result.content {
            publish(content, cause: cause)
        } else if isGood {
            stats.lastSuccessNanoseconds = unixTime()
            let isNewlyRead = result.outcomes.contains { if case .known = $0.outcome { false } else { true } }
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

    private func recover(_ layer: Layer, _ cause: Event.Cause) {
        if layer.isLost {
            let name = layer.source.name.description
            let failure = Failure(.io, .load, key: name, "the source is back")
            note { $0.noteSource(.sourceRecovered, failure, cause) }
            log(.info, "the source \(name) is back")
        }
        layer.health = .good
    }

    private func publish(_ content: Content, cause: Event.Cause) {
        version += 1
        let snapshot = SharedSnapshot.make(content: content, current: current, version: version)
        if let before = current.publish(snapshot) { reactor.retire(before) }
        stats.succeeded += 1
        stats.lastSuccessNanoseconds = snapshot.publishedNanoseconds
        note { $0.notePublished(snapshot, cause) }
        log(.info, "version \(version) with \(content.body.count) keys")
    }

    private func reject(_ failure: Failure, cause: Event.Cause) {
        stats.rejected += 1
        stats.lastFailureNanoseconds = unixTime()
        note { $0.noteRejected(failure, cause) }
        log(.error, "rejected: \(failure.key):\(failure.line):\(failure.column): \(failure.message)")
    }

    // MARK: - When to look again. Under the lock.

    var needsAttempt: Bool {
        life == .started && !isLoading && (isReloadRequested || !tickets.isEmpty || layers.contains { $0.state == .due })
    }

    /// Sets when a layer is looked at although nothing is signalled.
    private func schedule(_ layer: Layer, at now: Instant) {
        guard layer.source.canChange else { return }
        var isUnreadable = layer.isLost
        if case .rejected(let rejection) = layer.health { isUnreadable = rejection.failure.stage == .load }
        layer.isPolled = layer.isUnwatched || !layer.source.isLocal
        if layer.isPolled || isUnreadable || layer.content == nil {
            layer.nextCheck = now.advanced(byMilliseconds: options.pollMilliseconds)
            reactor.note(layer.nextCheck)
        }
    }

    /// A signal for a layer.
    func signal(_ layer: Layer, at now: Instant, isComplete: Bool) {
        guard life == .started else {
            // While `start` loads the signal waits for its end.
            layer.state = .due
            return
        }
        layer.state.onSignal(at: now, settle: layer.source.settles && !isComplete ? options.settleMilliseconds : nil)
        reactor.note(layer.state.deadline)
        if needsAttempt { reactor.queue(self) }
    }

    /// The kernel dropped notifications: everything is looked at.
    func overflow(at now: Instant) {
        stats.overflows += 1
        for layer in layers where layer.source.canChange {
            layer.needsArming = true
            signal(layer, at: now, isComplete: false)
        }
    }

    /// Does what time asks for; answers when it next will.
    func onTime(_ now: Instant) -> Instant {
        guard life == .started else { return .never }
        let isRescan = now >= nextRescan
        if isRescan {
            nextRescan = rescan(after: now)
            stats.rescans += 1
        }
        var next = nextRescan
        for layer in layers where layer.source.canChange {
            layer.state.onTime(now)
            if isRescan || now >= layer.nextCheck {
                layer.nextCheck = .never
                layer.needsArming = true
                if !isRescan { stats.rescans += 1 }
                if layer.state == .idle { layer.state = .due }
            }
            next = min(next, min(layer.state.deadline, layer.nextCheck))
        }
        if needsAttempt { reactor.queue(self) }
        return next
    }

    /// Rescans of all watchers fall on the same ticks, so that a thousand idle watchers wake the process once.
    private func rescan(after now: Instant) -> Instant {
        guard options.rescanMilliseconds > 0 else { return .never }
        let period = options.rescanMilliseconds &* 1_000_000
        let tick = (now.nanoseconds / period &+ 1).multipliedReportingOverflow(by: period)
        let next = tick.overflow ? Instant.never : Instant(nanoseconds: tick.partialValue)
        reactor.note(next)
        return next
    }

    // MARK: - On demand

    /// Loads in an attempt that begins after this call; the version that is current when it has ended.
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

    /// What needs the engine is not for callbacks, which it would wait for, nor for a child that has none.
    private func checkCallable() throws(Failure) {
        if RunningCallback.watcher != nil { throw Failure(.state, "not inside a callback") }
        if reactor.isForked { throw Failure(.state, "not in a forked child before cmr_after_fork_child") }
    }

    // MARK: - Subscribers

    package func subscribe(
        pattern: KeyPattern?, isManual: Bool, receive: @escaping (Event) -> Void
    ) throws(Failure) -> UInt64 {
        try reactor.lock.withLock { () throws(Failure) in
            guard life != .stopped else { throw Failure(.state, "the watcher was stopped") }
            lastSubscription += 1
            let isManual = isManual || options.isDispatchManual
            let subscriber = Subscriber(id: lastSubscription, pattern: pattern, isManual: isManual, receive: receive)
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
            guard let subscriber = threadSubscribers.remove(id) ?? manualSubscribers.remove(id) else {
                throw Failure(.notFound, "there is no such subscription")
            }
            while running == nil, subscriber.isRunning { reactor.lock.wait(until: .never) }
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
    private func note(_ body: (Subscribers) -> Void) {
        body(threadSubscribers)
        body(manualSubscribers)
        // What happens at start is told by `start` itself.
        if life == .started, threadSubscribers.hasPending { reactor.queueRound(self) }
        if manualSubscribers.hasPending, eventDescriptor >= 0 { Waker.signal(number: eventDescriptor) }
    }

    /// A subscriber is called. Under the lock.
    func countCallback() { stats.callbacks += 1 }

    // MARK: - End

    /// Stops watching, and waits for a callback that runs.
    package func stop(until deadline: Deadline) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            guard !isStopped else { throw Failure(.state, "the watcher was stopped") }
        }
        halt()
        let isQuiet = reactor.lock.withLock { () -> Bool in
            while isBusy && !deadline.hasPassed { reactor.lock.wait(until: deadline) }
            isStopped = !isBusy
            return isStopped
        }
        reactor.leave()
        if !isQuiet { throw Failure(.timeout, "a callback still runs") }
    }

    /// Stops watching and gives the handle up; tells the owner when no callback will ever be called again.
    package func destroy() {
        halt()
        let isInside = RunningCallback.watcher != nil || reactor.isForked
        reactor.lock.withLock {
            isDestroyed = true
            if !isInside { while isBusy { reactor.lock.wait(until: .never) } }
        }
        finish()
        if !isInside { reactor.leave() }
        let block = current
        reactor.lock.withLock {
            if let last = block.withdraw() { reactor.retire(last) }
            if eventDescriptor >= 0 { Waker.close(number: eventDescriptor) }
            eventDescriptor = -1
        }
        reactor.reclaim()
        reactor.remove(self)
        block.disown()
        reactor.lock.withLock { block.release() }
    }

    /// No load, callback or wait begins any more.
    private func halt() {
        reactor.forget(self)
        reactor.lock.withLock {
            life = .stopped
            for ticket in tickets { ticket.end(Failure(.state, "the watcher was stopped")) }
            tickets.removeAll()
            threadSubscribers.dropPending()
            manualSubscribers.dropPending()
            if eventDescriptor >= 0 { Waker.clear(number: eventDescriptor) }
            reactor.lock.wakeAll()
        }
    }

    var isBusy: Bool { isLoading || threadSubscribers.isRunning || manualSubscribers.isRunning }

    /// Tells the owner of a destroyed watcher, once, that its callbacks are over.
    func finish() {
        let closed = reactor.lock.withLock { () -> (() -> Void)? in
            guard isDestroyed, !threadSubscribers.isRunning, !manualSubscribers.isRunning else { return nil }
            defer { self.closed = nil }
            return self.closed
        }
        guard let closed else { return }
        let running = RunningCallback.watcher
        RunningCallback.watcher = current.base
        closed()
        RunningCallback.watcher = running
    }

    // MARK: - Fork

    /// In the child of a fork(2), which has no thread but the caller: what others were doing is not done any more.
    func resumeInChild() throws(Errno) {
        isLoading = false
        isQueued = false
        tickets.removeAll()
        for subscribers in [threadSubscribers, manualSubscribers] {
            subscribers.isRunning = false
            for subscriber in subscribers.all { subscriber.isRunning = false }
        }
        if eventDescriptor >= 0 {
            eventDescriptor = try Waker.renewed(number: eventDescriptor)
            if manualSubscribers.hasPending { Waker.signal(number: eventDescriptor) }
        }
        for layer in layers {
            layer.registrations.removeAll()
            layer.needsArming = true
            layer.examined = nil
            if life == .started, layer.source.canChange { layer.state = .due }
        }
        nextRescan = rescan(after: .now)
    }

    // MARK: - Observing

    package func copyStats() -> Stats {
        reactor.lock.withLock {
            var copy = stats
            copy.version = version
            copy.isHealthy = version > 0 && rejectedTogether == nil && layers.allSatisfy { $0.isGood }
            copy.polling = UInt32(layers.count(where: { $0.isPolled }))
            copy.heldSnapshots = reactor.heldSnapshots(of: current)
            return copy
        }
    }

    /// Under the lock: the line is written when nobody holds it.
    private func log(_ level: LogLevel, _ line: @autoclosure () -> String) {
        Log.defer(level, name.isEmpty ? line() : "\(name): \(line())")
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
