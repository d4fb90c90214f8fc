// The difference between two snapshots, beside that of two dictionaries.

import Config
import Testing

@Suite struct ChangesTests {
    private func changes(
        _ old: TestSnapshot?, _ new: TestSnapshot, matching pattern: String? = nil
    ) throws -> [String] {
        var result: [String] = []
        let leaked = try TestMemory.leaked { memory in
            let pattern = try pattern.map { try $0.withBytes { try KeyPattern($0) } }
            let changes = try Changes.between(
                old?.snapshot, new.snapshot, matching: pattern, memory: memory)
            result = UnsafeBufferPointer(start: changes.first, count: changes.count).map {
                #expect($0.reserved == 0)
                return "\($0.kind == 1 ? "+" : $0.kind == 2 ? "-" : "*")\(String(cString: $0.key))"
            }
            changes.free(memory)
        }
        #expect(leaked == 0)
        return result
    }

    @Test func `tells what was added, removed and modified, sorted by key`() throws {
        let old = try TestSnapshot([("b", "1"), ("c", "1"), ("d", "1"), ("z", "1")])
        let new = try TestSnapshot([("z", "2"), ("d", "1"), ("c", "2"), ("a", "1"), ("e", "1")])
        #expect(try changes(old, new) == ["+a", "-b", "*c", "+e", "*z"])
        #expect(try changes(new, old) == ["-a", "+b", "*c", "-e", "*z"])
    }

    @Test func `everything is added where there was nothing`() throws {
        let new = try TestSnapshot([("b", "1"), ("a", "1")])
        #expect(try changes(nil, new) == ["+a", "+b"])
        #expect(try changes(try TestSnapshot([]), new) == ["+a", "+b"])
        #expect(try changes(new, try TestSnapshot([])) == ["-a", "-b"])
        #expect(try changes(nil, try TestSnapshot([])) == [])
    }

    @Test func `the same bytes are no change, in one document or in two`() throws {
        let shared = try Document.test("a", "1")
        defer { shared.release(TestMemory.memory) }
        let first = try TestSnapshot(documents: [shared])
        let second = try TestSnapshot(documents: [shared])
        let other = try TestSnapshot([("a", "1")])
        #expect(try changes(first, second) == [])
        #expect(try changes(first, other) == [])
        #expect(try changes(first, try TestSnapshot([("a", "1 ")])) == ["*a"])
    }

    @Test func `a pattern keeps only the keys that match`() throws {
        let old = try TestSnapshot([("features.a", "1"), ("features.b", "1"), ("level", "1")])
        let new = try TestSnapshot([("features.a", "2"), ("features.c", "1"), ("level", "2")])
        #expect(
            try changes(old, new, matching: "features.*") == [
                "*features.a", "-features.b", "+features.c",
            ])
        #expect(try changes(old, new, matching: "level") == ["*level"])
        #expect(try changes(old, new, matching: "nothing") == [])
    }

    @Test func `a change is laid out as in C`() {
        #expect(MemoryLayout<Change>.size == 16)
        #expect(MemoryLayout<Change>.stride == 16)
        #expect(MemoryLayout<Change>.offset(of: \.key) == 0)
        #expect(MemoryLayout<Change>.offset(of: \.kind) == 8)
        #expect(MemoryLayout<Change>.offset(of: \.reserved) == 12)
    }

    @Test func `refused memory is a failure`() throws {
        let new = try TestSnapshot([("a", "1")])
        let leaked = TestMemory.leaked(refusing: 0) { memory in
            let failure = #expect(throws: Failure.self) {
                try Changes.between(nil, new.snapshot, memory: memory)
            }
            #expect(failure?.kind == .noMemory)
        }
        #expect(leaked == 0)
    }

    @Test func `agrees with comparing dictionaries`() throws {
        var random = TestRandom(seed: 7)
        for _ in 0..<400 {
            func content() -> [String: String] {
                var content: [String: String] = [:]
                for _ in 0..<random.below(30) {
                    let key = random.pick(["a", "b", "é", "a b", "x.json"])
                    content[key + "\(random.below(6))"] = "\(random.below(2))"
                }
                return content
            }
            let (before, after) = (content(), content())
            let expected = Set(before.keys).union(after.keys).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            .compactMap { key in
                switch (before[key], after[key]) {
                case (nil, .some): "+" + key
                case (.some, nil): "-" + key
                case (let was?, let now?): was == now ? nil : "*" + key
                case (nil, nil): nil
                }
            }
            let found = try changes(
                try TestSnapshot(before.map { ($0.key, $0.value) }),
                try TestSnapshot(after.map { ($0.key, $0.value) }))
            #expect(found == expected)
        }
    }
}
