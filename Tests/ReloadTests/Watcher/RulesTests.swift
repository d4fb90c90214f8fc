// When two rejections are one that is reported once, and what of a candidate is held to schemas.

import Config
import Testing

@testable import Reload

@Suite struct RulesTests {
    private func failure(
        _ kind: Failure.Kind = .parse, key: String = "a.json",
        message: String = "a comma is missing", osErrno: Int32 = 5, line: UInt32 = 2,
        column: UInt32 = 3
    ) -> Failure {
        Failure(
            kind, .parse, key: key, message, osErrno: osErrno, line: line, column: column)
    }

    @Test("a rejection is the same for the same content and the same reason")
    func same() {
        #expect(Rejection(failure(), fingerprint: 1) == Rejection(failure(), fingerprint: 1))
    }

    @Test("another content, key, place or reason makes it another")
    func other() {
        let rejection = Rejection(failure(), fingerprint: 1)
        #expect(rejection != Rejection(failure(), fingerprint: 2))
        let others = [
            failure(.limit), failure(key: "b.json"), failure(message: "a comma is too much"),
            failure(osErrno: 13), failure(line: 3), failure(column: 4),
        ]
        for other in others { #expect(rejection != Rejection(other, fingerprint: 1)) }
    }

    @Test("keys are compared by their bytes, not by what they look like")
    func bytes() {
        let composed = Rejection(failure(key: "\u{E9}"), fingerprint: 1)
        let decomposed = Rejection(failure(key: "e\u{301}"), fingerprint: 1)
        #expect(composed != decomposed)
    }

    private func document(_ key: String, _ text: String) throws -> Document {
        let payload = Payload(memory: .system)
        let (key, text) = (Array(key.utf8), Array(text.utf8))
        try key.withUnsafeBufferPointer { key in
            try text.withUnsafeBufferPointer { try payload.add(key: key, value: $0) }
        }
        return try DocumentParser(memory: .system).parse(
            key: payload.key(0), bytes: payload.value(0), limits: Limits(),
            options: ParseOptions()
        ).document
    }

    private func content(_ documents: [Document]) throws -> Content {
        var documents = documents
        let body = try documents.withUnsafeMutableBufferPointer {
            try Snapshot.make(
                documents: $0, generation: Bytes(start: nil, count: 0), memory: .system)
        }
        return Content(body, memory: .system)
    }

    @Test("of 200 keys with a schema each only the one that changed is validated")
    func onlyWhatChanged() throws {
        var documents = try (0..<200).map { try document("key\($0)", "too long") }
        let json = Array("{\"maxLength\": 3}".utf8)
        var rules = Rules()
        for index in documents.indices {
            let path = Array("key\(index)".utf8)
            let schema = try json.withUnsafeBufferPointer { json in
                try path.withUnsafeBufferPointer {
                    try Schema.compile(
                        json: json, path: $0, registry: nil, assertsFormat: false, memory: .system)
                }
            }
            rules.schemas.append(SchemaRule(path: path, schema: schema))
        }
        let before = try content(documents)
        documents[7].release(.system)
        documents[7] = try document("key7", "ok")
        let after = try content(documents)
        for document in documents { document.release(.system) }
        try rules.validate(after, knowing: before, options: Options())
        #expect(throws: Rejection.self) {
            try rules.validate(after, knowing: nil, options: Options())
        }
        #expect(throws: Rejection.self) {
            try rules.validate(before, knowing: after, options: Options())
        }
    }
}
