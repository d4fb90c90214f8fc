// What all watchers of a process share: the lock, one table of what the kernel watches, the queues
// of what is to be loaded and told, the snapshots that wait for their last holder. Threads are the
// engine's; here is what they do.

package import Config
internal import Synchronization

package final class Reactor: @unchecked Sendable {
    // Sendable: every stored property is guarded by the lock.
    package static let shared = Reactor()

    /// The one lock of the engine's state. Never held across I/O or a callback, but across fork(2).
    let lock = Lock()

    /// Watchers that are created and not destroyed.
    private(set) var watchers: [Watcher] = []
    /// Watchers that are started, or about to be.
    private var users: [Watcher] = []
    private(set) var engine: Engine?
    /// This process is the child of a fork(2) and has not been told to go on.
    private(set) var isForked = false

    private var attempts: [Watcher] = []
    private var rounds: [Watcher] = []
    /// When time asks for something, at the earliest.
    private var earliest = Instant.never

    /// Who wants to know what the kernel tells of a watch.
    private struct Interest {
        let watcher: Watcher
        let layer: Layer
        let watch: Watch
    }
    private var interests: [Int32: [Interest]] = [:]
    /// How many threads have added watches that they have yet to register, and which watches ended
    /// meanwhile.
    private var arming = 0
    private var ended: [Int32] = []

    private var retired: [SharedSnapshot] = []
    /// How many watchers have a version that waits for the holders of the one before it.
    private var waiting = 0
    private var benches: [Workbench] = []
    /// Files that were read; closed when everybody has been told.
    private var unclosed: [Int32] = []

    private init() { ForkHandlers.install() }

    // MARK: - Watchers come and go

    /// A new watcher; its block keeps it alive until it is destroyed.
    package func makeWatcher() -> CurrentSnapshot {
        let current = lock.withLock { CurrentSnapshot.make() }
        let watcher = Watcher(reactor: self, current: current)
        lock.withLock {
            current.own(watcher)
            watchers.append(watcher)
        }
        return current
    }

    /// Under the lock.
    func remove(_ watcher: Watcher) { watchers.removeAll { $0 === watcher } }

    /// The watcher needs the engine from now on.
    func enter(_ watcher: Watcher) throws(Failure) {
        lock.acquire()
        defer { lock.release() }
        while let engine, engine.isStopping { lock.wait(until: .never) }
        if engine == nil {
            do throws(Errno) { engine = try Engine(self) } catch {
                throw error.failure(.watch, key: "", "cannot start watching")
            }
        }
        users.append(watcher)
        watcher.usesEngine = true
    }

    /// The watcher does not need the engine any more.
    func forget(_ watcher: Watcher) {
        let (engine, loose) = lock.withLock { () -> (Engine?, [Int32]) in
            if watcher.usesEngine { users.removeAll { $0 === watcher } }
            watcher.usesEngine = false
            attempts.removeAll { $0 === watcher }
            rounds.removeAll { $0 === watcher }
            watcher.isQueued = false
            var loose: [Int32] = []
            for layer in watcher.layers {
                loose += unregister(layer.registrations, of: layer)
                layer.registrations.removeAll()
            }
            // In a child that was not told to go on the engine is the parent's.
            if isForked { return (nil, []) }
            if users.isEmpty, RunningCallback.watcher != nil { self.engine?.stopItself() }
            return (self.engine, loose)
        }
        for number in loose { engine?.unwatch(number) }
    }

    /// Ends the engine when nobody needs it, and waits for its threads until the deadline.
    func leave(until deadline: Deadline) {
        lock.acquire()
        defer { lock.release() }
        guard users.isEmpty, let engine, !engine.isStopping else { return }
        engine.stop(until: deadline)
        self.engine = nil
        lock.wakeAll()
    }

    /// The engine ended on its own. Under the lock.
    func disconnect(_ engine: Engine) {
        if self.engine === engine { self.engine = nil }
        lock.wakeAll()
    }

    // MARK: - Queues. Under the lock.

    func queue(_ watcher: Watcher) {
        guard !watcher.isQueued else { return }
        watcher.isQueued = true
        attempts.append(watcher)
    }

    func queueRound(_ watcher: Watcher) {
        if !rounds.contains(where: { $0 === watcher }) { rounds.append(watcher) }
    }

    var hasRounds: Bool { !rounds.isEmpty }
    var isUnused: Bool { users.isEmpty }

    func note(_ deadline: Instant) { earliest = min(earliest, deadline) }

    /// Something was queued by a thread that is not the leader.
    func wake() { _ = Wakeup.signal() }

    // MARK: - What the leader does. Not under the lock.

    var nextDeadline: Instant { lock.withLock { earliest } }

    /// Tells layers what the kernel says, a buffer of events.
    func handle(_ events: UnsafeRawBufferPointer) {
        lock.acquire()
        defer { lock.release() }
        let now = Instant.now
        Inotify.forEach(in: events) { event in
            if event.mask.contains(.overflow) {
                for watcher in users { watcher.overflow(at: now) }
                return
            }
            for interest in interests[event.watch] ?? [] { tell(interest, of: event, at: now) }
            // The kernel has let go of the watch: its number means nothing any more, nor to who is
            // about to register for it.
            if event.mask.contains(.ignored) {
                interests[event.watch] = nil
                if arming > 0 { ended.append(event.watch) }
            }
        }
    }

    private func tell(_ interest: Interest, of event: Inotify.Notice, at now: Instant) {
        let layer = interest.layer
        if !event.mask.isDisjoint(with: .gone) {
            layer.needsArming = true
            layer.needsReading = true
        } else {
            let watch = interest.watch
            if let name = watch.name {
                if !name.withBytes({ equalBytes($0, event.name) }) {
                    // A directory beside the link's: the kubelet begins to write a generation.
                    let isGeneration = event.mask.isSuperset(of: [.create, .directory])
                    if isGeneration, MountLayout.isReserved(event.name) {
                        interest.watcher.noteUpcoming()
                    }
                    return
                }
                // One that is gone may come back in a way that is not watched for meanwhile.
                if !event.mask.isDisjoint(with: [.delete, .movedFrom]) { layer.needsArming = true }
            }
            // What is there now may have a generation of the same name.
            if watch.leadsElsewhere {
                layer.needsArming = true
                layer.needsReading = true
            }
        }
        interest.watcher.signal(layer, at: now)
    }

    /// Takes up reloads that were asked for, from signal handlers too.
    func takeReloadRequests() {
        guard Wakeup.takeReloadRequests() else { return }
        lock.withLock { for watcher in users { watcher.takeReloadRequest() } }
    }

    /// Does what time asks for; false when it asks for nothing yet.
    func handleTime() -> Bool {
        lock.withLock {
            let now = Instant.now
            guard now >= earliest else { return false }
            earliest = .never
            for watcher in users { note(watcher.onTime(now)) }
            return true
        }
    }

    /// One attempt of one watcher; false when there is nothing to load.
    func runAttempt() -> Bool {
        lock.acquire()
        guard !attempts.isEmpty else {
            lock.release()
            return false
        }
        let watcher = attempts.removeFirst()
        watcher.isQueued = false
        guard let (attempt, ticket) = watcher.beginAttempt() else {
            lock.release()
            return true
        }
        lock.release()
        let bench = takeBench(for: attempt.options)
        let result = watcher.run(attempt, with: bench)
        let isMuchUnclosed = lock.withLock { () -> Bool in
            watcher.endAttempt(result, ticket)
            unclosed.append(contentsOf: bench.files.takeFiles())
            return unclosed.count >= bench.files.mostOpen
        }
        returnBench(bench)
        // A validator may have destroyed its watcher.
        watcher.finish()
        // However many attempts follow each other, the host keeps its descriptors.
        if isMuchUnclosed { closeFiles() }
        return true
    }

    /// Whether there is something to load.
    var hasAttempts: Bool { lock.withLock { !attempts.isEmpty } }

    /// Whether the next attempt lets the application have its say.
    var nextAttemptCallsTheHost: Bool {
        lock.withLock { attempts.first?.rules.callTheHost ?? false }
    }

    /// The next watcher whose subscribers have something to hear, and whether something happened or
    /// only may.
    func takeRound() -> (watcher: Watcher, isNews: Bool)? {
        lock.withLock {
            if rounds.isEmpty { return nil }
            let watcher = rounds.removeFirst()
            return (watcher, watcher.threadSubscribers.hasNews)
        }
    }

    /// What can wait until everybody has been told: closing files, logging, freeing versions that
    /// nobody holds.
    func tidy() {
        closeFiles()
        Log.flush()
        reclaim()
    }

    private func closeFiles() {
        let files = lock.withLock { () -> [Int32] in
            defer { unclosed.removeAll(keepingCapacity: true) }
            return unclosed
        }
        for file in files { _ = FileDescriptor(unsafeOwning: file) }
    }

    // MARK: - Workbenches

    func takeBench(for options: Options) -> Workbench {
        if options.isSensitive { return Workbench(options) }
        return lock.withLock { benches.popLast() } ?? Workbench(options)
    }

    /// One is kept for each that may be in use at once: the leader's, and one for a start.
    func returnBench(_ bench: Workbench) {
        if bench.isSensitive { return }
        lock.withLock { if benches.count < 2 { benches.append(bench) } }
    }

    // MARK: - Watching

    /// Sets the kernel's watches of a layer, if they are not as they should be or `isForced` says
    /// so. Answers all that was asked for when all was set anew, otherwise nil.
    func arm(_ layer: Layer, of watcher: Watcher, isForced: Bool) -> [Watch]? {
        guard layer.source.canChange else { return nil }
        let engine = lock.withLock { () -> Engine? in
            guard layer.needsArming || isForced, let engine = self.engine else { return nil }
            layer.needsArming = false
            arming += 1
            return engine
        }
        guard let engine else { return nil }
        let watches = layer.source.watches()
        arm(layer, of: watcher, with: watches, engine)
        return watches
    }

    private func arm(_ layer: Layer, of watcher: Watcher, with watches: [Watch], _ engine: Engine) {
        var added: [Registration] = []
        var isUnwatched = false
        var isIncomplete = false
        for watch in watches {
            do throws(Errno) {
                added.append(Registration(number: try engine.watch(watch), watch: watch))
            } catch {
                // ENOSPC: fs.inotify.max_user_watches; EMFILE: there is no inotify instance at all;
                // EACCES: a directory that may be passed but not read. Anything else is a path that
                // changed meanwhile: then the next look sets the watches anew.
                switch error {
                case .noSpace, .tooManyOpenFiles, .outOfMemory, .denied: isUnwatched = true
                default: isIncomplete = true
                }
            }
        }
        let loose = lock.withLock { () -> [Int32] in
            defer {
                arming -= 1
                if arming == 0 { ended.removeAll() }
            }
            guard watcher.usesEngine else {
                return added.map { $0.number }.filter { interests[$0] == nil }
            }
            let before = layer.registrations
            layer.registrations = added
            // All are let go and taken anew: to compare would take the square of the time where
            // there are many, as of links in a plain directory.
            let left = unregister(before, of: layer)
            for registration in added {
                if ended.contains(registration.number) {
                    isIncomplete = true
                    watcher.signal(layer, at: .now)
                }
                interests[registration.number, default: []].append(
                    Interest(watcher: watcher, layer: layer, watch: registration.watch))
            }
            if isIncomplete { layer.needsArming = true }
            if isUnwatched, !layer.isUnwatched {
                watcher.log(
                    .warning,
                    "\(layer.source.name.description): no inotify watch to be had "
                        + "(fs.inotify.max_user_watches, "
                        + "max_user_instances, permissions): polling")
            }
            if layer.isUnwatched, !isUnwatched {
                watcher.log(.info, "\(layer.source.name.description): watched by inotify again")
            }
            layer.isUnwatched = isUnwatched
            return left.filter { interests[$0] == nil }
        }
        for number in loose { engine.unwatch(number) }
    }

    /// Under the lock: the layer lets go of its watches; those that nobody is interested in any
    /// more, so that they can go.
    private func unregister(_ registrations: [Registration], of layer: Layer) -> [Int32] {
        var loose: [Int32] = []
        for registration in registrations {
            // One directory may be watched for many names: the first takes them all along.
            guard let interested = interests[registration.number] else { continue }
            let others = interested.filter { $0.layer !== layer }
            if others.isEmpty { loose.append(registration.number) }
            interests[registration.number] = others.isEmpty ? nil : others
        }
        return loose
    }

    // MARK: - Snapshots whose last holder may have let go

    /// Under the lock: one more, or one less, waits for holders.
    func noteWaiting(_ change: Int) { waiting += change }

    /// Under the lock: `snapshot` is not current any more, or never was.
    func retire(_ snapshot: SharedSnapshot) {
        snapshot.tellOfRelease()
        retired.append(snapshot)
    }

    /// Under the lock: the history has dropped a version.
    func letGo(_ snapshot: SharedSnapshot) {
        snapshot.isKept = false
        lookAfter(snapshot)
    }

    /// Under the lock: a former version may be held by callers again, or by nobody any more.
    func lookAfter(_ snapshot: SharedSnapshot) {
        if !retired.contains(snapshot) { retired.append(snapshot) }
    }

    /// Under the lock: whether versions wait for their last holder.
    var hasRetired: Bool { !retired.isEmpty }

    /// Frees what nobody holds, and tells who waits for that.
    func reclaim() {
        var contents: [Content] = []
        lock.withLock {
            Reclaimer.begin()
            retired.removeAll { snapshot in
                if snapshot.isHeldByCallers { return false }
                noteDrained(snapshot)
                if snapshot.isHeldByEngine { return false }
                // The history goes on without anybody looking after it.
                if snapshot.isKept { return true }
                if let content = snapshot.takeContent() { contents.append(content) }
                snapshot.recycle()
                return true
            }
            if waiting > 0 {
                for watcher in users where watcher.current.snapshot?.isHeldByCallers == false {
                    watcher.publishWaiting()
                }
            }
            lock.wakeAll()
            // The thread that leads may be about to wait already.
            if hasRounds { wake() }
        }
        // Not under the lock: freeing megabytes takes a while.
        contents.removeAll()
    }

    /// Under the lock: nobody holds a version any more; said once.
    private func noteDrained(_ snapshot: SharedSnapshot) {
        guard !snapshot.isDrained, snapshot.version > 0 else { return }
        snapshot.isDrained = true
        snapshot.current.owner?.noteDrained(snapshot.version)
    }

    /// Under the lock: how many snapshots of a watcher callers hold, of those older than `before`.
    func heldSnapshots(of current: CurrentSnapshot, before: UInt64 = .max) -> Int {
        var held = retired.count {
            $0.current == current && $0.version < before && $0.isHeldByCallers
        }
        if let newest = current.snapshot, newest.version < before, newest.isHeldByCallers {
            held += 1
        }
        return held
    }

    // MARK: - Fork

    func beforeFork() {
        lock.acquire()
        Log.lock.acquire()
    }

    func afterForkInParent() {
        Log.lock.release()
        lock.release()
    }

    func afterForkInChild() {
        lock.reset()
        Log.afterForkInChild()
        Wakeup.afterForkInChild()
        // A process that runs nothing has nothing to resume.
        let isUsed = watchers.contains { $0.isLoading || $0.isBusy }
        isForked = isForked || engine != nil || isUsed
        engine?.abandon()
    }

    /// The child goes on: threads, an inotify instance and event descriptors of its own.
    package func resumeInChild() throws(Failure) {
        if RunningCallback.watcher != nil { throw Failure(.state, "not inside a callback") }
        do throws(Errno) {
            try resume()
        } catch {
            throw error.failure(.watch, key: "", "cannot go on in the child")
        }
        wake()
    }

    private func resume() throws(Errno) {
        lock.acquire()
        defer { lock.release() }
        guard isForked else { return }
        // The threads that used the parent's engine are not there to close its descriptors.
        engine?.closeDescriptors()
        engine = nil
        interests.removeAll()
        attempts.removeAll()
        rounds.removeAll()
        benches.removeAll()
        for file in unclosed { _ = FileDescriptor(unsafeOwning: file) }
        unclosed.removeAll()
        arming = 0
        ended.removeAll()
        users.removeAll { $0.life == .starting }
        for watcher in watchers { try watcher.resumeInChild() }
        if !users.isEmpty { engine = try Engine(self) }
        isForked = false
        for watcher in users {
            if watcher.needsAttempt { queue(watcher) }
            if watcher.threadSubscribers.hasPending { queueRound(watcher) }
        }
    }
}

/// Asks for retired snapshots to be looked at.
enum Reclaimer {
    private static let isRequested = Atomic<Bool>(false)

    /// A caller let go of a retired snapshot. Wakes the reactor once for any number of them; where
    /// there is none, nobody else frees what is left.
    @inline(never)
    static func request() {
        if isRequested.exchange(true, ordering: .sequentiallyConsistent) { return }
        if !Wakeup.signal() { Reactor.shared.reclaim() }
    }

    /// What is released from now on asks again.
    static func begin() { isRequested.store(false, ordering: .sequentiallyConsistent) }
}
