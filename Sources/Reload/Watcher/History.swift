// The versions that were current before, for who wants to look back or go back. Pure: it knows
// which versions there are and which of them one may go back to; going back is the watcher's.

internal import Config

/// What one version consists of: the whole, and what each layer put in.
struct Composition {
    let content: Content
    /// By layer, from the bottom up; nil where the layer had nothing yet.
    let contents: [Content?]
}

/// A version that was published.
struct PublishedVersion {
    let snapshot: SharedSnapshot
    let composition: Composition
}

/// Former versions, the newest first.
struct History {
    private(set) var versions: [PublishedVersion] = []

    /// Adds the version that just ceased to be current; those that there is no room for any more.
    mutating func add(_ version: PublishedVersion, keeping most: Int) -> [SharedSnapshot] {
        versions.insert(version, at: 0)
        guard versions.count > most else { return [] }
        let dropped = versions[most...].map { $0.snapshot }
        versions.removeSubrange(most...)
        return dropped
    }

    /// Forgets everything; what there was.
    mutating func removeAll() -> [SharedSnapshot] {
        defer { versions.removeAll() }
        return versions.map { $0.snapshot }
    }

    /// The version with this number.
    func version(_ number: UInt64) -> PublishedVersion? {
        versions.first { $0.snapshot.version == number }
    }

    /// The newest version whose content is another than `current` and none that was left.
    func newest(otherThan current: Content, in quarantines: [Quarantine]) -> PublishedVersion? {
        versions.first { version in
            let composition = version.composition
            if composition.content.isSame(as: current) { return false }
            return !zip(composition.contents, quarantines).contains { content, quarantine in
                content.map { quarantine.holds($0) } ?? false
            }
        }
    }
}

/// What a source offered and the watcher has left again: it has no effect until the source has
/// offered something else.
struct Quarantine {
    private var contents: [Content] = []

    /// An unconfirmed version is left with all since the last confirmed one. More than these are
    /// seldom offered again.
    private static let most = 64

    mutating func add(_ content: Content) {
        if holds(content) { return }
        contents.append(content)
        if contents.count > Quarantine.most { contents.removeFirst() }
    }

    /// It is gone back to: it is not what was left any more.
    mutating func remove(_ content: Content) { contents.removeAll { $0.isSame(as: content) } }

    /// The source has offered something else.
    mutating func lift() { contents.removeAll() }

    func holds(_ content: Content) -> Bool { contents.contains { $0.isSame(as: content) } }

    /// Whether what was just read is one of them.
    func holds(_ payload: Payload) -> Bool { contents.contains { $0.isSame(as: payload) } }
}

extension Content {
    /// Whether the keys are the same, their bytes and their formats.
    func isSame(as other: Content) -> Bool {
        if self === other { return true }
        guard body.count == other.body.count else { return false }
        return (0..<body.count).allSatisfy { index in
            guard let mine = body.document(at: index), let theirs = other.body.document(at: index)
            else { return false }
            // What is shared is the same; otherwise the bytes decide, and what they are parsed as.
            if mine.base == theirs.base { return true }
            return equalBytes(mine.key, theirs.key) && mine.hasSameContent(as: theirs)
        }
    }

    /// Whether a source holds the same keys and bytes.
    func isSame(as payload: Payload) -> Bool {
        guard body.count == payload.count else { return false }
        return (0..<payload.count).allSatisfy { index in
            body.document(forKey: payload.key(index))?.hasSameBytes(as: payload.value(index))
                ?? false
        }
    }
}
