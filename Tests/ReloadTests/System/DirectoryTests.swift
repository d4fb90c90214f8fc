// Opening below a directory: links that may not leave it, files that are none.

import Config
import Foundation
import Testing

@testable import Reload

@Suite struct DirectoryTests {
    private let directory = TemporaryDirectory()

    init() {
        directory.write("in/file", "x")
        directory.write("in/deep/file", "y")
        directory.write("outside", "no")
        directory.link("in/link", to: "deep/file")
        directory.link("in/deep/up", to: "../file")
        directory.link("in/absolute", to: "/etc/hostname")
        directory.link("in/escape", to: "../outside")
        directory.link("in/sly", to: "deep/../../outside")
        directory.link("in/loop", to: "loop")
        directory.link("in/nowhere", to: "missing")
        directory.link("in/dir", to: "deep")
        for index in 0..<45 {
            directory.link("in/chain\(index)", to: index == 44 ? "file" : "chain\(index + 1)")
        }
    }

    @Test(
        "without openat2 links are confined as the kernel does it",
        arguments: [
            "file", "link", "deep/up", "dir/file", "dir/up", "./file", "deep//file", "deep/../file",
            "absolute", "escape",
            "sly", "loop", "nowhere", "missing", "../outside", "/etc/hostname", "file/below",
            "chain0", "chain10", "deep/..",
        ])
    func byHand(path: String) throws {
        let root = try Directory(path: directory.path("in"))
        var answers: [String] = []
        for isByHand in [false, true] {
            do throws(Errno) {
                let file =
                    isByHand
                    ? try root.beneathByHand(FilePath(text: path), directory: false)
                    : try root.beneath(FilePath(text: path), directory: false)
                answers.append("\(try file.status().identity)")
            } catch {
                answers.append("errno \(error.number)")
            }
        }
        #expect(answers[0] == answers[1])
    }

    @Test("a FIFO is not waited for, and cannot pass for a file")
    func fifo() throws {
        mkfifo(directory.url.appending(path: "in/fifo").path, 0o600)
        let root = try Directory(path: directory.path("in"))
        let fifo = try root.file("fifo")
        var byte: UInt8 = 0
        #expect(throws: Errno.noSeek) {
            try withUnsafeMutableBytes(of: &byte) { try fifo.read(into: $0, at: 0) }
        }
    }

    @Test("a descriptor is closed once, when its owner goes")
    func closes() throws {
        let number = try Directory(path: directory.path).descriptor.number
        // Another test may have got the number by now, but not for this directory.
        let link = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/fd/\(number)")
        #expect(link != directory.url.path)
    }
}
