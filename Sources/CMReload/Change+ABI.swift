// Safe change: the application's veto, going back, and waiting for who holds what was.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_watcher_set_schema") @implementation
public func cmr_watcher_set_schema(
    _ handle: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ json_schema: UnsafePointer<CChar>!,
    _ size: Int, _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let json = json_schema == nil && size == 0 ? nil : try schema(json_schema, size)
        try watcher(handle).setSchema(json, for: try unicode(path, "path"))
    }
}

@_cdecl("cmr_watcher_add_schema") @implementation
public func cmr_watcher_add_schema(
    _ handle: OpaquePointer!, _ id: UnsafePointer<CChar>!, _ json_schema: UnsafePointer<CChar>!,
    _ size: Int, _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let id = try unicode(id, "id")
        try watcher(handle).addSchema(try schema(json_schema, size), id: id)
    }
}

@_cdecl("cmr_watcher_violations") @implementation
public func cmr_watcher_violations(
    _ handle: OpaquePointer!, _ json_out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let json_out else { return .invalidArgument }
    return writeOwned(to: json_out, size_out) { () throws(Failure) in
        try watcher(handle).violations()
    }
}

@_cdecl("cmr_watcher_set_validator") @implementation
public func cmr_watcher_set_validator(
    _ handle: OpaquePointer!, _ function: cmr_validate_fn!, _ context: UnsafeMutableRawPointer!
) -> cmr_status {
    answer(nil) { () throws(Failure) in
        try watcher(handle).setValidator(validator(function, context))
    }
}

@_cdecl("cmr_watcher_rollback") @implementation
public func cmr_watcher_rollback(
    _ handle: OpaquePointer!, _ version: UInt64, _ version_out: UnsafeMutablePointer<UInt64>!,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let version = try watcher(handle).rollback(to: version)
        version_out?.pointee = version
    }
}

@_cdecl("cmr_watcher_confirm") @implementation
public func cmr_watcher_confirm(_ handle: OpaquePointer!, _ version: UInt64) -> cmr_status {
    answer(nil) { () throws(Failure) in try watcher(handle).confirm(version) }
}

@_cdecl("cmr_watcher_history") @implementation
public func cmr_watcher_history(
    _ handle: OpaquePointer!, _ index: Int, _ snapshot_out: UnsafeMutablePointer<OpaquePointer?>!
) -> cmr_status {
    guard let snapshot_out else { return .invalidArgument }
    return answer(nil) { () throws(Failure) in
        snapshot_out.pointee = OpaquePointer(try watcher(handle).history(at: index).base)
    }
}

@_cdecl("cmr_watcher_drain") @implementation
public func cmr_watcher_drain(
    _ handle: OpaquePointer!, _ before_version: UInt64, _ timeout_ms: Int64,
    _ held_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    answer(nil) { () throws(Failure) in
        let deadline = Deadline(timeoutMilliseconds: timeout_ms)
        let held = try watcher(handle).drain(before: before_version, until: deadline)
        held_out?.pointee = held
        if held > 0 { throw Failure(.timeout, "older versions are still held") }
    }
}

/// The text of a schema, which must be there.
private func schema(_ json: UnsafePointer<CChar>?, _ size: Int) throws(Failure) -> Bytes {
    guard let json else { throw Failure(.invalidArgument, "the schema is NULL") }
    return try value(UnsafeRawPointer(json), size)
}

/// The application's veto as the watcher calls it.
private func validator(_ function: cmr_validate_fn?, _ context: UnsafeMutableRawPointer?)
    -> Validator?
{
    guard let function else { return nil }
    return { candidate in
        var error = cmr_error()
        error.struct_size = UInt32(MemoryLayout<cmr_error>.size)
        let status = function(context, OpaquePointer(candidate.base), &error)
        return status == .ok ? nil : Failure(vetoedWith: error)
    }
}

extension Failure {
    /// What the application wrote, whatever status it gave.
    fileprivate convenience init(vetoedWith error: cmr_error) {
        let message = withUnsafeBytes(of: error.message) { String(upToNULIn: $0) }
        self.init(
            .rejected, .validate, key: withUnsafeBytes(of: error.key) { String(upToNULIn: $0) },
            message.isEmpty ? "the validator rejected it" : message, osErrno: 0,
            line: error.line, column: error.column)
    }
}

extension String {
    /// The text of a field, which its NUL ends, or else its size.
    init(upToNULIn field: UnsafeRawBufferPointer) {
        self.init(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}
