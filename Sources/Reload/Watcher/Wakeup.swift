// Waking the reactor from where no lock may be taken: a signal handler, the release of a snapshot.

internal import Synchronization

package enum Wakeup {
    /// The eventfd that the reactor waits on; −1 while there is no reactor.
    private static let descriptor = Atomic<Int32>(-1)
    /// Who is about to write to it. It is closed when nobody is: a closed number may be another
    /// file's already.
    private static let writers = Atomic<Int>(0)
    private static let reloadRequests = Atomic<Bool>(false)

    /// Wakes the reactor. False when there is none. Async-signal-safe.
    static func signal(reloadRequested: Bool = false) -> Bool {
        if reloadRequested { reloadRequests.store(true, ordering: .sequentiallyConsistent) }
        writers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        let number = descriptor.load(ordering: .sequentiallyConsistent)
        if number >= 0 { Waker.signal(number: number) }
        writers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        return number >= 0
    }

    /// Whether some watcher's reload was asked for since the last time.
    static func takeReloadRequests() -> Bool {
        reloadRequests.exchange(false, ordering: .sequentiallyConsistent)
    }

    static func open(_ number: Int32) {
        descriptor.store(number, ordering: .sequentiallyConsistent)
    }

    /// Returns when nobody can write to the descriptor any more.
    static func close() {
        descriptor.store(-1, ordering: .sequentiallyConsistent)
        while writers.load(ordering: .sequentiallyConsistent) != 0 { Thread.yield() }
    }

    /// In the child of a fork(2): the descriptor is the parent's, and other threads are no more.
    static func afterForkInChild() {
        descriptor.store(-1, ordering: .sequentiallyConsistent)
        writers.store(0, ordering: .sequentiallyConsistent)
    }
}
