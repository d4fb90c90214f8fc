// What readers touch is used again by the whole process, under the reactor's lock. Tests run beside
// others that have watchers, so they take it too: without it a block is lost, or given out twice.

@testable import Reload

extension CurrentSnapshot {
    static func makeInTest() -> CurrentSnapshot { Reactor.shared.lock.withLock { make() } }

    func releaseInTest() { Reactor.shared.lock.withLock { release() } }
}

extension SharedSnapshot {
    static func makeInTest(
        _ content: Content, current: CurrentSnapshot, version: UInt64
    ) -> SharedSnapshot {
        Reactor.shared.lock.withLock { make(content: content, current: current, version: version) }
    }

    /// What the reactor does with a snapshot that nobody holds.
    func giveBackInTest() { Reactor.shared.lock.withLock { giveBack() } }

    /// Under the lock.
    func giveBack() {
        _ = takeContent()
        recycle()
    }
}
