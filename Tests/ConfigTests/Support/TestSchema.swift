// Schemas and what they say of texts, for tests.
import Foundation

@testable import Config

/// What a violation says.
struct TestViolation: Equatable, CustomStringConvertible {
    var key = ""
    var path: String
    var schemaPath: String
    var keyword: String
    var expected: String
    var line: UInt32
    var column: UInt32

    init(_ violation: Violation) {
        key = String(cString: violation.key)
        path = String(cString: violation.instancePath)
        schemaPath = String(cString: violation.schemaPath)
        keyword = String(cString: violation.keyword)
        expected = String(cString: violation.expected)
        line = violation.line
        column = violation.column
    }

    var description: String {
        "\(key)\(path) \(line):\(column) breaks \(schemaPath) (\(keyword)): expected \(expected)"
    }
}

extension SchemaRegistry {
    /// Knows the schemas of texts by their ids.
    convenience init(_ schemas: [(id: String, text: String)], memory: Memory = TestMemory.memory)
        throws
    {
        self.init()
        for schema in schemas { try add(schema.id, schema.text, memory: memory) }
    }

    func add(_ id: String, _ text: String, memory: Memory = TestMemory.memory) throws(Failure) {
        try id.withBytes { (id) throws(Failure) in
            try text.withBytes { (text) throws(Failure) in
                try add(id: id, json: text, memory: memory)
            }
        }
    }
}

extension Schema {
    /// The compiled schema of a text.
    static func test(
        _ text: String, path: String = "test.json", registry: SchemaRegistry? = nil,
        assertsFormat: Bool = false, memory: Memory = TestMemory.memory
    ) throws(Failure) -> Schema {
        try text.withBytes { (text) throws(Failure) in
            try path.withBytes { (path) throws(Failure) in
                try Schema.compile(
                    json: text, path: path, registry: registry, assertsFormat: assertsFormat,
                    memory: memory)
            }
        }
    }

    /// Why the schema of a text is refused.
    static func failure(
        _ text: String, registry: SchemaRegistry? = nil, assertsFormat: Bool = false
    ) -> Failure? {
        do throws(Failure) {
            _ = try Schema.test(text, registry: registry, assertsFormat: assertsFormat)
            return nil
        } catch {
            return error
        }
    }

    /// What is wrong with a value, in the order in which it was found.
    func violations(_ json: String, memory: Memory = TestMemory.memory) throws -> [TestViolation] {
        let document = try Document.test("test.json", json, memory: memory)
        defer { document.release(memory) }
        return try violations(of: document.root, memory: memory)
    }

    func violations(of value: Value, memory: Memory = TestMemory.memory) throws -> [TestViolation] {
        let violations = Violations(memory: memory)
        let isValid = try validate(value, into: violations, memory: memory)
        precondition(isValid == violations.isEmpty)
        try violations.seal()
        return violations.list.map { TestViolation($0) }
    }

    /// What is wrong with the configuration of these texts by key.
    func violations(_ content: [(key: String, text: String)]) throws -> [TestViolation] {
        let snapshot = try TestSnapshot(content)
        let violations = Violations(memory: TestMemory.memory)
        let isValid = try validate(
            snapshot.snapshot, into: violations, memory: TestMemory.memory)
        precondition(isValid == violations.isEmpty)
        try violations.seal()
        return violations.list.map { TestViolation($0) }
    }

    func accepts(_ json: String) throws -> Bool { try violations(json).isEmpty }
}
