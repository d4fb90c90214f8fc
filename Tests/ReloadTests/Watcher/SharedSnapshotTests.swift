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
        let snapshot = SharedSnapshot.make(
            content: try empty(), current: CurrentSnapshot.make(), version: 1)
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
        snapshot.giveBack()
    }

    @Test("a header that is used again begins with nobody holding it")
    func recycled() throws {
        let current = CurrentSnapshot.make()
        // Many, since other tests may take one of them meanwhile.
        func make(_ version: UInt64) throws -> [SharedSnapshot] {
            try (0..<100).map { _ in
                SharedSnapshot.make(content: try empty(), current: current, version: version)
            }
        }
        let first = try make(1)
        for snapshot in first {
            snapshot.retain()
            snapshot.release()
            snapshot.giveBack()
        }
        let second = try make(2)
        #expect(second.contains { first.contains($0) })
        #expect(second.allSatisfy { !$0.isHeldByCallers && $0.version == 2 })
        for snapshot in second { snapshot.giveBack() }
    }

    @Test("who acquires while versions are published never gets one that is freed")
    func acquireAgainstPublish() throws {
        let current = CurrentSnapshot.make()
        let box = Shared()
        var retired: [SharedSnapshot] = []
        _ = current.publish(SharedSnapshot.make(content: try empty(), current: current, version: 1))
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
                let next = SharedSnapshot.make(
                    content: try empty(), current: current, version: version)
                if let before = current.publish(next) {
                    before.tellOfRelease()
                    retired.append(before)
                }
                retired.removeAll { snapshot in
                    if snapshot.isHeldByCallers { return false }
                    snapshot.giveBack()
                    return true
                }
            }
            box.stop.store(true, ordering: .relaxed)
            readers.wait()
            for snapshot in retired + [current.withdraw()].compactMap({ $0 }) {
                #expect(!snapshot.isHeldByCallers)
                snapshot.giveBack()
            }
        }
    }
}

extension SharedSnapshot {
    /// What the reactor does with a snapshot that nobody holds.
    func giveBack() {
        _ = takeContent()
        recycle()
    }
}

/// The flags of a test, where its threads can share them.
private final class Shared: Sendable {
    let stop = Atomic<Bool>(false)
    let acquired = Atomic<Int>(0)
}
