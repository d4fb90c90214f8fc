// An open directory: everything that is done relative to a descriptor, so that what is read belongs
// together.

internal import CSystem
package import Config

/// A directory that its holder owns.
package struct Directory: ~Copyable {
    package let descriptor: FileDescriptor

    private static let workingDirectory = Int32(CS_AT_CWD)

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens `path`, following links.
    package init(path: FilePath) throws(Errno) {
        let number = try check(
            path.withCString { cs_open_directory(Directory.workingDirectory, $0) })
        descriptor = FileDescriptor(unsafeOwning: number)
    }

    package consuming func take() -> FileDescriptor { descriptor }

    package borrowing func status(of name: UnsafePointer<CChar>?, followingLinks: Bool)
        throws(Errno) -> FileStatus
    {
        var status = cs_status()
        _ = try check(cs_stat_at(descriptor.number, name, followingLinks, &status))
        return FileStatus(status)
    }

    /// Opens a file by one name that is no link (ELOOP when it is). Never blocks.
    package borrowing func file(_ name: UnsafePointer<CChar>?) throws(Errno) -> FileDescriptor {
        FileDescriptor(unsafeOwning: try check(cs_open_file_nofollow(descriptor.number, name)))
    }

    /// Opens a file, following links wherever they lead. Never blocks.
    package borrowing func file(followingLinks path: UnsafePointer<CChar>?) throws(Errno)
        -> FileDescriptor
    {
        FileDescriptor(unsafeOwning: try check(cs_open_file(descriptor.number, path)))
    }

    /// Opens a file or directory, following links only as long as they stay below this directory
    /// (EXDEV when one does not). openat2(2) does it at once; where the kernel, a seccomp filter or
    /// valgrind lacks it, by hand.
    package borrowing func beneath(_ path: FilePath, directory: Bool) throws(Errno)
        -> FileDescriptor
    {
        let number = path.withCString { cs_open_beneath(descriptor.number, $0, directory) }
        switch number {
        case 0...: return FileDescriptor(unsafeOwning: number)
        // ENOSYS, EPERM of a filter, EAGAIN when something was renamed meanwhile.
        case -38, -1, -11: return try beneathByHand(path, directory: directory)
        default: throw Errno(0 &- number)
        }
    }

    /// `beneath` without openat2(2): walks the path name by name, putting what links say in their
    /// place.
    package borrowing func beneathByHand(_ path: FilePath, directory: Bool) throws(Errno)
        -> FileDescriptor
    {
        if path.isAbsolute { throw .crossesDevice }
        var walked: [FilePath] = []
        var ahead = path.components
        var links = 0
        while !ahead.isEmpty {
            let name = ahead.removeFirst()
            if name == .parentName {
                if walked.isEmpty { throw .crossesDevice }
                walked.removeLast()
                continue
            }
            walked.append(name)
            let here = FilePath(components: walked, absolute: false)
            guard let target = try link(here) else { continue }
            links += 1
            if links > Directory.mostLinks { throw .tooManyLinks }
            if target.isAbsolute { throw .crossesDevice }
            walked.removeLast()
            ahead.insert(contentsOf: target.components, at: 0)
        }
        let end = FilePath(components: walked, absolute: false)
        let number = end.withCString {
            directory
                ? cs_open_directory_nofollow(descriptor.number, $0)
                : cs_open_file_nofollow(descriptor.number, $0)
        }
        return FileDescriptor(unsafeOwning: try check(number))
    }

    /// As many links as the kernel follows in one path, path_resolution(7).
    package static let mostLinks = 40

    /// The text of a link, by a name in the directory.
    package borrowing func link(_ name: StaticString) throws(Errno) -> FilePath? {
        let number = descriptor.number
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        return try Directory.link { buffer, size in cs_read_link(number, name, buffer, size) }
    }

    package borrowing func link(_ path: FilePath) throws(Errno) -> FilePath? {
        let number = descriptor.number
        return try Directory.link { buffer, size in
            path.withCString { cs_read_link(number, $0, buffer, size) }
        }
    }

    /// The text of a link anywhere, or nil when the path is missing or no link.
    package static func link(at path: FilePath) throws(Errno) -> FilePath? {
        try link { buffer, size in
            path.withCString { cs_read_link(workingDirectory, $0, buffer, size) }
        }
    }

    /// What stat(2) says of a path anywhere, without following it if it is a link.
    package static func status(at path: FilePath) throws(Errno) -> FileStatus {
        var status = cs_status()
        _ = try check(path.withCString { cs_stat_at(workingDirectory, $0, false, &status) })
        return FileStatus(status)
    }

    private static func link(_ read: (UnsafeMutablePointer<CChar>?, Int) -> Int64) throws(Errno)
        -> FilePath?
    {
        var length: Int64 = 0
        let target = withUnsafeTemporaryAllocation(byteCount: FilePath.capacity, alignment: 16) {
            buffer in
            length = read(buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
            if length < 0 { return FilePath("") }
            return FilePath(Bytes(rebasing: buffer.bindMemory(to: UInt8.self).prefix(Int(length))))
        }
        switch length {
        case 0...: return target
        case -2, -20, -22: return nil  // ENOENT, ENOTDIR, EINVAL: not a link
        default: throw Errno(Int32(truncatingIfNeeded: 0 &- length))
        }
    }

    /// One name in a directory.
    package struct Entry {
        package enum Kind {
            case regular, directory, link, fifo, socket, device, unknown
        }
        /// NUL-terminated, valid while the listing's buffer is.
        package let name: UnsafePointer<CChar>
        package let count: Int
        package let kind: Kind

        package var bytes: Bytes {
            Bytes(start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: count)
        }
    }

    /// Calls `body` for each entry but `.` and `..`, a buffer of getdents64(2) at a time.
    package borrowing func list<Problem: Error>(
        into buffer: UnsafeMutableRawBufferPointer,
        failing: (Errno) -> Problem,
        _ body: (Entry) throws(Problem) -> Void
    ) throws(Problem) {
        while true {
            let filled = cs_list(descriptor.number, buffer.baseAddress, buffer.count)
            if filled < 0 { throw failing(Errno(Int32(truncatingIfNeeded: 0 &- filled))) }
            if filled == 0 { return }
            var offset = 0
            while offset < filled {
                var name: UnsafePointer<CChar>?
                var count = 0
                var type: UInt8 = 0
                offset = cs_entry(buffer.baseAddress, offset, &name, &count, &type)
                guard let name else { continue }
                if name[0] == 0x2E, count == 1 || (count == 2 && name[1] == 0x2E) { continue }
                try body(Entry(name: name, count: count, kind: Entry.Kind(type)))
            }
        }
    }
}

extension Directory.Entry.Kind {
    fileprivate init(_ type: UInt8) {
        switch Int(type) {
        case Int(CS_TYPE_REGULAR): self = .regular
        case Int(CS_TYPE_DIRECTORY): self = .directory
        case Int(CS_TYPE_LINK): self = .link
        case Int(CS_TYPE_FIFO): self = .fifo
        case Int(CS_TYPE_SOCKET): self = .socket
        case Int(CS_TYPE_CHARACTER), Int(CS_TYPE_BLOCK): self = .device
        default: self = .unknown
        }
    }
}
