// Values for C: each function checks its pointers and asks the value.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_value_type") @implementation
public func cmr_value_type(_ value: OpaquePointer!) -> Int32 {
    guard let value else { return -1 }
    return Int32(Value(value).type.rawValue)
}

@_cdecl("cmr_value_count") @implementation
public func cmr_value_count(_ value: OpaquePointer!) -> Int {
    guard let value else { return 0 }
    return Value(value).count
}

@_cdecl("cmr_value_at") @implementation
public func cmr_value_at(_ value: OpaquePointer!, _ index: Int) -> OpaquePointer! {
    guard let value else { return nil }
    return Value(value).element(at: index)?.handle
}

@_cdecl("cmr_value_member") @implementation
public func cmr_value_member(_ value: OpaquePointer!, _ name: UnsafePointer<CChar>!)
    -> OpaquePointer!
{
    guard let value, let name else { return nil }
    return Value(value).member(named: Bytes(text: name))?.handle
}

@_cdecl("cmr_value_name_at") @implementation
public func cmr_value_name_at(
    _ value: OpaquePointer!, _ index: Int, _ name_out: UnsafeMutablePointer<UnsafePointer<CChar>?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let value, let name_out else { return .invalidArgument }
    return write(to: name_out, size_out) { () throws(ReadError) in try Value(value).name(at: index)
    }
}

@_cdecl("cmr_value_string") @implementation
public func cmr_value_string(
    _ value: OpaquePointer!, _ text_out: UnsafeMutablePointer<UnsafePointer<CChar>?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let value, let text_out else { return .invalidArgument }
    return write(to: text_out, size_out) { () throws(ReadError) in try Value(value).string }
}

@_cdecl("cmr_value_bytes") @implementation
public func cmr_value_bytes(
    _ value: OpaquePointer!, _ bytes_out: UnsafeMutablePointer<UnsafeRawPointer?>!,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let value, let bytes_out else { return .invalidArgument }
    return write(to: bytes_out, size_out) { () throws(ReadError) in try Value(value).bytes }
}

@_cdecl("cmr_value_int64") @implementation
public func cmr_value_int64(_ value: OpaquePointer!, _ value_out: UnsafeMutablePointer<Int64>!)
    -> cmr_status
{
    guard let value, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in try Value(value).int64 }
}

@_cdecl("cmr_value_double") @implementation
public func cmr_value_double(_ value: OpaquePointer!, _ value_out: UnsafeMutablePointer<Double>!)
    -> cmr_status
{
    guard let value, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in try Value(value).double }
}

@_cdecl("cmr_value_bool") @implementation
public func cmr_value_bool(_ value: OpaquePointer!, _ value_out: UnsafeMutablePointer<Bool>!)
    -> cmr_status
{
    guard let value, let value_out else { return .invalidArgument }
    return write(to: value_out) { () throws(ReadError) in try Value(value).bool }
}
