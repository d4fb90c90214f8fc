// When a watcher looks at its sources: on signals, and when time asks for it. All of it under the
// lock.

internal import Config

extension Watcher {
    var needsAttempt: Bool {
        life == .started && !isLoading
            && (isReloadRequested || !tickets.isEmpty || layers.contains { $0.state == .due })
    }

    /// Sets when a layer is looked at although nothing is signalled.
    func schedule(_ layer: Layer, at now: Instant) {
        guard layer.source.canChange else { return }
        var mayRecover = layer.isLost
        if case .rejected(let rejection) = layer.health { mayRecover = rejection.isPassing }
        if layer.isHeldBack, let rejectedTogether { mayRecover = rejectedTogether.isPassing }
        layer.isPolled = layer.isUnwatched || !layer.source.isLocal
        if layer.isPolled || mayRecover || layer.content == nil || layer.needsArming {
            layer.nextCheck = now.advanced(byMilliseconds: options.pollMilliseconds)
            reactor.note(layer.nextCheck)
        }
    }

    /// A signal for a layer.
    func signal(_ layer: Layer, at now: Instant) {
        guard life == .started else {
            // While `start` loads the signal waits for its end.
            layer.state = .due
            return
        }
        layer.state.onSignal(
            at: now, settle: layer.source.settles ? options.settleMilliseconds : nil)
        reactor.note(layer.state.deadline)
        if needsAttempt { reactor.queue(self) }
    }

    /// More keys, or bytes, take longer to look at than being ready saves.
    private static let mostRehearsed = (keys: 64, bytes: 64 << 10)

    /// Looks at the source as a rescan does, so that what a load runs and reads is in the
    /// processor's caches when there is something to load. What is bad or gone is left alone. Of
    /// several sources in one mount the rename might come between the first and the second.
    func rehearse() {
        let changing = layers.filter { $0.source.canChange }
        guard life == .started, isHealthy, changing.count == 1, changing[0].state == .idle,
            let body = composition?.content.body, body.count <= Watcher.mostRehearsed.keys
        else { return }
        var size = 0
        for index in 0..<body.count {
            size += body.document(at: index)?.bytes.count ?? 0
            if size > Watcher.mostRehearsed.bytes { return }
        }
        changing[0].needsReading = true
        changing[0].isDueByTime = true
        changing[0].state = .due
        if needsAttempt { reactor.queue(self) }
    }

    /// The kernel dropped notifications: everything is looked at.
    func overflow(at now: Instant) {
        stats.overflows += 1
        for layer in layers where layer.source.canChange {
            layer.needsArming = true
            signal(layer, at: now)
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
        if now >= confirmation.deadline { revert() }
        if let waiting, now >= waiting.deadline { publishWaiting() }
        var next = min(nextRescan, min(confirmation.deadline, waiting?.deadline ?? .never))
        for layer in layers where layer.source.canChange {
            layer.state.onTime(now)
            if isRescan || now >= layer.nextCheck {
                layer.nextCheck = .never
                layer.needsArming = true
                if isRescan { layer.needsReading = true } else { stats.rescans += 1 }
                if layer.state == .idle {
                    layer.state = .due
                    layer.isDueByTime = true
                }
            }
            next = min(next, min(layer.state.deadline, layer.nextCheck))
        }
        if needsAttempt { reactor.queue(self) }
        return next
    }

    /// Rescans of all watchers fall on the same ticks, so that a thousand idle watchers wake the
    /// process once.
    func rescan(after now: Instant) -> Instant {
        guard options.rescanMilliseconds > 0 else { return .never }
        let period = options.rescanMilliseconds &* 1_000_000
        let tick = (now.nanoseconds / period &+ 1).multipliedReportingOverflow(by: period)
        let next = tick.overflow ? Instant.never : Instant(nanoseconds: tick.partialValue)
        reactor.note(next)
        return next
    }
}
