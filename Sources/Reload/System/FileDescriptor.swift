// An open file or directory that closes itself.

internal import CSystem

/// A descriptor that its holder owns.
package struct FileDescriptor: ~Copyable {
    package private(set) var number: Int32

    /// Takes ownership of an open descriptor.
    package init(unsafeOwning number: Int32) { self.number = number }

    deinit { if number >= 0 { _ = cs_close(number) } }

    /// Gives the number away, still open.
    package consuming func release() -> Int32 {
        defer { number = -1 }
        return number
    }

    /// Closes it now, and hears what a file system that writes late has to say.
    package consuming func close() throws(Errno) { _ = try check(cs_close(release())) }

    package borrowing func status() throws(Errno) -> FileStatus {
        var status = cs_status()
        _ = try check(cs_stat(number, &status))
        return FileStatus(status)
    }

    /// Reads at `offset`; 0 is the end. A FIFO says ESPIPE, a directory EISDIR, so neither can pass
    /// for a file.
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int)
        throws(Errno) -> Int
    {
        Int(try check(cs_pread(number, buffer.baseAddress, buffer.count, Int64(offset))))
    }

    package borrowing func write(all bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes
        while rest.count > 0 {
            let written = Int(try check(cs_write(number, rest.baseAddress, rest.count)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    package borrowing func changeMode(_ mode: UInt32) throws(Errno) {
        _ = try check(cs_change_mode(number, mode))
    }

    /// Whether a short read is the end of the file and inotify sees every change: true for
    /// page-cache file systems.
    package var isLocal: Bool { cs_is_local(number) == 1 }

    /// How many descriptors the process may have open now.
    package static var mostOpen: Int { Int(cs_open_limit()) }
}

/// What stat(2) says of a file.
package struct FileStatus {
    package enum Kind {
        case regular, directory, link, fifo, socket, device
    }

    package let identity: FileIdentity
    package let size: Int
    package let kind: Kind
    package let mode: UInt32
    package let modifiedNanoseconds: Int64
    package let changedNanoseconds: Int64

    init(_ status: cs_status) {
        identity = FileIdentity(device: status.device, inode: status.inode)
        size = Int(clamping: status.size)
        modifiedNanoseconds = status.modified_ns
        changedNanoseconds = status.changed_ns
        mode = status.mode & 0o7777
        switch status.mode & 0o170000 {
        case 0o100000: kind = .regular
        case 0o040000: kind = .directory
        case 0o120000: kind = .link
        case 0o010000: kind = .fifo
        case 0o140000: kind = .socket
        default: kind = .device
        }
    }
}

/// Which file it is, whatever its name.
package struct FileIdentity: Equatable {
    package let device: UInt64
    package let inode: UInt64
}

extension FileDescriptor {
    /// Opens a file anywhere, following links. Never blocks.
    package init(opening path: FilePath) throws(Errno) {
        self.init(unsafeOwning: try check(path.withCString { cs_open_file(Int32(CS_AT_CWD), $0) }))
    }
}
