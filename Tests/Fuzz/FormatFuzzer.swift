// Feeds one format's parser whatever libFuzzer thinks of. Under the address sanitizer every block
// ends where it says; what was accepted is walked and must be consistent, and written as JSON it
// must be the same tree. Run by fuzz.sh, which defines the format.
import Foundation

@testable import Config

#if JSON
    private let format = Format.json
#elseif YAML
    private let format = Format.yaml
#elseif TOML
    private let format = Format.toml
#elseif PROPERTIES
    private let format = Format.properties
#elseif DOTENV
    private let format = Format.dotenv
#elseif INI
    private let format = Format.ini
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let source = malloc(size + 64)?.assumingMemoryBound(to: UInt8.self) else { return 0 }
    defer { free(source) }
    if let data { memcpy(source, data, size) }
    memset(source + size, 0, 64)
    let bytes = Bytes(start: source, count: size)
    var scratch = ParseScratch(memory: memory)
    var options = ParseOptions()
    options.isLenient = size % 2 == 1
    let key: StaticString = "fuzz"
    do throws(Failure) {
        let parsed = try Document.make(
            key: Bytes(start: key.utf8Start, count: key.utf8CodeUnitCount), bytes: bytes,
            format: format,
            limits: Limits(), options: options, scratch: &scratch, memory: memory)
        check(parsed, size)
        checkJSON(parsed.document, &scratch)
        parsed.document.release(memory)
    } catch {
        precondition(error.kind == .parse || error.kind == .limit)
        precondition(error.line >= 1 && error.column >= 1 && Int(error.column) <= size + 1)
    }
    return 0
}

/// Writes the tree as JSON, and what that parses to.
private func checkJSON(_ document: Document, _ scratch: inout ParseScratch) {
    do throws(Failure) {
        let written = try JSONWriter.write(document.root, memory: memory)
        let size = written.count
        guard let source = malloc(size + 64)?.assumingMemoryBound(to: UInt8.self) else { return }
        memcpy(source, written.start, size)
        memset(source + size, 0, 64)
        let parsed = try Document.make(
            key: Bytes(start: nil, count: 0), bytes: Bytes(start: source, count: size),
            format: .json, limits: Limits(), scratch: &scratch, memory: memory)
        let again = try JSONWriter.write(parsed.document.root, memory: memory)
        precondition(parsed.repeats == nil && again.count == size)
        precondition(memcmp(again.start, source, size) == 0)
        parsed.document.release(memory)
        again.free(memory)
        written.free(memory)
        free(source)
    } catch {
        preconditionFailure()
    }
}

/// Walks the whole tree: types, ends, texts and offsets.
private func check(_ parsed: ParsedDocument, _ size: Int) {
    let root = parsed.document.root.node
    let header = parsed.document.header
    let text = header.pointee.bytesOffset - header.pointee.textOffset
    var open: [(end: Int, left: Int, isObject: Bool)] = []
    var index = 0
    repeat {
        if let last = open.last, last.isObject {
            let name = root[index]
            precondition(UInt8(truncatingIfNeeded: name.head) == ValueType.string.rawValue)
            checkText(parsed, name, text)
            index += 1
        }
        let node = root[index]
        precondition(Document.of(root + index).base == parsed.document.base)
        precondition(node.sourceOffset <= size)
        guard let type = ValueType(rawValue: UInt8(truncatingIfNeeded: node.head)) else {
            preconditionFailure()
        }
        index += 1
        if !open.isEmpty { open[open.count - 1].left -= 1 }
        switch type {
        case .string, .bytes: checkText(parsed, node, text)
        case .array, .object:
            open.append((Int(node.payload & 0xffff_ffff), Int(node.payload >> 32), type == .object))
        case .double: precondition(Double(bitPattern: node.payload).isFinite)
        case .bool: precondition(node.payload <= 1)
        case .null, .int64: break
        }
        while let last = open.last, last.left == 0 {
            precondition(last.end == index)
            open.removeLast()
        }
    } while !open.isEmpty
    precondition(header.pointee.textOffset == Document.tapeOffset + 16 * index)
}

private func checkText(_ parsed: ParsedDocument, _ node: Node, _ room: Int) {
    let text = parsed.document.text(of: node)
    let offset = Int(node.payload & 0xffff_ffff)
    // Text keys point into the bytes, which follow the texts.
    precondition(parsed.forgiven != nil || offset + text.count < room)
    precondition(text.baseAddress![text.count] == 0)
    if UInt8(truncatingIfNeeded: node.head) == ValueType.string.rawValue {
        precondition(String(validating: text, as: UTF8.self) != nil)
    }
}
