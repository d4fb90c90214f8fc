// Snapshots: finding keys, their order, the checksum, and who frees what.

import Config
import Foundation
import Testing

@Suite struct SnapshotTests {
    @Test func `finds every key and no other`() throws {
        var random = TestRandom(seed: 5)
        for count in [0, 1, 2, 3, 4, 5, 17, 200, 3000] {
            var keys = Set([
                "", "a", "LOG_LEVEL", "features.json ", "ключ", String(repeating: "k", count: 253),
            ])
            while keys.count < count + 6 {
                keys.insert(random.text(24, of: ["a", "b", "_", ".", "1", " ", "é", "😀"]))
            }
            let present = Array(keys.subtracting([""]).shuffled(using: &random).prefix(count))
            let test = try TestSnapshot(present.map { ($0, "value of \($0)") })
            #expect(test.snapshot.count == count)
            for key in present { #expect(test.document(key)?.bytes.text == "value of \(key)") }
            for key in keys.subtracting(present) { #expect(test.document(key) == nil) }
        }
    }

    @Test func `sorts keys by their bytes, however they come`() throws {
        var random = TestRandom(seed: 6)
        for round in 0..<300 {
            let count = random.below(70)
            var keys = Set<String>()
            while keys.count < count {
                keys.insert(random.text(10, of: ["a", "b", "aaaaaaaa", "Z", "é", "\u{1}"]))
            }
            keys.remove("")
            var order = Array(keys)
            switch round % 4 {
            case 0: order.sort()
            case 1: order.sort(by: >)
            case 2:
                order =
                    order.filter { $0.count % 2 == 0 }.sorted()
                    + order.filter { $0.count % 2 == 1 }.sorted()
            default: break
            }
            let test = try TestSnapshot(order.map { ($0, "") })
            #expect(
                test.keys.map { Array($0.utf8) }
                    == keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }

    @Test func `holds a hundred thousand keys`() throws {
        let keys = (0..<100_000).map { "key-\($0 &* 7919 % 100_000)" }
        let leaked = try TestMemory.leaked { memory in
            let test = try TestSnapshot(keys.map { ($0, "x") }, memory: memory)
            #expect(test.snapshot.count == 100_000)
            for key in keys { #expect(test.document(key) != nil) }
            #expect(test.document("key-100000") == nil)
            #expect(test.keys == keys.sorted())
        }
        #expect(leaked == 0)
    }

    @Test func `holds its documents until it is freed`() throws {
        let leaked = try TestMemory.leaked { memory in
            let document = try Document.test("a", "1", memory: memory)
            let first = try TestSnapshot(documents: [document], memory: memory)
            let second = try TestSnapshot(documents: [document], memory: memory)
            document.release(memory)
            #expect(first.document("a")?.base == second.document("a")?.base)
            #expect(second.document("a")?.bytes.text == "1")
        }
        #expect(leaked == 0)
    }

    @Test func `refused memory is a failure that leaves nothing behind`() throws {
        let leaked = try TestMemory.leaked { memory in
            let document = try Document.test("a", "1", memory: memory)
            defer { document.release(memory) }
            let inner = TestMemory.leaked(refusing: 0) { refusing in
                let failure = #expect(throws: Failure.self) {
                    try TestSnapshot(documents: [document], memory: refusing)
                }
                #expect(failure?.kind == .noMemory)
            }
            #expect(inner == 0)
        }
        #expect(leaked == 0)
    }

    @Test func `tells its generation, followed by a NUL`() throws {
        let name = "..2026_11_22_08_45_04.1839982202"
        let test = try TestSnapshot([("a", "1")], generation: name)
        #expect(test.snapshot.generation.text == name)
        #expect(String(cString: test.snapshot.generation.baseAddress!) == name)
        let none = try TestSnapshot([])
        #expect(none.snapshot.generation.count == 0)
        #expect(String(cString: none.snapshot.generation.baseAddress!) == "")
    }

    @Test func `keys and bytes are followed by a NUL`() throws {
        let test = try TestSnapshot([("b", " 2 "), ("a", "")])
        #expect(try String(cString: test.snapshot.key(at: 0).baseAddress!) == "a")
        #expect(try String(cString: test.snapshot.key(at: 1).baseAddress!) == "b")
        #expect(throws: ReadError.notFound) { try test.snapshot.key(at: 2) }
        #expect(throws: ReadError.notFound) { try test.snapshot.key(at: -1) }
        let bytes = try "b".withBytes { (key) throws(ReadError) in
            try test.snapshot.bytes(ofKey: key)
        }
        #expect(String(cString: bytes.baseAddress!) == " 2 ")
        #expect(throws: ReadError.notFound) {
            try "c".withBytes { (key) throws(ReadError) in try test.snapshot.bytes(ofKey: key) }
        }
    }

    // MARK: - Checksum

    private func sum(_ test: TestSnapshot) -> String {
        withExtendedLifetime(test) { test.snapshot.checksum.text }
    }

    @Test func `the same content has the same checksum, in whatever order it comes`() throws {
        let content = [("a", "1"), ("b", "22"), ("c", String(repeating: "x", count: 100))]
        let checksum = try sum(TestSnapshot(content))
        #expect(try sum(TestSnapshot(content.reversed(), generation: "g")) == checksum)
        #expect(checksum.count == 32)
        #expect(checksum.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    }

    @Test func `the checksum is the same in every process`() throws {
        let test = try TestSnapshot([
            ("LOG_LEVEL", "debug"), ("features.json", #"{"a":[1,2.5,"x"]}"#),
        ])
        let known = "d1fbe09b54d61e3ada81db4a0993d755"
        #expect(test.snapshot.checksum.text == known)
        #expect(String(cString: test.snapshot.checksum.baseAddress!) == known)
    }

    @Test func `any difference shows in the checksum`() throws {
        let contents: [[(key: String, text: String)]] = [
            [], [("a", "")], [("a", "1")], [("a", "2")], [("b", "1")], [("a1", "")],
            [("a", "1"), ("b", "")],
            [("a", ""), ("b", "1")], [("ab", "1")], [("a", "b1")], [("a", "1\0")], [("a", "1\n")],
            [("a", String(repeating: "\0", count: 16))],
            [("a", String(repeating: "\0", count: 32))],
            [("a", String(repeating: "\0", count: 33))],
        ]
        let checksums = try contents.map { try sum(TestSnapshot($0)) }
        #expect(Set(checksums).count == contents.count)
    }

    @Test func `threads may ask for the checksum at the same time`() throws {
        for _ in 0..<50 {
            let test = try TestSnapshot((0..<100).map { ("key\($0)", "value") })
            let snapshot = test.snapshot
            let found = Mutex<Set<String>>([])
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                let text = snapshot.checksum.text
                found.withLock { _ = $0.insert(text) }
            }
            #expect(found.withLock { $0 } == [snapshot.checksum.text])
        }
    }
}

private final class Mutex<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value
    init(_ value: Value) { self.value = value }
    func withLock<R>(_ body: (inout Value) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}
