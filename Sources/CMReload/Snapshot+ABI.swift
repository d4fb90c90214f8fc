// Snapshots for C: each function checks its pointers and asks the snapshot.

public import CCMReload
internal import Config
internal import Reload

// MARK: - Holding

@_cdecl("cmr_snapshot_retain") @implementation
public func cmr_snapshot_retain(_ snapshot: OpaquePointer!) -> OpaquePointer! {
    guard let snapshot else { return nil }
    SharedSnapshot(snapshot).retain()
    return snapshot
}

@_cdecl("cmr_snapshot_release") @implementation
public func cmr_snapshot_release(_ snapshot: OpaquePointer!) {
    guard let snapshot else { return }
    SharedSnapshot(snapshot).release()
}

// MARK: - What it is

@_cdecl("cmr_snapshot_version") @implementation
public func cmr_snapshot_version(_ snapshot: OpaquePointer!) -> UInt64 {
    guard let snapshot else { return 0 }
    return SharedSnapshot(snapshot).version
}

@_cdecl("cmr_snapshot_published_ns") @implementation
public func cmr_snapshot_published_ns(_ snapshot: OpaquePointer!) -> Int64 {
    guard let snapshot else { return 0 }
    return SharedSnapshot(snapshot).publishedNanoseconds
}

@_cdecl("cmr_snapshot_checksum") @implementation
public func cmr_snapshot_checksum(_ snapshot: OpaquePointer!) -> UnsafePointer<CChar>! {
    guard let snapshot else { return nil }
    return SharedSnapshot(snapshot).body.checksum.cText
}

@_cdecl("cmr_snapshot_generation") @implementation
public func cmr_snapshot_generation(_ snapshot: OpaquePointer!) -> UnsafePointer<CChar>! {
    guard let snapshot else { return nil }
    return SharedSnapshot(snapshot).body.generation.cText
}

// MARK: - Keys

@_cdecl("cmr_snapshot_count") @implementation
public func cmr_snapshot_count(_ snapshot: OpaquePointer!) -> Int {
    guard let snapshot else { return 0 }
    return SharedSnapshot(snapshot).body.count
}

@_cdecl("cmr_snapshot_key") @implementation
public func cmr_snapshot_key(
    _ snapshot: OpaquePointer!, _ index: Int,
    _ key_out: UnsafeMutablePointer<UnsafePointer<CChar>?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let snapshot, let key_out else { return .invalidArgument }
    return write(to: key_out, size_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).body.key(at: index)
    }
}

@_cdecl("cmr_snapshot_bytes") @implementation
public func cmr_snapshot_bytes(
    _ snapshot: OpaquePointer!, _ key: UnsafePointer<CChar>!,
    _ bytes_out: UnsafeMutablePointer<UnsafeRawPointer?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let snapshot, let key, let bytes_out else { return .invalidArgument }
    return write(to: bytes_out, size_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).body.bytes(ofKey: Bytes(text: key))
    }
}

// MARK: - Values by path

@_cdecl("cmr_snapshot_string") @implementation
@_optimize(speed)
public func cmr_snapshot_string(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ text_out: UnsafeMutablePointer<UnsafePointer<CChar>?>!, _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let snapshot, let path, let text_out else { return .invalidArgument }
    return write(to: text_out, size_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).string
    }
}

@_cdecl("cmr_snapshot_int64") @implementation
@_optimize(speed)
public func cmr_snapshot_int64(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ value_out: UnsafeMutablePointer<Int64>!
) -> cmr_status {
    guard let snapshot, let path, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).int64
    }
}

@_cdecl("cmr_snapshot_double") @implementation
public func cmr_snapshot_double(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ value_out: UnsafeMutablePointer<Double>!
) -> cmr_status {
    guard let snapshot, let path, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).double
    }
}

@_cdecl("cmr_snapshot_bool") @implementation
public func cmr_snapshot_bool(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ value_out: UnsafeMutablePointer<Bool>!
) -> cmr_status {
    guard let snapshot, let path, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).bool
    }
}

@_cdecl("cmr_snapshot_duration") @implementation
public func cmr_snapshot_duration(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ nanoseconds_out: UnsafeMutablePointer<Int64>!
) -> cmr_status {
    guard let snapshot, let path, let nanoseconds_out else { return .invalidArgument }
    return write(to: nanoseconds_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).duration
    }
}

@_cdecl("cmr_snapshot_quantity") @implementation
public func cmr_snapshot_quantity(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ value_out: UnsafeMutablePointer<Int64>!
) -> cmr_status {
    guard let snapshot, let path, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in
        try SharedSnapshot(snapshot).value(path).quantity
    }
}

@_cdecl("cmr_snapshot_json") @implementation
public func cmr_snapshot_json(
    _ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!,
    _ json_out: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let snapshot, let path, let json_out else { return .invalidArgument }
    return writeOwned(to: json_out, size_out) { () throws(Failure) in
        try SharedSnapshot(snapshot).body.json(atPath: Bytes(text: path), memory: .caller)
    }
}

@_cdecl("cmr_snapshot_value") @implementation
public func cmr_snapshot_value(_ snapshot: OpaquePointer!, _ path: UnsafePointer<CChar>!)
    -> OpaquePointer!
{
    guard let snapshot, let path else { return nil }
    return (try? SharedSnapshot(snapshot).value(path))?.handle
}
