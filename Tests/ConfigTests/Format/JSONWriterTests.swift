// Writing JSON: what comes out parses to the same values, and memory may be refused.

import Config
import Foundation
import Testing

@Suite struct JSONWriterTests {
    /// A parsed text, written again.
    private func written(_ json: String, key: String = "x.json") throws -> String {
        let document = try Document.test(key, json)
        defer { document.release(TestMemory.memory) }
        return try text(try JSONWriter.write(document.root, memory: TestMemory.memory))
    }

    private func text(_ owned: OwnedText) throws -> String {
        defer { owned.free(TestMemory.memory) }
        #expect(owned.start[owned.count] == 0)
        return owned.bytes.text
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.0",
        "-0.0", "0.1",
        "1e+16", "5e-324", "1.7976931348623157e+308", #""""#, #""a""#, "[]", "{}", "[[]]",
        "[[],[]]", "[{}]",
        #"{"a":{}}"#, #"{"a":[],"b":{}}"#, "[1,2.5,null,true,\"x\"]",
        #"{"a":1,"b":[{"c":2},3],"d":4}"#,
        "[[[1],2],3]", #""é😀""#, #"{"":"","é":1}"#, "[{},[],{}]",
    ])
    func `writes values as they were parsed`(json: String) throws {
        #expect(try written(json) == json)
    }

    @Test func `leaves out white space and spells escapes as shortly as can be`() throws {
        #expect(try written(" { \"a\" : [ 1 , 2 ] } ") == #"{"a":[1,2]}"#)
        #expect(
            try written(#""\u0041\/\"\\\b\f\n\r\t\u0000\u001f\u007f\u00e9""#)
                == #""A/\"\\\b\f\n\r\t\u0000\u001f"# + "\u{7F}é\"")
        #expect(try written(#"{"a\nb":1}"#) == #"{"a\nb":1}"#)
        #expect(try written(#"{"a":1,"a":2}"#) == #"{"a":2}"#)
    }

    @Test func `a double stays a double and an integer exact`() throws {
        #expect(
            try written("[1.0,1,1e2,100,-0.0,123456789012345680000]")
                == "[1.0,1,100.0,100,-0.0,1.2345678901234568e+20]")
        var random = TestRandom(seed: 8)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let text = try written("\(value)")
            #expect(Double(text)?.bitPattern == value.bitPattern)
            #expect(text.contains { ".e".contains($0) })
        }
    }

    @Test func `text stands trimmed, as a string, and what is not UTF-8 as base64`() throws {
        #expect(try written("  a \"b\"\n", key: "text") == #""a \"b\"""#)
        #expect(try written("100", key: "text") == #""100""#)
        for count in 0..<20 {
            let bytes =
                [UInt8](repeating: 0xFF, count: 1)
                + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let document = try Document.test("text", bytes)
            defer { document.release(TestMemory.memory) }
            let json = try text(try JSONWriter.write(document.root, memory: TestMemory.memory))
            #expect(json == "\"\(Data(bytes).base64EncodedString())\"")
        }
    }

    @Test func `the empty path stands for everything, one object of all keys`() throws {
        let test = try TestSnapshot([
            ("level", " debug\n"), ("a.json", "{ \"x\" : [ 1 ] }"), ("with \"quotes\"", ""),
            ("ключ", "é"),
        ])
        let json = try "".withBytes { (path) throws(Failure) in
            try test.snapshot.json(atPath: path, memory: TestMemory.memory)
        }
        #expect(
            try text(json)
                == #"{"a.json":{"x":[1]},"level":"debug","with \"quotes\"":"","ключ":"é"}"#)
        let one = try "a.json#/x".withBytes { (path) throws(Failure) in
            try test.snapshot.json(atPath: path, memory: TestMemory.memory)
        }
        #expect(try text(one) == "[1]")
        let failure = #expect(throws: Failure.self) {
            try "nothing".withBytes { (path) throws(Failure) in
                try test.snapshot.json(atPath: path, memory: TestMemory.memory)
            }
        }
        #expect(failure?.kind == .notFound)
        let empty = try TestSnapshot([])
        #expect(try text(try JSONWriter.write(empty.snapshot, memory: TestMemory.memory)) == "{}")
    }

    @Test func `what is written parses to the same tree`() throws {
        var random = TestRandom(seed: 9)
        for _ in 0..<300 {
            let first = try ParsedText(tree(&random, depth: 6))
            let json = try text(try JSONWriter.write(first.root, memory: TestMemory.memory))
            let second = try ParsedText(json)
            #expect(first.tree == second.tree)
        }
    }

    private func tree(_ random: inout TestRandom, depth: Int) -> String {
        func string(_ random: inout TestRandom) -> String {
            "\""
                + random.text(
                    8, of: ["a", " ", "é", "😀", #"\n"#, #"\u0000"#, #"\""#, #"\\"#, "/", "\u{7F}"])
                + "\""
        }
        switch random.below(depth > 0 ? 9 : 6) {
        case 0: return "null"
        case 1: return random.below(2) == 0 ? "true" : "false"
        case 2, 3: return "\(Int64(truncatingIfNeeded: random.next()) >> Int64(random.below(64)))"
        case 4: return "\(Double(random.below(1_000_000)) / 1000)"
        case 5: return string(&random)
        case 6, 7:
            let items = (0..<random.below(5)).map { _ in tree(&random, depth: depth - 1) }
            return "[" + items.joined(separator: " , ") + "]"
        default:
            let items = (0..<random.below(5)).map { _ in
                string(&random) + ": " + tree(&random, depth: depth - 1)
            }
            return "{" + items.joined(separator: ",") + "}"
        }
    }

    @Test func `depth costs no stack`() throws {
        let depth = Limits.depthCeiling
        let json = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let objects =
            String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        var limits = Limits()
        limits.maxDepth = depth
        for json in [json, objects] {
            let parsed = try ParsedText(json, limits: limits)
            let done = DispatchSemaphore(value: 0)
            nonisolated(unsafe) let root = parsed.root
            nonisolated(unsafe) var result: OwnedText?
            let thread = Thread {
                result = try? JSONWriter.write(root, memory: TestMemory.memory)
                done.signal()
            }
            thread.stackSize = 64 << 10
            thread.start()
            done.wait()
            let owned = try #require(result)
            #expect(try text(owned) == json)
        }
    }

    @Test func `what is deeper than any document may be is refused`() throws {
        let count = Limits.depthCeiling + 1
        let nodes = (0..<count).map { index in
            let isLast = index == count - 1
            return Node(
                head: UInt64(ValueType.array.rawValue) | UInt64(index) << 8,
                payload: UInt64(count) | (isLast ? 0 : 1) << 32)
        }
        let leaked = nodes.withUnsafeBufferPointer { nodes in
            TestMemory.leaked { memory in
                let failure = #expect(throws: Failure.self) {
                    try JSONWriter.write(Value(nodes.baseAddress!), memory: memory)
                }
                #expect(failure?.kind == .limit)
            }
        }
        #expect(leaked == 0)
    }

    @Test func `refused memory is a failure that leaves nothing behind`() throws {
        let text = "[" + (0..<2000).map { "\"\($0)\"" }.joined(separator: ",") + "]"
        let document = try Document.test("x.json", text)
        defer { document.release(TestMemory.memory) }
        var refusals = 0
        for allocation in 0..<40 {
            let leaked = TestMemory.leaked(refusing: allocation) { memory in
                do throws(Failure) {
                    try JSONWriter.write(document.root, memory: memory).free(memory)
                } catch {
                    #expect(error.kind == .noMemory)
                    refusals += 1
                }
            }
            #expect(leaked == 0)
        }
        #expect(refusals > 3 && refusals < 40)
    }
}
