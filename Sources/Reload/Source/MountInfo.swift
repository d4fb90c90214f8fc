// What /proc/self/mountinfo (proc(5)) says of a path. A volume mounted by `subPath`, and a single
// file bind-mounted into the container, show one inode for ever: the kubelet's updates never arrive
// (kubernetes#50345).

internal import Config

enum MountInfo {
    /// What a source's path leads to.
    enum Kind {
        case file
        /// A directory in the kubelet's layout: its keys lie in the volume itself.
        case volume
        /// Each of its files may be a mount of its own.
        case plainDirectory
    }

    /// Why updates will never be seen at `path`, or nil.
    static func neverUpdates(_ path: FilePath, _ kind: Kind) -> String? {
        guard let end = LinkChain(path).end, let table = read() else { return nil }
        return table.withUnsafeBufferPointer {
            neverUpdates(end, kind, table: $0) { (try? Directory.status(at: $0).kind) == .regular }
        }
    }

    /// The same for a given table. Each line: id, parent, device, root within the device, mount
    /// point, and more. Mounts can lie on each other; the last line is the one on top.
    static func neverUpdates(
        _ end: FilePath, _ kind: Kind, table: Bytes, isFile: (FilePath) -> Bool
    ) -> String? {
        let names = end.components
        var reason: String?
        var depth = 0
        var within: [FilePath] = []
        var rest = table
        while !rest.isEmpty {
            var line = cut(&rest, at: UInt8(ascii: "\n"))
            for _ in 0..<3 { _ = cut(&line, at: UInt8(ascii: " ")) }
            let root = cut(&line, at: UInt8(ascii: " "))
            let point = unescaped(cut(&line, at: UInt8(ascii: " ")))
            if point.isEmpty { continue }
            let place = point.components
            // The end lies in the mount that is nearest to it.
            if names.starts(with: place), place.count >= depth {
                depth = place.count
                let isEnd = depth == names.count
                if isEnd, kind == .file {
                    reason = "is a single file mounted into the container"
                } else if isSubPath(root) {
                    let how = isEnd ? "is" : "lies in \(point.description), which is"
                    reason = "\(how) mounted by subPath"
                } else {
                    reason = nil
                }
            }
            if kind == .plainDirectory, place.count > names.count, place.starts(with: names) {
                within.removeAll { $0 == point }
                if isSubPath(root) || isFile(point) { within.append(point) }
            }
        }
        if reason == nil, let first = within.first {
            let inner = Array(first.components.dropFirst(names.count))
            let key = FilePath(components: inner, absolute: false)
            let how =
                within.count == 1
                ? "is mounted into the container by itself"
                : "and \(within.count - 1) more are mounted into the container by themselves"
            reason = "its \(key.description) \(how)"
        }
        return reason.map { "\($0): updates are never seen; mount the whole volume" }
    }

    /// The kubelet binds a `subPath` from within the timestamped directory, or from its own
    /// `volume-subpaths`.
    private static func isSubPath(_ root: Bytes) -> Bool {
        let subpaths = FilePath("volume-subpaths")
        return FilePath(root).components.contains { name in
            name == subpaths || name.withBytes { MountLayout.isReserved($0) }
        }
    }

    /// Takes what stands before the next `separator`, and that too.
    private static func cut(_ rest: inout Bytes, at separator: UInt8) -> Bytes {
        let end = rest.firstIndex(of: separator) ?? rest.count
        let part = Bytes(rebasing: rest.prefix(end))
        rest = Bytes(rebasing: rest.dropFirst(end + 1))
        return part
    }

    /// The table writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ field: Bytes) -> FilePath {
        var plain: [UInt8] = []
        var index = 0
        while index < field.count {
            var byte = field[index]
            if byte == UInt8(ascii: "\\"), index + 3 < field.count {
                byte = 0
                for digit in field[index + 1...index + 3] { byte = byte &* 8 &+ (digit &- 0x30) }
                index += 3
            }
            plain.append(byte)
            index += 1
        }
        return plain.withUnsafeBufferPointer { FilePath($0) }
    }

    private static func read() -> [UInt8]? {
        guard let file = try? FileDescriptor(opening: FilePath("/proc/self/mountinfo")) else {
            return nil
        }
        var table: [UInt8] = []
        // Ends at a size no machine's table has: a warning is not worth more.
        while table.count < 4 << 20 {
            let part = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
                count =
                    (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: table.count))
                    ?? 0
            }
            if part.isEmpty { break }
            table.append(contentsOf: part)
        }
        return table
    }
}
