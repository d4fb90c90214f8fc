// Reading values: walking arrays and objects, and each scalar as each type.

import Config
import Testing

@Suite struct ValueAccessTests {
    private let test: TestSnapshot

    init() throws {
        test = try TestSnapshot([
            (
                "v.json",
                """
                {"null": null, "yes": true, "no": false, "int": -42, "big": 9223372036854775807,
                 "half": 0.5, "whole": 3.0, "huge": 1e300, "text": "Grüße", "number": " 100 ",
                 "on": "ON", "fraction": "1.5",
                 "array": [1, "two", [3, {"four": 4}], {}], "empty": [],
                 "object": {"a": 1, "b": {"c": [2]}, "d": 3},
                 "flat": {"a": 1, "b": 2, "c": 3}, "": "nameless", "z": "last", "nul": "a\\u0000b"}
                """
            ),
            ("text", "\n  some text \t"), ("number", " 0042\n"), ("empty", ""), ("blank", " \n"),
            ("yes", "Yes"),
            ("toobig", "9223372036854775808"), ("real", "2.50"), ("whole", "2e3"),
            ("wait", "1h30m"), ("size", "64Mi"),
            ("string.json", "\"7\""), ("pod", "100m"),
        ])
    }

    private func value(_ path: String) throws -> Value { try test.value(path) }
    private func member(_ name: String) throws -> Value { try value("v.json#/\(name)") }

    @Test func `tells what a value is`() throws {
        #expect(try value("v.json").type == .object)
        #expect(try member("null").type == .null)
        #expect(try member("yes").type == .bool)
        #expect(try member("int").type == .int64)
        #expect(try member("half").type == .double)
        #expect(try member("text").type == .string)
        #expect(try member("array").type == .array)
        #expect(try value("number").type == .string)
        let bytes = try Document.test("b", [0xFF, 0x00])
        #expect(bytes.root.type == .bytes)
        bytes.release(TestMemory.memory)
    }

    @Test func `walks arrays and objects`() throws {
        let array = try member("array")
        #expect(array.count == 4)
        #expect(try array.element(at: 0)?.int64 == 1)
        #expect(try array.element(at: 1)?.string.text == "two")
        #expect(array.element(at: 2)?.count == 2)
        #expect(try array.element(at: 2)?.element(at: 1)?.member("four")?.int64 == 4)
        #expect(array.element(at: 3)?.type == .object)
        #expect(array.element(at: 4) == nil)
        #expect(array.element(at: -1) == nil)
        #expect(array.element(at: Int.max) == nil)
        #expect(array.element(at: Int.min) == nil)
        for name in ["object", "flat"] {
            let object = try member(name)
            #expect(object.count == 3)
            for index in 0..<3 {
                let name = try object.name(at: index)
                #expect(object.element(at: index)?.node == object.member(named: name)?.node)
                #expect(String(cString: name.baseAddress!) == name.text)
            }
            #expect(
                try (0..<3).map { try object.name(at: $0).text }
                    == (name == "flat" ? ["a", "b", "c"] : ["a", "b", "d"]))
            #expect(throws: ReadError.notFound) { try object.name(at: 3) }
            #expect(throws: ReadError.notFound) { try object.name(at: -1) }
            #expect(object.member("x") == nil)
            #expect(object.element(at: 3) == nil)
        }
        #expect(try member("empty").count == 0)
        #expect(try member("empty").element(at: 0) == nil)
        #expect(try member("text").count == 0)
        #expect(try member("text").element(at: 0) == nil)
        #expect(try member("text").member("a") == nil)
        #expect(throws: ReadError.type) { try member("array").name(at: 0) }
        #expect(try value("v.json").member("z")?.string.text == "last")
        #expect(try value("v.json").member("")?.string.text == "nameless")
    }

    @Test func `every element of a random tree is where a simple walk finds it`() throws {
        var random = TestRandom(seed: 10)
        for _ in 0..<200 {
            let items = (0..<random.below(12)).map { _ in
                random.pick(["1", "[]", "[2,[3]]", "{\"a\":{}}", "\"x\""])
            }
            let array = try ParsedText("[" + items.joined(separator: ",") + "]")
            let object = try ParsedText(
                "{"
                    + items.enumerated().map { "\"m\($0.offset)\":\($0.element)" }.joined(
                        separator: ",") + "}")
            #expect(array.root.count == items.count && object.root.count == items.count)
            for (index, item) in items.enumerated() {
                let expected = try ParsedText(item)
                for found in [
                    array.root.element(at: index), object.root.element(at: index),
                    object.root.member("m\(index)"),
                ] {
                    let json = try JSONWriter.write(try #require(found), memory: TestMemory.memory)
                    #expect(json.bytes.text == item)
                    json.free(TestMemory.memory)
                }
                withExtendedLifetime(expected) {}
            }
            withExtendedLifetime((array, object)) {}
        }
    }

    @Test func `integers`() throws {
        #expect(try member("int").int64 == -42)
        #expect(try member("big").int64 == Int64.max)
        #expect(try member("whole").int64 == 3)
        #expect(try member("number").int64 == 100)
        #expect(try value("number").int64 == 42)
        #expect(try value("whole").int64 == 2000)
        #expect(try value("string.json").int64 == 7)
        #expect(throws: ReadError.type) { try member("half").int64 }
        #expect(throws: ReadError.range) { try member("huge").int64 }
        #expect(throws: ReadError.range) { try value("toobig").int64 }
        for name in ["null", "yes", "text", "array", "object", "fraction"] {
            #expect(throws: ReadError.type) { try member(name).int64 }
        }
        for key in ["text", "empty", "blank", "real"] {
            #expect(throws: ReadError.type) { try value(key).int64 }
        }
    }

    @Test func `doubles`() throws {
        #expect(try member("half").double == 0.5)
        #expect(try member("int").double == -42)
        #expect(try member("fraction").double == 1.5)
        #expect(try value("real").double == 2.5)
        for name in ["null", "yes", "text", "array"] {
            #expect(throws: ReadError.type) { try member(name).double }
        }
    }

    @Test func `truth, but never of a number`() throws {
        #expect(try member("yes").bool)
        #expect(try !member("no").bool)
        #expect(try member("on").bool)
        #expect(try value("yes").bool)
        for name in ["null", "int", "half", "text", "object"] {
            #expect(throws: ReadError.type) { try member(name).bool }
        }
        #expect(throws: ReadError.type) { try value("number").bool }
    }

    @Test func `text is trimmed where it is a key's, and NUL-terminated`() throws {
        #expect(try value("text").string.text == "some text")
        #expect(try String(cString: value("text").string.baseAddress!) == "some text")
        #expect(try value("blank").string.count == 0)
        #expect(try String(cString: value("empty").string.baseAddress!) == "")
        #expect(try member("number").string.text == " 100 ")
        #expect(try member("text").string.text == "Grüße")
        #expect(try member("nul").string.count == 3)
        #expect(throws: ReadError.type) { try member("int").string }
        #expect(try member("text").bytes.text == "Grüße")
        #expect(throws: ReadError.type) { try member("object").bytes }
        let bytes = try Document.test("b", [0x20, 0xFF, 0x20])
        #expect(throws: ReadError.type) { try bytes.root.string }
        #expect(try Array(bytes.root.bytes) == [0x20, 0xFF, 0x20])
        bytes.release(TestMemory.memory)
    }

    @Test func `durations and quantities, of text and of numbers`() throws {
        #expect(try value("wait").duration == 5_400_000_000_000)
        #expect(try member("int").duration == -42_000_000_000)
        #expect(try member("half").duration == 500_000_000)
        #expect(throws: ReadError.range) { try member("big").duration }
        #expect(throws: ReadError.type) { try member("yes").duration }
        #expect(try value("size").quantity == 67_108_864)
        #expect(try value("pod").quantity == 1)
        #expect(try member("int").quantity == -42)
        #expect(try member("half").quantity == 1)
        #expect(throws: ReadError.range) { try member("huge").quantity }
        #expect(throws: ReadError.type) { try member("null").quantity }
    }
}

extension Value {
    fileprivate func member(_ name: String) -> Value? { name.withBytes { member(named: $0) } }
}
