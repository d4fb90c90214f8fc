// What a candidate must pass before it is published, apart from being readable and parseable.
// Rules see the configuration as a whole, as the application would.

package import Config

/// The last word of the application: nil lets the candidate pass, a failure rejects it. Calls never
/// overlap.
package typealias Validator = (SharedSnapshot) -> Failure?

/// The rules of one watcher. Guarded by the lock; whoever loads works with a copy.
struct Rules {
    var validator: Validator?

    /// Whether passing them runs the host's code.
    var callTheHost: Bool { validator != nil }
}

/// Content that was not taken, and why.
package struct Rejection: Error, Equatable {
    package let failure: Failure
    /// Tells contents apart; 0 where nothing could be read.
    package let fingerprint: UInt64

    package init(_ failure: Failure, fingerprint: UInt64) {
        self.failure = failure
        self.fingerprint = fingerprint
    }

    /// Of what one reports only once.
    package static func == (a: Rejection, b: Rejection) -> Bool {
        a.fingerprint == b.fingerprint && a.failure.kind == b.failure.kind
            && a.failure.line == b.failure.line && a.failure.column == b.failure.column
            && a.failure.osErrno == b.failure.osErrno
            && a.failure.key.isIdentical(to: b.failure.key)
            && a.failure.message.isIdentical(to: b.failure.message)
    }
}

extension Content {
    /// Tells contents apart, like `Payload.fingerprint`.
    var fingerprint: UInt64 {
        let digest = body.digest
        return digest.high ^ digest.low
    }
}

extension Watcher {
    /// Shows a candidate to the application; the snapshot that it saw, which is to be published or
    /// retired. Not under the lock.
    func validate(_ content: Content, by rules: Rules) throws(Failure) -> SharedSnapshot? {
        guard let validator = rules.validator else { return nil }
        let candidate = reactor.lock.withLock {
            SharedSnapshot.make(content: content, current: current, version: 0)
        }
        let failure = RunningCallback.run(current.base, isValidator: true) { validator(candidate) }
        if let failure {
            discard(candidate)
            throw failure
        }
        return candidate
    }

    /// A candidate that is not published. Not under the lock.
    func discard(_ candidate: SharedSnapshot) {
        reactor.lock.withLock { reactor.retire(candidate) }
    }

    /// Sets the application's say; nil takes it away. A started watcher's current version has to
    /// pass it first.
    package func setValidator(_ validator: Validator?) throws(Failure) {
        let now = try reactor.lock.withLock { () throws(Failure) -> SharedSnapshot? in
            try beginChangingRules()
            guard life == .started, validator != nil else { return nil }
            current.snapshot?.engineRetain()
            return current.snapshot
        }
        var failure: Failure?
        if let now, let validator {
            failure = RunningCallback.run(current.base, isValidator: true) { validator(now) }
        }
        reactor.lock.withLock {
            now?.engineRelease()
            if failure == nil { rules.validator = validator }
            endChangingRules()
        }
        finish()
        if let failure { throw failure }
    }

    /// Takes the place of an attempt, so that no rule is used while it changes. Under the lock.
    private func beginChangingRules() throws(Failure) {
        if RunningCallback.isValidator { throw Failure(.state, "not inside a validator") }
        if reactor.isForked {
            throw Failure(.state, "not in a forked child before cmr_after_fork_child")
        }
        while isLoading { reactor.lock.wait(until: .never) }
        if life == .stopped { throw Failure(.state, "the watcher was stopped") }
        isLoading = true
    }

    /// What was held back is looked at again: it may pass now. Under the lock.
    private func endChangingRules() {
        isLoading = false
        rejectedTogether = nil
        for layer in layers where layer.isHeldBack { layer.state = .due }
        if needsAttempt {
            reactor.queue(self)
            reactor.wake()
        }
        reactor.lock.wakeAll()
    }
}
