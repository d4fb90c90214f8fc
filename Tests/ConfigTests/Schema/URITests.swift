// References resolved against addresses (RFC 3986, section 5.4, and what else schemas have).
import Testing

@testable import Config

@Suite struct URITests {
    private func resolve(_ reference: String, _ base: String) throws -> String {
        try reference.withBytes { reference in
            try base.withBytes { base in
                var target = List<UInt8>(TestMemory.memory)
                try URI(reference).resolve(against: URI(base), into: &target)
                return target.elements.text
            }
        }
    }

    static let examples: [(String, String)] = [
        ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"), ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("", "http://a/b/c/d;p?q"),
        ("#s", "http://a/b/c/d;p?q"), (";x", "http://a/b/c/;x"), (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../", "http://a/b/"),
        ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
        ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"),
        ("http:g", "http:g"), ("HTTP://x/y", "http://x/y"),
    ]

    @Test(arguments: examples)
    func `resolves the examples of the standard`(reference: String, target: String) throws {
        #expect(try resolve(reference, "http://a/b/c/d;p?q") == target)
    }

    static let bases: [(String, String, String)] = [
        ("#foo", "urn:example:a", "urn:example:a"), ("b", "cmreload:/", "cmreload:/b"),
        ("b/c.json", "cmreload:/a.json", "cmreload:/b/c.json"),
        ("b", "http://a", "http://a/b"), ("urn:uuid:x", "http://a/", "urn:uuid:x"),
        ("b", "file:///x/y", "file:///x/b"), ("c", "a/b", "a/c"),
        ("1:2", "http://a/", "http://a/1:2"),
    ]

    @Test(arguments: bases)
    func `resolves against all kinds of bases`(
        reference: String, base: String, target: String
    ) throws {
        #expect(try resolve(reference, base) == target)
    }

    @Test func `decodes percent encoding and leaves alone what is none`() {
        func decode(_ text: String) -> [UInt8] {
            text.withBytes { Array(PercentDecoded($0)) }
        }
        #expect(decode("a%25b%2F") == Array("a%b/".utf8))
        #expect(decode("%zz%2") == Array("%zz%2".utf8))
        #expect(decode("%C3%a9") == Array("é".utf8))
    }
}
