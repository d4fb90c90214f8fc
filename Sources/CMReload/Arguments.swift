// What callers pass, checked: handles, texts and paths. Pointers come in, values that nothing can
// go wrong with come out.

internal import CCMReload
internal import Config
internal import Reload

/// The longest key, path, prefix or pattern: the kernel's PATH_MAX without its NUL.
private let longestText = FilePath.capacity - 1

/// The watcher behind a handle.
func watcher(_ handle: OpaquePointer?) throws(Failure) -> Watcher {
    guard let handle, let watcher = CurrentSnapshot(UnsafeMutableRawPointer(handle)).watcher else {
        throw Failure(.invalidArgument, "the watcher is NULL")
    }
    return watcher
}

/// The bytes of a C string, at most `limit` of them.
private func text(_ pointer: UnsafePointer<CChar>?, _ what: StaticString, limit: Int = longestText)
    throws(Failure) -> Bytes
{
    guard let pointer else { throw Failure(.invalidArgument, "the \(what) is NULL") }
    let bytes = Bytes(text: pointer)
    if bytes.count > limit { throw Failure(.limit, "the \(what) is longer than \(limit) bytes") }
    return bytes
}

/// The bytes of a C string that is UTF-8.
func unicode(_ pointer: UnsafePointer<CChar>?, _ what: StaticString, limit: Int = longestText)
    throws(Failure) -> Bytes
{
    let bytes = try text(pointer, what, limit: limit)
    if String(validating: bytes, as: UTF8.self) == nil {
        throw Failure(.invalidArgument, "the \(what) is not UTF-8")
    }
    return bytes
}

/// A name for the log.
func name(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> String {
    // As long as a Kubernetes name can be.
    String(try unicode(pointer, "name", limit: 253))
}

/// A path that is not empty.
func path(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> FilePath {
    let bytes = try text(pointer, "path")
    if bytes.isEmpty { throw Failure(.invalidArgument, "the path is empty") }
    return FilePath(bytes)
}

/// A path that names a file.
func filePath(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> FilePath {
    let path = try path(pointer)
    let isDirectory = path.withBytes { bytes in
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let last = bytes[(slash.map { $0 + 1 } ?? 0)...]
        // Nothing, "." or "..".
        return last.count <= 2 && last.allSatisfy { $0 == UInt8(ascii: ".") }
    }
    if isDirectory {
        throw Failure(.invalidArgument, .none, key: path.description, "the path names no file")
    }
    return path
}

/// A key.
func key(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> Bytes {
    let key = try unicode(pointer, "key")
    if key.isEmpty { throw Failure(.invalidArgument, "the key is empty") }
    return key
}

/// A path into a snapshot.
func boundPath(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> Bytes {
    let path = try unicode(pointer, "path")
    if path.isEmpty { throw Failure(.invalidArgument, "the path is empty") }
    return path
}

/// A value's bytes; NULL stands for none.
func value(_ pointer: UnsafeRawPointer?, _ size: Int) throws(Failure) -> Bytes {
    guard size >= 0, size <= Limits.valueBytesCeiling else {
        throw Failure(.limit, "the content is larger than \(Limits.valueBytesCeiling) bytes")
    }
    if pointer == nil, size > 0 { throw Failure(.invalidArgument, "the bytes are NULL") }
    return Bytes(start: pointer?.assumingMemoryBound(to: UInt8.self), count: size)
}

/// The files of a mount; NULL stands for none.
func files(_ pointer: UnsafePointer<cmr_file>?, _ count: Int) throws(Failure)
    -> UnsafeBufferPointer<cmr_file>
{
    guard count >= 0 else { throw Failure(.noMemory, .write, "more files than memory holds") }
    if pointer == nil, count > 0 { throw Failure(.invalidArgument, .write, "the files are NULL") }
    return UnsafeBufferPointer(start: pointer, count: count)
}

/// A pattern of keys; NULL matches all.
func pattern(_ pointer: UnsafePointer<CChar>?) throws(Failure) -> KeyPattern? {
    pointer == nil ? nil : try KeyPattern(try unicode(pointer, "pattern"))
}

/// A callback that must be there.
func callback<Function>(_ function: Function?) throws(Failure) -> Function {
    guard let function else { throw Failure(.invalidArgument, "the callback is NULL") }
    return function
}
