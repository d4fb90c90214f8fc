// What keys are parsed as, where their suffix does not say it. May be set at any time: what a
// started watcher holds is then parsed again, and has to parse.

package import Config

extension Watcher {
    /// Values of the keys that match are of this format.
    package func setFormat(_ format: Format, for pattern: KeyPattern) throws(Failure) {
        try set(.format(format), for: pattern)
    }

    /// Values of the keys that match are for a parser of the application's.
    package func setParser(_ parse: @escaping OwnParser.Parse, for pattern: KeyPattern)
        throws(Failure)
    {
        // The block of a watcher outlives all that it calls.
        let mark = current.base
        let parser = OwnParser { key, bytes, json throws(Failure) in
            let failure = RunningCallback.run(mark, isValidator: true) { () -> Failure? in
                do throws(Failure) {
                    try parse(key, bytes, json)
                    return nil
                } catch { return error }
            }
            if let failure { throw failure }
        }
        try set(.own(parser), for: pattern)
    }

    private func set(_ format: KeyFormat, for pattern: KeyPattern) throws(Failure) {
        let isOwn = if case .own = format { true } else { false }
        try reactor.lock.withLock { () throws(Failure) in
            try beginChangingRules()
            if isOwn { rules.haveParsers = true }
        }
        do throws(Failure) {
            while try !apply(format, for: pattern) {}
        } catch {
            reactor.lock.withLock { endChangingRules() }
            finish()
            throw error
        }
        finish()
    }

    /// Parses what there is as it would be, and if all of it parses makes it so; false when
    /// somebody went back meanwhile.
    private func apply(_ format: KeyFormat, for pattern: KeyPattern) throws(Failure) -> Bool {
        let (attempt, epoch) = reactor.lock.withLock { () -> (ReloadAttempt, Int) in
            var changed = options
            changed.parsing.formats.add(format, for: pattern)
            return (self.attempt(at: [], isForced: true, options: changed), self.epoch)
        }
        let bench = reactor.takeBench(for: attempt.options)
        defer { reactor.returnBench(bench) }
        let (contents, proposal) = try attempt.parseAgain(with: bench) {
            content throws(Rejection) in
            try self.validate(content, by: attempt.rules, knowing: attempt.newest)
        }
        return reactor.lock.withLock {
            guard epoch == self.epoch else {
                if let candidate = proposal?.candidate { reactor.retire(candidate) }
                return false
            }
            options.parsing.formats = attempt.options.parsing.formats
            for (layer, content) in zip(layers, contents) { layer.content = content }
            if let proposal, life == .started {
                _ = offer(proposal.composition, proposal.candidate, cause: .reload, tickets: [])
                reactor.wake()
            }
            for layer in layers where layer.refused != nil {
                layer.refused = nil
                layer.loadAgain()
            }
            endChangingRules()
            return true
        }
    }
}
