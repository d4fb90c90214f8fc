// The files that a mount is to hold: what a caller gives, checked, and then as the tree of
// directories that the keys make. Sorted files are such a tree already: a directory is a run of
// them that begin alike. Touches no disk; content stays where the caller has it.

internal import Config

/// One file as a caller gives it; nothing about it is checked yet.
package struct MountFile {
    /// Its path below the mount, NUL-terminated.
    fileprivate let key: UnsafePointer<CChar>?
    fileprivate let bytes: UnsafeRawPointer?
    fileprivate let size: Int
    /// Permission bits; 0 stands for 0644.
    fileprivate let mode: UInt32

    package init(key: UnsafePointer<CChar>?, bytes: UnsafeRawPointer?, size: Int, mode: UInt32) {
        (self.key, self.bytes, self.size, self.mode) = (key, bytes, size, mode)
    }
}

/// One directory of the tree, as the sequence of what it holds, in the order of the names.
struct MountTree: Sequence, IteratorProtocol {
    /// A file that a mount can hold.
    struct File {
        let key: Bytes
        let content: Bytes
        let mode: UInt32
        /// The names on the way to it, each with a NUL behind it; before the first stands
        /// `dataPrefix`.
        fileprivate let names: Bytes
    }

    /// What a directory holds under one name.
    struct Child {
        enum Kind {
            case file(File)
            case directory(MountTree)
        }

        /// NUL-terminated.
        let name: UnsafePointer<CChar>
        let kind: Kind

        /// Where the user-visible link of this name leads; only children of the root have one.
        var linkTarget: UnsafePointer<CChar> { name - MountTree.dataPrefix.utf8CodeUnitCount }
    }

    /// Sorted by their names, which are all alike up to `offset`; there, those of this directory
    /// begin.
    private var files: Slice<UnsafeBufferPointer<File>>
    private let offset: Int

    mutating func next() -> Child? {
        guard let first = files.first, let name = first.name(at: offset) else { return nil }
        let end = offset + Bytes(text: name).count + 1
        let alike = files.prefix { $0.begins(like: first, upTo: end) }
        files = files[alike.endIndex...]
        // No name is that of a file and of a directory: that was checked.
        if end == first.names.count { return Child(name: name, kind: .file(first)) }
        return Child(name: name, kind: .directory(MountTree(files: alike, offset: end)))
    }

    /// Whether something is to be there under this name.
    func contains(_ name: Bytes) -> Bool {
        var (low, high) = (files.startIndex, files.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            guard let found = files[middle].name(at: offset) else { return false }
            let order = compareBytes(Bytes(text: found), name)
            if order == 0 { return true }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension MountTree.File {
    /// A checked file; its names go to `room`, which moves behind them.
    fileprivate init(_ file: MountFile, names room: inout UnsafeMutablePointer<UInt8>) {
        key = file.key.map { Bytes(text: $0) } ?? Bytes(start: nil, count: 0)
        let bytes = file.bytes?.assumingMemoryBound(to: UInt8.self)
        content = Bytes(start: bytes, count: bytes == nil ? 0 : file.size)
        mode = file.mode == 0 ? 0o644 : file.mode
        let prefix = MountTree.dataPrefix
        room.update(from: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        room += prefix.utf8CodeUnitCount
        let start = room
        for name in FilePath(key).components {
            name.withCString {
                UnsafeMutableRawPointer(room).copyMemory(from: $0, byteCount: name.count + 1)
            }
            room += name.count + 1
        }
        names = Bytes(start: start, count: room - start)
    }

    fileprivate func name(at offset: Int) -> UnsafePointer<CChar>? {
        Bytes(rebasing: names[offset...]).cText
    }

    fileprivate func begins(like other: MountTree.File, upTo end: Int) -> Bool {
        names.count >= end && other.names.count >= end
            && equalBytes(Bytes(rebasing: names[..<end]), Bytes(rebasing: other.names[..<end]))
    }

    /// Whether it can be there together with the file sorted before it.
    fileprivate func check(behind other: MountTree.File) throws(Failure) {
        if !begins(like: other, upTo: other.names.count) { return }
        throw Failure(
            .invalidArgument, .write, key: MountTree.name(key),
            names.count == other.names.count
                ? "the key is there twice" : "the key needs a directory where another key is")
    }
}

// MARK: - Making

extension MountTree {
    fileprivate static let dataPrefix: StaticString = "..data/"
    /// No memory holds more; sizes made of this many do not overflow.
    private static let mostFiles = 1 << 48

    /// Calls `body` with the tree of `count` files, which ends with the call.
    static func with(
        _ count: Int, _ file: (Int) -> MountFile, memory: Memory,
        _ body: (MountTree) throws(Failure) -> Void
    ) throws(Failure) {
        guard count >= 0, count <= mostFiles else { throw noMemory }
        // The files, room to sort them in, and their names.
        let filesSize = count * MemoryLayout<File>.stride
        var size = filesSize * 2 + 1
        for index in 0..<count {
            size += dataPrefix.utf8CodeUnitCount + (try file(index).checkedKey().count) + 1
        }
        guard let block = memory.allocate(size) else { throw noMemory }
        defer { memory.free(block, size) }
        let files = UnsafeMutableBufferPointer(
            start: block.bindMemory(to: File.self, capacity: count), count: count)
        var room = (block + filesSize * 2).assumingMemoryBound(to: UInt8.self)
        for index in 0..<count {
            files.initializeElement(at: index, to: File(file(index), names: &room))
        }
        sort(files, scratch: block + filesSize) { compareBytes($0.names, $1.names) < 0 }
        for (before, file) in zip(files, files.dropFirst()) { try file.check(behind: before) }
        try body(MountTree(files: UnsafeBufferPointer(files)[...], offset: 0))
    }

    /// A key for a message, which needs no more of it.
    static func name(_ key: Bytes) -> String { String(Bytes(rebasing: key.prefix(256))) }

    static var noMemory: Failure { Failure(.noMemory, .write, "no memory for the files") }
}

extension MountFile {
    /// The longest name in a directory, limits.h NAME_MAX.
    private static let nameCapacity = 255

    /// The key, when the kubelet takes it (`validatePath`) and this library can read it;
    /// everything else about the file is checked too.
    fileprivate func checkedKey() throws(Failure) -> Bytes {
        guard let text = key else { throw Failure(.invalidArgument, .write, "a key is NULL") }
        let key = Bytes(text: text)
        func refused(_ kind: Failure.Kind, _ message: String) -> Failure {
            Failure(kind, .write, key: MountTree.name(key), message)
        }
        if key.isEmpty { throw refused(.invalidArgument, "a key is empty") }
        if key.count >= FilePath.capacity {
            throw refused(.limit, "the key is longer than \(FilePath.capacity - 1) bytes")
        }
        if String(validating: key, as: UTF8.self) == nil {
            throw refused(.invalidArgument, "the key is not UTF-8")
        }
        if key.first == UInt8(ascii: "/") { throw refused(.invalidArgument, "the key is absolute") }
        // What stands between the slashes; as the kubelet, without what `filepath.Clean` leaves
        // out.
        let names = FilePath(key).components
        guard let first = names.first else {
            throw refused(.invalidArgument, "the key names no file")
        }
        if first.withBytes({ MountLayout.isReserved($0) }) {
            throw refused(.invalidArgument, "the key begins with two dots")
        }
        if names.contains(.parentName) { throw refused(.invalidArgument, "the key has .. in it") }
        if names.contains(where: { $0.count > MountFile.nameCapacity }) {
            throw refused(
                .limit, "a name in the key is longer than \(MountFile.nameCapacity) bytes")
        }
        if names.count - 1 > MountLayout.mostLevels {
            throw refused(.limit, "the key has more than \(MountLayout.mostLevels) directories")
        }
        if mode > 0o777 { throw refused(.invalidArgument, "the mode is above 0777") }
        if bytes == nil, size != 0 { throw refused(.invalidArgument, "the bytes are NULL") }
        if size < 0 { throw refused(.limit, "the content is larger than a file can be") }
        return key
    }
}
