// What a key is parsed as: by its suffix, by what was set for it, by a parser of the application's.
import Foundation
import Testing

@testable import Config

@Suite struct FormatRulesTests {
    private func options(_ rules: [(pattern: String, format: KeyFormat)]) throws -> ParseOptions {
        var options = ParseOptions()
        for rule in rules {
            let pattern = try rule.pattern.withBytes { (bytes) throws(Failure) in
                try KeyPattern(bytes)
            }
            options.formats.add(rule.format, for: pattern)
        }
        return options
    }

    private func number(_ key: String, _ options: ParseOptions) -> Int {
        key.withBytes { options.format(of: $0).number }
    }

    @Test func `what was set for a key goes before its suffix`() throws {
        let options = try options([("app.*", .format(.yaml)), ("*.txt", .format(.ini))])
        #expect(number("app.conf", options) == Int(Format.yaml.rawValue))
        #expect(number("app.json", options) == Int(Format.yaml.rawValue))
        #expect(number("a.txt", options) == Int(Format.ini.rawValue))
        #expect(number("a.json", options) == Int(Format.json.rawValue))
        #expect(number("a", options) == Int(Format.text.rawValue))
    }

    @Test func `of several patterns that match the last one set counts`() throws {
        let options = try options([
            ("*", .format(.json)), ("app.conf", .format(.yaml)), ("app.*", .format(.toml)),
        ])
        #expect(number("app.conf", options) == Int(Format.toml.rawValue))
        #expect(number("other", options) == Int(Format.json.rawValue))
    }

    @Test func `what was set to be text is not sniffed`() throws {
        var options = try options([("a", .format(.text))])
        options.sniffJSON = true
        #expect(number("a", options) == Int(Format.text.rawValue))
        #expect(number("b", options) != Int(Format.text.rawValue))
    }

    @Test func `a document stays as long as its key would be parsed the same`() throws {
        let document = try Document.test("app.conf", "a: 1")
        defer { document.release(TestMemory.memory) }
        #expect(ParseOptions().stillApply(to: document))
        #expect(try options([("app.conf", .format(.text))]).stillApply(to: document))
        #expect(try options([("other", .format(.yaml))]).stillApply(to: document))
        #expect(try !options([("app.conf", .format(.yaml))]).stillApply(to: document))
    }

    @Test func `the same bytes parsed as something else are a change`() throws {
        let text = try Document.test("app.conf", "a: 1")
        let tree = try Document.test("app.conf", "a: 1", as: .format(.yaml))
        defer { for document in [text, tree] { document.release(TestMemory.memory) } }
        let (before, after) = (
            try TestSnapshot(documents: [text]), try TestSnapshot(documents: [tree])
        )
        let changes = try Changes.between(
            before.snapshot, after.snapshot, memory: TestMemory.memory)
        defer { changes.free(TestMemory.memory) }
        #expect(changes.count == 1)
        #expect(changes.first?.pointee.kind == Change.Kind.modified.rawValue)
    }
}
