// Who holds a snapshot: counts that are spread over the threads.

import Config
import Foundation
import Synchronization
import Testing

@testable import Reload

private func empty() throws -> Content {
    Content(
        try Snapshot.make(
            documents: UnsafeMutableBufferPointer(start: nil, count: 0),
            generation: Bytes(start: nil, count: 0),
            memory: .system), memory: .system)
}

@Suite struct SharedSnapshotTests {
    @Test("references that are released on other threads are counted")
    func acrossThreads() throws {
        let current = CurrentSnapshot.makeInTest()
        defer { current.releaseInTest() }
        let snapshot = SharedSnapshot.makeInTest(try empty(), current: current, version: 1)
        #expect(!snapshot.isHeldByCallers)
        for _ in 0..<40 { snapshot.retain() }
        #expect(snapshot.isHeldByCallers)
        let done = DispatchGroup()
        for index in 0..<40 {
            done.enter()
            Foundation.Thread.detachNewThread {
                #expect(snapshot.isHeldByCallers, "release \(index)")
                snapshot.release()
                done.leave()
            }
        }
        done.wait()
        #expect(!snapshot.isHeldByCallers)
        snapshot.giveBackInTest()
    }

    @Test("a header that is used again begins with nobody holding it")
    func recycled() throws {
        let current = CurrentSnapshot.makeInTest()
        defer { current.releaseInTest() }
        let first = SharedSnapshot.makeInTest(try empty(), current: current, version: 1)
        first.retain()
        first.release()
        let content = try empty()
        let second = Reactor.shared.lock.withLock {
            first.giveBack()
            return SharedSnapshot.make(content: content, current: current, version: 2)
        }
        #expect(second == first)
        #expect(!second.isHeldByCallers)
        #expect(second.version == 2)
        second.giveBackInTest()
    }

    @Test("who acquires while versions are published never gets one that is freed")
    func acquireAgainstPublish() throws {
        let current = CurrentSnapshot.makeInTest()
        defer { current.releaseInTest() }
        let box = Shared()
        var retired: [SharedSnapshot] = []
        _ = current.publish(SharedSnapshot.makeInTest(try empty(), current: current, version: 1))
        do {
            let readers = DispatchGroup()
            for _ in 0..<3 {
                readers.enter()
                Foundation.Thread.detachNewThread {
                    var last: UInt64 = 0
                    while !box.stop.load(ordering: .relaxed) {
                        guard let snapshot = current.acquire() else { continue }
                        // A freed one would have a version of 0, or one from before.
                        #expect(snapshot.version >= last)
                        #expect(snapshot.body.count == 0)
                        last = snapshot.version
                        snapshot.release()
                        box.acquired.wrappingAdd(1, ordering: .relaxed)
                    }
                    readers.leave()
                }
            }
            var version: UInt64 = 1
            while version < 20_000 || box.acquired.load(ordering: .relaxed) < 20_000 {
                version += 1
                let next = SharedSnapshot.makeInTest(
                    try empty(), current: current, version: version)
                if let before = current.publish(next) {
                    before.tellOfRelease()
                    retired.append(before)
                }
                retired.removeAll { snapshot in
                    if snapshot.isHeldByCallers { return false }
                    snapshot.giveBackInTest()
                    return true
                }
            }
            box.stop.store(true, ordering: .relaxed)
            readers.wait()
            for snapshot in retired + [current.withdraw()].compactMap({ $0 }) {
                #expect(!snapshot.isHeldByCallers)
                snapshot.giveBackInTest()
            }
        }
    }
}

/// The flags of a test, where its threads can share them.
private final class Shared: Sendable {
    let stop = Atomic<Bool>(false)
    let acquired = Atomic<Int>(0)
}
