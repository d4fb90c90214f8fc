// What a test wants to know of the files in its directory.
import Foundation

extension TemporaryDirectory {
    /// The path of a name below, for functions of the C library.
    func at(_ name: String) -> String { url.appending(path: name).path }

    func makeDirectory(_ name: String) { precondition(mkdir(at(name), 0o755) == 0) }

    /// The names in a directory, sorted; nil when there is none.
    func names(_ name: String = "") -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: at(name)).sorted()
    }

    /// The text of a link.
    func link(_ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: at(name))
    }

    /// The content of a file, links followed.
    func content(_ name: String) -> String? {
        FileManager.default.contents(atPath: at(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What stat(2) says, links not followed.
    func status(_ name: String) -> stat? {
        var status = stat()
        return lstat(at(name), &status) == 0 ? status : nil
    }

    /// The permission bits, links not followed.
    func mode(_ name: String) -> UInt32? { status(name).map { $0.st_mode & 0o7777 } }
}
