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
        let flags = try known(flags)
        let id = try watcher(handle).subscribe(
            pattern: try pattern(key_pattern), flags: flags
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

/// The flags of a subscription, none of which is unknown.
private func known(_ number: UInt32) throws(Failure) -> SubscriptionFlags {
    let flags = SubscriptionFlags(rawValue: number)
    if !flags.isSubset(of: .all) { throw Failure(.invalidArgument, "there is no such flag") }
    return flags
}

extension Event {
    /// Lends the event as C's struct.
    fileprivate func withC(_ body: (UnsafePointer<cmr_event>) -> Void) {
        var event = cmr_event()
        event.struct_size = UInt32(MemoryLayout<cmr_event>.size)
        event.kind = kind.rawValue
        event.cause = cause.rawValue
        event.version = version
        event.snapshot = snapshot.map { OpaquePointer($0.base) }
        event.previous = previous.map { OpaquePointer($0.base) }
        // `Change` is laid out as `cmr_change`.
        event.changes = UnsafeRawPointer(changes.first)?.assumingMemoryBound(to: cmr_change.self)
        event.change_count = changes.count
        // So is `Violation` as `cmr_violation`.
        event.violations = UnsafeRawPointer(violations?.list.baseAddress)?.assumingMemoryBound(
            to: cmr_violation.self)
        event.violation_count = violations?.list.count ?? 0
        guard let failure else { return body(&event) }
        var error = cmr_error(failure)
        // Its key names the source, and nothing is wrong with it any more.
        if kind == .sourceRecovered { error.status = .ok }
        withUnsafePointer(to: &error) {
            event.error = $0
            body(&event)
        }
    }
}
