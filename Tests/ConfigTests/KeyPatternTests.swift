// Key patterns: what they match, beside fnmatch(3), and what is refused.

import Config
import Foundation
import Testing

@Suite struct KeyPatternTests {
    private func matches(_ pattern: String, _ key: String) throws -> Bool {
        try pattern.withBytes { try KeyPattern($0) }.matches(key)
    }

    @Test func `a star stands for any run, slashes and leading dots among them`() throws {
        #expect(try matches("*", ""))
        #expect(try matches("features.*", "features.json"))
        #expect(try matches("features.*", "features."))
        #expect(try !matches("features.*", "features"))
        #expect(try matches("*", ".hidden"))
        #expect(try matches("user*", "user/labels/a"))
        #expect(try matches("*.json", "a.json.json"))
        #expect(try matches("a*b*c", "a--b--b--c"))
        #expect(try !matches("a*b*c", "a--c--b"))
        #expect(try matches("**a**", "a"))
    }

    @Test func `a question mark stands for one character, however many bytes it has`() throws {
        #expect(try matches("?", "a"))
        #expect(try matches("?", "é"))
        #expect(try matches("?", "😀"))
        #expect(try !matches("?", ""))
        #expect(try !matches("?", "ab"))
        #expect(try matches("k?y", "köy"))
        #expect(try !matches("*[!é]", "é"))
        // Bytes that are not UTF-8 are a character each.
        let pattern = try "??".withBytes { try KeyPattern($0) }
        #expect([0xFF, 0xC3].withBytes { pattern.matches($0) })
        #expect([0xED, 0xA0].withBytes { pattern.matches($0) })
        #expect(![0xC3, 0xA9].withBytes { pattern.matches($0) })
    }

    @Test func `a set stands for one of its characters`() throws {
        #expect(try matches("[abc]", "b"))
        #expect(try !matches("[abc]", "d"))
        #expect(try matches("[a-c]x", "cx"))
        #expect(try matches("[!a-c]", "d"))
        #expect(try matches("[^a-c]", "d"))
        #expect(try !matches("[!a-c]", "a"))
        #expect(try !matches("[!a-c]", ""))
        #expect(try matches("[]]", "]"))
        #expect(try matches("[!]]", "x"))
        #expect(try !matches("[!]]", "]"))
        #expect(try matches("[a-]", "-"))
        #expect(try matches("[-a]", "-"))
        #expect(try matches("[[]", "["))
        #expect(try matches("[а-я]", "ж"))
        #expect(try matches("[[:digit:][:upper:]_]", "7"))
        #expect(try matches("[[:digit:][:upper:]_]", "Q"))
        #expect(try !matches("[[:digit:][:upper:]_]", "q"))
        #expect(try matches("[[:xdigit:]]", "f"))
        #expect(try matches("[![:space:]]", "x"))
    }

    @Test func `a backslash takes the next character literally`() throws {
        #expect(try matches(#"\*"#, "*"))
        #expect(try !matches(#"\*"#, "a"))
        #expect(try matches(#"\?\[\\"#, #"?[\"#))
        #expect(try matches(#"[\]a]"#, "]"))
        #expect(try matches(#"[a\-c]"#, "-"))
        #expect(try !matches(#"[a\-c]"#, "b"))
        #expect(try matches(#"\a"#, "a"))
    }

    @Test(arguments: [
        "[", "[a", "[]", "[!]", "[a-", #"a\"#, #"[\"#, "[z-a]", "[[:nothing:]]", "[[=a=]]",
        "[[.a.]]", "[[:digit:]", "",
    ])
    func `a malformed pattern is refused`(pattern: String) {
        let failure = #expect(throws: Failure.self) { try pattern.withBytes { try KeyPattern($0) } }
        #expect(failure?.kind == .invalidArgument)
    }

    @Test func `a pattern that is not UTF-8 or too long is refused`() {
        #expect(throws: Failure.self) { try [0x61, 0xFF].withBytes { try KeyPattern($0) } }
        #expect(throws: Failure.self) { try [0x5B, 0xFF, 0x5D].withBytes { try KeyPattern($0) } }
        let long = String(repeating: "a", count: KeyPattern.byteCeiling)
        #expect(throws: Never.self) { try long.withBytes { try KeyPattern($0) } }
        let failure = #expect(throws: Failure.self) {
            try (long + "a").withBytes { try KeyPattern($0) }
        }
        #expect(failure?.kind == .limit)
    }

    @Test func `matches as fnmatch does`() throws {
        var random = TestRandom(seed: 1)
        let inPatterns = ["a", "b", "c", "*", "?", "[ab]", "[!b]", "[a-c]", #"\a"#, "/", "."]
        let inKeys = ["a", "b", "c", "/", "."]
        var matched = 0
        for _ in 0..<50_000 {
            let pattern = random.text(7, of: inPatterns)
            let key = random.text(9, of: inKeys)
            if pattern.isEmpty { continue }
            let expected = fnmatch(pattern, key, 0) == 0
            matched += expected ? 1 : 0
            let found = try matches(pattern, key)
            #expect(found == expected, "\(pattern) against \(key)")
            if found != expected { return }
        }
        #expect(matched > 1000)
    }

    @Test func `a pattern of many stars does not explode`() throws {
        let pattern = try String(repeating: "a*", count: 2000).withBytes { try KeyPattern($0) }
        let key = String(repeating: "a", count: 4000) + "b"
        #expect(pattern.matches(key))
        let other = try (String(repeating: "a*", count: 2000) + "c").withBytes {
            try KeyPattern($0)
        }
        #expect(!other.matches(key))
    }
}

extension KeyPattern {
    fileprivate func matches(_ key: String) -> Bool { key.withBytes { matches($0) } }
}
