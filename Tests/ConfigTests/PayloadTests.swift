// The bytes of one generation on their way: whole, apart from each other, and with the zeros behind
// them that parsers rely on.

import Testing

@testable import Config

@Suite struct PayloadTests {
    private func add(_ key: String, _ value: [UInt8], to payload: Payload) throws {
        try key.withBytes { (key) throws(Failure) in
            try value.withBytes { (value) throws(Failure) in try payload.add(key: key, value: value)
            }
        }
    }

    private func check(_ payload: Payload, holds content: [(key: String, value: [UInt8])]) {
        #expect(payload.count == content.count)
        #expect(payload.valueBytes == content.reduce(0) { $0 + $1.value.count })
        for (index, entry) in content.enumerated() {
            let value = payload.value(index)
            #expect(payload.key(index).text == entry.key)
            #expect(payload.keyText(index)?[entry.key.utf8.count] == 0)
            #expect(Array(value) == entry.value)
            let behind = UnsafeBufferPointer(
                start: value.baseAddress.map { $0 + value.count }, count: Payload.padding)
            #expect(behind.allSatisfy { $0 == 0 })
        }
    }

    @Test func `keeps keys and values however often it grows, and again after it was emptied`()
        throws
    {
        let payload = Payload(memory: TestMemory.memory)
        for round in 0..<3 {
            payload.removeAll()
            var content: [(key: String, value: [UInt8])] = []
            for index in 0..<300 {
                let value = [UInt8](repeating: UInt8(round + 1), count: index * 37 % 4000)
                content.append(("key\(index)", value))
                try add("key\(index)", value, to: payload)
            }
            check(payload, holds: content)
        }
    }

    @Test func `a value that is read in pieces is one`() throws {
        let payload = Payload(memory: TestMemory.memory)
        try "key".withBytes { (key) throws(Failure) in try payload.add(key: key, mark: 7) }
        var filled = 0
        while filled < 200_000 {
            let room = try payload.room(for: 1, after: filled)
            let part = min(room.count, 10_007)
            room.prefix(part).initializeMemory(as: UInt8.self, repeating: 0x78)
            filled += part
        }
        payload.finish(0, filled: filled)
        check(payload, holds: [("key", [UInt8](repeating: 0x78, count: filled))])
        #expect(payload.mark(0) == 7)
    }

    @Test func `of keys added only where absent the first one stays`() throws {
        let payload = Payload(memory: TestMemory.memory)
        for turn in 0..<2 {
            for index in 0..<1000 {
                try "key\(index)".withBytes { (key) throws(Failure) in
                    try "\(turn)".withBytes { (value) throws(Failure) in
                        try payload.addIfAbsent(key: key, value: value)
                    }
                }
            }
        }
        check(payload, holds: (0..<1000).map { ("key\($0)", [0x30]) })
    }

    @Test func `what lies outside is empty`() {
        let payload = Payload(memory: TestMemory.memory)
        #expect(payload.key(0).isEmpty && payload.value(0).isEmpty && payload.mark(0) == 0)
    }

    @Test func `the fingerprint tells where one value ends, not which came first`() throws {
        func fingerprint(_ content: [(String, String)]) throws -> UInt64 {
            let payload = Payload(memory: TestMemory.memory)
            for (key, value) in content { try add(key, Array(value.utf8), to: payload) }
            return payload.fingerprint
        }
        let one = try fingerprint([("a", "bc"), ("d", "")])
        #expect(try one == fingerprint([("a", "bc"), ("d", "")]))
        #expect(try one == fingerprint([("d", ""), ("a", "bc")]))
        for other in [
            [("a", "b"), ("cd", "")], [("ab", "c"), ("d", "")], [("a", ""), ("d", "bc")],
            [("a", "bc")],
        ] { #expect(try one != fingerprint(other)) }
    }

    @Test func `memory that is refused is a failure and no leak`() throws {
        var refusal = 0
        var succeeded = false
        while !succeeded {
            let leaked = TestMemory.leaked(refusing: refusal) { memory in
                let payload = Payload(memory: memory)
                do throws(Failure) {
                    for index in 0..<200 {
                        try "\(index)".withBytes { (key) throws(Failure) in
                            try payload.addIfAbsent(key: key, value: key)
                        }
                    }
                    _ = try payload.room(for: 1 << 20)
                    succeeded = true
                } catch {
                    #expect(error.kind == .noMemory)
                }
            }
            #expect(leaked == 0)
            refusal += 1
        }
        #expect(refusal > 4)
    }
}
