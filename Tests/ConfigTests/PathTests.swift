// Paths: keys, pointers into values, and what leads nowhere.

import Config
import Testing

@Suite struct PathTests {
    private func read(_ content: [(key: String, text: String)], _ path: String) throws -> String {
        let test = try TestSnapshot(content)
        return try withExtendedLifetime(test) {
            let json = try JSONWriter.write(try test.value(path), memory: TestMemory.memory)
            defer { json.free(TestMemory.memory) }
            return json.bytes.text
        }
    }

    // The examples of RFC 6901.
    private let document = #"""
        {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
         "k\"l": 6, " ": 7, "m~n": 8, "~1": 9, "0": 10, "a": {"": {"b": 11}}, "é#/": 12}
        """#

    @Test(arguments: [
        ("/foo/0", "\"bar\""), ("/foo/1", "\"baz\""), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"), ("/~01", "9"),
        ("/0", "10"),
        ("/a//b", "11"), ("/é#~1", "12"),
    ])
    func `a pointer leads to a value`(pointer: String, json: String) throws {
        #expect(try read([("x.json", document)], "x.json#" + pointer) == json)
    }

    @Test(arguments: [
        "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/ 1", "/foo/1.0",
        "/foo/99999999999999999999", "/foo/",
        "/foo/0/", "/nothing", "/a/b", "/m~n", "/m~2n", "/m~", "/a~1b/c", "/foo/a", "//", "/~1b",
        "/a~0b", "/c%25d",
    ])
    func `a pointer to nothing, or that is malformed, finds nothing`(pointer: String) {
        #expect(throws: ReadError.notFound) {
            try read([("x.json", document)], "x.json#" + pointer)
        }
    }

    @Test func `an empty pointer is the whole value`() throws {
        #expect(try read([("x.json", "[1]")], "x.json#") == "[1]")
        #expect(try read([("x.json", "[1]")], "x.json") == "[1]")
    }

    @Test func `a path that is itself a key wins`() throws {
        #expect(
            try read([("x.json", #"{"a":1}"#), ("x.json#/a", "key")], "x.json#/a") == #""key""#)
    }

    @Test func `of several keys the longest wins`() throws {
        let content = [("a", "x"), ("a#/b.json", #"{"c":1}"#), ("a.json", #"{"b#":{"c":2}}"#)]
        #expect(try read(content, "a#/b.json#/c") == "1")
        #expect(try read(content, "a.json#/b#/c") == "2")
        #expect(throws: ReadError.notFound) { try read(content, "a#/c.json#/c") }
    }

    @Test func `what is no path finds nothing`() {
        let content = [("a.json", #"{"b":1}"#), ("t", "text")]
        for path in [
            "", "#", "#/", "#/b", "a.json/b", "a.json#b", "a.json #/b", "t#/b", "t#/0", "A.json",
            "a.json#/b/c",
        ] {
            #expect(throws: ReadError.notFound) { try read(content, path) }
        }
    }

    @Test func `a very long path is answered soon`() {
        let path = String(repeating: "#/", count: 200_000)
        #expect(throws: ReadError.notFound) {
            try read([("a", "1"), (String(repeating: "k", count: 253), "1")], path)
        }
    }

    @Test func `a pointer goes as deep as values do`() throws {
        let json =
            String(repeating: #"{"a":["#, count: 60) + "1" + String(repeating: "]}", count: 60)
        #expect(
            try read([("x.json", json)], "x.json#" + String(repeating: "/a/0", count: 60)) == "1")
    }

    @Test func `globs and paths of the fuzzer's corpus do what their files' names say`() throws {
        let files = try corpus("path")
        #expect(files.count > 10)
        for (name, content) in files {
            let parts = content.split(
                separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false
            ).map(Array.init)
            let pattern = try? parts[0].withBytes { try KeyPattern($0) }
            let matches = pattern.map { pattern in parts[1].withBytes { pattern.matches($0) } }
            let isMatch = matches.map { $0 ? "match" : "none" } ?? "refused"
            let found = try place(parts[2], in: (parts[1], parts[3])) ? "found" : "nothing"
            #expect(name.hasPrefix("\(isMatch)_\(found)_"), "\(name) is \(isMatch)_\(found)")
        }
    }

    /// Whether a path leads somewhere in a snapshot of one key, beside `a.json`.
    private func place(_ path: [UInt8], in content: (key: [UInt8], value: [UInt8])) throws -> Bool {
        let other = try Document.test("a.json", #"{"b":[1,{"~/":2}],"":3}"#)
        defer { other.release(TestMemory.memory) }
        let document = try Document.test(content.key, content.value)
        defer { document.release(TestMemory.memory) }
        let isOther = equalBytes(document.key, other.key)
        let test = try TestSnapshot(documents: isOther ? [document] : [document, other])
        return withExtendedLifetime(test) {
            path.withBytes { path in (try? test.snapshot.value(atPath: path)) != nil }
        }
    }
}
