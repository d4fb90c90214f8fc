// inotify(7): hints that a directory may have changed.

internal import CSystem
package import Config

/// What is asked of, and told by, a watch.
package struct WatchMask: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let modify = WatchMask(rawValue: UInt32(CS_IN_MODIFY))
    package static let attributes = WatchMask(rawValue: UInt32(CS_IN_ATTRIB))
    package static let closeWrite = WatchMask(rawValue: UInt32(CS_IN_CLOSE_WRITE))
    package static let movedFrom = WatchMask(rawValue: UInt32(CS_IN_MOVED_FROM))
    package static let movedTo = WatchMask(rawValue: UInt32(CS_IN_MOVED_TO))
    package static let create = WatchMask(rawValue: UInt32(CS_IN_CREATE))
    package static let delete = WatchMask(rawValue: UInt32(CS_IN_DELETE))
    package static let deleteSelf = WatchMask(rawValue: UInt32(CS_IN_DELETE_SELF))
    package static let moveSelf = WatchMask(rawValue: UInt32(CS_IN_MOVE_SELF))
    package static let unmount = WatchMask(rawValue: UInt32(CS_IN_UNMOUNT))
    package static let overflow = WatchMask(rawValue: UInt32(CS_IN_Q_OVERFLOW))
    package static let ignored = WatchMask(rawValue: UInt32(CS_IN_IGNORED))
    package static let directory = WatchMask(rawValue: UInt32(CS_IN_ISDIR))

    /// The watched thing itself went, moved or came loose.
    package static let gone: WatchMask = [.deleteSelf, .moveSelf, .unmount, .ignored]
}

/// One inotify instance.
package struct Inotify: ~Copyable {
    package let descriptor: FileDescriptor

    package init() throws(Errno) {
        descriptor = FileDescriptor(unsafeOwning: try check(cs_inotify_open()))
    }

    // The instance is used by its number, by threads of which none may borrow it from another.

    /// Adds to what is watched of a path's inode; the same inode gives the same watch.
    package static func add(
        _ path: FilePath, _ mask: WatchMask, to number: Int32
    ) throws(Errno) -> Int32 {
        try check(path.withCString { cs_inotify_add(number, $0, mask.rawValue) })
    }

    package static func remove(_ watch: Int32, from number: Int32) {
        _ = cs_inotify_remove(number, watch)
    }

    /// One event: which watch, what happened, to which name ("" for the watched thing itself).
    package struct Notice {
        package let watch: Int32
        package let mask: WatchMask
        package let name: Bytes
    }

    /// Takes what is queued, as much as fits; 0 when there is nothing.
    package static func read(
        _ number: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        max(0, Int(cs_read(number, buffer.baseAddress, buffer.count)))
    }

    /// Calls `body` for each event that `read` gave.
    package static func forEach(in events: UnsafeRawBufferPointer, _ body: (Notice) -> Void) {
        var offset = 0
        while offset < events.count {
            var watch: Int32 = 0
            var mask: UInt32 = 0
            var name: UnsafePointer<CChar>?
            var count = 0
            offset = cs_inotify_event(events.baseAddress, offset, &watch, &mask, &name, &count)
            body(
                Notice(
                    watch: watch, mask: WatchMask(rawValue: mask),
                    name: Bytes(
                        start: UnsafeRawPointer(name)?.assumingMemoryBound(to: UInt8.self),
                        count: count)))
        }
    }
}

/// Waits for either of two descriptors.
package enum Poller {
    package static func wait(_ a: Int32, _ b: Int32, until instant: Instant) -> (a: Bool, b: Bool) {
        var milliseconds: Int64 = -1
        if instant != .never {
            // Rounded up: waking a moment early would spin.
            milliseconds = max(
                0, (instant.nanoseconds &- cs_monotonic_now() &+ 999_999) / 1_000_000)
        }
        let ready = cs_poll(a, b, milliseconds)
        return (ready & 1 != 0, ready & 2 != 0)
    }
}
