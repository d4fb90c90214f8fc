// A document made from a text, for tests: the bytes end right before 64 zero bytes and then an
// unreadable page, so that a parser which reads too far crashes the test instead of passing it.
import Foundation
import Testing
@testable import Config

/// A text and the zeros that must follow it, at the end of its memory or at the beginning: what
/// lies beyond cannot be read.
final class GuardedBytes {
    let bytes: Bytes
    private let mapping: UnsafeMutableRawPointer
    private let size: Int

    init(_ content: some Sequence<UInt8>, atBeginning: Bool = false) {
        let content = Array(content)
        let page = Int(getpagesize())
        let readable = (content.count + 64 + page - 1) / page * page
        size = readable + 2 * page
        mapping = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        precondition(mapping != MAP_FAILED)
        mprotect(mapping, page, PROT_NONE)
        mprotect(mapping + page + readable, page, PROT_NONE)
        let start = mapping + page + (atBeginning ? 0 : readable - content.count - 64)
        content.withUnsafeBytes {
            start.copyMemory(
                from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: content.count)
        }
        bytes = Bytes(start: start.assumingMemoryBound(to: UInt8.self), count: content.count)
    }

    deinit { munmap(mapping, size) }
}

/// An allocator whose every block ends right before an unreadable page.
let guardedMemory = Memory(
    allocate: { size in
        let page = Int(getpagesize())
        let readable = (size + page - 1) / page * page
        guard
            let mapping = mmap(
                nil, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { return nil }
        mprotect(mapping + readable, page, PROT_NONE)
        return mapping + (readable - (size + 15) / 16 * 16)
    },
    free: { memory, size in
        guard let memory else { return }
        let page = Int(getpagesize())
        let readable = (size + page - 1) / page * page
        munmap(memory - (readable - (size + 15) / 16 * 16), readable + page)
    })

/// A document and the result of making it, released at the end.
final class ParsedText {
    let parsed: ParsedDocument
    var document: Document { parsed.document }
    var root: Value { document.root }

    init(
        _ content: some Sequence<UInt8>, key: String = "test.json", format: Format = .json,
        limits: Limits = Limits(),
        options: ParseOptions = ParseOptions()
    ) throws {
        var scratch = ParseScratch(memory: guardedMemory)
        parsed = try ParsedText.make(
            content, key: key, format: format, limits: limits, options: options, scratch: &scratch)
    }

    convenience init(
        _ text: String, key: String = "test.json", format: Format = .json,
        limits: Limits = Limits(),
        options: ParseOptions = ParseOptions()
    ) throws {
        try self.init(text.utf8, key: key, format: format, limits: limits, options: options)
    }

    init(
        _ text: String, key: String, as format: KeyFormat, limits: Limits = Limits(),
        options: ParseOptions = ParseOptions()
    ) throws {
        let (key, bytes) = (GuardedBytes(key.utf8), GuardedBytes(text.utf8))
        defer { withExtendedLifetime((key, bytes)) {} }
        var scratch = ParseScratch(memory: guardedMemory)
        parsed = try Document.make(
            key: key.bytes, bytes: bytes.bytes, as: format, limits: limits, options: options,
            scratch: &scratch, memory: guardedMemory)
    }

    /// A document of what `parse` gives a `TreeBuilder`.
    init(
        limits: Limits = Limits(), refusesRepeatedNames: Bool = false,
        mostNodes: Int = Limits.nodesPerDocument,
        building parse: (inout TreeBuilder) throws(ParseError) -> Void
    ) throws {
        var scratch = ParseScratch(memory: guardedMemory)
        let tree = try TreeBuilder.build(
            in: &scratch, limits: limits, refusesRepeatedNames: refusesRepeatedNames,
            mostNodes: mostNodes, parse)
        let none = Bytes(start: nil, count: 0)
        parsed = try Document.makeTree(
            tree, key: none, bytes: none, format: .format(.text), scratch: scratch,
            memory: guardedMemory)
    }

    deinit { document.release(guardedMemory) }

    static func make(
        _ content: some Sequence<UInt8>, key: String = "test.json", format: Format = .json,
        limits: Limits = Limits(),
        options: ParseOptions = ParseOptions(), scratch: inout ParseScratch
    ) throws(Failure) -> ParsedDocument {
        let keyBytes = GuardedBytes(key.utf8)
        var parsed: ParsedDocument?
        for atBeginning in [true, false] {
            let bytes = GuardedBytes(content, atBeginning: atBeginning)
            defer { withExtendedLifetime((bytes, keyBytes)) {} }
            parsed?.document.release(guardedMemory)
            parsed = try Document.make(
                key: keyBytes.bytes, bytes: bytes.bytes, format: format, limits: limits,
                options: options,
                scratch: &scratch, memory: guardedMemory)
        }
        return parsed!
    }

    /// What making a document of `text` fails with.
    static func failure(
        _ content: some Sequence<UInt8>, format: Format = .json, limits: Limits = Limits()
    ) -> Failure? {
        do {
            _ = try ParsedText(content, format: format, limits: limits)
            return nil
        } catch {
            return error as? Failure
        }
    }

    static func failure(_ text: String, format: Format = .json, limits: Limits = Limits())
        -> Failure?
    {
        failure(text.utf8, format: format, limits: limits)
    }

    /// Where the values of the first `count` nodes begin.
    func offsets(_ count: Int) -> [Int] { (0..<count).map { root.node[$0].sourceOffset } }

    /// The tree in a notation that tells all types apart, and checks that every node is where it
    /// says it is.
    var tree: String { tree(root.node).text }

    private func tree(_ node: UnsafePointer<Node>) -> (text: String, next: UnsafePointer<Node>) {
        #expect(Document.of(node).base == document.base)
        let low = Int(node.pointee.payload & 0xffff_ffff)
        let high = Int(node.pointee.payload >> 32)
        let type = ValueType(rawValue: UInt8(truncatingIfNeeded: node.pointee.head))
        switch type {
        case .null: return ("null", node + 1)
        case .bool: return (node.pointee.payload == 1 ? "true" : "false", node + 1)
        case .int64: return ("\(Int64(bitPattern: node.pointee.payload))", node + 1)
        case .double: return ("\(Double(bitPattern: node.pointee.payload))d", node + 1)
        case .string: return (quoted(node), node + 1)
        case .bytes:
            return (
                "bytes(\(document.text(of: node.pointee).map(String.init).joined(separator: " ")))",
                node + 1
            )
        case .array, .object:
            var parts: [String] = []
            var next = node + 1
            for _ in 0..<high {
                var part = ""
                if type == .object {
                    part = quoted(next) + ":"
                    next += 1
                }
                let value = tree(next)
                next = value.next
                parts.append(part + value.text)
            }
            #expect(next == root.node + low, "a container ends where it says")
            let inside = parts.joined(separator: ",")
            return (type == .object ? "{\(inside)}" : "[\(inside)]", next)
        case nil:
            Issue.record("a node of no type")
            return ("?", node + 1)
        }
    }

    private func quoted(_ node: UnsafePointer<Node>) -> String {
        #expect(UInt8(truncatingIfNeeded: node.pointee.head) == ValueType.string.rawValue)
        let text = document.text(of: node.pointee)
        #expect(text.baseAddress![text.count] == 0, "a string is followed by a NUL")
        return "\"\(String(decoding: text, as: UTF8.self))\""
    }
}

// What tests ask of a single value.
extension ParsedText {
    /// Whether a text parses, when a scratch is at hand.
    static func isJSON(_ text: [UInt8], scratch: inout ParseScratch) -> Bool {
        let bytes = GuardedBytes(text)
        defer { withExtendedLifetime(bytes) {} }
        return (try? JSONParser.parse(bytes.bytes, limits: Limits(), scratch: &scratch)) != nil
    }

    /// The double that a number's text parses to.
    static func double(_ text: String) throws -> Double {
        var scratch = ParseScratch(memory: TestMemory.memory)
        return try double(text, scratch: &scratch)
    }

    static func double(_ text: String, scratch: inout ParseScratch) throws -> Double {
        let padded = Array(text.utf8) + [UInt8](repeating: 0, count: 64)
        try padded.withBytes { bytes in
            _ = try JSONParser.parse(
                Bytes(rebasing: bytes.dropLast(64)), limits: Limits(), scratch: &scratch)
        }
        let node = scratch.tape.base![1]
        if UInt8(truncatingIfNeeded: node.head) == ValueType.int64.rawValue {
            return Double(Int64(bitPattern: node.payload))
        }
        #expect(UInt8(truncatingIfNeeded: node.head) == ValueType.double.rawValue)
        return Double(bitPattern: node.payload)
    }

    /// Whether Foundation is more lenient or stricter than RFC 8259 about such a text: it takes
    /// other encodings than UTF-8, superfluous commas and numbers beyond a double, and minds some
    /// numbers that are JSON.
    static func isKnownToDiffer(_ text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        return text.contains(0) || String(validating: text, as: UTF8.self) == nil
            || string.contains(/,\s*[\]}]|[eE][-+]?[0-9]{3}|[0-9]{18}|\\u[dD][89abcdefABCDEF]/)
    }
}
