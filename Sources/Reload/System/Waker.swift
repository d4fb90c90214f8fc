// Descriptors that carry a bare signal: an eventfd to wake somebody, a timerfd to be woken by time.

internal import CSystem

/// An eventfd(2).
package struct Waker: ~Copyable {
    package let descriptor: FileDescriptor

    package init() throws(Errno) {
        descriptor = FileDescriptor(unsafeOwning: try check(cs_eventfd_open()))
    }

    package var number: Int32 { descriptor.number }

    /// Async-signal-safe.
    package borrowing func signal() { cs_eventfd_signal(descriptor.number) }
    package borrowing func clear() { cs_eventfd_clear(descriptor.number) }

    /// Wakes who waits on a number alone, from where nothing may be borrowed: a signal handler, a
    /// release.
    package static func signal(number: Int32) { cs_eventfd_signal(number) }

    package static func clear(number: Int32) { cs_eventfd_clear(number) }

    /// Closes the eventfd of a number.
    package static func close(number: Int32) { _ = cs_close(number) }

    /// A new eventfd under an old one's number, for the child of a fork(2): the inherited one is
    /// the parent's.
    package static func renewed(number: Int32) throws(Errno) -> Int32 {
        try check(cs_replace_descriptor(try check(cs_eventfd_open()), number))
    }

    /// An eventfd that is kept as a number.
    package static func number() throws(Errno) -> Int32 { try check(cs_eventfd_open()) }
}

/// A timerfd(2).
package struct Timer: ~Copyable {
    private let descriptor: FileDescriptor

    package init() throws(Errno) {
        descriptor = FileDescriptor(unsafeOwning: try check(cs_timer_open()))
    }

    package borrowing func arm(milliseconds: Int64) {
        cs_timer_set(descriptor.number, milliseconds * 1_000_000)
    }
    package borrowing func expireNow() { cs_timer_set(descriptor.number, 1) }
    package borrowing func disarm() { cs_timer_set(descriptor.number, 0) }
    /// Blocks until the timer expires.
    package borrowing func wait() { _ = cs_timer_wait(descriptor.number) }
}
