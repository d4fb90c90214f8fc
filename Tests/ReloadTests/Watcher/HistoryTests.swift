// Which versions there are to go back to, what was left, and what has to be confirmed.

import Config
import Testing

@testable import Reload

private func content(_ text: String) throws -> Content {
    let payload = Payload(memory: .system)
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { try payload.add(key: $0, value: $0) }
    let parsed = try DocumentParser(memory: .system).parse(
        key: payload.key(0), bytes: payload.value(0), limits: Limits(), options: ParseOptions())
    var documents = [parsed.document]
    let body = try documents.withUnsafeMutableBufferPointer {
        try Snapshot.make(documents: $0, generation: Bytes(start: nil, count: 0), memory: .system)
    }
    parsed.document.release(.system)
    return Content(body, memory: .system)
}

private func payload(_ text: String) throws -> Payload {
    let payload = Payload(memory: .system)
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { try payload.add(key: $0, value: $0) }
    return payload
}

private func composition(_ text: String) throws -> Composition {
    let content = try content(text)
    return Composition(content: content, contents: [content])
}

@Suite final class HistoryTests {
    private let current = CurrentSnapshot.makeInTest()
    private var history = History()
    private var made: [SharedSnapshot] = []

    deinit {
        for snapshot in made { snapshot.giveBackInTest() }
        current.releaseInTest()
    }

    private func add(_ version: UInt64, _ text: String, keeping most: Int = 10) throws -> [UInt64] {
        let composition = try composition(text)
        let snapshot = SharedSnapshot.makeInTest(
            composition.content, current: current, version: version)
        made.append(snapshot)
        let published = PublishedVersion(snapshot: snapshot, composition: composition)
        return history.add(published, keeping: most).map { $0.version }
    }

    @Test("the oldest version goes when there is no room")
    func room() throws {
        #expect(try add(1, "a", keeping: 2) == [])
        #expect(try add(2, "b", keeping: 2) == [])
        #expect(try add(3, "c", keeping: 2) == [1])
        #expect(history.versions.map { $0.snapshot.version } == [3, 2])
        #expect(history.version(2)?.snapshot.version == 2)
        #expect(history.version(1) == nil)
    }

    @Test("a history of nothing keeps nothing")
    func none() throws {
        #expect(try add(1, "a", keeping: 0) == [1])
        #expect(history.versions.isEmpty)
    }

    @Test("back is to the newest content that differs and was not left")
    func newest() throws {
        for (index, text) in ["a", "b", "c", "b"].enumerated() {
            _ = try add(UInt64(index + 1), text)
        }
        var quarantine = Quarantine()
        #expect(
            history.newest(otherThan: try content("b"), in: [quarantine])?.snapshot.version == 3)
        quarantine.add(try content("c"))
        #expect(
            history.newest(otherThan: try content("b"), in: [quarantine])?.snapshot.version == 1)
        quarantine.add(try content("a"))
        #expect(history.newest(otherThan: try content("b"), in: [quarantine]) == nil)
    }

    @Test("what was left is known by its bytes until something else is offered")
    func quarantine() throws {
        var quarantine = Quarantine()
        quarantine.add(try content("bad"))
        #expect(quarantine.holds(try payload("bad")))
        #expect(quarantine.holds(try content("bad")))
        #expect(!quarantine.holds(try payload("good")))
        quarantine.lift()
        #expect(!quarantine.holds(try payload("bad")))
    }

    @Test("what is gone back to is not left any more, the rest is")
    func goneBackTo() throws {
        var quarantine = Quarantine()
        quarantine.add(try content("one"))
        quarantine.add(try content("other"))
        quarantine.remove(try content("one"))
        #expect(!quarantine.holds(try payload("one")))
        #expect(quarantine.holds(try payload("other")))
    }

    @Test("a quarantine is bounded: the oldest are forgotten")
    func bounded() throws {
        var quarantine = Quarantine()
        for number in 0...64 { quarantine.add(try content("\(number)")) }
        #expect(!quarantine.holds(try content("0")))
        #expect(quarantine.holds(try content("1")))
        #expect(quarantine.holds(try content("64")))
    }

    @Test("each further version begins the time anew; confirming the newest ends it")
    func confirm() throws {
        var confirmation = Confirmation()
        confirmation.begin(1, try composition("a"))
        #expect(confirmation.deadline == .never)
        confirmation.await(2, try composition("b"), until: Instant(nanoseconds: 20))
        confirmation.await(3, try composition("c"), until: Instant(nanoseconds: 30))
        #expect(confirmation.deadline == Instant(nanoseconds: 30))
        #expect(confirmation.confirmed?.version == 1)
        func confirm(_ version: UInt64) -> Bool { confirmation.confirm(version) }
        #expect(!confirm(4))
        #expect(confirm(2))
        #expect(confirmation.confirmed?.version == 2)
        #expect(confirmation.deadline == Instant(nanoseconds: 30))
        #expect(confirm(3))
        #expect(confirmation.deadline == .never)
        #expect(confirm(1))
        #expect(confirmation.confirmed?.version == 3)
        #expect(!confirm(0))
    }

    @Test("what was gone back from is not to be confirmed any more, what came before it is")
    func confirmLate() throws {
        var confirmation = Confirmation()
        func confirm(_ version: UInt64) -> Bool { confirmation.confirm(version) }
        confirmation.begin(1, try composition("a"))
        confirmation.await(2, try composition("b"), until: Instant(nanoseconds: 20))
        #expect(confirm(2))
        confirmation.await(3, try composition("c"), until: Instant(nanoseconds: 30))
        confirmation.begin(4, try composition("b"))
        #expect(!confirm(3))
        #expect(confirm(2))
        #expect(confirm(4))
    }
}
