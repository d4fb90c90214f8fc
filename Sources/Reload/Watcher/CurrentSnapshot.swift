// The published side of a watcher: the version word and the pointer to the current snapshot. A
// `cmr_watcher *` points at one. Reading takes no lock and waits for nobody.

internal import CSystem
package import Synchronization

/// The block that readers touch. It lives until the watcher is destroyed *and* its last snapshot
/// and reader are released.
package struct CurrentSnapshot: Equatable, @unchecked Sendable {
    // Sendable: readers touch atomics; the rest is under the lock.
    package let base: UnsafeMutableRawPointer

    @inline(__always)
    package init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// A block for a new watcher, held once: one that was used before, or a new one. Blocks are
    /// never given back, so that a call that is late for `cmr_watcher_destroy` still finds a block.
    static func make() -> CurrentSnapshot {
        let base = unused.popLast()?.base ?? .allocate(byteCount: 128, alignment: 64)
        base.initializeMemory(as: UInt64.self, repeating: 0, count: 16)
        let current = CurrentSnapshot(base)
        current.retain()
        return current
    }

    // MARK: - Reading

    /// The version word: how many snapshots were published.
    @inline(__always)
    package var versionWord: UnsafeMutablePointer<Atomic<UInt64>> {
        base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private var pointer: UnsafeMutablePointer<Atomic<UInt>> {
        (base + 8).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inline(__always)
    package var version: UInt64 { versionWord.pointee.load(ordering: .acquiring) }

    /// The current snapshot, retained; nil before the first.
    @inline(__always)
    package func acquire() -> SharedSnapshot? {
        while true {
            let seen = pointer.pointee.load(ordering: .acquiring)
            guard let base = UnsafeMutableRawPointer(bitPattern: seen) else { return nil }
            let snapshot = SharedSnapshot(base)
            snapshot.retain()
            // Counted in before it was replaced: whoever retires it sees the count. Otherwise out
            // again.
            if pointer.pointee.load(ordering: .sequentiallyConsistent) == seen { return snapshot }
            snapshot.release()
        }
    }

    // MARK: - The engine's side, under its lock

    /// The current snapshot, not retained.
    var snapshot: SharedSnapshot? {
        UnsafeMutableRawPointer(bitPattern: pointer.pointee.load(ordering: .relaxed)).map {
            SharedSnapshot($0)
        }
    }

    /// Makes `next` what readers get; answers what they got until now.
    func publish(_ next: SharedSnapshot) -> SharedSnapshot? {
        let before = pointer.pointee.exchange(
            UInt(bitPattern: next.base), ordering: .sequentiallyConsistent)
        versionWord.pointee.store(next.version, ordering: .sequentiallyConsistent)
        return UnsafeMutableRawPointer(bitPattern: before).map { SharedSnapshot($0) }
    }

    /// The watcher is destroyed: nobody acquires from here any more.
    func withdraw() -> SharedSnapshot? {
        UnsafeMutableRawPointer(
            bitPattern: pointer.pointee.exchange(0, ordering: .sequentiallyConsistent)
        )
        .map { SharedSnapshot($0) }
    }

    private var holders: UnsafeMutablePointer<Int> { (base + 64).assumingMemoryBound(to: Int.self) }

    func retain() { holders.pointee += 1 }

    func release() {
        holders.pointee -= 1
        guard holders.pointee == 0 else { return }
        freeCells()
        CurrentSnapshot.unused.append(self)
    }

    nonisolated(unsafe) private static var unused: [CurrentSnapshot] = []

    // MARK: - The watcher behind it

    private var tie: UnsafeMutablePointer<Watcher?> {
        (base + 72).assumingMemoryBound(to: Watcher?.self)
    }

    /// Ties the watcher to its block, which keeps it alive until `disown`.
    func own(_ watcher: Watcher) { tie.pointee = watcher }

    /// Unties the watcher, which may go when its last user lets go of it.
    func disown() { tie.pointee = nil }

    /// The watcher, or nil once it is destroyed. Under the lock.
    var owner: Watcher? { tie.pointee }

    /// The watcher, or nil once it is destroyed. Takes the lock, for as long as it takes to retain
    /// it.
    package var watcher: Watcher? {
        Reactor.shared.lock.withLock { owner }
    }

    // MARK: - Asking for a reload from a signal handler

    private var reloadRequested: UnsafeMutablePointer<Atomic<Bool>> {
        (base + 80).assumingMemoryBound(to: Atomic<Bool>.self)
    }

    /// Async-signal-safe.
    package func requestReload() {
        reloadRequested.pointee.store(true, ordering: .sequentiallyConsistent)
        _ = Wakeup.signal(reloadRequested: true)
    }

    func takeReloadRequest() -> Bool {
        reloadRequested.pointee.exchange(false, ordering: .sequentiallyConsistent)
    }
}
