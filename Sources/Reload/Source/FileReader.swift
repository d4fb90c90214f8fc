// Reading files into a payload: regular files only, whole or not at all, never blocking on what is
// no file.

package import Config

/// What a load reads with. Used by one load at a time, and again by the next.
package final class FileReader {
    /// Room for a listing; the kernel fills it with as many entries as fit.
    package let listing = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)

    /// Descriptors that are read and wait to be closed, which can happen when the version is out.
    private var read: [Int32] = []
    /// How many may wait: a sixteenth of what the host may have open, getrlimit(2), at most 256.
    let mostOpen = min(256, FileDescriptor.mostOpen / 16)

    package init() {}

    deinit {
        closeFiles()
        listing.deallocate()
    }

    /// Closes what was read; whether that was any. Until then the old generation stays with
    /// the kernel.
    @discardableResult
    package func closeFiles() -> Bool {
        defer { read.removeAll(keepingCapacity: true) }
        for number in read { _ = FileDescriptor(unsafeOwning: number) }
        return !read.isEmpty
    }

    /// Gives the descriptors away, for somebody else to close.
    package func takeFiles() -> [Int32] {
        defer { read.removeAll(keepingCapacity: true) }
        return read
    }

    /// Why a file could not be read: it went away, which is a reason to start over, or anything
    /// else.
    package enum Problem: Error {
        case gone
        case failed(Failure)
    }

    /// Reads the file into the payload's entry at `index`.
    ///
    /// - Parameters:
    ///   - isRegular: the directory said that it is a regular file; otherwise stat(2) is asked.
    ///   - isLocal: a short read is the end of the file: one pread(2) is enough for a small one.
    package func read(
        _ file: consuming FileDescriptor, into payload: Payload, at index: Int, isRegular: Bool,
        isLocal: Bool, limits: Limits
    ) throws(Problem) {
        var filled = 0
        do throws(Errno) {
            if !isRegular {
                let kind = try file.status().kind
                if kind != .regular { throw kind == .directory ? .isDirectory : .invalid }
            }
        } catch {
            throw .failed(FileReader.failure(error, payload, index))
        }
        while true {
            let room: UnsafeMutableRawBufferPointer
            do throws(Failure) { room = try payload.room(for: 4096, after: filled) } catch {
                throw .failed(error)
            }
            let got: Int
            do throws(Errno) {
                got = try file.read(into: room, at: filled)
            } catch {
                throw error == .stale ? .gone : .failed(FileReader.failure(error, payload, index))
            }
            filled += got
            if filled > limits.maxValueBytes || got == 0 || (isLocal && got < room.count) { break }
        }
        payload.finish(index, filled: filled)
        keep(file)
        try check(payload, index, limits)
    }

    private func check(_ payload: Payload, _ index: Int, _ limits: Limits) throws(Problem) {
        if payload.value(index).count > limits.maxValueBytes {
            let key = String(payload.key(index))
            throw .failed(
                Failure(
                    .limit, .load, key: key,
                    "the value is larger than \(limits.maxValueBytes) bytes"))
        }
        if payload.valueBytes > limits.maxTotalBytes {
            throw .failed(
                Failure(
                    .limit, .load,
                    "the values are larger than \(limits.maxTotalBytes) bytes together"))
        }
    }

    /// Takes over a descriptor that is not needed any more.
    func keep(_ directory: consuming Directory) { keep(directory.take()) }

    private func keep(_ file: consuming FileDescriptor) {
        if read.count >= mostOpen { closeFiles() }
        read.append(file.release())
    }

    /// An error of a key's file, in words that say what was found where a file should be.
    package static func failure(_ errno: Errno, _ payload: Payload, _ index: Int) -> Failure {
        let key = String(payload.key(index))
        switch errno {
        case .noSeek, .invalid, .noSuchDevice:
            return errno.failure(.load, key: key, "the key is no regular file")
        case .isDirectory: return errno.failure(.load, key: key, "the key is a directory")
        case .crossesDevice:
            return errno.failure(.load, key: key, "the key is a link that leaves the mount")
        case .tooManyLinks:
            return errno.failure(.load, key: key, "the key is a link that leads nowhere")
        default: return errno.failure(.load, key: key, "cannot read the key")
        }
    }
}
