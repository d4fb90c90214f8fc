// One watcher: its layers, its life, and the moments at which something becomes visible to others.
// Loading is done by `ReloadAttempt`, calling by the reactor; here is what an attempt's result
// means.

package import Config

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
    /// Tells watchers of the same name apart in metrics; 0 before it matters.
    var numberAmongNamesakes = 0
    var options = Options()
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
    var version: UInt64 = 0
    var stats = Stats()
    /// What callers bound to paths.
    var cells = Cells()
    var rules = Rules()
    /// What the current version consists of; nil before the first.
    var composition: Composition?
    var history = History()
    var confirmation = Confirmation()
    /// Grows when somebody goes back: what was loaded before does not count any more.
    var epoch = 0
    /// What waits for the holders of the current version.
    var waiting: Waiting? {
        didSet { reactor.noteWaiting((waiting == nil ? 0 : 1) - (oldValue == nil ? 0 : 1)) }
    }
    /// When what waited would have been published, had not rules changed: until it is judged again.
    var withdrawnDeadline: Instant?
    /// How many callers wait in `drain`.
    var drainers = 0
    /// Why the layers' new contents were not taken together although each of them was good.
    var rejectedTogether: Rejection?
    /// The newest that was told of, until an attempt finds nothing wrong.
    var newestRejection: Rejection?
    /// What schemas may refer to. Whoever changes the rules uses it.
    let schemaRegistry = SchemaRegistry()
    /// Callers who wait for an attempt that begins after they asked.
    var tickets: [ReloadTicket] = []
    /// A reload was asked for that nobody waits for.
    var isReloadRequested = false

    let threadSubscribers = Subscribers()
    let manualSubscribers = Subscribers()
    var lastSubscription: UInt64 = 0
    var eventDescriptor: Int32 = -1
    private var closed: (() -> Void)?

    /// A watcher without sources.
    init(reactor: Reactor, current: CurrentSnapshot) {
        self.reactor = reactor
        self.current = current
        layers = [Layer(defaults, isOptional: true)]
    }

    // MARK: - Before start

    /// Runs `body` under the lock if the watcher is not started yet.
    private func configure<Answer>(_ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
        try reactor.lock.withLock { () throws(Failure) in
            guard life == .created else {
                throw Failure(.state, "the watcher was started or stopped")
            }
            return try body()
        }
    }

    package func setName(_ name: String) throws(Failure) {
        try configure {
            self.name = name
            numberAmongNamesakes = 0
        }
    }

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

    package func addEnvironment(_ prefix: Bytes) throws(Failure) {
        try add(EnvironmentSource(prefix: prefix))
    }

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
            guard life == .created else {
                throw Failure(.state, "the watcher was started or stopped")
            }
            life = .starting
            isLoading = true
        }
        let first: Subscribers.Round
        do throws(Failure) {
            try reactor.enter(self)
            first = try loadFirst()
        } catch {
            reactor.forget(self)
            reactor.lock.withLock {
                if life == .starting { life = .created }
                isLoading = false
                for layer in layers { layer.reset() }
                reactor.lock.wakeAll()
            }
            reactor.leave(until: .never)
            throw error
        }
        // On this thread, so that settings are applied before the service serves.
        _ = reactor.runRound(of: self, threadSubscribers, begun: first, isRepeated: false)
        if Log.isEnabled(.warning) { warnOfWhatNeverUpdates() }
        Log.flush()
    }

    private func warnOfWhatNeverUpdates() {
        for layer in layers {
            guard let reason = layer.source.neverUpdates() else { continue }
            Log.write(.warning, of: name, "\(layer.source.name.description): \(reason)")
        }
    }

    /// The first load: every source must be there and good. What is told of it, to those who
    /// subscribed.
    private func loadFirst() throws(Failure) -> Subscribers.Round {
        let began = Instant.now
        let bench = reactor.takeBench(for: options)
        let result = run(attempt(at: Array(layers.indices), isForced: true), with: bench)
        bench.files.closeFiles()
        reactor.returnBench(bench)
        var problem = result.rejection
        for (index, outcome) in result.outcomes {
            switch outcome {
            case .missing(let failure):
                let rejection = Rejection(failure, fingerprint: 0)
                if !layers[index].isOptional { problem = problem ?? rejection }
            case .failed(let rejection): problem = problem ?? rejection
            case .content, .known, .same, .quarantined: break
            }
        }
        reactor.lock.withLock { newestRejection = problem }
        if let problem {
            if let candidate = result.proposal?.candidate { discard(candidate) }
            throw problem.failure
        }
        return try reactor.lock.withLock { () throws(Failure) in
            guard life == .starting else {
                if let candidate = result.proposal?.candidate { reactor.retire(candidate) }
                throw Failure(.state, "the watcher was stopped")
            }
            if options.isDispatchManual { threadSubscribers.moveAll(to: manualSubscribers) }
            let now = Instant.now
            for (index, outcome) in result.outcomes {
                if case .content(let content, _) = outcome { layers[index].content = content }
                schedule(layers[index], at: now)
            }
            stats.noteAttempt(nanoseconds: now.nanoseconds - began.nanoseconds, hasRead: true)
            if let proposal = result.proposal {
                publish(proposal.composition, candidate: proposal.candidate, cause: .start)
            }
            // What was asked for before is what start has done.
            _ = current.takeReloadRequest()
            life = .started
            // The first round is this thread's, and tells of this version, whatever is published
            // until it runs.
            threadSubscribers.isRunning = true
            isLoading = false
            nextRescan = rescan(after: now)
            if needsAttempt { reactor.queue(self) }
            reactor.wake()
            return threadSubscribers.beginRound(current: current.snapshot)
        }
    }

    // MARK: - End

    /// Stops watching, and waits for a callback that runs.
    package func stop(until deadline: Deadline) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            try checkCallable()
            guard !isStopped else { throw Failure(.state, "the watcher was stopped") }
        }
        halt()
        Log.flush()
        let isQuiet = reactor.lock.withLock { () -> Bool in
            while isBusy && !deadline.hasPassed { reactor.lock.wait(until: deadline) }
            isStopped = !isBusy
            return isStopped
        }
        reactor.leave(until: deadline)
        if !isQuiet { throw Failure(.timeout, "a callback still runs") }
    }

    /// Stops watching and gives the handle up; tells the owner when no callback will ever be called
    /// again.
    package func destroy() {
        halt()
        // What happened to it is said before it is gone.
        Log.flush()
        let isInside = RunningCallback.watcher != nil || reactor.isForked
        reactor.lock.withLock {
            if !isInside { while isBusy { reactor.lock.wait(until: .never) } }
            // Only now: a round that ends tells the owner of a watcher that is destroyed.
            isDestroyed = true
        }
        finish()
        if !isInside { reactor.leave(until: .never) }
        let block = current
        reactor.lock.withLock {
            if let last = block.withdraw() { reactor.retire(last) }
            for snapshot in history.removeAll() { reactor.letGo(snapshot) }
            composition = nil
            confirmation = Confirmation()
            if eventDescriptor >= 0 { Waker.close(number: eventDescriptor) }
            eventDescriptor = -1
            reactor.remove(self)
            // The caller's reference outlives this call.
            block.disown()
            block.release()
        }
        reactor.reclaim()
    }

    /// No load, callback or wait begins any more.
    private func halt() {
        reactor.forget(self)
        reactor.lock.withLock {
            life = .stopped
            for ticket in tickets + dropWaiting() {
                ticket.end(Failure(.state, "the watcher was stopped"))
            }
            tickets.removeAll()
            threadSubscribers.dropPending()
            manualSubscribers.dropPending()
            quietenEventDescriptor()
            reactor.lock.wakeAll()
        }
    }

    /// The host's code runs for the watcher, or is about to. A load by itself disturbs nobody: what
    /// it finds is dropped.
    var isBusy: Bool {
        threadSubscribers.isRunning || manualSubscribers.isRunning
            || isLoading && rules.callTheHost
    }

    /// Tells the owner of a destroyed watcher, once, that its callbacks are over.
    func finish() {
        let closed = reactor.lock.withLock { () -> (() -> Void)? in
            // In a child whoever ran a round or a validator at the fork is not there any more.
            guard isDestroyed, !isBusy || reactor.isForked else { return nil }
            defer { self.closed = nil }
            return self.closed
        }
        guard let closed else { return }
        RunningCallback.run(current.base) { closed() }
    }

    // MARK: - Fork

    /// In the child of a fork(2), which has no thread but the caller: what others were doing is not
    /// done any more.
    func resumeInChild() throws(Errno) {
        // A start that was under way in another thread did not happen here.
        if life == .starting { life = .created }
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
            layer.isDueByTime = false
            layer.examined = nil
            if life == .started, layer.source.canChange { layer.state = .due }
        }
        nextRescan = rescan(after: .now)
    }
}
