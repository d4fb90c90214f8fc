// Where payloads come from. A source knows how to read itself whole and what to watch; it knows
// nothing of snapshots, versions or subscribers, keeps no thread and holds no lock.

package import Config

/// A layer's origin. All calls come from one thread at a time.
package protocol Source: AnyObject {
    /// The path or prefix that the caller gave, for messages.
    var name: FilePath { get }

    /// Whether changes come one write at a time, so that a load waits for a quiet moment.
    var settles: Bool { get }

    /// Whether the source can change at all once it was read.
    var canChange: Bool { get }

    /// Whether its file system tells of changes; if not, the source is polled. Known after a read.
    var isLocal: Bool { get }

    /// The mount in the kubelet's layout that it is, or lies in: what is read of one mount is read
    /// of one generation. Known after a read.
    var mount: FilePath? { get }

    /// Why the source will never change although it could, if that can be told; asked once, after
    /// the first read.
    func neverUpdates() -> String?

    /// What to watch right now. Asked before a read, so that no change falls between the two; and
    /// after it, since a read may have found links that lead elsewhere.
    func watches() -> [Watch]

    /// Forgets what it found when it was read: a start failed, and another may find something else.
    func reset()

    /// Reads the one generation that is there now, whole, into the emptied payload.
    func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading
}

extension Source {
    package var mount: FilePath? { nil }
    package func reset() {}
}
