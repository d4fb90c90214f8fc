// What is different between two snapshots: keys added, removed and modified. One walk over both
// sorted lists; what they share is passed over by comparing two addresses. Never looks at parsed
// values: bytes decide, and what they were parsed as.

/// One changed key, laid out as the C interface's `cmr_change`.
package struct Change {
    package enum Kind: UInt32 {
        case added = 1
        case removed = 2
        case modified = 3
    }

    /// The key in the newer snapshot that has it, followed by a NUL.
    package let key: UnsafePointer<CChar>
    /// The raw value of a `Kind`.
    package let kind: UInt32
    package let reserved: UInt32
}

/// The changes from one snapshot to another, sorted by key. The keys are borrowed from the two
/// snapshots: both must be kept until `free`.
package struct Changes {
    /// The first change, or nil when there is none.
    package let first: UnsafeMutablePointer<Change>?
    package let count: Int

    /// No changes.
    package static var none: Changes { Changes(first: nil, count: 0) }

    /// Compares two snapshots; no old one stands for an empty one. With a pattern, only of keys
    /// that match it.
    package static func between(
        _ old: Snapshot?, _ new: Snapshot, matching pattern: KeyPattern? = nil, memory: Memory
    ) throws(Failure) -> Changes {
        var count = 0
        walk(old, new, pattern) { _, _ in count += 1 }
        guard count > 0 else { return Changes(first: nil, count: 0) }
        guard let block = memory.allocate(count * MemoryLayout<Change>.stride) else {
            throw Failure(.noMemory, .publish, "no memory for a list of \(count) changes")
        }
        let first = block.bindMemory(to: Change.self, capacity: count)
        var index = 0
        walk(old, new, pattern) { document, kind in
            (first + index).initialize(
                to: Change(key: document.keyText, kind: kind.rawValue, reserved: 0))
            index += 1
        }
        return Changes(first: first, count: count)
    }

    package func free(_ memory: Memory) {
        if let first { memory.free(first, count * MemoryLayout<Change>.stride) }
    }

    private static func walk(
        _ old: Snapshot?, _ new: Snapshot, _ pattern: KeyPattern?,
        _ visit: (Document, Change.Kind) -> Void
    ) {
        func report(_ document: Document, _ kind: Change.Kind) {
            if pattern?.matches(document.key) ?? true { visit(document, kind) }
        }
        var (before, after) = (0, 0)
        while true {
            switch (old?.document(at: before), new.document(at: after)) {
            case (let was?, let now?):
                // Unchanged keys share their document between versions: almost always this is all
                // it takes.
                let order = was.base == now.base ? 0 : compareBytes(was.key, now.key)
                if order < 0 {
                    report(was, .removed)
                } else if order > 0 {
                    report(now, .added)
                } else if was.base != now.base, !was.hasSameContent(as: now) {
                    report(now, .modified)
                }
                before += order <= 0 ? 1 : 0
                after += order >= 0 ? 1 : 0
            case (let was?, nil):
                report(was, .removed)
                before += 1
            case (nil, let now?):
                report(now, .added)
                after += 1
            case (nil, nil):
                return
            }
        }
    }
}
