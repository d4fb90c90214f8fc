// What a candidate must pass before it is published, apart from being readable and parseable.
// Rules see the configuration as a whole, as the application would.

package import Config

/// The last word of the application: nil lets the candidate pass, a failure rejects it. Calls never
/// overlap.
package typealias Validator = (SharedSnapshot) -> Failure?

/// A schema, and what it is for.
struct SchemaRule {
    /// A path into the configuration, or "" for all of it, as one object of keys.
    let path: [UInt8]
    let schema: Schema
}

/// The rules of one watcher. Guarded by the lock; whoever loads works with a copy.
struct Rules {
    var schemas: [SchemaRule] = []
    var validator: Validator?
    /// Some values are for parsers of the application's.
    var haveParsers = false

    /// Whether a load runs the host's code.
    var callTheHost: Bool { validator != nil || haveParsers }
}

/// Content that was not taken, and why.
package struct Rejection: Error, Equatable {
    package let failure: Failure
    /// Tells contents apart; 0 where nothing could be read.
    package let fingerprint: UInt64
    /// All that a schema found; nil when it was something else.
    package let violations: Violations?

    package init(_ failure: Failure, fingerprint: UInt64, violations: Violations? = nil) {
        self.failure = failure
        // That there was no memory says nothing about the content.
        self.fingerprint = failure.kind == .noMemory ? 0 : fingerprint
        self.violations = violations
    }

    /// The same content may be taken at the next look.
    var isPassing: Bool { failure.stage == .load || failure.kind == .noMemory }

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

extension Rules {
    /// Holds content to all schemas. What is the same as in `known`, which passed, passes.
    func validate(_ content: Content, knowing known: Content?, options: Options) throws(Rejection) {
        let memory = options.memory
        let violations = Violations(memory: memory, tellsNames: !options.isSensitive)
        do throws(Failure) {
            for rule in schemas {
                try rule.validate(
                    content.body, knowing: known?.body, into: violations, memory: memory)
            }
            if violations.isEmpty { return }
            try violations.seal()
        } catch {
            throw Rejection(error, fingerprint: content.fingerprint)
        }
        guard let failure = violations.failure else { return }
        throw Rejection(failure, fingerprint: content.fingerprint, violations: violations)
    }
}

extension Rules {
    /// The same for what is not published by passing.
    fileprivate func check(_ content: Content, options: Options) throws(Failure) {
        do throws(Rejection) {
            try validate(content, knowing: nil, options: options)
        } catch { throw error.failure }
    }
}

extension SchemaRule {
    fileprivate func validate(
        _ snapshot: Snapshot, knowing known: Snapshot?, into violations: Violations, memory: Memory
    ) throws(Failure) {
        if path.isEmpty {
            _ = try schema.validate(snapshot, into: violations, memory: memory)
            return
        }
        guard let value = value(in: snapshot) else { return }
        // A document that both share has the same bytes.
        if let known, let before = self.value(in: known), before.node == value.node { return }
        _ = try schema.validate(value, into: violations, memory: memory)
    }

    private func value(in snapshot: Snapshot) -> Value? {
        path.withUnsafeBufferPointer { try? snapshot.value(atPath: $0) }
    }
}

extension Watcher {
    /// Holds a candidate to the rules, and shows it to the application last; the snapshot that it
    /// saw, which is to be published or retired. Not under the lock.
    func validate(_ content: Content, by rules: Rules, knowing known: Content?)
        throws(Rejection) -> SharedSnapshot?
    {
        try rules.validate(content, knowing: known, options: options)
        guard let validator = rules.validator else { return nil }
        let candidate = reactor.lock.withLock {
            SharedSnapshot.make(content: content, current: current, version: 0)
        }
        let failure = RunningCallback.run(current.base, isValidator: true) { validator(candidate) }
        if let failure {
            discard(candidate)
            throw Rejection(failure, fingerprint: content.fingerprint)
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

    /// Sets the schema for a path, or takes it away when `json` is nil. A started watcher's current
    /// version has to pass it first.
    package func setSchema(_ json: Bytes?, for path: Bytes) throws(Failure) {
        let (now, assertsFormat) = try reactor.lock.withLock { () throws(Failure) in
            try beginChangingRules()
            return (life == .started ? composition?.content : nil, options.assertsFormat)
        }
        var failure: Failure?
        var changed = rules.schemas
        changed.removeAll { $0.path.elementsEqual(path) }
        do throws(Failure) {
            if let json {
                let schema = try Schema.compile(
                    json: json, path: path, registry: schemaRegistry,
                    assertsFormat: assertsFormat, memory: .system)
                let rule = SchemaRule(path: Array(path), schema: schema)
                if let now { try Rules(schemas: [rule]).check(now, options: options) }
                changed.append(rule)
            }
        } catch {
            failure = error
        }
        reactor.lock.withLock {
            if failure == nil { rules.schemas = changed }
            endChangingRules()
        }
        finish()
        if let failure { throw failure }
    }

    /// Adds a schema that others may refer to by its id.
    package func addSchema(_ json: Bytes, id: Bytes) throws(Failure) {
        try reactor.lock.withLock { () throws(Failure) in try beginChangingRules() }
        var failure: Failure?
        do throws(Failure) {
            try schemaRegistry.add(id: id, json: json, memory: .system)
        } catch {
            failure = error
        }
        reactor.lock.withLock { endChangingRules() }
        finish()
        if let failure { throw failure }
    }

    /// What the newest rejection found, as JSON; nothing when it was no schema that rejected.
    package func violations() throws(Failure) -> OwnedText {
        let rejection = reactor.lock.withLock { newestRejection }
        guard let rejection else { throw Failure(.notFound, "nothing is rejected") }
        return try (rejection.violations ?? Violations(memory: .system)).json(memory: .caller)
    }

    /// Takes the place of an attempt, so that no rule is used while it changes. Under the lock.
    func beginChangingRules() throws(Failure) {
        if RunningCallback.isValidator { throw Failure(.state, "not inside a validator") }
        if reactor.isForked {
            throw Failure(.state, "not in a forked child before cmr_after_fork_child")
        }
        while isLoading { reactor.lock.wait(until: .never) }
        if life == .stopped { throw Failure(.state, "the watcher was stopped") }
        isLoading = true
        withdrawWaiting()
    }

    /// What was held back is looked at again: it may pass now. Under the lock.
    func endChangingRules() {
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
