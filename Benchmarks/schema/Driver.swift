// Opens schemas to a program in C: compile one, validate a document by it, and parse the document
// for comparison. Compiled into one module with Sources/Config, so that it measures what the
// library does and nothing around it.

/// A schema, a text and what it parsed to.
private final class Bench {
    let memory: Memory
    let schema: Schema
    let document: Document
    let source: Bytes
    var scratch: ParseScratch

    init(_ schema: Bytes, _ source: Bytes, _ memory: Memory) throws(Failure) {
        let path: StaticString = "bench.json"
        let key = Bytes(start: path.utf8Start, count: path.utf8CodeUnitCount)
        self.memory = memory
        self.source = source
        self.schema = try Schema.compile(
            json: schema, path: key, registry: nil, assertsFormat: false, memory: memory)
        scratch = ParseScratch(memory: memory)
        document = try Document.make(
            key: key, bytes: source, format: .json, limits: Limits(), scratch: &scratch,
            memory: memory
        ).document
    }
}

/// Takes a schema and a text, both kept by the caller, the text with 64 zeros behind it; nil when
/// one of them is wrong.
@_cdecl("bench_open")
public func benchOpen(
    _ schema: UnsafePointer<UInt8>, _ schemaSize: Int, _ text: UnsafePointer<UInt8>, _ size: Int,
    _ allocate: @escaping @convention(c) @Sendable (Int) -> UnsafeMutableRawPointer?,
    _ free: @escaping @convention(c) @Sendable (UnsafeMutableRawPointer?, Int) -> Void
) -> UnsafeMutableRawPointer? {
    do throws(Failure) {
        let bench = try Bench(
            Bytes(start: schema, count: schemaSize), Bytes(start: text, count: size),
            Memory(allocate: allocate, free: free))
        return Unmanaged.passRetained(bench).toOpaque()
    } catch {
        return nil
    }
}

/// Parses the text into memory that is used again; gives the number of nodes, or -1.
@_cdecl("bench_parse")
public func benchParse(_ bench: UnsafeMutableRawPointer) -> Int {
    let bench = Unmanaged<Bench>.fromOpaque(bench).takeUnretainedValue()
    do throws(ParseError) {
        return try JSONParser.parse(bench.source, limits: Limits(), scratch: &bench.scratch)
            .nodeCount
    } catch {
        return -1
    }
}

/// Validates the document; gives the number of violations, or -1.
@_cdecl("bench_validate")
public func benchValidate(_ bench: UnsafeMutableRawPointer) -> Int {
    let bench = Unmanaged<Bench>.fromOpaque(bench).takeUnretainedValue()
    let violations = Violations(memory: bench.memory)
    do throws(Failure) {
        _ = try bench.schema.validate(
            bench.document.root, into: violations, memory: bench.memory)
        return violations.count
    } catch {
        return -1
    }
}
