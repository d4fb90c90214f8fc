// Feeds schemas, and values to validate by them, that libFuzzer thinks of: a schema, a line with
// nothing but a percent sign, a value. Under the address sanitizer every block ends where it says.
// What was compiled must give the same answer twice, and in words that are text. Run by fuzz.sh.
import Foundation

@testable import Config

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    let separator = Array("\n%\n".utf8)
    let split = input.indices.first { input[$0...].starts(with: separator) } ?? size
    let value = Array(input.dropFirst(split + separator.count))
    do throws(Failure) {
        let schema = try compile(Array(input[..<split]), assertsFormat: size % 2 == 1)
        try validate(value, schema, key: size % 3 == 0 ? "key" : "key.json")
    } catch {
        precondition(error.kind != .noMemory && !error.message.isEmpty)
    }
    return 0
}

private func compile(_ text: [UInt8], assertsFormat: Bool) throws(Failure) -> Schema {
    let key: StaticString = "fuzz.json"
    return try withExact(text) { (text) throws(Failure) in
        try Schema.compile(
            json: text, path: Bytes(start: key.utf8Start, count: key.utf8CodeUnitCount),
            registry: nil, assertsFormat: assertsFormat, memory: memory)
    }
}

/// Validates a value, and a configuration that consists of it.
private func validate(_ value: [UInt8], _ schema: Schema, key: String) throws(Failure) {
    var limits = Limits()
    limits.maxDepth = Limits.depthCeiling
    var scratch = ParseScratch(memory: memory)
    let document = try withExact(value + [UInt8](repeating: 0, count: 64)) {
        (padded) throws(Failure) in
        try withExact(Array(key.utf8)) { (key) throws(Failure) in
            try Document.make(
                key: key, bytes: Bytes(rebasing: padded.dropLast(64)), format: Format(key: key),
                limits: limits, scratch: &scratch, memory: memory
            ).document
        }
    }
    defer { document.release(memory) }
    let first = try run(schema, document.root, document)
    let second = try run(schema, document.root, document)
    precondition(second == first)

    var documents = [document]
    let snapshot = try documents.withUnsafeMutableBufferPointer { (documents) throws(Failure) in
        try Snapshot.make(documents: documents, generation: .none, memory: memory)
    }
    defer { snapshot.free(memory) }
    let listing = try Document.listing(of: snapshot, memory: memory)
    defer { listing.release(memory) }
    _ = try run(schema, listing.root, document, listing: listing)
}

private func run(_ schema: Schema, _ value: Value, _ document: Document, listing: Document? = nil)
    throws(Failure) -> Int
{
    let violations = Violations(memory: memory)
    let isValid = try Validation.run(
        schema, value, listing: listing, violations, memory, mostSteps: 1 << 16)
    try violations.seal()
    precondition(isValid == violations.isEmpty)
    precondition(violations.list.count == min(violations.count, Violations.most))
    for violation in violations.list {
        for text in [
            violation.key, violation.instancePath, violation.schemaPath, violation.keyword,
            violation.expected,
        ] {
            precondition(String(validatingCString: text) != nil)
        }
        precondition(Int(violation.column) <= document.bytes.count + 1)
    }
    try violations.json(memory: memory).free(memory)
    return violations.count
}
