// Sources that are read once: the environment of the process, and what the caller gave as defaults.

package import Config

/// The environment variables that begin with a prefix.
package final class EnvironmentSource: Source {
    package let name: FilePath
    private let prefix: [UInt8]

    package init(prefix: Bytes) {
        name = FilePath(prefix)
        self.prefix = Array(prefix)
    }

    package var settles: Bool { false }
    package func neverUpdates() -> String? { nil }
    package var canChange: Bool { false }
    package var isLocal: Bool { true }
    package func watches() -> [Watch] { [] }

    package func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading {
        payload.removeAll()
        try Environment.forEach { name, value throws(Failure) in
            guard name.count > prefix.count, name.prefix(prefix.count).elementsEqual(prefix) else {
                return
            }
            let key = Bytes(rebasing: name.dropFirst(prefix.count))
            // Of two with the same name the first one counts, as with getenv(3).
            try payload.addIfAbsent(key: key, value: value)
        }
        return .payload(nil)
    }
}

/// Keys that the caller gave with their content.
package final class DefaultsSource: Source {
    package let name = FilePath("defaults")
    /// Whether they are secrets is not known yet when they are added.
    private let payload = Payload(memory: .sensitive)

    package init() {}

    /// Adds a key; one that is there already gets this content.
    package func add(key: Bytes, value: Bytes) throws(Failure) {
        try payload.add(key: key, value: value)
    }

    package var isEmpty: Bool { payload.count == 0 }
    package var settles: Bool { false }
    package func neverUpdates() -> String? { nil }
    package var canChange: Bool { false }
    package var isLocal: Bool { true }
    package func watches() -> [Watch] { [] }

    package func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading {
        payload.removeAll()
        // Of two for the same key the later one counts.
        for index in (0..<self.payload.count).reversed() {
            try payload.addIfAbsent(key: self.payload.key(index), value: self.payload.value(index))
        }
        return .payload(nil)
    }
}
