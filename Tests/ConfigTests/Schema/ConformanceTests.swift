// The public test suite of JSON Schema, where it lies beside the project: every case of the draft
// that is required, and of the optional ones those that are promised.
import Foundation
import Testing

@testable import Config

@Suite struct ConformanceTests {
    /// The folder of the suite, if it is there.
    static let folder: URL? = {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
        let folder = root.appending(path: "../shared/conformance/json-schema").standardizedFileURL
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// Files of the optional folder that ask for what is not promised.
    static let notPromised: Set = [
        // Formats beyond those that can be asserted; drafts before this one.
        "idn-email", "iri", "iri-reference", "uri-template", "cross-draft",
    ]

    static func files(below folder: URL) -> [URL] {
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "json" }
            .sorted { $0.path < $1.path }
    }

    /// The schemas that those of the suite refer to.
    static func registry(_ folder: URL) throws -> SchemaRegistry {
        let registry = SchemaRegistry()
        let remotes = folder.appending(path: "remotes")
        for file in files(below: remotes) {
            let path = file.path.dropFirst(remotes.path.count)
            let text = try String(contentsOf: file, encoding: .utf8)
            // Those of other drafts are refused.
            try registry.add("http://localhost:1234\(path)", text)
        }
        return registry
    }

    @Test(.enabled(if: folder != nil, "the suite does not lie beside the project"))
    func `passes the cases of the public suite`() throws {
        let folder = try #require(ConformanceTests.folder)
        let registry = try ConformanceTests.registry(folder)
        var (passed, failed) = (0, 0)
        let draft = folder.appending(path: "draft2020-12")
        for file in ConformanceTests.files(below: draft) {
            let name = file.deletingPathExtension().lastPathComponent
            if ConformanceTests.notPromised.contains(name) { continue }
            let assertsFormat = file.path.contains("/optional/format/")
            let suite = try Document.test(
                "suite.json", String(contentsOf: file, encoding: .utf8))
            defer { suite.release(TestMemory.memory) }
            for number in 0..<suite.root.count {
                let group = try #require(suite.root.element(at: number))
                let title = "\(name), \(try group.text("description"))"
                let schema: Schema
                do throws(Failure) {
                    schema = try Schema.test(
                        group.json("schema"), registry: registry, assertsFormat: assertsFormat)
                } catch {
                    Issue.record("\(title): \(error.message)")
                    failed += 1
                    continue
                }
                let cases = try #require(group.member("tests"))
                for number in 0..<cases.count {
                    let test = try #require(cases.element(at: number))
                    let value = try #require(test.member("data"))
                    let isValid = try schema.violations(of: value).isEmpty
                    let caseTitle = try "\(title), \(test.text("description"))"
                    let isRight = try isValid == test.member("valid")?.bool
                    #expect(isRight, "\(caseTitle)")
                    if isRight { passed += 1 } else { failed += 1 }
                }
            }
        }
        print("JSON Schema suite: \(passed) cases passed, \(failed) failed")
        #expect(passed > 700)
    }
}

extension Value {
    fileprivate func member(_ name: String) -> Value? { name.withBytes { member(named: $0) } }

    fileprivate func text(_ name: String) throws -> String {
        try member(name)?.string.text ?? ""
    }

    /// A member as JSON.
    fileprivate func json(_ name: String) throws(Failure) -> String {
        guard let value = member(name) else { return "" }
        let json = try JSONWriter.write(value, memory: TestMemory.memory)
        defer { json.free(TestMemory.memory) }
        return json.bytes.text
    }
}
