// A published snapshot and who holds it. A `cmr_snapshot *` points at one.
//
// Counting is striped: each thread counts what it acquires and what it releases in a cache line of
// its own. Both counts only grow, and whoever looks for the last holder sums the releases first:
// when that sum equals the sum of acquisitions taken after it, nobody held the snapshot in between,
// and nobody can get it again once it is retired. A header's memory is never given back, only used
// again, so a thread that loses the race against a publication counts itself in and out of a header
// that is still a header.

internal import CSystem
package import Config
internal import Synchronization

/// A snapshot with its version and its reference counts. Copying this copies a pointer.
package struct SharedSnapshot: Equatable, @unchecked Sendable {
    // Sendable: callers touch atomics and what was written before it was published; the rest is
    // under the lock.
    package let base: UnsafeMutableRawPointer

    @inline(__always)
    package init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// What readers see; it does not change while somebody can hold the snapshot.
    private struct Header {
        /// The content, unretained: the fast way in.
        var body: Snapshot
        var publishedNanoseconds: Int64
        /// Keeps the content alive.
        var content: Content?
        /// The watcher it belongs to; its block lives as long as this.
        var current: CurrentSnapshot
    }

    /// What only the engine knows, under its lock; in a cache line that no reader touches.
    private struct Bookkeeping {
        /// References of the engine's own: rounds that still compare with it.
        var engineHolders = 0
        /// The history has it.
        var isKept = false
        /// It was said that nobody holds it any more.
        var isDrained = false
    }

    private static var tellsOffset: Int { 64 }
    private static var versionOffset: Int { 72 }
    private static var bookkeepingOffset: Int { 128 }
    private static var stripesOffset: Int { 192 }
    private static var stripeSize: Int { 64 }

    @inline(__always)
    private var header: UnsafeMutablePointer<Header> { base.assumingMemoryBound(to: Header.self) }

    private var bookkeeping: UnsafeMutablePointer<Bookkeeping> {
        (base + SharedSnapshot.bookkeepingOffset).assumingMemoryBound(to: Bookkeeping.self)
    }

    // MARK: - Reading

    @inline(__always) package var body: Snapshot { header.pointee.body }
    /// 1, 2, 3 …; 0 for a candidate. Atomic, since a validator may have handed the candidate on.
    @inline(__always) package var version: UInt64 { versionWord.pointee.load(ordering: .relaxed) }
    @inline(__always) package var publishedNanoseconds: Int64 {
        header.pointee.publishedNanoseconds
    }
    package var content: Content? { header.pointee.content }

    // MARK: - Callers' references

    @inline(__always)
    private func acquired(_ stripe: UInt32) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (base + SharedSnapshot.stripesOffset + Int(stripe) * SharedSnapshot.stripeSize)
            .assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private func released(_ stripe: UInt32) -> UnsafeMutablePointer<Atomic<UInt64>> {
        acquired(stripe) + 1
    }

    @inline(__always)
    private var tellsOfRelease: UnsafeMutablePointer<Atomic<UInt64>> {
        (base + SharedSnapshot.tellsOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private var versionWord: UnsafeMutablePointer<Atomic<UInt64>> {
        (base + SharedSnapshot.versionOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    package func retain() {
        acquired(cs_stripe()).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }

    /// Lets go. The memory is freed by the engine, not here.
    @inline(__always)
    package func release() {
        released(cs_stripe()).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if tellsOfRelease.pointee.load(ordering: .sequentiallyConsistent) != 0 {
            Reclaimer.request()
        }
    }

    /// Whether a caller holds it. Exact for a snapshot that is not current once it says no.
    package var isHeldByCallers: Bool {
        var releases: UInt64 = 0
        var acquisitions: UInt64 = 0
        for stripe in 0..<UInt32(CS_STRIPES) {
            releases &+= released(stripe).pointee.load(ordering: .sequentiallyConsistent)
        }
        for stripe in 0..<UInt32(CS_STRIPES) {
            acquisitions &+= acquired(stripe).pointee.load(ordering: .sequentiallyConsistent)
        }
        return releases != acquisitions
    }

    // MARK: - The engine's side, under its lock

    /// A header with nobody holding it, from those that were used before or new.
    static func make(content: Content, current: CurrentSnapshot, version: UInt64) -> SharedSnapshot
    {
        let base: UnsafeMutableRawPointer
        if let used = unused.popLast() {
            base = used.base
        } else {
            let size = stripesOffset + Int(CS_STRIPES) * stripeSize
            base = .allocate(byteCount: size, alignment: 64)
            base.initializeMemory(as: UInt64.self, repeating: 0, count: size / 8)
        }
        let snapshot = SharedSnapshot(base)
        snapshot.header.initialize(
            to: Header(
                body: content.body, publishedNanoseconds: unixTime(), content: content,
                current: current))
        snapshot.bookkeeping.initialize(to: Bookkeeping())
        snapshot.versionWord.pointee.store(version, ordering: .relaxed)
        snapshot.tellsOfRelease.pointee.store(0, ordering: .sequentiallyConsistent)
        current.retain()
        return snapshot
    }

    /// A candidate becomes a version.
    func stamp(version: UInt64) {
        header.pointee.publishedNanoseconds = unixTime()
        versionWord.pointee.store(version, ordering: .relaxed)
    }

    /// From now on each release wakes who looks for the last one.
    func tellOfRelease() { tellsOfRelease.pointee.store(1, ordering: .sequentiallyConsistent) }

    /// Nobody looks for the last release any more.
    func stopTelling() { tellsOfRelease.pointee.store(0, ordering: .sequentiallyConsistent) }

    func engineRetain() { bookkeeping.pointee.engineHolders += 1 }
    func engineRelease() { bookkeeping.pointee.engineHolders -= 1 }
    var isHeldByEngine: Bool { bookkeeping.pointee.engineHolders > 0 }

    var isKept: Bool {
        get { bookkeeping.pointee.isKept }
        nonmutating set { bookkeeping.pointee.isKept = newValue }
    }

    var isDrained: Bool {
        get { bookkeeping.pointee.isDrained }
        nonmutating set { bookkeeping.pointee.isDrained = newValue }
    }

    /// Whose snapshot it is.
    var current: CurrentSnapshot { header.pointee.current }

    /// Takes the content out, to be freed outside of the lock.
    func takeContent() -> Content? {
        defer { header.pointee.content = nil }
        return header.pointee.content
    }

    /// Gives the header back for another version.
    func recycle() {
        header.pointee.current.release()
        SharedSnapshot.unused.append(self)
    }

    nonisolated(unsafe) private static var unused: [SharedSnapshot] = []
}

/// What a version or a layer holds: a snapshot's body that frees itself.
package final class Content: @unchecked Sendable {
    // Sendable: immutable, and freed by the last reference.
    package let body: Snapshot
    /// Where it came from.
    private let memory: Memory

    package init(_ body: Snapshot, memory: Memory) {
        self.body = body
        self.memory = memory
    }

    deinit { body.free(memory) }
}
