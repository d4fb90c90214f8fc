internal import CSystem
package import Config

// An open directory: everything that is done relative to a descriptor, so that what is read belongs together.

/// A directory that its holder owns.
package struct Directory: ~Copyable {
    package let descriptor: FileDescriptor

    private static let workingDirectory = Int32(CS_AT_CWD)

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens `path`, following links.
    package init(path: FilePath) throws(Errno) {
        let number = try check(path.withCString { cs_open_directory(Directory.workingDirectory, $0) })
        descriptor = FileDescriptor(unsafeOwning: number)
    }

    package borrowing func status() throws(Errno) -> FileStatus { try descriptor.status() }

    package borrowing func status(of name: UnsafePointer<CChar>, followingLinks: Bool) throws(Errno) -> FileStatus {
        var status = cs_status()
        _ = try check(cs_stat_at(descriptor.number, name, followingLinks, &status))
        return FileStatus(status)
    }

    /// Opens a directory below by one name that is no link.
    package borrowing func directory(_ name: UnsafePointer<CChar>) throws(Errno) -> Directory {
        Directory(FileDescriptor(unsafeOwning: try check(cs_open_directory_nofollow(descriptor.number, name))))
    }

    /// Opens a file by one name that is no link (ELOOP when it is). Never blocks.
    package borrowing func file(_ name: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        FileDescriptor(unsafeOwning: try check(cs_open_file_nofollow(descriptor.number, name)))
    }

    /// Opens a file, following links wherever they lead. Never blocks.
    package borrowing func file(followingLinks path: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        FileDescriptor(unsafeOwning: try check(cs_open_file(descriptor.number, path)))
    }

    /// The text of a link, or nil when the name is missing or no link.
    package borrowing func link(_ name: UnsafePointer<CChar>) throws(Errno) -> FilePath? {
        var buffer = [UInt8](repeating: 0, count: FilePath.capacity)
        let length = buffer.withUnsafeMutableBytes {
            cs_read_link(descriptor.number, name, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        switch length {
        case 0...: return buffer.withUnsafeBufferPointer { FilePath(Bytes(rebasing: $0.prefix(Int(length)))) }
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
