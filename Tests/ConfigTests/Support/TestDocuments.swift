// Documents and snapshots from texts, for tests.
import Config

extension Document {
    /// A document with one holder, of the format that its key has.
    static func test(
        _ key: [UInt8], _ content: some Sequence<UInt8>, as format: KeyFormat? = nil,
        memory: Memory = TestMemory.memory
    ) throws -> Document {
        let padded = Array(content) + [UInt8](repeating: 0, count: 64)
        return try key.withBytes { key in
            try padded.withBytes { bytes in
                var scratch = ParseScratch(memory: memory)
                return try Document.make(
                    key: key, bytes: Bytes(rebasing: bytes.dropLast(64)),
                    as: format ?? .format(Format(key: key)), limits: Limits(),
                    options: ParseOptions(), scratch: &scratch, memory: memory
                ).document
            }
        }
    }

    static func test(
        _ key: String, _ content: some Sequence<UInt8>, as format: KeyFormat? = nil,
        memory: Memory = TestMemory.memory
    ) throws -> Document {
        try test(Array(key.utf8), content, as: format, memory: memory)
    }

    static func test(
        _ key: String, _ text: String, as format: KeyFormat? = nil,
        memory: Memory = TestMemory.memory
    ) throws -> Document {
        try test(key, text.utf8, as: format, memory: memory)
    }
}

/// A snapshot of texts by key, freed at the end.
final class TestSnapshot {
    let snapshot: Snapshot
    private let memory: Memory

    convenience init(
        _ content: [(key: String, text: String)], generation: String = "",
        memory: Memory = TestMemory.memory
    ) throws {
        let documents = try content.map { try Document.test($0.key, $0.text, memory: memory) }
        defer { for document in documents { document.release(memory) } }
        try self.init(documents: documents, generation: generation, memory: memory)
    }

    /// Retains the documents.
    init(documents: [Document], generation: String = "", memory: Memory = TestMemory.memory) throws
    {
        var documents = documents
        self.memory = memory
        snapshot = try documents.withUnsafeMutableBufferPointer { documents in
            try generation.withBytes { (generation) throws(Failure) in
                try Snapshot.make(documents: documents, generation: generation, memory: memory)
            }
        }
    }

    deinit { snapshot.free(memory) }

    var keys: [String] { (0..<snapshot.count).map { snapshot.document(at: $0)!.key.text } }

    func value(_ path: String) throws -> Value {
        try path.withBytes { (path) throws(ReadError) in try snapshot.value(atPath: path) }
    }

    func document(_ key: String) -> Document? { key.withBytes { snapshot.document(forKey: $0) } }
}
