// Mounts on a real file system, as the kubelet writes them.
import Config
import Foundation
import Reload
import Testing

@Suite struct MountWriterTests {
    private let mount = TemporaryDirectory()

    /// One file of a test.
    private struct File {
        var key: [UInt8]
        var content: [UInt8]
        var mode: UInt32

        init(_ key: String, _ content: String = "", mode: UInt32 = 0) {
            (self.key, self.content, self.mode) = (Array(key.utf8), Array(content.utf8), mode)
        }
    }

    private static func write(
        _ files: [File], to path: FilePath, memory: Memory = .system
    ) throws(Failure) {
        let copies = files.map { file in
            let key = UnsafeMutablePointer<CChar>.allocate(capacity: file.key.count + 1)
            for (index, byte) in file.key.enumerated() { key[index] = CChar(bitPattern: byte) }
            key[file.key.count] = 0
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: file.content.count)
            bytes.update(from: file.content, count: file.content.count)
            return (key: key, bytes: bytes)
        }
        defer {
            for copy in copies {
                copy.key.deallocate()
                copy.bytes.deallocate()
            }
        }
        try MountWriter.write(files.count, to: path, memory: memory) { index in
            MountFile(
                key: copies[index].key, bytes: copies[index].bytes,
                size: files[index].content.count, mode: files[index].mode)
        }
    }

    private func write(_ files: File...) throws(Failure) {
        try MountWriterTests.write(files, to: mount.path)
    }

    private func failure(_ files: File...) -> Failure? {
        do throws(Failure) {
            try MountWriterTests.write(files, to: mount.path)
            return nil
        } catch {
            return error
        }
    }

    /// The timestamped directories that are there.
    private var directories: [String] {
        (mount.names() ?? []).filter { $0.hasPrefix("..") && !$0.hasPrefix("..data") }
    }

    // MARK: - Layout

    @Test func `a mount looks as the kubelet makes it`() throws {
        try write(File("b.json", "{}"), File("a", "1", mode: 0o400))
        let data = try #require(mount.link("..data"))
        // ioutil.TempDir: the time in UTC and a number of 32 bits.
        #expect(data.wholeMatch(of: /\.\.\d{4}(_\d\d){5}\.\d{1,10}/) != nil)
        #expect(mount.names() == [data, "..data", "a", "b.json"].sorted())
        #expect(mount.names(data) == ["a", "b.json"])
        #expect(mount.link("a") == "..data/a")
        #expect(mount.link("b.json") == "..data/b.json")
        #expect(mount.content("a") == "1")
        #expect(mount.content("b.json") == "{}")
        #expect(mount.mode(data) == 0o755)
        #expect(mount.mode(data + "/a") == 0o400)
        #expect(mount.mode(data + "/b.json") == 0o644)
    }

    @Test func `the timestamp is the time in UTC`() throws {
        let before = Date()
        try write(File("a"))
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "'..'yyyy_MM_dd_HH_mm_ss"
        let data = try #require(mount.link("..data"))
        let time = try #require(formatter.date(from: String(data.prefix(21))))
        // Whole seconds, of the clock's last tick (time(2)).
        #expect(time.timeIntervalSince(before) > -2)
        #expect(time.timeIntervalSinceNow < 1)
    }

    @Test func `keys with directories have one link for their first name`() throws {
        try write(
            File("user/labels", "l"), File("user/more/deep", "d"), File("user.txt", "t"),
            File("user-b/x", "x"))
        #expect(mount.names("..data") == ["user", "user-b", "user.txt"])
        #expect(mount.link("user") == "..data/user")
        #expect(mount.link("user-b") == "..data/user-b")
        #expect(mount.content("user/labels") == "l")
        #expect(mount.content("user/more/deep") == "d")
        #expect(mount.content("user-b/x") == "x")
        #expect(mount.mode("..data/user") == 0o755)
        #expect(mount.mode("..data/user/more") == 0o755)
    }

    @Test func `a key is cleaned as the kubelet cleans it`() throws {
        try write(File("./a//b/./c", "c"), File("d/", "d"))
        #expect(mount.content("a/b/c") == "c")
        #expect(mount.content("d") == "d")
    }

    @Test func `names may have spaces, letters of any script and 255 bytes`() throws {
        let long = String(repeating: "x", count: 255)
        try write(File("with space", "1"), File("größe", "2"), File(long, "3"), File("a/..b", "4"))
        #expect(mount.content("with space") == "1")
        #expect(mount.content("größe") == "2")
        #expect(mount.content(long) == "3")
        #expect(mount.content("a/..b") == "4")
    }

    @Test func `no file at all is a volume too`() throws {
        try write(File("a"))
        try write()
        #expect(mount.names("..data") == [])
        #expect(mount.names() == [try #require(mount.link("..data")), "..data"])
    }

    @Test func `a mebibyte arrives whole`() throws {
        let content = String(repeating: "0123456789abcdef", count: 1 << 16)
        try write(File("a", content))
        #expect(mount.content("a") == content)
        let first = mount.link("..data")
        try write(File("a", content))
        #expect(mount.link("..data") == first)
        try write(File("a", content.dropLast() + "x"))
        #expect(mount.link("..data") != first)
        #expect(mount.content("a")?.last == "x")
    }

    @Test func `modes do not depend on the umask, which stays what it is`() {
        nonisolated(unsafe) var after: mode_t = 0
        nonisolated(unsafe) var caught: Failure?
        let path = mount.path
        OwnThread.run {
            umask(0o777)
            do throws(Failure) {
                try MountWriterTests.write(
                    [File("a", "1", mode: 0o666), File("b/c", "2")], to: path)
            } catch {
                caught = error
            }
            after = umask(0)
        }
        #expect(caught == nil)
        #expect(after == 0o777)
        #expect(mount.mode(mount.link("..data") ?? "") == 0o755)
        #expect(mount.mode("..data/a") == 0o666)
        #expect(mount.mode("..data/b") == 0o755)
        #expect(mount.mode("..data/b/c") == 0o644)
    }

    // MARK: - Updates

    @Test func `a second write replaces the first and leaves nothing of it`() throws {
        try write(File("a", "1"), File("user/labels", "x"))
        let first = mount.link("..data")
        try write(File("a", "2"), File("user/labels", "x"))
        let second = try #require(mount.link("..data"))
        #expect(second != first)
        #expect(directories == [second])
        #expect(mount.content("a") == "2")
        #expect(mount.content("user/labels") == "x")
    }

    @Test func `a removed key loses its link, a new one gets one`() throws {
        try write(File("a", "1"), File("gone", "2"), File("dir/gone", "3"), File("kept/gone", "4"))
        try write(File("a", "1"), File("kept/new", "5"), File("new", "6"))
        let data = try #require(mount.link("..data"))
        #expect(mount.names() == [data, "..data", "a", "kept", "new"])
        #expect(mount.names("kept") == ["new"])
    }

    @Test func `a removed key whose name belongs to somebody else keeps it`() throws {
        try write(File("a", "1"), File("b", "2"))
        unlink(mount.at("b"))
        mount.write("b", "mine")
        try write(File("a", "1"))
        #expect(mount.content("b") == "mine")
    }

    @Test func `a file may become a directory and a directory a file`() throws {
        try write(File("a", "1"), File("b/c", "2"))
        try write(File("a/x", "1"), File("b", "2"))
        #expect(mount.content("a/x") == "1")
        #expect(mount.content("b") == "2")
    }

    /// What is different when only one thing is.
    @Test(arguments: ["bytes", "size", "mode", "key", "directory"])
    func `every difference is written`(_ difference: String) throws {
        let files = [File("a", "1"), File("b/c", "22")]
        var others = files
        switch difference {
        case "bytes": others[1].content[1] = 0x33
        case "size": others[1].content.append(0x32)
        case "mode": others[1].mode = 0o600
        case "key": others.append(File("d"))
        default: others.append(File("b/d"))
        }
        for (from, to) in [(files, others), (others, files)] {
            try MountWriterTests.write(from, to: mount.path)
            let before = mount.link("..data")
            try MountWriterTests.write(to, to: mount.path)
            #expect(mount.link("..data") != before)
        }
    }

    @Test func `unchanged content writes nothing`() throws {
        let files = [File("a", "1"), File("user/labels", "x", mode: 0o600), File("empty")]
        try MountWriterTests.write(files, to: mount.path)
        let before = mount.status("..data")
        let watch = inotify_init1(Int32(IN_NONBLOCK))
        defer { close(watch) }
        let reading = UInt32(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE)
        let written = 0xFFF & ~reading  // of IN_ALL_EVENTS
        for directory in ["", "..data/", "..data/user/"] {
            #expect(inotify_add_watch(watch, mount.at(directory), written) >= 0)
        }
        try MountWriterTests.write(files.reversed(), to: mount.path)
        var events = [UInt8](repeating: 0, count: 4096)
        #expect(read(watch, &events, events.count) == -1 && errno == EAGAIN)
        #expect(mount.status("..data")?.st_ino == before?.st_ino)
        try write(File("a", "2"))
        #expect(read(watch, &events, events.count) > 0, "and the watch would have told")
    }

    // MARK: - What others left

    @Test func `the link of a writer that died is not in the way`() throws {
        try write(File("a", "1"))
        mount.link("..data_tmp", to: "..2020_01_01_00_00_00.1")
        try write(File("a", "2"))
        #expect(mount.content("a") == "2")
        #expect(mount.link("..data_tmp") == nil)
    }

    @Test func `links that a writer did not come to make are made`() throws {
        try write(File("a", "1"), File("b", "2"))
        unlink(mount.at("a"))
        let before = mount.link("..data")
        try write(File("a", "1"), File("b", "2"))
        #expect(mount.link("a") == "..data/a")
        #expect(mount.link("..data") == before)
    }

    @Test func `a data directory that is gone is written anew`() throws {
        mount.link("..data", to: "..2020_01_01_00_00_00.1")
        try write(File("a", "1"))
        #expect(mount.content("a") == "1")
        #expect(directories == [mount.link("..data")])
    }

    @Test func `what is behind links stays`() throws {
        let other = TemporaryDirectory()
        other.write("precious", "1")
        try write(File("a", "1"))
        let data = try #require(mount.link("..data"))
        mount.link(data + "/link", to: other.url.path)
        try write(File("a", "2"))
        #expect(directories == [mount.link("..data")])
        #expect(other.content("precious") == "1")
    }

    @Test(arguments: ["absolute", "below", "beside"])
    func `a data directory that is not the mount's own stays`(_ place: String) throws {
        let other = TemporaryDirectory()
        other.write("precious", "1")
        switch place {
        case "absolute": mount.link("..data", to: other.url.path)
        case "below":
            mount.makeDirectory("..dir")
            rename(other.url.path, mount.at("..dir/below"))
            mount.link("..data", to: "..dir/below")
        default:
            rename(other.url.path, mount.at("beside"))
            mount.link("..data", to: "beside")
        }
        let precious = mount.at("..data/precious")
        let resolved = try #require(realpath(precious, nil))
        defer { free(resolved) }
        try write(File("a", "1"))
        #expect(mount.content("a") == "1")
        #expect(access(resolved, F_OK) == 0)
    }

    // MARK: - Refusals

    /// Nothing may be there after a refusal.
    private func refuses(_ kind: Failure.Kind, _ key: String? = nil, _ files: File...) throws {
        let failure: Failure
        do throws(Failure) {
            try MountWriterTests.write([File("good", "1")] + files, to: mount.path)
            Issue.record("it was not refused")
            return
        } catch let caught {
            failure = caught
        }
        #expect(failure.kind == kind)
        #expect(failure.stage == .write)
        #expect(failure.key == key ?? String(decoding: files[0].key, as: UTF8.self))
        #expect(failure.osErrno == 0)
        #expect(!failure.message.isEmpty)
        #expect(mount.names() == [])
    }

    @Test(arguments: [
        "", "/", "/a", ".", "./", "..", "../a", "..a", "./..a", ".//../a", "a/..", "a/../b",
        "..data", "..data_tmp", "good", "./good", "good/", "good/below",
    ])
    func `a key that no mount can hold is refused`(_ key: String) throws {
        try refuses(.invalidArgument, nil, File(key))
    }

    @Test func `a key below that of a file is refused in either order`() throws {
        try refuses(.invalidArgument, "a/b/c", File("a/b/c"), File("a"))
        try refuses(.invalidArgument, "a/b/c", File("a/b"), File("a.x"), File("a/b/c"))
    }

    @Test func `a key that is not UTF-8 is refused`() throws {
        var file = File("a")
        file.key = [0x61, 0xFF]
        try refuses(.invalidArgument, "a\u{FFFD}", file)
    }

    @Test func `what is too long is refused as a limit`() throws {
        let name = String(repeating: "x", count: 256)
        try refuses(.limit, nil, File(name))
        try refuses(
            .limit, String(repeating: "a/", count: 128), File(String(repeating: "a/", count: 2048)))
        try refuses(.limit, nil, File(String(repeating: "a/", count: 33) + "b"))
        let path = FilePath(text: String(repeating: "x/", count: 3000))
        #expect { try MountWriterTests.write([], to: path) } throws: {
            ($0 as? Failure)?.kind == .limit
        }
    }

    @Test func `as many directories as a mount may have are written and read`() throws {
        let key = String(repeating: "a/", count: 32) + "b"
        try write(File(key, "1"))
        let source = MountSource(name: mount.path, directory: mount.path)
        let payload = Payload(memory: .system)
        _ = try source.read(into: payload, unless: nil, limits: Limits(), using: FileReader())
        #expect(payload.count == 1)
        try write(File("c"))
        #expect(directories == [mount.link("..data")])
    }

    @Test func `a mode above 0777 is refused`() throws {
        try refuses(.invalidArgument, nil, File("a", mode: 0o1000))
    }

    @Test func `pointers that are not there are refused`() {
        func refusal(_ file: MountFile) -> Failure? {
            do throws(Failure) { try MountWriter.write(1, to: mount.path) { _ in file } } catch {
                return error
            }
            return nil
        }
        #expect(
            refusal(MountFile(key: nil, bytes: nil, size: 0, mode: 0))?.kind == .invalidArgument)
        let key = strdup("a")
        defer { free(key) }
        let noBytes = refusal(MountFile(key: key, bytes: nil, size: 1, mode: 0))
        #expect(noBytes?.kind == .invalidArgument && noBytes?.key == "a")
        #expect(refusal(MountFile(key: key, bytes: key, size: -1, mode: 0))?.kind == .limit)
        #expect(refusal(MountFile(key: key, bytes: nil, size: 0, mode: 0)) == nil)
    }

    @Test func `a directory that is not there is an error of the system`() {
        for (path, number) in [(mount.at("nothing"), ENOENT), (mount.at("file"), ENOTDIR)] {
            mount.write("file", "")
            #expect { try MountWriterTests.write([File("a")], to: FilePath(text: path)) } throws: {
                let failure = $0 as? Failure
                return failure?.kind == .io && failure?.osErrno == number && failure?.key == path
            }
        }
        #expect { try MountWriterTests.write([], to: FilePath(text: "")) } throws: {
            ($0 as? Failure)?.kind == .invalidArgument
        }
    }

    @Test func `a directory that may not be written is denied`() {
        mount.makeDirectory("mount")
        chmod(mount.at("mount"), 0o555)
        nonisolated(unsafe) var caught: Failure?
        let path = FilePath(text: mount.at("mount"))
        OwnThread.run(asNobody: true) {
            do throws(Failure) { try MountWriterTests.write([File("a")], to: path) } catch {
                caught = error
            }
        }
        #expect(caught?.kind == .denied)
        #expect(caught?.osErrno == EACCES)
        #expect(mount.names("mount") == [])
    }

    // MARK: - Faults

    @Test func `a write that fails leaves what was there`() throws {
        try write(File("a", "1"))
        let before = mount.names()
        // A directory in the place of the new link: it can be neither removed nor replaced.
        mount.makeDirectory("..data_tmp")
        #expect(failure(File("a", "2"), File("b/c", "3"))?.kind == .io)
        rmdir(mount.at("..data_tmp"))
        #expect(mount.names() == before)
        #expect(mount.content("a") == "1")
    }

    @Test func `a data directory that is no link is left, and nothing beside it`() throws {
        mount.makeDirectory("..data")
        mount.write("..data/precious", "1")
        #expect(failure(File("a", "1"))?.kind == .io)
        #expect(mount.names() == ["..data"])
        #expect(mount.names("..data") == ["precious"])
    }

    @Test func `memory that is refused is an error, and writes nothing`() throws {
        let none = Memory(allocate: { _ in nil }, free: { _, _ in })
        let small = Memory(
            allocate: { $0 < 32 << 10 ? malloc($0) : nil }, free: { memory, _ in free(memory) })
        for memory in [none, small] {
            try write(File("a", "1"))
            let before = mount.names()
            #expect {
                try MountWriterTests.write([File("a", "2")], to: mount.path, memory: memory)
            } throws: {
                let failure = $0 as? Failure
                return failure?.kind == .noMemory && failure?.osErrno == 0
            }
            #expect(mount.names() == before)
        }
    }

    // MARK: - Many

    @Test(.timeLimit(.minutes(1)))
    func `a hundred thousand keys are compared without looking at each pair`() throws {
        let files = (0..<100_000).map { File("key-\($0 &* 7919 % 100_000)") } + [File("key-5")]
        #expect(throws: (any Error).self) { try MountWriterTests.write(files, to: mount.path) }
        #expect(mount.names() == [])
    }

    @Test(.timeLimit(.minutes(5))) func `ten thousand files are written and replaced`() throws {
        let files = (0..<10_000).map { File("key-\($0)", "\($0)") }
        try MountWriterTests.write(files, to: mount.path)
        try MountWriterTests.write(files.dropLast(5_000), to: mount.path)
        #expect(mount.names()?.count == 5_002)
        #expect(mount.content("key-4999") == "4999")
    }
}
