// How a read becomes a status: what it gives is written only when it worked.

internal import CCMReload
internal import Config
internal import Reload

extension cmr_status {
    @inline(__always) static var ok: cmr_status { 0 }
    @inline(__always) static var invalidArgument: cmr_status {
        Failure.Kind.invalidArgument.rawValue
    }
}

/// Writes what `read` gives, or answers why it gave nothing.
@inline(__always)
func write<Result>(
    to output: UnsafeMutablePointer<Result>, _ read: () throws(ReadError) -> Result
) -> cmr_status {
    do throws(ReadError) {
        output.pointee = try read()
        return .ok
    } catch {
        return error.rawValue
    }
}

/// The same for text, whose size may or may not be asked for.
@inline(__always)
func write(
    to output: UnsafeMutablePointer<UnsafePointer<CChar>?>, _ size: UnsafeMutablePointer<Int>?,
    _ read: () throws(ReadError) -> Bytes
) -> cmr_status {
    do throws(ReadError) {
        let text = try read()
        output.pointee = text.cText
        size?.pointee = text.count
        return .ok
    } catch {
        return error.rawValue
    }
}

/// The same for bytes.
@inline(__always)
func write(
    to output: UnsafeMutablePointer<UnsafeRawPointer?>, _ size: UnsafeMutablePointer<Int>?,
    _ read: () throws(ReadError) -> Bytes
) -> cmr_status {
    do throws(ReadError) {
        let bytes = try read()
        output.pointee = UnsafeRawPointer(bytes.baseAddress)
        size?.pointee = bytes.count
        return .ok
    } catch {
        return error.rawValue
    }
}

/// The same for text that becomes the caller's.
func writeOwned(
    to output: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
    _ size: UnsafeMutablePointer<Int>?,
    _ make: () throws(Failure) -> OwnedText
) -> cmr_status {
    do throws(Failure) {
        let text = try make()
        output.pointee = UnsafeMutableRawPointer(text.start).assumingMemoryBound(to: CChar.self)
        size?.pointee = text.count
        return .ok
    } catch {
        return error.kind.rawValue
    }
}

extension SharedSnapshot {
    @inline(__always)
    init(_ handle: OpaquePointer) { self.init(UnsafeMutableRawPointer(handle)) }

    /// The value at a path of C's.
    @inline(__always)
    func value(_ path: UnsafePointer<CChar>) throws(ReadError) -> Value {
        try body.value(atPath: Bytes(text: path))
    }
}

extension Value {
    @inline(__always)
    init(_ handle: OpaquePointer) { self.init(UnsafePointer<Node>(handle)) }

    @inline(__always)
    var handle: OpaquePointer { OpaquePointer(node) }
}
