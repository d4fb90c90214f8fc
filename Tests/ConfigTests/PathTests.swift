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
}
