// A thread of the library's: all signals blocked but those of faults, named "cmreload".

internal import CSystem

/// A running thread, to be joined.
package struct Thread {
    private let thread: cs_thread

    /// Starts `body`, which owns a retained `context`.
    package init<Context: AnyObject>(
        _ context: Context, _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) throws(Errno) {
        var thread = cs_thread()
        let owned = UnsafeMutablePointer<Context>.allocate(capacity: 1)
        owned.initialize(to: context)
        let answer = cs_thread_start(&thread, body, owned)
        if answer < 0 { _ = Thread.take(owned, as: Context.self) }
        _ = try check(answer)
        self.thread = thread
    }

    /// What `body` was started with; called once, by `body`.
    package static func take<Context>(_ context: UnsafeMutableRawPointer, as type: Context.Type)
        -> Context
    {
        let owned = context.assumingMemoryBound(to: type)
        defer { owned.deallocate() }
        return owned.move()
    }

    package func join() { cs_thread_join(thread) }

    /// Nobody will join it.
    package func detach() { cs_thread_detach(thread) }

    package static func yield() { cs_thread_yield() }

    /// Whether this is the thread that asks.
    package var isCurrent: Bool { thread.handle == cs_thread_self() }
}

/// Which watcher's callback runs on this thread, and whether it is a validator.
package enum RunningCallback {
    /// An opaque mark: compared, never followed.
    package static var watcher: UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: mark & ~1)
    }

    package static var isValidator: Bool { mark & 1 != 0 }

    /// Runs the host's code for a watcher.
    package static func run<Answer>(
        _ watcher: UnsafeMutableRawPointer, isValidator: Bool = false, _ body: () -> Answer
    ) -> Answer {
        let before = cs_running_callback()
        // What watchers are marked by is aligned: the lowest bit is free.
        let mark = UInt(bitPattern: watcher) | (isValidator ? 1 : 0)
        cs_set_running_callback(UnsafeMutableRawPointer(bitPattern: mark))
        defer { cs_set_running_callback(before) }
        return body()
    }

    private static var mark: UInt { UInt(bitPattern: cs_running_callback()) }
}

/// Whether the log handler runs on this thread.
package enum RunningLogHandler {
    package static var isRunning: Bool {
        get { cs_logging() }
        set { cs_set_logging(newValue) }
    }
}
