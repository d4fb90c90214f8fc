// The inputs that the fuzzers of schemas and patterns begin with: each file's name says what is to
// come of it.
import Foundation
import Testing

@testable import Config

@Suite struct FuzzCorpusTests {
    private func files(_ folder: String) throws -> [(name: String, text: String)] {
        let tests = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
        let corpus = tests.appending(path: "Fuzz/corpus/\(folder)")
        return try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted().map {
            ($0, try String(contentsOf: corpus.appending(path: $0), encoding: .utf8))
        }
    }

    @Test func `schemas are refused, and values allowed, as their files' names say`() throws {
        let files = try files("schema")
        #expect(files.count > 10)
        for (name, text) in files {
            let parts = text.split(separator: "\n%\n", maxSplits: 1)
            let schema = try? Schema.test(String(parts[0]), assertsFormat: true)
            let isValid = try schema?.accepts(String(parts[1]))
            let outcome = isValid.map { $0 ? "valid" : "invalid" } ?? "refused"
            #expect(name.hasPrefix(outcome + "_"), "\(name) is \(outcome)")
        }
    }

    @Test func `patterns are refused, and texts matched, as their files' names say`() throws {
        let files = try files("pattern")
        #expect(files.count > 8)
        for (name, text) in files {
            let parts = text.split(separator: "\n", maxSplits: 1)
            let outcome = try String(parts[0]).withBytes { pattern in
                var patterns = Patterns(TestMemory.memory)
                guard let number = try? patterns.add(pattern) else { return "refused" }
                var scratch = PatternScratch(TestMemory.memory)
                var budget = 1 << 20
                let matches = try String(parts[1]).withBytes {
                    try patterns.matches(number, $0, &scratch, budget: &budget)
                }
                return matches ? "match" : "none"
            }
            #expect(name.hasPrefix(outcome + "_"), "\(name) is \(outcome)")
        }
    }
}
