// Reading without a lock for C: readers, and cells that a caller loads from by itself.

public import CCMReload
internal import Config
internal import Reload

// MARK: - Readers

@_cdecl("cmr_reader_create") @implementation
public func cmr_reader_create(
    _ handle: OpaquePointer!, _ reader_out: UnsafeMutablePointer<OpaquePointer?>!
) -> cmr_status {
    guard let reader_out else { return .invalidArgument }
    return answer(nil) { () throws(Failure) in
        reader_out.pointee = OpaquePointer(try watcher(handle).makeReader().base)
    }
}

@_cdecl("cmr_reader_destroy") @implementation
public func cmr_reader_destroy(_ reader: OpaquePointer!) {
    guard let reader else { return }
    Reader(UnsafeMutableRawPointer(reader)).destroy()
}

@_cdecl("cmr_reader_current") @implementation
public func cmr_reader_current(_ reader: OpaquePointer!) -> OpaquePointer! {
    guard let reader else { return nil }
    return Reader(UnsafeMutableRawPointer(reader)).snapshot.map { OpaquePointer($0.base) }
}

@_cdecl("cmr_reader_park") @implementation
public func cmr_reader_park(_ reader: OpaquePointer!) {
    guard let reader else { return }
    Reader(UnsafeMutableRawPointer(reader)).park()
}

// MARK: - Cells

@_cdecl("cmr_watcher_bind_int64") @implementation
public func cmr_watcher_bind_int64(
    _ handle: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ fallback: Int64,
    _ cell_out: UnsafeMutablePointer<UnsafePointer<cmr_cell>?>!
) -> cmr_status {
    bind(handle, path, .int64(fallback), cell_out)
}

@_cdecl("cmr_watcher_bind_double") @implementation
public func cmr_watcher_bind_double(
    _ handle: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ fallback: Double,
    _ cell_out: UnsafeMutablePointer<UnsafePointer<cmr_cell>?>!
) -> cmr_status {
    bind(handle, path, .double(fallback), cell_out)
}

@_cdecl("cmr_watcher_bind_bool") @implementation
public func cmr_watcher_bind_bool(
    _ handle: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ fallback: Bool,
    _ cell_out: UnsafeMutablePointer<UnsafePointer<cmr_cell>?>!
) -> cmr_status {
    bind(handle, path, .bool(fallback), cell_out)
}

private func bind(
    _ handle: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ fallback: Fallback,
    _ cell_out: UnsafeMutablePointer<UnsafePointer<cmr_cell>?>?
) -> cmr_status {
    guard let cell_out else { return .invalidArgument }
    return answer(nil) { () throws(Failure) in
        let cell = try watcher(handle).bind(try boundPath(path), fallback)
        // A cell is an atomic of 8 bytes, which is laid out as the 8 bytes.
        cell_out.pointee = UnsafeRawPointer(cell.word).assumingMemoryBound(to: cmr_cell.self)
    }
}
