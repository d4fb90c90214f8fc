// The verbs that change the disk. A mount is staged key by key, then published whole by `swap`, or
// by the steps of the kubelet's atomic_writer.go one at a time. Never looks at the watcher.

import CCMReload
import Glibc

/// The directory that a story has to itself, and the mounts in it.
final class World {
    /// What the ConfigMap behind a mount holds, and where the kubelet's steps have got to.
    private struct Mount {
        var files: [(key: String, bytes: [UInt8], mode: UInt32)] = []
        var fresh = ""
        var old = ""
    }

    let directory: String
    private var mounts: [String: Mount] = [:]
    private var current = ""
    private var serial = 0
    private var churning: Churn?

    init() throws(StoryFailure) {
        var template = Array(
            "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/cmreload-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StoryFailure(description: "no directory for the story")
        }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.removeTree(directory) }

    func path(_ relative: String) -> String { "\(directory)/\(relative)" }

    /// Returns false when the verb is not the world's.
    func perform(_ words: Words) throws(StoryFailure) -> Bool {
        switch words.verb {
        case "mount": try choose(words)
        case "write":
            try stage(words) { (file) throws(StoryFailure) in file.bytes = try words.value(2) }
        case "mode":
            try stage(words) { (file) throws(StoryFailure) in file.mode = try words.mode(2) }
        case "remove": try remove(words)
        case "swap": try swap(words)
        case "kubelet": try kubelet(words)
        case "environment": setenv(try words.text(1), try words.text(2), 1)
        case "churn": churning = try Churn(path(try words.text(1)))
        case "calm": churning = nil
        case "needs": break
        default: return try performOnFiles(words)
        }
        return true
    }

    private func performOnFiles(_ words: Words) throws(StoryFailure) -> Bool {
        let path = words.has(1) ? path(try words.text(1)) : directory
        switch words.verb {
        case "directory":
            makeParents(of: path)
            try words.must(mkdir(path, 0o755))
        case "file":
            makeParents(of: path)
            try write(try words.value(2), to: path, O_TRUNC, words)
        case "replace":
            try write(try words.value(2), to: path + "~", O_TRUNC, words)
            try words.must(rename(path + "~", path))
        case "overwrite": try overwrite(path, words)
        case "touch": try words.must(utimensat(AT_FDCWD, path, nil, 0))
        case "chmod": try words.must(chmod(self.path(try words.text(2)), try words.mode(1)))
        case "link":
            makeParents(of: path)
            try words.must(symlink(try words.text(2), path + "~"))
            try words.must(rename(path + "~", path))
        case "move": try words.must(rename(path, self.path(try words.text(2))))
        case "delete": Self.removeTree(path)
        case "fifo": try words.must(mkfifo(path, 0o644))
        case "socket": try makeSocket(path, words)
        default: return false
        }
        return true
    }

    // MARK: A mount

    private func choose(_ words: Words) throws(StoryFailure) {
        current = try words.text(1)
        mkdir(path(current), 0o755)
        if mounts[current] == nil { mounts[current] = Mount() }
    }

    private func within(_ name: String) -> String { path("\(current)/\(name)") }

    private func stage(
        _ words: Words,
        _ change: (inout (key: String, bytes: [UInt8], mode: UInt32)) throws(StoryFailure) -> Void
    ) throws(StoryFailure) {
        let key = try words.text(1)
        var mount = mounts[current, default: Mount()]
        let index = mount.files.firstIndex { $0.key == key } ?? mount.files.count
        if index == mount.files.count { mount.files.append((key, [], 0o644)) }
        try change(&mount.files[index])
        mounts[current] = mount
    }

    private func remove(_ words: Words) throws(StoryFailure) {
        let key = try words.text(1)
        guard let index = mounts[current]?.files.firstIndex(where: { $0.key == key }) else {
            throw words.failure("there is no key \(key)")
        }
        mounts[current]?.files.remove(at: index)
    }

    private func swap(_ words: Words) throws(StoryFailure) {
        var files: [cmr_file] = []
        for file in mounts[current]?.files ?? [] {
            let bytes = UnsafeMutableRawPointer.allocate(
                byteCount: file.bytes.count + 1, alignment: 1)
            bytes.copyMemory(from: file.bytes, byteCount: file.bytes.count)
            files.append(
                cmr_file(
                    key: strdup(file.key), bytes: bytes, size: file.bytes.count, mode: file.mode,
                    reserved: 0))
        }
        defer {
            for file in files {
                free(UnsafeMutablePointer(mutating: file.key))
                UnsafeMutableRawPointer(mutating: file.bytes)?.deallocate()
            }
        }
        var error = cmr_error.fresh
        let status = cmr_mount_write(path(current), files, files.count, &error)
        if status != CMR_OK { throw words.failure("swap: \(name(of: status)): \(error.text)") }
    }

    // MARK: The kubelet's steps

    private func kubelet(_ words: Words) throws(StoryFailure) {
        var mount = mounts[current, default: Mount()]
        switch try words.text(1) {
        case "directory":  // step 5
            serial += 1
            let digits = String(serial)
            mount.fresh =
                "..2026_01_02_03_04_05." + String(repeating: "0", count: 9 - digits.count) + digits
            try words.must(mkdir(within(mount.fresh), 0o755))
        case "payload":  // steps 6 and 7
            for file in mount.files {
                let path = within("\(mount.fresh)/\(file.key)")
                makeParents(of: path)
                try write(file.bytes, to: path, O_EXCL, words)
                try words.must(chmod(path, file.mode))
            }
        case "data_tmp":  // step 8
            try words.must(symlink(mount.fresh, within("..data_tmp")))
        case "rename":  // step 9
            mount.old = Self.target(of: within("..data"))
            try words.must(rename(within("..data_tmp"), within("..data")))
        case "links":  // step 10; before the rename on older kubelets
            for file in mount.files {
                let visible = Self.visible(file.key)
                if symlink("..data/\(visible)", within(visible)) != 0, errno != EEXIST {
                    try words.must(-1)
                }
            }
        case "unlinks":  // step 11
            let wanted = Set(mount.files.map { Self.visible($0.key) })
            for entry in Self.entries(of: path(current))
            where !entry.hasPrefix("..") && !wanted.contains(entry) {
                try words.must(unlink(within(entry)))
            }
        case "remove_old":  // step 12
            Self.removeTree(within(mount.old))
        default:
            throw words.failure("the kubelet has no step \(try words.text(1))")
        }
        mounts[current] = mount
    }

    /// A key is visible through a link of its own; one in a directory through that directory's.
    private static func visible(_ key: String) -> String { String(key.prefix { $0 != "/" }) }

    // MARK: Files

    private func makeParents(of path: String) {
        var parent = directory
        for part in path.dropFirst(directory.count + 1).split(separator: "/").dropLast() {
            parent += "/\(part)"
            mkdir(parent, 0o755)
        }
    }

    private func write(_ bytes: [UInt8], to path: String, _ flags: Int32, _ words: Words)
        throws(StoryFailure)
    {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o644)
        try words.must(descriptor)
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
            }
            try words.must(wrote > 0 ? 0 : -1)
            done += wrote
        }
    }

    /// Other bytes of the same number, and the old times put back.
    private func overwrite(_ path: String, _ words: Words) throws(StoryFailure) {
        let bytes = try words.value(2)
        var before = stat()
        try words.must(stat(path, &before))
        if before.st_size != bytes.count {
            throw words.failure("there are \(before.st_size) bytes")
        }
        try write(bytes, to: path, 0, words)
        try words.must(utimensat(AT_FDCWD, path, [before.st_atim, before.st_mtim], 0))
    }

    private func makeSocket(_ path: String, _ words: Words) throws(StoryFailure) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        if path.utf8.count >= room { throw words.failure("the path is too long for a socket") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let size = socklen_t(MemoryLayout.size(ofValue: address))
        try words.must(
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
            })
    }

    static func target(of link: String) -> String {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
            let size = readlink(
                link, room.baseAddress!.assumingMemoryBound(to: CChar.self), room.count)
            return String(decoding: room.prefix(max(size, 0)), as: UTF8.self)
        }
    }

    private static func entries(of path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func removeTree(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            for name in entries(of: path) { removeTree("\(path)/\(name)") }
        }
        Glibc.remove(path)
    }
}

extension Words {
    /// Fails the story when a system call failed.
    fileprivate func must(_ result: Int32) throws(StoryFailure) {
        if result < 0 { throw failure("\(verb): \(String(cString: strerror(errno)))") }
    }
}
