// What /proc/self/mountinfo (proc(5)) says of a path. A volume mounted by `subPath`, and a single
// file bind-mounted into the container, show one inode for ever: the kubelet's updates never arrive
// (kubernetes#50345).

internal import Config

enum MountInfo {
    /// Why updates will never be seen at `path`, or nil.
    static func neverUpdates(_ path: FilePath, isFile: Bool) -> String? {
        guard let end = LinkChain(path).end, let table = read() else { return nil }
        return table.withUnsafeBufferPointer { neverUpdates(end, isFile: isFile, table: $0) }
    }

    /// The same for a given table. Each line: id, parent, device, root within the device, mount
    /// point, and more.
    static func neverUpdates(_ end: FilePath, isFile: Bool, table: Bytes) -> String? {
        let unseen = "its updates are never seen; mount the whole volume"
        var answer: String?
        for line in table.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count >= 5, unescaped(fields[4]).elementsEqual(end.bytes) else { continue }
            // Mounts can lie on each other; the last line is the one on top.
            answer =
                isFile
                ? "is a single file mounted into the container: \(unseen)"
                : isSubPath(fields[3])
                    ? "is mounted by subPath: \(unseen)"
                    : nil
        }
        return answer
    }

    /// The kubelet binds a `subPath` from within the timestamped directory, or from its own
    /// `volume-subpaths`.
    private static func isSubPath(_ root: Slice<Bytes>) -> Bool {
        let subpaths: StaticString = "volume-subpaths"
        return root.split(separator: UInt8(ascii: "/")).contains { name in
            name.starts(with: [0x2E, 0x2E])
                || name.elementsEqual(
                    Bytes(start: subpaths.utf8Start, count: subpaths.utf8CodeUnitCount))
        }
    }

    /// The table writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ field: Slice<Bytes>) -> [UInt8] {
        var plain: [UInt8] = []
        var rest = field[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3 {
                let digits = rest.prefix(3)
                plain.append(digits.reduce(0) { $0 &* 8 &+ ($1 &- 0x30) })
                rest = rest.dropFirst(3)
            } else {
                plain.append(byte)
            }
        }
        return plain
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
