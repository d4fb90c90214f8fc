// A path as the kernel knows it: bytes without a NUL, not necessarily UTF-8. At most PATH_MAX long.

internal import CSystem
package import Config

/// A file system path.
package struct FilePath: Equatable {
    /// The longest path the kernel takes, with its NUL (limits.h PATH_MAX).
    package static let capacity = 4096

    /// The bytes and a NUL.
    private var storage: [UInt8]

    /// Copies at most `capacity` bytes; a longer path fails when it is used, with ENAMETOOLONG.
    @inline(never)
    package init(_ bytes: Bytes) {
        storage = []
        storage.reserveCapacity(bytes.count + 1)
        storage.append(contentsOf: Bytes(rebasing: bytes.prefix(FilePath.capacity)))
        if storage.contains(0) { storage.removeAll { $0 == 0 } }
        storage.append(0)
    }

    package init(_ text: StaticString) {
        self.init(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private init(storage: [UInt8]) { self.storage = storage }

    @inline(never)
    package static func == (a: FilePath, b: FilePath) -> Bool {
        a.withBytes { bytes in b.withBytes { equalBytes(bytes, $0) } }
    }

    package var count: Int { storage.count - 1 }
    package var isEmpty: Bool { count == 0 }
    package var isAbsolute: Bool { storage[0] == UInt8(ascii: "/") }

    /// For messages: what is not UTF-8 is replaced.
    package var description: String { withBytes { String($0) } }

    package func withCString<Answer, Problem: Error>(
        _ body: (UnsafePointer<CChar>) throws(Problem) -> Answer
    ) throws(Problem) -> Answer {
        try storage.withUnsafeBufferPointer { buffer throws(Problem) in
            // An array that holds at least its NUL has a base address.
            let start = UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped)
            return try body(start.assumingMemoryBound(to: CChar.self))
        }
    }

    package func withBytes<Answer, Problem: Error>(_ body: (Bytes) throws(Problem) -> Answer)
        throws(Problem) -> Answer
    {
        try storage.withUnsafeBufferPointer { buffer throws(Problem) in
            try body(Bytes(rebasing: buffer.dropLast()))
        }
    }

    @inline(never)
    package func appending(_ component: Bytes) -> FilePath {
        var joined = storage
        joined.removeLast()
        if !joined.isEmpty, joined.last != UInt8(ascii: "/") { joined.append(UInt8(ascii: "/")) }
        joined.append(contentsOf: component)
        joined.append(0)
        return FilePath(storage: joined)
    }

    package func appending(_ component: FilePath) -> FilePath {
        component.withBytes { appending($0) }
    }

    package func appending(_ component: StaticString) -> FilePath {
        appending(Bytes(start: component.utf8Start, count: component.utf8CodeUnitCount))
    }

    package static let parentName = FilePath("..")

    /// The components, without empty ones and `.`; `..` stays, since links make it mean something.
    package var components: [FilePath] {
        @inline(never)
        get {
            var names: [FilePath] = []
            var start = 0
            for end in storage.indices where end == count || storage[end] == UInt8(ascii: "/") {
                let isDot = end == start + 1 && storage[start] == UInt8(ascii: ".")
                if end > start, !isDot {
                    names.append(FilePath(storage: Array(storage[start..<end]) + [0]))
                }
                start = end + 1
            }
            return names
        }
    }

    /// The path without its last component; of a single component, "/" or ".".
    package var parent: FilePath {
        var names = components
        if !names.isEmpty { names.removeLast() }
        return FilePath(components: names, absolute: isAbsolute)
    }

    /// The last component; empty when there is none.
    package var lastComponent: FilePath { components.last ?? FilePath("") }

    @inline(never)
    package init(components: [FilePath], absolute: Bool) {
        self.init(absolute ? "/" : "")
        for name in components { self = appending(name) }
        if isEmpty { self.init(".") }
    }

    /// The same path from the root: the host may change its working directory later.
    package func absolute() throws(Errno) -> FilePath {
        if isAbsolute { return self }
        var buffer = [UInt8](repeating: 0, count: FilePath.capacity)
        let length = buffer.withUnsafeMutableBytes {
            cs_current_directory($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        buffer.removeLast(buffer.count - Int(try check(length)))
        return FilePath(storage: buffer + [0]).appending(self)
    }
}

extension Payload {
    /// Adds a key that is a path.
    package func add(key: FilePath, mark: UInt8 = 0) throws(Failure) {
        try key.withBytes { bytes throws(Failure) in try add(key: bytes, mark: mark) }
    }
}

extension Directory {
    /// Opens a directory below by one name that is no link.
    package borrowing func directory(_ name: FilePath) throws(Errno) -> Directory {
        let number = name.withCString { cs_open_directory_nofollow(descriptor.number, $0) }
        return Directory(FileDescriptor(unsafeOwning: try check(number)))
    }
}
