// Publishes files in a directory as the kubelet does, step by step as AtomicWriter.Write in
// kubernetes pkg/volume/util/atomic_writer.go; for tests, demonstrations and tools. Everything
// happens below one open descriptor. Follows no link, and removes no directory but what a writer
// like it has made.

package import Config

/// The kubelet's side of a mount.
package enum MountWriter {
    /// Makes `path` hold exactly `count` files; `file` gives each of them, as often as it is
    /// asked.
    package static func write(
        _ count: Int, to path: FilePath, memory: Memory = .sensitive, _ file: (Int) -> MountFile
    ) throws(Failure) {
        if path.isEmpty { throw Failure(.invalidArgument, .write, "the path is empty") }
        try MountTree.with(count, file, memory: memory) { tree throws(Failure) in
            let root = try attempt("cannot open the directory", path.description) {
                () throws(Errno) in
                try Directory(path: path)
            }
            // All that it takes, before anything is changed.
            guard let room = memory.allocate(roomSize) else { throw MountTree.noMemory }
            defer { memory.free(room, roomSize) }
            let buffer = UnsafeMutableRawBufferPointer(start: room, count: roomSize)
            try Mount(root: root, name: path.description, buffer: buffer).publish(tree)
        }
    }

    /// A few hundred names of a listing; content is compared piece by piece.
    private static var roomSize: Int { 32 << 10 }
}

/// The directory during one write.
private struct Mount: ~Copyable {
    let root: Directory
    /// What messages call it.
    let name: String
    /// Room for a listing or for content.
    let buffer: UnsafeMutableRawBufferPointer

    /// Steps 2 to 12 of AtomicWriter.Write; step 1 made the tree.
    func publish(_ tree: MountTree) throws(Failure) {
        let old = try oldDirectory()
        if let old, holds(tree, old) {
            // Links are missing where a kubelet died before it made them (kubernetes#121472).
            return try makeLinks(tree)
        }
        let new = try makeDirectory()
        do throws(Failure) {
            try fill(new, with: tree)
            try swap(to: new)
        } catch {
            // What cannot be removed either would be no better news.
            try? remove(new)
            throw error
        }
        try makeLinks(tree)
        guard let old else { return }
        try removeLinks(into: old, except: tree)
        try attempt("cannot remove the old directory", name) { () throws(Errno) in try remove(old) }
    }

    // MARK: - What is there

    /// The directory that `..data` names, if it is one of this mount's (step 2).
    private func oldDirectory() throws(Failure) -> FilePath? {
        let target = try attempt("cannot read the ..data link", name) { () throws(Errno) in
            try root.link(FilePath(MountLayout.dataDirectory))
        }
        guard let target, MountLayout.isTimestampedDirectory(target) else { return nil }
        let status = try? target.withCString { name throws(Errno) in
            try root.status(of: name, followingLinks: false)
        }
        return status?.kind == .directory ? target : nil
    }

    /// Whether nothing needs to be written (steps 3 and 4).
    private func holds(_ tree: MountTree, _ old: FilePath) -> Bool {
        guard let directory = try? root.directory(old) else { return false }
        return holds(tree, directory)
    }

    /// Whether a directory holds the tree and nothing else. What cannot be read is something
    /// else.
    private func holds(_ tree: MountTree, _ directory: borrowing Directory) -> Bool {
        var wanted = 0
        for child in tree {
            wanted += 1
            switch child.kind {
            case .file(let file):
                guard let found = try? directory.file(child.name), isSame(file, found)
                else { return false }
            case .directory(let below):
                guard let found = try? directory.directory(child.name), holds(below, found)
                else { return false }
            }
        }
        var found = 0
        do throws(Errno) {
            try directory.list(into: buffer, failing: { $0 }) { _ throws(Errno) in found += 1 }
        } catch {
            return false
        }
        return found == wanted
    }

    private func isSame(_ file: MountTree.File, _ found: borrowing FileDescriptor) -> Bool {
        guard let status = try? found.status(), status.kind == .regular, status.mode == file.mode,
            status.size == file.content.count
        else { return false }
        var rest = file.content
        while !rest.isEmpty {
            let offset = file.content.count - rest.count
            guard let got = try? found.read(into: buffer, at: offset), got > 0, got <= rest.count,
                equalBytes(
                    Bytes(rebasing: buffer.bindMemory(to: UInt8.self)[..<got]),
                    Bytes(rebasing: rest[..<got]))
            else { return false }
            rest = Bytes(rebasing: rest[got...])
        }
        return true
    }

    // MARK: - Making

    /// A new timestamped directory (step 5).
    private func makeDirectory() throws(Failure) -> FilePath {
        while true {
            let new = MountLayout.timestampedDirectory()
            do throws(Errno) {
                try new.withCString { name throws(Errno) in
                    try root.makeDirectory(name, mode: 0o755)
                }
                return new
            } catch {
                if error == .exists { continue }
                try? remove(new)
                throw refused("cannot make a directory", name, error)
            }
        }
    }

    /// Steps 6 and 7, but for an owner: the files are the caller's.
    private func fill(_ new: FilePath, with tree: MountTree) throws(Failure) {
        let directory = try attempt("cannot open the new directory", name) { () throws(Errno) in
            try root.directory(new)
        }
        try Mount.write(tree, into: directory)
    }

    private static func write(_ tree: MountTree, into directory: borrowing Directory)
        throws(Failure)
    {
        for child in tree {
            switch child.kind {
            case .file(let file):
                do throws(Errno) {
                    let made = try directory.makeFile(child.name, mode: file.mode)
                    try made.write(all: UnsafeRawBufferPointer(file.content))
                    // Once more, since the umask was taken away.
                    try made.changeMode(file.mode)
                    try made.close()
                } catch {
                    throw refused("cannot write the file", MountTree.name(file.key), error)
                }
            case .directory(let below):
                let made: Directory
                do throws(Errno) {
                    try directory.makeDirectory(child.name, mode: 0o755)
                    made = try directory.directory(child.name)
                } catch {
                    throw refused("cannot make a directory", String(cString: child.name), error)
                }
                try write(below, into: made)
            }
        }
    }

    /// Makes `..data` name the new directory, at once (steps 8 and 9).
    private func swap(to new: FilePath) throws(Failure) {
        let (data, temporary) = (
            MountLayout.dataDirectory.cText, MountLayout.newDataDirectory.cText
        )
        try attempt("cannot replace the ..data link", name) { () throws(Errno) in
            // Left by a writer that died.
            try? root.remove(temporary)
            try new.withCString { name throws(Errno) in try root.makeLink(temporary, to: name) }
            do throws(Errno) {
                try root.rename(temporary, to: data)
            } catch {
                try? root.remove(temporary)
                throw error
            }
        }
    }

    /// The links that users see, where there is nothing yet (step 10).
    private func makeLinks(_ tree: MountTree) throws(Failure) {
        for child in tree {
            do throws(Errno) {
                try root.makeLink(child.name, to: child.linkTarget)
            } catch {
                if error != .exists {
                    throw refused("cannot make the link", String(cString: child.name), error)
                }
            }
        }
    }

    // MARK: - Removing

    /// Removes the links of what the old directory has and the tree has not (step 11).
    private func removeLinks(into old: FilePath, except tree: MountTree) throws(Failure) {
        let data = FilePath(MountLayout.dataDirectory)
        try attempt("cannot remove the links of removed keys", name) { () throws(Errno) in
            let directory = try root.directory(old)
            try directory.list(into: buffer, failing: { $0 }) { entry throws(Errno) in
                if tree.contains(entry.bytes) { return }
                let link = try root.link(FilePath(entry.bytes))
                if link == data.appending(entry.bytes) { try root.remove(entry.name) }
            }
        }
    }

    /// Removes a timestamped directory (step 12).
    private func remove(_ directory: FilePath) throws(Errno) {
        try directory.withCString { name throws(Errno) in try remove(name, from: root, level: 0) }
    }

    /// Removes a directory with all that is in it.
    private func remove(
        _ name: UnsafePointer<CChar>, from parent: borrowing Directory, level: Int
    ) throws(Errno) {
        if level > MountLayout.mostLevels { throw .tooManyLinks }
        while true {
            let directory = try parent.directory(name)
            var removed = 0
            var below: FilePath?
            try directory.list(into: buffer, failing: { $0 }) { entry throws(Errno) in
                if try directory.isDirectory(entry) {
                    // Its turn comes when the listing is over: the two have one buffer.
                    below = FilePath(entry.bytes)
                } else {
                    try directory.remove(entry.name)
                }
                removed += 1
            }
            if let below {
                try below.withCString { name throws(Errno) in
                    try remove(name, from: directory, level: level + 1)
                }
                continue
            }
            do throws(Errno) {
                return try parent.removeDirectory(name)
            } catch {
                // Network file systems leave names out of a listing while others are removed.
                if error != .notEmpty || removed == 0 { throw error }
            }
        }
    }
}

/// Gives what a system call gives, or its refusal as the failure of a write.
private func attempt<Answer: ~Copyable>(
    _ what: StaticString, _ key: @autoclosure () -> String, _ call: () throws(Errno) -> Answer
) throws(Failure) -> Answer {
    do throws(Errno) { return try call() } catch { throw refused(what, key(), error) }
}

private func refused(_ what: StaticString, _ key: String, _ errno: Errno) -> Failure {
    errno.failure(.write, key: key, "\(what)")
}
