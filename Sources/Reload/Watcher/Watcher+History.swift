// Going back: to a version of the history because somebody asks for it, or to the last confirmed
// one because nobody confirmed what came after it.

package import Config

/// Which versions are confirmed, where versions have to be.
struct Confirmation {
    /// What the watcher goes back to.
    private(set) var confirmed: (version: UInt64, composition: Composition)?
    /// What was published since, the oldest first.
    private(set) var unconfirmed: [(version: UInt64, composition: Composition)] = []
    /// What was gone back from before anybody confirmed it, by number.
    private var gone: [Range<UInt64>] = []
    /// When it goes back.
    private(set) var deadline = Instant.never

    /// More versions than these within one deadline are a writer that never rests, and more that
    /// are gone nobody asks about; the oldest are forgotten.
    private static let most = 64

    /// A version that needs no confirmation: the first one, or one that was gone back to.
    mutating func begin(_ version: UInt64, _ composition: Composition) {
        if let confirmed, !unconfirmed.isEmpty {
            gone.append(confirmed.version + 1..<version)
            if gone.count > Confirmation.most { gone.removeFirst() }
        }
        confirmed = (version, composition)
        unconfirmed.removeAll()
        deadline = .never
    }

    /// A version that has to be confirmed until the deadline.
    mutating func await(_ version: UInt64, _ composition: Composition, until deadline: Instant) {
        unconfirmed.append((version, composition))
        if unconfirmed.count > Confirmation.most { unconfirmed.removeFirst() }
        self.deadline = deadline
    }

    /// Whether there is, or was, such a version to confirm.
    mutating func confirm(_ version: UInt64) -> Bool {
        if gone.contains(where: { $0.contains(version) }) { return false }
        if let confirmed, version <= confirmed.version { return version > 0 }
        guard let index = unconfirmed.firstIndex(where: { $0.version == version }) else {
            return false
        }
        confirmed = unconfirmed[index]
        unconfirmed.removeFirst(index + 1)
        if unconfirmed.isEmpty { deadline = .never }
        return true
    }
}

extension Watcher {
    /// Publishes the content of an older version as a new one: of this version, or of the newest
    /// that differs from the current one and was not left before.
    package func rollback(to number: UInt64) throws(Failure) -> UInt64 {
        try reactor.lock.withLock { () throws(Failure) in
            try checkChangeable()
            guard let now = composition else { throw Failure(.notFound, "there is no version yet") }
            let quarantines = layers.map { $0.quarantine }
            let found =
                number == 0
                ? history.newest(otherThan: now.content, in: quarantines) : history.version(number)
            guard let found else {
                if number > 0, number == version { return version }
                throw Failure(
                    .notFound,
                    number == 0
                        ? "there is no older content to go back to"
                        : "the history does not have this version")
            }
            if found.composition.content.isSame(as: now.content), waiting == nil { return version }
            log(.warning, "back to the content of version \(found.snapshot.version)")
            goBack(to: found.composition, leaving: [])
            return version
        }
    }

    /// Declares a version good: the watcher does not go back behind it by itself.
    package func confirm(_ number: UInt64) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in
            try checkChangeable()
            let isThere =
                options.confirmMilliseconds > 0
                ? confirmation.confirm(number) : number > 0 && number <= version
            if !isThere { throw Failure(.notFound, "there is no such version to confirm") }
        }
    }

    /// The version that was current `index` versions ago, retained; nil past the oldest.
    package func history(at index: Int) throws(Failure) -> SharedSnapshot {
        try reactor.lock.withLock { () throws(Failure) in
            if index == 0, let snapshot = current.snapshot {
                snapshot.retain()
                return snapshot
            }
            guard index > 0, index <= history.versions.count else {
                throw Failure(.notFound, "the history does not go back as far")
            }
            let snapshot = history.versions[index - 1].snapshot
            snapshot.retain()
            // It is held again: somebody has to notice when it is not any more.
            reactor.lookAfter(snapshot)
            return snapshot
        }
    }

    /// Nobody confirmed in time. Under the lock.
    func revert() {
        guard let (number, target) = confirmation.confirmed else { return }
        log(.warning, "version \(version) was not confirmed: back to the content of \(number)")
        goBack(to: target, leaving: confirmation.unconfirmed.map { $0.composition })
    }

    /// Publishes former content. What the layers hold now, and held in the versions that are left,
    /// has no effect until their sources offer something else. Under the lock.
    private func goBack(to target: Composition, leaving: [Composition]) {
        // An attempt that runs began with what is left now: its result does not count.
        epoch &+= 1
        let abandoned = dropWaiting()
        for (index, layer) in layers.enumerated() where layer.source.canChange {
            let kept = target.contents[index]
            for left in leaving.map({ $0.contents[index] }) + [layer.content] {
                guard let left, kept.map({ !left.isSame(as: $0) }) ?? true else { continue }
                layer.quarantine.add(left)
            }
            if let kept { layer.quarantine.remove(kept) }
            layer.content = kept
        }
        if let now = composition, target.content.isSame(as: now.content) {
            // It is there already, and what was left on the way to it is gone all the same.
            confirmation.begin(version, now)
        } else {
            publish(target, candidate: nil, cause: .rollback)
        }
        for ticket in abandoned { ticket.end(nil, version: version) }
        reactor.lock.wakeAll()
        reactor.wake()
    }

    /// What changes the version by hand is for a started watcher, and not for a validator, which
    /// looks at a version that is yet to be.
    func checkChangeable() throws(Failure) {
        if RunningCallback.isValidator { throw Failure(.state, "not inside a validator") }
        if reactor.isForked {
            throw Failure(.state, "not in a forked child before cmr_after_fork_child")
        }
        guard life == .started else { throw Failure(.state, "the watcher is not started") }
    }
}
