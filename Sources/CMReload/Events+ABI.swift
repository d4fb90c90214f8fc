// Subscriptions, and the event as C sees it.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_watcher_subscribe") @implementation
public func cmr_watcher_subscribe(
    _ handle: OpaquePointer!, _ key_pattern: UnsafePointer<CChar>!, _ flags: UInt32,
    _ function: cmr_event_fn!,
    _ context: UnsafeMutableRawPointer!, _ id_out: UnsafeMutablePointer<UInt64>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let function = try callback(function as cmr_event_fn?)
        let id = try watcher(handle).subscribe(
            pattern: try pattern(key_pattern), isManual: try isManual(flags)
        ) { event in
            event.withC { function(context, $0) }
        }
        id_out?.pointee = id
    }
}

@_cdecl("cmr_watcher_unsubscribe") @implementation
public func cmr_watcher_unsubscribe(_ handle: OpaquePointer!, _ id: UInt64) -> cmr_status {
    answer(nil) { () throws(Failure) in try watcher(handle).unsubscribe(id) }
}

@_cdecl("cmr_watcher_event_fd") @implementation
public func cmr_watcher_event_fd(_ handle: OpaquePointer!) -> Int32 {
    guard let handle else { return -1 }
    return CurrentSnapshot(UnsafeMutableRawPointer(handle)).watcher?.eventNumber() ?? -1
}

@_cdecl("cmr_watcher_dispatch") @implementation
public func cmr_watcher_dispatch(
    _ handle: OpaquePointer!, _ handled_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    answer(nil) { () throws(Failure) in
        let handled = try watcher(handle).dispatch()
        handled_out?.pointee = handled
    }
}

/// Whether the flags of a subscription ask for `cmr_watcher_dispatch`.
private func isManual(_ flags: UInt32) throws(Failure) -> Bool {
    let known = UInt32(CMR_SUBSCRIBE_MANUAL)
    if flags & ~known != 0 { throw Failure(.invalidArgument, "there is no such flag") }
    return flags & known != 0
}

extension Event {
    /// Lends the event as C's struct.
    fileprivate func withC(_ body: (UnsafePointer<cmr_event>) -> Void) {
        var event = cmr_event()
        event.struct_size = UInt32(MemoryLayout<cmr_event>.size)
        event.kind = kind.rawValue
        event.cause = cause.rawValue
        event.version = snapshot?.version ?? 0
        event.snapshot = snapshot.map { OpaquePointer($0.base) }
        event.previous = previous.map { OpaquePointer($0.base) }
        // `Change` is laid out as `cmr_change`.
        event.changes = UnsafeRawPointer(changes.first)?.assumingMemoryBound(to: cmr_change.self)
        event.change_count = changes.count
        guard let failure else { return body(&event) }
        var error = cmr_error(failure)
        withUnsafePointer(to: &error) {
            event.error = $0
            body(&event)
        }
    }
}
