// One file as one key. Inside a kubelet mount it is that mount restricted to the key; anywhere else
// it may be a link or lie behind links, and is read when it has been quiet.

package import Config

/// A single file.
package final class FileSource: Source {
    package let name: FilePath
    private let path: FilePath
    private let key: FilePath
    /// The mount that the file lies in, once it was found there.
    private var found: MountSource?
    private var plainIsLocal = true

    package init(name: FilePath, path: FilePath) {
        self.name = name
        self.path = path
        key = path.lastComponent
    }

    package var settles: Bool { found == nil }
    package var mount: FilePath? { found?.mount }
    package func neverUpdates() -> String? { MountInfo.neverUpdates(path, .file) }
    package var canChange: Bool { true }
    package var isLocal: Bool { found?.isLocal ?? plainIsLocal }

    package func watches() -> [Watch] {
        findMount()
        if let found { return found.watches() }
        let chain = LinkChain(path)
        guard let end = chain.end else { return chain.watches }
        return chain.watches + [
            Watch(path: end.parent, mask: MountSource.plainMask, name: end.lastComponent)
        ]
    }

    package func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading {
        findMount()
        if let found {
            return try found.read(into: payload, unless: known, limits: limits, using: files)
        }
        payload.removeAll()
        try payload.add(key: key)
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor(opening: path)
        } catch {
            if error == .noSuchFile || error == .notDirectory {
                return .missing(
                    error.failure(.load, key: name.description, "the source is missing"))
            }
            throw FileReader.failure(error, payload, 0)
        }
        plainIsLocal = file.isLocal
        do throws(FileReader.Problem) {
            try files.read(
                file, into: payload, at: 0, isRegular: false, isLocal: plainIsLocal, limits: limits)
        } catch {
            switch error {
            case .failed(let failure): throw failure
            case .gone:
                return .missing(
                    Errno.stale.failure(.load, key: name.description, "the source is missing"))
            }
        }
        return .payload(nil)
    }

    package func reset() {
        found = nil
        plainIsLocal = true
    }

    /// Looks for the nearest directory above that is in the kubelet's layout.
    private func findMount() {
        guard found == nil else { return }
        var directory = path.components
        var below: [FilePath] = []
        while let last = directory.popLast() {
            below.insert(last, at: 0)
            let above = FilePath(components: directory, absolute: true)
            guard (try? Directory.link(at: above.appending(MountLayout.dataDirectory))) != nil,
                isKubelets(below[0], in: above)
            else { continue }
            // Named through the data directory itself: /etc/config/..data/app.json.
            if below.count > 1, below[0] == FilePath(MountLayout.dataDirectory) {
                below.removeFirst()
            }
            found = MountSource(
                name: name, directory: above, only: FilePath(components: below, absolute: false))
            return
        }
    }

    /// Whether a name in a mount is one that the kubelet keeps there, and not a volume that is
    /// mounted inside, or something beside the keys.
    private func isKubelets(_ name: FilePath, in directory: FilePath) -> Bool {
        let dataDirectory = FilePath(MountLayout.dataDirectory)
        if name == dataDirectory { return true }
        let path = directory.appending(name)
        guard let target = try? Directory.link(at: path) else {
            // After a restart of the kubelet the link of a key can be missing: kubernetes#121472.
            return (try? Directory.status(at: path)) == nil
        }
        return !target.isAbsolute && target.components.first == dataDirectory
    }
}
