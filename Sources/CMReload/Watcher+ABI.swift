// The functions of a watcher: sources in, versions out.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_watcher_create") @implementation
public func cmr_watcher_create(_ watcher_out: UnsafeMutablePointer<OpaquePointer?>!) -> cmr_status {
    guard let watcher_out else { return .invalidArgument }
    watcher_out.pointee = OpaquePointer(Reactor.shared.makeWatcher().base)
    return .ok
}

@_cdecl("cmr_watcher_set_name") @implementation
public func cmr_watcher_set_name(
    _ handle: OpaquePointer!, _ text: UnsafePointer<CChar>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in try watcher(handle).setName(try name(text)) }
}

@_cdecl("cmr_watcher_set_option") @implementation
public func cmr_watcher_set_option(_ handle: OpaquePointer!, _ option: Int32, _ value: Int64)
    -> cmr_status
{
    answer(nil) { () throws(Failure) in try watcher(handle).setOption(option, value) }
}

@_cdecl("cmr_watcher_add_mount") @implementation
public func cmr_watcher_add_mount(
    _ handle: OpaquePointer!, _ text: UnsafePointer<CChar>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in try watcher(handle).addMount(try path(text)) }
}

@_cdecl("cmr_watcher_add_file") @implementation
public func cmr_watcher_add_file(
    _ handle: OpaquePointer!, _ text: UnsafePointer<CChar>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in try watcher(handle).addFile(try filePath(text)) }
}

@_cdecl("cmr_watcher_add_environment") @implementation
public func cmr_watcher_add_environment(
    _ handle: OpaquePointer!, _ text: UnsafePointer<CChar>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        try watcher(handle).addEnvironment(try unicode(text, "prefix"))
    }
}

@_cdecl("cmr_watcher_add_default") @implementation
public func cmr_watcher_add_default(
    _ handle: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ bytes: UnsafeRawPointer!,
    _ size: Int,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        try watcher(handle).addDefault(try key(text), try value(bytes, size))
    }
}

@_cdecl("cmr_watcher_set_closed") @implementation
public func cmr_watcher_set_closed(
    _ handle: OpaquePointer!, _ closed: cmr_closed_fn!, _ context: UnsafeMutableRawPointer!
) -> cmr_status {
    answer(nil) { () throws(Failure) in
        let closed = try callback(closed as cmr_closed_fn?)
        try watcher(handle).setClosed { closed(context) }
    }
}

@_cdecl("cmr_watcher_start") @implementation
public func cmr_watcher_start(_ handle: OpaquePointer!, _ error: UnsafeMutablePointer<cmr_error>!)
    -> cmr_status
{
    answer(error) { () throws(Failure) in try watcher(handle).start() }
}

@_cdecl("cmr_watcher_stop") @implementation
public func cmr_watcher_stop(_ handle: OpaquePointer!, _ timeout_ms: Int64) -> cmr_status {
    answer(nil) { () throws(Failure) in
        try watcher(handle).stop(until: Deadline(timeoutMilliseconds: timeout_ms))
    }
}

@_cdecl("cmr_watcher_destroy") @implementation
public func cmr_watcher_destroy(_ handle: OpaquePointer!) {
    guard let handle else { return }
    CurrentSnapshot(UnsafeMutableRawPointer(handle)).watcher?.destroy()
}

// MARK: - Reading

@_cdecl("cmr_watcher_acquire") @implementation
public func cmr_watcher_acquire(_ handle: OpaquePointer!) -> OpaquePointer! {
    guard let handle else { return nil }
    return CurrentSnapshot(UnsafeMutableRawPointer(handle)).acquire().map { OpaquePointer($0.base) }
}

@_cdecl("cmr_watcher_version") @implementation
public func cmr_watcher_version(_ handle: OpaquePointer!) -> UInt64 {
    guard let handle else { return 0 }
    return CurrentSnapshot(UnsafeMutableRawPointer(handle)).version
}

@_cdecl("cmr_watcher_version_word") @implementation
public func cmr_watcher_version_word(_ handle: OpaquePointer!) -> UnsafePointer<UInt64>! {
    guard let handle else { return nil }
    // The word is the first thing in the block, and an atomic of 8 bytes is laid out as the 8
    // bytes.
    return UnsafeRawPointer(handle).assumingMemoryBound(to: UInt64.self)
}

// MARK: - Reloading on demand

@_cdecl("cmr_watcher_reload") @implementation
public func cmr_watcher_reload(
    _ handle: OpaquePointer!, _ timeout_ms: Int64, _ version_out: UnsafeMutablePointer<UInt64>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let version = try watcher(handle).reload(until: Deadline(timeoutMilliseconds: timeout_ms))
        version_out?.pointee = version
    }
}

@_cdecl("cmr_watcher_request_reload") @implementation
public func cmr_watcher_request_reload(_ handle: OpaquePointer!) {
    guard let handle else { return }
    CurrentSnapshot(UnsafeMutableRawPointer(handle)).requestReload()
}

@_cdecl("cmr_watcher_wait") @implementation
public func cmr_watcher_wait(
    _ handle: OpaquePointer!, _ after_version: UInt64, _ timeout_ms: Int64,
    _ version_out: UnsafeMutablePointer<UInt64>!
) -> cmr_status {
    answer(nil) { () throws(Failure) in
        let deadline = Deadline(timeoutMilliseconds: timeout_ms)
        let version = try watcher(handle).wait(after: after_version, until: deadline)
        version_out?.pointee = version
    }
}

@_cdecl("cmr_after_fork_child") @implementation
public func cmr_after_fork_child() -> cmr_status {
    answer(nil) { () throws(Failure) in try Reactor.shared.resumeInChild() }
}
