// The public test cases for YAML, when they lie beside the project: one JSON object a line, with
// `yaml` and the `json` that it means. libyaml, asked by itself, says which of them its parser
// takes.
import CYAML
import Foundation
import Testing

@testable import Config

@Suite struct YAMLConformanceTests {
    struct Case: Decodable {
        let id, yaml: String
        let json: String?
    }

    private static var file: URL? {
        var folder = URL(filePath: #filePath)
        for _ in 0..<6 {
            folder.deleteLastPathComponent()
            let file = folder.appending(path: "shared/conformance/yaml/cases.jsonl")
            if FileManager.default.fileExists(atPath: file.path) { return file }
        }
        return nil
    }

    /// libyaml reads these differently from YAML 1.2.
    private static let different: Set = ["HM87-1", "JEF9-2", "Y2GN"]

    @Test(.enabled("the conformance cases are not beside the project") { file != nil })
    func `gives the JSON of each case that libyaml takes, and refuses what it refuses`() throws {
        let lines = try String(contentsOf: try #require(Self.file), encoding: .utf8)
            .split(separator: "\n")
        var compared = 0
        for line in lines {
            let test = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
            let failure = ParsedText.failure(test.yaml, format: .yaml)
            guard let documents = Self.documents(test.yaml) else {
                #expect(failure?.kind == .parse, "\(test.id)")
                #expect((failure?.line ?? 0) >= 1 && (failure?.column ?? 0) >= 1, "\(test.id)")
                continue
            }
            if documents > 1 {
                #expect(failure?.message == "expected a single document, found another")
                continue
            }
            guard let json = test.json, !json.isEmpty, !Self.different.contains(test.id) else {
                continue
            }
            let tree = try ParsedText(test.yaml, key: "app.yaml", format: .yaml).tree
            #expect(try tree == ParsedText(json).tree, "\(test.id)")
            compared += 1
        }
        #expect(compared > 100)
    }

    /// How many documents libyaml finds; nil when it refuses the text.
    private static func documents(_ text: String) -> Int? {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { return nil }
        defer { yaml_parser_delete(&parser) }
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { bytes in
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            var count = 0
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(&parser, &event) == 1 else { return nil }
                defer { yaml_event_delete(&event) }
                if event.type == YAML_DOCUMENT_START_EVENT { count += 1 }
                if event.type == YAML_STREAM_END_EVENT { return count }
            }
        }
    }
}
