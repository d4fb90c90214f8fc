// A lock with its condition. pthread's, because a fork(2) can leave it in a known state, which
// traps with `Synchronization.Mutex`.

internal import CSystem

/// A mutex and the condition that goes with it. Lives as long as the process.
package final class Lock: @unchecked Sendable {
    // Sendable: both are only ever touched through pthread calls, which are made for it.
    private let mutex: UnsafeMutablePointer<cs_lock>
    private let condition: UnsafeMutablePointer<cs_condition>

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        reset()
    }

    deinit {
        mutex.deallocate()
        condition.deallocate()
    }

    /// Makes both new, as after fork(2) in the child.
    package func reset() {
        mutex.initialize(to: cs_lock())
        condition.initialize(to: cs_condition())
        cs_lock_init(mutex)
        cs_condition_init(condition)
    }

    @inline(__always) package func acquire() { cs_lock_acquire(mutex) }
    @inline(__always) package func release() { cs_lock_release(mutex) }

    /// Runs `body` under the lock: never I/O, never a callback.
    @inline(__always)
    package func withLock<Answer, Problem: Error>(_ body: () throws(Problem) -> Answer)
        throws(Problem) -> Answer
    {
        cs_lock_acquire(mutex)
        defer { cs_lock_release(mutex) }
        return try body()
    }

    /// Lets go of the lock until somebody calls `wakeAll` or the time comes; holds it again
    /// afterwards.
    package func wait(until deadline: Deadline) {
        cs_condition_wait(condition, mutex, deadline.nanoseconds)
    }

    package func wakeAll() { cs_condition_broadcast(condition) }
}
