// A directory of keys: a volume in the kubelet's layout, or a plain directory. Which of the two it
// is shows at each read by its `..data` link. Never mixes generations: a mount is read through one
// descriptor of the directory that `..data` names.

package import Config

/// A mounted ConfigMap, Secret or projected volume, a plain directory, or one file of either.
package final class MountSource: Source {
    package let name: FilePath
    /// The directory, absolute.
    private let directory: FilePath
    /// The only key that is wanted, as a path below the directory, and how it is called; nil for
    /// all keys.
    private let only: (path: FilePath, key: FilePath)?

    /// Whether the directory was in the kubelet's layout when it was last looked at: once it was, a
    /// missing `..data` means that the volume is gone, not that the directory became a plain one.
    private var isMount = false
    package private(set) var isLocal = true
    /// Links and directories that a plain directory held: what they lead to is watched too.
    private var followed: [FilePath] = []

    /// All keys of `directory`.
    package init(name: FilePath, directory: FilePath) {
        self.name = name
        self.directory = directory
        only = nil
    }

    /// One file of a mount, by its path below the mount's directory.
    package init(name: FilePath, directory: FilePath, only path: FilePath) {
        self.name = name
        self.directory = directory
        only = (path, path.lastComponent)
        isMount = true
    }

    package var settles: Bool { !isMount }
    package var mount: FilePath? { isMount ? directory : nil }
    package func neverUpdates() -> String? {
        MountInfo.neverUpdates(directory, isMount ? .volume : .plainDirectory)
    }
    package var canChange: Bool { true }

    // MARK: - Watching

    package func watches() -> [Watch] {
        let chain = LinkChain(directory)
        var watches = chain.watches
        guard let end = chain.end else { return watches }
        let dataLink = end.appending(MountLayout.dataDirectory)
        if isMount || (try? Directory.link(at: dataLink)) != nil {
            let name = FilePath(MountLayout.dataDirectory)
            if (try? Directory.status(at: dataLink)) == nil {
                let mask: WatchMask = [.movedTo, .create, .deleteSelf, .moveSelf]
                watches.append(Watch(path: end, mask: mask, name: name, leadsElsewhere: true))
            } else {
                // The kubelet's rename is what counts. The new directory, created a moment before,
                // wakes too: its name is none to load for, but a processor that was asleep is awake
                // when the rename comes, a third sooner on an idle machine. A link that is removed
                // or moved away and made again, as `ln -sfn` may do, is first missing.
                let mask: WatchMask = [
                    .create, .movedTo, .movedFrom, .delete, .deleteSelf, .moveSelf,
                ]
                watches.append(Watch(path: end, mask: mask, name: name))
            }
            return watches
        }
        watches.append(Watch(path: end, mask: MountSource.plainMask))
        for path in followed {
            let chain = LinkChain(end.appending(path))
            watches.append(contentsOf: chain.watches)
            guard let target = chain.end else { continue }
            if (try? Directory.status(at: target).kind) == .directory {
                watches.append(Watch(path: target, mask: MountSource.plainMask))
            } else {
                let mask = MountSource.plainMask
                watches.append(Watch(path: target.parent, mask: mask, name: target.lastComponent))
            }
        }
        return watches
    }

    package static let plainMask: WatchMask = [
        .create, .movedTo, .movedFrom, .delete, .modify, .closeWrite, .attributes, .deleteSelf,
        .moveSelf,
    ]

    // MARK: - Reading

    package func reset() {
        isMount = only != nil
        isLocal = true
        followed.removeAll()
    }

    /// A swap can overtake any number of reads; more than this is no swap but a fault.
    private static let mostStarts = 1000

    package func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading {
        for _ in 0..<MountSource.mostStarts {
            payload.removeAll()
            do throws(FileReader.Problem) {
                return try readOnce(into: payload, unless: known, limits: limits, using: files)
            } catch {
                switch error {
                case .gone: continue
                case .failed(let failure): throw failure
                }
            }
        }
        throw Errno.stale.failure(
            .load, key: name.description, "the source changes faster than it can be read")
    }

    private func readOnce(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(FileReader.Problem) -> Reading {
        let root: Directory
        do throws(Errno) { root = try Directory(path: directory) } catch {
            return try missing(error)
        }
        let generation = try dataDirectory(of: root)
        guard let generation else {
            if isMount { return try missing(.noSuchFile) }
            return try readPlain(root, into: payload, limits: limits, using: files)
        }
        isMount = true
        if generation == known { return .unchanged }
        let data: Directory
        do throws(Errno) {
            data = Directory(try root.beneath(generation.name, directory: true))
        } catch {
            // Replaced since the link was read; or it leads nowhere, as after a kubelet that died.
            if error == .noSuchFile {
                return try hasChanged(root, since: generation) ? again() : missing(error)
            }
            throw .failed(
                error.failure(.load, key: name.description, "cannot open the data directory"))
        }
        isLocal = data.descriptor.isLocal
        if let only {
            return try read(
                only, of: data, in: root, generation, into: payload, limits: limits, using: files)
        }
        try list(data, prefix: nil, level: 0, into: payload, limits: limits, using: files)
        // While the link names this directory nobody empties it: the listing was complete.
        if try hasChanged(root, since: generation) { throw .gone }
        for index in 0..<payload.count {
            try readEntry(
                index, of: data, confined: true, into: payload, limits: limits, using: files)
        }
        files.keep(data)
        files.keep(root)
        return .payload(generation)
    }

    /// One file of the data directory.
    private func read(
        _ only: (path: FilePath, key: FilePath), of data: borrowing Directory,
        in root: borrowing Directory,
        _ generation: Generation, into payload: Payload, limits: Limits, using files: FileReader
    ) throws(FileReader.Problem) -> Reading {
        try add(key: only.key, to: payload)
        let file: FileDescriptor
        do throws(Errno) {
            file = try data.beneath(only.path, directory: false)
        } catch {
            // Missing while the link names this directory; otherwise the kubelet is emptying it.
            if error == .noSuchFile {
                return try hasChanged(root, since: generation) ? again() : missing(error)
            }
            throw .failed(FileReader.failure(error, payload, 0))
        }
        try files.read(
            file, into: payload, at: 0, isRegular: false, isLocal: isLocal, limits: limits)
        return .payload(generation)
    }

    private func readPlain(
        _ root: borrowing Directory, into payload: Payload, limits: Limits, using files: FileReader
    ) throws(FileReader.Problem) -> Reading {
        isLocal = root.descriptor.isLocal
        followed.removeAll()
        try list(root, prefix: nil, level: 0, into: payload, limits: limits, using: files)
        for index in 0..<payload.count {
            try readEntry(
                index, of: root, confined: false, into: payload, limits: limits, using: files)
        }
        return .payload(nil)
    }

    // MARK: - Steps

    private func again() throws(FileReader.Problem) -> Reading { throw .gone }

    /// The source is not there: nothing to keep trying for. What may not be seen is a failure.
    private func missing(_ errno: Errno) throws(FileReader.Problem) -> Reading {
        let failure = errno.failure(.load, key: name.description, "the source is missing")
        if errno == .noSuchFile || errno == .notDirectory || errno == .stale {
            return .missing(failure)
        }
        throw .failed(errno.failure(.load, key: name.description, "cannot open the source"))
    }

    private func dataDirectory(of root: borrowing Directory) throws(FileReader.Problem)
        -> Generation?
    {
        do throws(Errno) {
            return try root.link(MountLayout.dataDirectory).map { Generation(name: $0) }
        } catch {
            throw .failed(
                error.failure(.load, key: name.description, "cannot read the ..data link"))
        }
    }

    private func hasChanged(_ root: borrowing Directory, since generation: Generation)
        throws(FileReader.Problem) -> Bool
    {
        try dataDirectory(of: root) != generation
    }

    /// How an entry is to be opened.
    private enum Mark {
        /// A regular file in the directory itself, says the listing.
        static let regular: UInt8 = 0
        /// A link, or something that the listing does not tell: stat(2) has to.
        static let link: UInt8 = 1
        /// In a directory below.
        static let nested: UInt8 = 2
    }

    /// Adds the keys of a directory, and of those below, to the payload.
    private func list(
        _ directory: borrowing Directory, prefix: FilePath?, level: Int, into payload: Payload,
        limits: Limits,
        using files: FileReader
    ) throws(FileReader.Problem) {
        var below: [FilePath] = []
        let sourceName = name
        try directory.list(into: files.listing) { errno in
            errno == .noSuchFile || errno == .stale
                ? .gone
                : .failed(
                    errno.failure(.load, key: sourceName.description, "cannot list the directory"))
        } _: { entry throws(FileReader.Problem) in
            // In a plain directory there may be a volume, with such names of its own.
            if level == 0 || !isMount, MountLayout.isReserved(entry.bytes) { return }
            // The common case makes no path: its name is its key.
            if prefix == nil, entry.kind == .regular {
                try add(key: entry.bytes, mark: Mark.regular, to: payload)
            } else {
                let path = prefix?.appending(entry.bytes) ?? FilePath(entry.bytes)
                switch entry.kind {
                case .regular:
                    try add(key: path, mark: Mark.nested, to: payload)
                case .link, .unknown:
                    if !isMount {
                        followed.append(path)
                        // An editor's lock, say, is a link to no file. In a mount such a link is
                        // one that the kubelet never made.
                        if isMissing(entry.name, in: directory, followingLinks: true) { return }
                    }
                    try add(key: path, mark: Mark.nested | Mark.link, to: payload)
                case .directory:
                    below.append(path)
                    return
                case .fifo, .socket, .device:
                    throw .failed(
                        Errno.invalid.failure(
                            .load, key: path.description, "the key is no regular file"))
                }
            }
            if payload.count > limits.maxKeys {
                throw .failed(
                    Failure(
                        .limit, .load, key: name.description,
                        "the source has more than \(limits.maxKeys) keys"))
            }
        }
        for path in below {
            let failed = { (errno: Errno) -> FileReader.Problem in
                errno == .noSuchFile
                    ? .gone
                    : .failed(
                        errno.failure(.load, key: path.description, "cannot open the directory"))
            }
            if level == MountLayout.mostLevels { throw failed(.tooManyLinks) }
            if !isMount { followed.append(path) }
            let child: Directory
            do throws(Errno) {
                child = try directory.directory(path.lastComponent)
            } catch { throw failed(error) }
            try list(
                child, prefix: path, level: level + 1, into: payload, limits: limits, using: files)
        }
    }

    /// Whether there is nothing of this name, or behind the link that has it. What may not be
    /// looked at is there.
    private func isMissing(
        _ name: UnsafePointer<CChar>?, in directory: borrowing Directory, followingLinks: Bool
    ) -> Bool {
        do throws(Errno) {
            _ = try directory.status(of: name, followingLinks: followingLinks)
            return false
        } catch {
            return error == .noSuchFile || error == .notDirectory || error == .stale
        }
    }

    private func add(key: Bytes, mark: UInt8, to payload: Payload) throws(FileReader.Problem) {
        do throws(Failure) { try payload.add(key: key, mark: mark) } catch { throw .failed(error) }
    }

    private func add(key: FilePath, mark: UInt8 = 0, to payload: Payload) throws(FileReader.Problem)
    {
        do throws(Failure) { try payload.add(key: key, mark: mark) } catch { throw .failed(error) }
    }

    /// Reads the entry at `index`. In a mount links may not leave the data directory.
    private func readEntry(
        _ index: Int, of directory: borrowing Directory, confined: Bool, into payload: Payload,
        limits: Limits,
        using files: FileReader
    ) throws(FileReader.Problem) {
        let mark = payload.mark(index)
        let file: FileDescriptor
        do throws(Errno) {
            do throws(Errno) {
                file = try open(index, of: directory, confined: confined, in: payload)
            } catch {
                // Others may need descriptors more than what was read does.
                guard error == .tooManyOpenFiles, files.closeFiles() else { throw error }
                file = try open(index, of: directory, confined: confined, in: payload)
            }
        } catch {
            // Gone since it was listed? In a plain directory what a link leads to may go as well.
            let isGone = isMissing(
                payload.keyText(index), in: directory, followingLinks: !confined)
            throw isGone ? .gone : .failed(FileReader.failure(error, payload, index))
        }
        let isRegular = mark & Mark.link == 0
        try files.read(
            file, into: payload, at: index, isRegular: isRegular, isLocal: isLocal, limits: limits)
    }

    private func open(
        _ index: Int, of directory: borrowing Directory, confined: Bool, in payload: Payload
    ) throws(Errno) -> FileDescriptor {
        if payload.mark(index) == Mark.regular {
            return try directory.file(payload.keyText(index))
        }
        if confined {
            return try directory.beneath(FilePath(payload.key(index)), directory: false)
        }
        return try directory.file(followingLinks: payload.keyText(index))
    }
}
