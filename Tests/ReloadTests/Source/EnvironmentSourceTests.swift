// Sources that are read once.

import Config
import Glibc
import Testing

@testable import Reload

@Suite struct EnvironmentSourceTests {
    private func read(_ source: any Source) throws -> [String: String] {
        let payload = Payload(memory: .system)
        _ = try source.read(into: payload, unless: nil, limits: Limits(), using: FileReader())
        return payload.contents
    }

    private func environment(_ prefix: String) throws -> [String: String] {
        var prefix = prefix
        return try read(prefix.withUTF8 { EnvironmentSource(prefix: $0) })
    }

    // Variables that are there: others run beside this test, and setenv(3) is not for threads.

    @Test("a variable with the prefix gives the key behind it")
    func prefix() throws {
        let path = try #require(getenv("PATH").map { String(cString: $0) })
        #expect(try environment("PA")["TH"] == path)
        #expect(try environment("")["PATH"] == path)
        #expect(try environment("no such prefix ").isEmpty)
    }

    @Test("a variable that is named like the prefix gives no key")
    func named() throws { #expect(try environment("PATH")[""] == nil) }

    @Test("of two defaults for a key the later one counts")
    func defaults() throws {
        let source = DefaultsSource()
        #expect(source.isEmpty)
        for (key, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
            var (key, value) = (key, value)
            try key.withUTF8 { key in
                try value.withUTF8 { value in try source.add(key: key, value: value) }
            }
        }
        #expect(try read(source) == ["a": "3", "b": "2"])
        #expect(!source.canChange && source.watches().isEmpty)
    }
}
