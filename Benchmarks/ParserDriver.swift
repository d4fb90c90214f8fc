// Opens the parsers to a program in C: parse into reused memory, or make a whole document. Compiled
// into one module with Sources/Config, so that it measures what the library does and nothing around
// it.

/// What one thread parses with.
private final class Bench {
    let format: Format
    var scratch: ParseScratch
    let memory: Memory
    var limits = Limits()

    init(_ format: Format, _ memory: Memory) {
        self.format = format
        scratch = ParseScratch(memory: memory)
        self.memory = memory
        limits.maxValueBytes = Limits.valueBytesCeiling
    }
}

/// `format` is one of the numbers of the header, CMR_FORMAT_JSON and so on.
@_cdecl("bench_create")
public func benchCreate(
    _ format: Int32,
    _ allocate: @escaping @convention(c) @Sendable (Int) -> UnsafeMutableRawPointer?,
    _ free: @escaping @convention(c) @Sendable (UnsafeMutableRawPointer?, Int) -> Void
) -> UnsafeMutableRawPointer {
    let bench = Bench(Format(rawValue: format) ?? .text, Memory(allocate: allocate, free: free))
    return Unmanaged.passRetained(bench).toOpaque()
}

/// Parses into the scratch; gives the number of nodes, or -1.
@_cdecl("bench_parse")
public func benchParse(
    _ bench: UnsafeMutableRawPointer, _ bytes: UnsafePointer<UInt8>, _ count: Int
) -> Int {
    let bench = Unmanaged<Bench>.fromOpaque(bench).takeUnretainedValue()
    do throws(ParseError) {
        let source = Bytes(start: bytes, count: count)
        let tree = try Document.parse(
            source, bench.format, limits: bench.limits, scratch: &bench.scratch)
        return tree?.nodeCount ?? -1
    } catch {
        return -1
    }
}

/// Makes a document, whose first node it gives, or nil.
@_cdecl("bench_make")
public func benchMake(
    _ bench: UnsafeMutableRawPointer, _ bytes: UnsafePointer<UInt8>, _ count: Int
) -> UnsafeRawPointer? {
    let bench = Unmanaged<Bench>.fromOpaque(bench).takeUnretainedValue()
    let key: StaticString = "bench"
    do throws(Failure) {
        let parsed = try Document.make(
            key: Bytes(start: key.utf8Start, count: key.utf8CodeUnitCount),
            bytes: Bytes(start: bytes, count: count), format: bench.format,
            limits: bench.limits, scratch: &bench.scratch, memory: bench.memory)
        return UnsafeRawPointer(parsed.document.root.node)
    } catch {
        return nil
    }
}

/// The text of a string's node.
@_cdecl("bench_text")
public func benchText(_ node: UnsafeRawPointer) -> UnsafePointer<UInt8>? {
    let node = node.assumingMemoryBound(to: Node.self)
    return Document.of(node).text(of: node.pointee).baseAddress
}

/// Frees the document that a node lies in.
@_cdecl("bench_free")
public func benchFree(_ bench: UnsafeMutableRawPointer, _ node: UnsafeRawPointer) {
    let bench = Unmanaged<Bench>.fromOpaque(bench).takeUnretainedValue()
    Document.of(node.assumingMemoryBound(to: Node.self)).release(bench.memory)
}
