// Paths as the kernel reads them.

import Testing

@testable import Reload

@Suite struct FilePathTests {
    private func names(_ path: String) -> [String] {
        FilePath(text: path).components.map { $0.description }
    }

    @Test("components leave out what means nothing, and keep .. since links give it a meaning")
    func components() {
        #expect(names("/etc//config/./app.json/") == ["etc", "config", "app.json"])
        #expect(names("../a/..") == ["..", "a", ".."])
        #expect(names("/") == [] && names("") == [] && names(".") == [])
        #expect(names("..data/.hidden") == ["..data", ".hidden"])
    }

    @Test("the parent and the last component make the path again")
    func parts() {
        for path in ["/etc/config", "/a", "a/b", "/"] {
            let path = FilePath(text: path)
            let again =
                path.lastComponent.isEmpty ? path : path.parent.appending(path.lastComponent)
            #expect(again == path)
        }
        #expect(FilePath(text: "/a").parent.description == "/")
        #expect(FilePath(text: "a").parent.description == ".")
        #expect(FilePath(text: "/").parent.description == "/")
    }

    @Test("a path that is joined has one slash between its parts")
    func joined() {
        #expect(FilePath(text: "/etc").appending("config").description == "/etc/config")
        #expect(FilePath(text: "/").appending("config").description == "/config")
        #expect(FilePath(text: "").appending("config").description == "config")
        #expect(FilePath(components: [], absolute: true).description == "/")
        #expect(FilePath(components: [], absolute: false).description == ".")
    }

    @Test("a NUL cannot cut a path short, and a path that is too long stays too long")
    func bounds() {
        #expect(FilePath(text: "/etc/con\0fig").description == "/etc/config")
        #expect(FilePath(text: String(repeating: "x", count: 5000)).count == FilePath.capacity)
    }

    @Test("a relative path becomes absolute, an absolute one stays")
    func absolute() throws {
        let absolute = try FilePath(text: "some/where").absolute()
        #expect(absolute.isAbsolute && absolute.description.hasSuffix("/some/where"))
        #expect(try absolute.absolute() == absolute)
    }
}
