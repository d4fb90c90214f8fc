// Formats of one's own: what keys are parsed as, and parsers that the application brings.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_watcher_set_format") @implementation
public func cmr_watcher_set_format(
    _ handle: OpaquePointer!, _ key_pattern: UnsafePointer<CChar>!, _ format: Int32,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        try watcher(handle).setFormat(
            try knownFormat(format), for: try KeyPattern(try unicode(key_pattern, "pattern")))
    }
}

@_cdecl("cmr_watcher_set_parser") @implementation
public func cmr_watcher_set_parser(
    _ handle: OpaquePointer!, _ key_pattern: UnsafePointer<CChar>!, _ function: cmr_parse_fn!,
    _ context: UnsafeMutableRawPointer!, _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let function = try callback(function as cmr_parse_fn?)
        try watcher(handle).setParser(
            parser(function, context), for: try KeyPattern(try unicode(key_pattern, "pattern")))
    }
}

@_cdecl("cmr_sink_write") @implementation
public func cmr_sink_write(
    _ handle: OpaquePointer!, _ json: UnsafePointer<CChar>!, _ size: Int
) -> cmr_status {
    guard let handle else { return .invalidArgument }
    return answer(nil) { () throws(Failure) in
        let sink = Unmanaged<JSONSink>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
        do throws(Failure) { try sink.write(try value(json, size)) } catch {
            throw sink.fail(error)
        }
    }
}

/// One of the formats of the header.
private func knownFormat(_ number: Int32) throws(Failure) -> Format {
    guard let format = Format(rawValue: number) else {
        throw Failure(.invalidArgument, "there is no such format")
    }
    return format
}

/// The application's parser as the watcher calls it.
private func parser(_ function: @escaping cmr_parse_fn, _ context: UnsafeMutableRawPointer?)
    -> OwnParser.Parse
{
    { key, bytes, json throws(Failure) in
        var error = cmr_error()
        error.struct_size = UInt32(MemoryLayout<cmr_error>.size)
        let sink = OpaquePointer(Unmanaged.passUnretained(json).toOpaque())
        // A NUL follows the key.
        let status = function(
            context, key.cText, bytes.baseAddress, bytes.count, sink, &error)
        if status != .ok { throw Failure(refusedWith: error) }
    }
}

extension Failure {
    /// What the application wrote, whatever status it gave.
    fileprivate convenience init(refusedWith error: cmr_error) {
        let message = withUnsafeBytes(of: error.message) { String(upToNULIn: $0) }
        self.init(
            .parse, .parse, key: "", message.isEmpty ? "the parser refused it" : message,
            osErrno: 0, line: error.line, column: error.column)
    }
}
