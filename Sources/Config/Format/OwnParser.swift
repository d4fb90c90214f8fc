// Parsers that the application brings: a value's bytes go in, JSON comes out, and that is parsed as
// any JSON is. What goes wrong in it rejects the value, as with the parsers that are known here.

/// A parser that the application brings. Writes the value as JSON.
package final class OwnParser: @unchecked Sendable {
    // Sendable: immutable; the application says that its function may be called on any thread.
    package typealias Parse = (_ key: Bytes, _ bytes: Bytes, _ json: JSONSink) throws(Failure) ->
        Void

    private let write: Parse

    package init(_ write: @escaping Parse) { self.write = write }

    /// Parses the `bytes` of `key` into the scratch, by way of the JSON that the parser writes.
    func parse(key: Bytes, bytes: Bytes, limits: Limits, scratch: inout ParseScratch)
        throws(Failure) -> ParsedTree
    {
        let sink = JSONSink(limit: limits.maxValueBytes, memory: scratch.memory)
        defer { withExtendedLifetime(sink) {} }
        let json: Bytes
        do throws(Failure) {
            try write(key, bytes, sink)
            json = try sink.finish()
        } catch {
            // Of what went wrong in the sink the parser may not have told.
            let failure = sink.failure ?? error
            // What is no way to call the sink is no value either.
            throw failure.replacing(
                kind: failure.kind == .invalidArgument ? .parse : nil, stage: .parse,
                key: String(key))
        }
        do throws(ParseError) {
            var tree = try JSONParser.parse(json, limits: limits, scratch: &scratch)
            // Where a value lies in that JSON tells nothing of where it is written.
            scratch.forgetOffsets(of: tree.nodeCount)
            tree.firstRepeated.head &= 0xffff_ffff
            return tree
        } catch {
            let failure = error.failure(key: key, bytes: json)
            throw Failure(
                failure.kind, failure.stage, key: failure.key,
                "what the parser wrote is not JSON: \(failure.message), "
                    + "in line \(failure.line), column \(failure.column) of it")
        }
    }
}

/// Where a parser of the application's writes to.
package final class JSONSink {
    private let memory: Memory
    private let limit: Int
    private var text = Region<UInt8>()
    private var count = 0
    private(set) var failure: Failure?

    /// At most `limit` bytes are taken.
    init(limit: Int, memory: Memory) {
        self.limit = limit
        self.memory = memory
    }

    deinit { text.release(memory) }

    /// Appends a copy of `json`. After a failure nothing more is taken.
    package func write(_ json: Bytes) throws(Failure) {
        if let failure { throw failure }
        if json.count > limit &- count {
            throw fail(Failure(.limit, "the parser wrote more than \(limit) bytes of JSON"))
        }
        let needed = count &+ json.count &+ Payload.padding
        if needed > text.capacity, !text.grow(to: max(needed, 4096), keeping: count, memory) {
            throw fail(Failure(.noMemory, "no memory for the JSON that the parser writes"))
        }
        guard let source = json.baseAddress, let base = text.base else { return }
        UnsafeMutableRawPointer(base + count).copyMemory(from: source, byteCount: json.count)
        count = count &+ json.count
    }

    /// A write failed, here or on its way here; what the first one failed for.
    package func fail(_ failure: Failure) -> Failure {
        let first = self.failure ?? failure
        self.failure = first
        return first
    }

    /// All that was written, followed by zeros; good as long as the sink.
    func finish() throws(Failure) -> Bytes {
        if let failure { throw failure }
        guard let base = text.base else { return Bytes(start: nil, count: 0) }
        (base + count).update(repeating: 0, count: Payload.padding)
        return Bytes(start: base, count: count)
    }
}
