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

    private struct Header {
        /// The content, unretained: the fast way in.
        var body: Snapshot
        var version: UInt64
        var publishedNanoseconds: Int64
        /// Keeps the content alive.
        var content: Content?
        /// The watcher it belongs to; its block lives as long as this.
        var current: CurrentSnapshot
        /// References of the engine's own, under its lock: rounds that still compare with it.
        var engineHolders: Int
    }

    private static var retiredOffset: Int { 64 }
    private static var stripesOffset: Int { 128 }
    private static var stripeSize: Int { 64 }

    @inline(__always)
    private var header: UnsafeMutablePointer<Header> { base.assumingMemoryBound(to: Header.self) }

    // MARK: - Reading

    @inline(__always) package var body: Snapshot { header.pointee.body }
    /// 1, 2, 3 …; 0 for a candidate.
    @inline(__always) package var version: UInt64 { header.pointee.version }
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
    private var retired: UnsafeMutablePointer<Atomic<UInt64>> {
        (base + SharedSnapshot.retiredOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    package func retain() {
        acquired(cs_stripe()).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }

    /// Lets go. The memory is freed by the engine, not here.
    @inline(__always)
    package func release() {
        released(cs_stripe()).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if retired.pointee.load(ordering: .sequentiallyConsistent) != 0 { Reclaimer.request() }
    }

    /// Whether a caller holds it. Exact for a retired snapshot once it says no.
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
                body: content.body, version: version, publishedNanoseconds: unixTime(),
                content: content, current: current, engineHolders: 0))
        snapshot.retired.pointee.store(0, ordering: .sequentiallyConsistent)
        current.retain()
        return snapshot
    }

    /// It is not current any more: from now on the last release asks for it to be freed.
    func retire() { retired.pointee.store(1, ordering: .sequentiallyConsistent) }

    func engineRetain() { header.pointee.engineHolders += 1 }
    func engineRelease() { header.pointee.engineHolders -= 1 }
    var isHeldByEngine: Bool { header.pointee.engineHolders > 0 }

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

    package init(_ body: Snapshot) { self.body = body }

    deinit { body.free(.system) }
}
