// One thread's view of a watcher: it holds a snapshot, and looks for a newer one only when the
// version word says that there is one. Asking costs three loads and writes nothing.

package import Config
internal import CSystem

/// A reader. A `cmr_reader *` points at one; one thread uses it at a time.
package struct Reader {
    package let base: UnsafeMutableRawPointer

    @inline(__always)
    package init(_ base: UnsafeMutableRawPointer) { self.base = base }

    private struct State {
        /// Where it looks. Held, so that it is there when the watcher is not.
        let current: CurrentSnapshot
        /// What it holds is of this version, or the newest that could be had of it.
        var version: UInt64
        /// A caller's reference.
        var held: SharedSnapshot?
    }

    @inline(__always)
    private var state: UnsafeMutablePointer<State> { base.assumingMemoryBound(to: State.self) }

    /// The current snapshot, held until the next call; nil before the first version.
    @inline(__always)
    package var snapshot: SharedSnapshot? {
        let version = state.pointee.current.version
        return version <= state.pointee.version ? state.pointee.held : renewed(version)
    }

    @inline(never)
    private func renewed(_ version: UInt64) -> SharedSnapshot? {
        guard let newest = state.pointee.current.acquire() else {
            // The watcher was destroyed meanwhile: what is held is the newest that can be had.
            state.pointee.version = version
            return state.pointee.held
        }
        state.pointee.held?.release()
        state.pointee.held = newest
        // It may be newer than what the word said: versions are exchanged before the word is
        // stored.
        state.pointee.version = newest.version
        return newest
    }

    /// Lets go of what it holds.
    package func park() {
        state.pointee.held?.release()
        state.pointee.held = nil
        state.pointee.version = 0
    }

    package func destroy() {
        park()
        let current = state.pointee.current
        Reactor.shared.lock.withLock { current.release() }
        cs_free(base, Reader.size)
    }

    /// A cache line of its own.
    private static var size: Int { 64 }

    fileprivate static func make(_ current: CurrentSnapshot) -> Reader? {
        guard let base = cs_allocate_lines(size) else { return nil }
        base.initializeMemory(as: State.self, to: State(current: current, version: 0, held: nil))
        return Reader(base)
    }
}

extension Watcher {
    /// A reader that holds nothing yet.
    package func makeReader() throws(Failure) -> Reader {
        guard let reader = Reader.make(current) else {
            throw Failure(.noMemory, "no memory for a reader")
        }
        reactor.lock.withLock { current.retain() }
        return reader
    }
}
