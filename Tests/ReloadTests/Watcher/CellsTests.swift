// Bound values: what each version makes of them, and which are looked at.

import Config
import Synchronization
import Testing

@testable import Reload

/// A version with one JSON document under each key; the documents of `before` are kept where its
/// text is the same.
private func content(_ texts: [String: String], sharing before: Content? = nil) throws -> Content {
    let payload = Payload(memory: .system)
    let parser = DocumentParser(memory: .system)
    var documents: [Document] = []
    defer { for document in documents { document.release(.system) } }
    for (index, (key, text)) in texts.enumerated() {
        try Array(key.utf8).withUnsafeBufferPointer { key in
            try Array(text.utf8).withUnsafeBufferPointer { try payload.add(key: key, value: $0) }
        }
        let (key, value) = (payload.key(index), payload.value(index))
        if let known = before?.body.document(forKey: key), known.hasSameBytes(as: value) {
            known.retain()
            documents.append(known)
        } else {
            let parsed = try parser.parse(
                key: key, bytes: value, limits: Limits(), options: ParseOptions())
            documents.append(parsed.document)
        }
    }
    return Content(
        try documents.withUnsafeMutableBufferPointer {
            try Snapshot.make(
                documents: $0, generation: Bytes(start: nil, count: 0), memory: .system)
        }, memory: .system)
}

@Suite struct CellsTests {
    private func bind(
        _ path: String, _ fallback: Fallback, _ cells: inout Cells, _ block: CurrentSnapshot,
        _ content: Content?
    ) throws -> Cell {
        try Array(path.utf8).withUnsafeBufferPointer {
            try cells.bind($0, fallback, in: block, content?.body)
        }
    }

    @Test func `a cell whose document stays is passed over, and the others follow`() throws {
        let block = CurrentSnapshot.makeInTest()
        var cells = Cells()
        let first = try content(["a.json": "[1]", "b.json": "[1]"])
        let a = try bind("a.json#/0", .int64(0), &cells, block, first)
        let b = try bind("b.json#/0", .int64(0), &cells, block, first)
        #expect(a.word.pointee.load(ordering: .relaxed) == 1)
        // Who looks again would put this right.
        a.word.pointee.store(99, ordering: .relaxed)
        b.word.pointee.store(99, ordering: .relaxed)
        let second = try content(["a.json": "[1]", "b.json": "[2]"], sharing: first)
        cells.follow(second.body)
        #expect(a.word.pointee.load(ordering: .relaxed) == 99)
        #expect(b.word.pointee.load(ordering: .relaxed) == 2)
        let third = try content(["a.json": "[3]"])
        cells.follow(third.body)
        #expect(a.word.pointee.load(ordering: .relaxed) == 3)
        #expect(b.word.pointee.load(ordering: .relaxed) == 0)
        withExtendedLifetime(first) {}
        withExtendedLifetime(second) {}
        block.releaseInTest()
    }

    @Test func `cells of many pieces of memory are places of their own`() throws {
        let block = CurrentSnapshot.makeInTest()
        var cells = Cells()
        let made = try (0..<400).map {
            try bind("key\($0)", .int64(Int64($0)), &cells, block, nil)
        }
        #expect(Set(made.map { UInt(bitPattern: $0.word) }).count == 400)
        for (index, cell) in made.enumerated() {
            #expect(UInt(bitPattern: cell.word) % 8 == 0)
            #expect(cell.word.pointee.load(ordering: .relaxed) == UInt64(index))
        }
        block.releaseInTest()
    }
}
