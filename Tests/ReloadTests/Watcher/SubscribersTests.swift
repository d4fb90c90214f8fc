// What subscribers are told, and what waiting events become.

import Config
import Testing

@testable import Reload

private func content(_ text: String) throws -> Content {
    let payload = Payload(memory: .system)
    try text.withBytes { bytes in try payload.add(key: bytes, value: bytes) }
    let parser = DocumentParser(memory: .system)
    let parsed = try parser.parse(
        key: payload.key(0), bytes: payload.value(0), limits: Limits(), options: ParseOptions())
    var documents = [parsed.document]
    let body = try documents.withUnsafeMutableBufferPointer {
        try Snapshot.make(documents: $0, generation: Bytes(start: nil, count: 0), memory: .system)
    }
    parsed.document.release(.system)
    return Content(body, memory: .system)
}

extension String {
    fileprivate func withBytes(_ body: (Bytes) throws -> Void) throws {
        var text = self
        try text.withUTF8 { try body($0) }
    }
}

private let failure = Failure(
    .parse, .parse, key: "a.json", "does not parse", osErrno: 0, line: 2, column: 3)
private let rejection = Rejection(failure, fingerprint: 1)

@Suite final class SubscribersTests {
    private let subscribers = Subscribers()
    private let current = CurrentSnapshot.makeInTest()
    private var published: [SharedSnapshot] = []

    deinit {
        for snapshot in published { snapshot.giveBackInTest() }
        current.releaseInTest()
    }

    private func subscriber() -> Subscriber {
        Subscriber(id: 1, since: nil, pattern: nil, flags: []) { _ in }
    }

    private func publish(_ version: UInt64, _ text: String) throws -> SharedSnapshot {
        let snapshot = SharedSnapshot.makeInTest(
            try content(text), current: current, version: version)
        _ = current.publish(snapshot)
        published.append(snapshot)
        return snapshot
    }

    @Test(
        "without subscribers nothing is pending; the next round compares with the newest version"
    )
    func nobody() throws {
        let first = try publish(1, "a")
        subscribers.notePublished(first, .start)
        subscribers.noteRejected(rejection, .change)
        subscribers.noteSource(.sourceLost, failure, .change)
        #expect(!subscribers.hasPending)
        subscribers.add(subscriber())
        let second = try publish(2, "b")
        subscribers.notePublished(second, .change)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.published])
        #expect(round.events[0].previous == first)
        round.end()
    }

    @Test("versions that wait become one event, from what was told last to the newest")
    func coalesce() throws {
        subscribers.add(subscriber())
        let first = try publish(1, "a")
        subscribers.notePublished(first, .start)
        subscribers.beginRound(current: current.snapshot).end()
        subscribers.notePublished(try publish(2, "b"), .change)
        let third = try publish(3, "c")
        subscribers.notePublished(third, .reload)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.count == 1)
        #expect(round.events[0].snapshot == third)
        #expect(round.events[0].previous == first)
        #expect(round.events[0].cause == .reload)
        round.end()
        #expect(!subscribers.hasPending)
    }

    @Test("of rejections that wait the newest is told, and a version drops them")
    func rejections() throws {
        subscribers.add(subscriber())
        subscribers.notePublished(try publish(1, "a"), .start)
        subscribers.beginRound(current: current.snapshot).end()
        subscribers.noteRejected(rejection, .change)
        let newer = Failure(.parse, .parse, key: "b.json", "nor does this")
        subscribers.noteRejected(Rejection(newer, fingerprint: 2), .change)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.rejected])
        #expect(round.events[0].failure?.key == "b.json")
        round.end()
        subscribers.noteRejected(rejection, .change)
        subscribers.notePublished(try publish(2, "b"), .change)
        #expect(
            subscribers.beginRound(current: current.snapshot).events.map(\.kind) == [.published])
    }

    @Test("a rejection after a version is told after it")
    func order() throws {
        subscribers.add(subscriber())
        subscribers.notePublished(try publish(1, "a"), .start)
        subscribers.noteRejected(rejection, .change)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.published, .rejected])
        #expect(round.events[0].cause == .start)
    }

    @Test("of each source the newest word is told")
    func sources() throws {
        subscribers.add(subscriber())
        subscribers.notePublished(try publish(1, "a"), .start)
        subscribers.beginRound(current: current.snapshot).end()
        subscribers.noteSource(.sourceLost, Failure(.io, .load, key: "/one", "lost"), .change)
        subscribers.noteSource(.sourceLost, Failure(.io, .load, key: "/two", "lost"), .change)
        subscribers.noteSource(.sourceRecovered, Failure(.io, .load, key: "/one", "back"), .change)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.sourceLost, .sourceRecovered])
        #expect(round.events.map { $0.failure?.key } == ["/two", "/one"])
    }

    @Test("what a round tells is held until it ends")
    func held() throws {
        subscribers.add(subscriber())
        let first = try publish(1, "a")
        subscribers.notePublished(first, .start)
        let round = subscribers.beginRound(current: current.snapshot)
        subscribers.dropPending()
        #expect(first.isHeldByEngine)
        round.end()
        #expect(!first.isHeldByEngine)
    }

    @Test("who subscribed late is told from where it began, and of no start")
    func late() throws {
        let first = try publish(1, "a")
        let second = try publish(2, "b")
        let late = Subscriber(id: 1, since: second, pattern: nil, flags: []) { _ in }
        let third = try publish(3, "c")
        let viewed = late.viewed(Event(.published, .start, third, previous: first))
        #expect(viewed.cause == .change)
        #expect(viewed.previous == second)
        #expect(second.isHeldByEngine)
        late.forgetBeginning()
        #expect(!second.isHeldByEngine)
        let fourth = try publish(4, "d")
        #expect(late.viewed(Event(.published, .change, fourth, previous: third)).previous == third)
    }

    @Test("of drained versions the highest is told, and only when somebody asked")
    func drained() throws {
        _ = try publish(3, "c")
        subscribers.add(subscriber())
        subscribers.noteDrained(1)
        #expect(!subscribers.hasPending)
        subscribers.add(Subscriber(id: 2, since: nil, pattern: nil, flags: .drained) { _ in })
        subscribers.noteDrained(2)
        subscribers.noteDrained(1)
        let round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.drained])
        #expect(round.events[0].version == 2)
        round.end()
        #expect(!subscribers.hasPending)
    }

    @Test("that a version may come is told first, to who asked, and not once it is there")
    func upcoming() throws {
        let first = try publish(1, "a")
        subscribers.add(subscriber())
        subscribers.noteUpcoming()
        #expect(!subscribers.hasPending)
        subscribers.add(Subscriber(id: 2, since: nil, pattern: nil, flags: .upcoming) { _ in })
        subscribers.noteUpcoming()
        #expect(subscribers.hasPending && !subscribers.hasNews)
        subscribers.noteRejected(Rejection(Failure(.parse, "no"), fingerprint: 0), .change)
        #expect(subscribers.hasNews)
        var round = subscribers.beginRound(current: first)
        #expect(round.events.map(\.kind) == [.upcoming, .rejected] && round.isRehearsed)
        round.end()
        subscribers.noteUpcoming()
        subscribers.notePublished(try publish(2, "b"), .change)
        round = subscribers.beginRound(current: current.snapshot)
        #expect(round.events.map(\.kind) == [.published] && !round.isRehearsed)
        round.end()
        #expect(!subscribers.hasPending)
        subscribers.noteUpcoming()
        subscribers.dropPending()
        #expect(!subscribers.hasPending)
    }
}
