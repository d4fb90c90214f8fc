// What is made and removed in an open directory. Names are NUL-terminated, of one component, and
// never followed when they are links.

internal import CSystem

extension Directory {
    /// Opens a directory below.
    package borrowing func directory(_ name: UnsafePointer<CChar>) throws(Errno) -> Directory {
        let number = try check(cs_open_directory_nofollow(descriptor.number, name))
        return Directory(FileDescriptor(unsafeOwning: number))
    }

    /// Makes a directory with exactly this mode, whatever the umask: so it is given after
    /// mkdir(2), by name, since until then the directory may be closed to ourselves.
    package borrowing func makeDirectory(
        _ name: UnsafePointer<CChar>, mode: UInt32
    ) throws(Errno) {
        _ = try check(cs_make_directory(descriptor.number, name, 0o700))
        _ = try check(cs_change_mode_at(descriptor.number, name, mode))
    }

    /// Makes an empty file, open for writing; of the mode, the umask is taken away.
    package borrowing func makeFile(
        _ name: UnsafePointer<CChar>, mode: UInt32
    ) throws(Errno) -> FileDescriptor {
        FileDescriptor(unsafeOwning: try check(cs_create_file(descriptor.number, name, mode)))
    }

    package borrowing func makeLink(
        _ name: UnsafePointer<CChar>, to target: UnsafePointer<CChar>
    ) throws(Errno) {
        _ = try check(cs_make_link(target, descriptor.number, name))
    }

    /// Renames, over what has the new name.
    package borrowing func rename(
        _ name: UnsafePointer<CChar>, to new: UnsafePointer<CChar>
    ) throws(Errno) {
        _ = try check(cs_rename(descriptor.number, name, new))
    }

    /// Removes a name that is no directory (EISDIR when it is one).
    package borrowing func remove(_ name: UnsafePointer<CChar>) throws(Errno) {
        _ = try check(cs_unlink(descriptor.number, name, false))
    }

    /// Removes a directory (ENOTEMPTY when it is not empty).
    package borrowing func removeDirectory(_ name: UnsafePointer<CChar>) throws(Errno) {
        _ = try check(cs_unlink(descriptor.number, name, true))
    }

    /// Whether an entry is a directory; some file systems do not tell when they list.
    package borrowing func isDirectory(_ entry: Entry) throws(Errno) -> Bool {
        entry.kind == .unknown
            ? try status(of: entry.name, followingLinks: false).kind == .directory
            : entry.kind == .directory
    }
}
