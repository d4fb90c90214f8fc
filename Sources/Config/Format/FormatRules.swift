// What the values of a key are parsed as: what its suffix says, unless the caller has set something
// else for keys that match a pattern.

/// How one key's value is parsed.
package enum KeyFormat: Sendable {
    case format(Format)
    /// JSON when it is JSON, otherwise text.
    case sniffed
    case own(OwnParser)

    /// Tells it from the others of a watcher: a document remembers what it was parsed as.
    package var number: Int {
        switch self {
        case .format(let format): Int(format.rawValue)
        case .sniffed: -1
        // An address is larger than all of these, and is nobody else's while the parser lives.
        case .own(let parser): Int(bitPattern: ObjectIdentifier(parser))
        }
    }

    var returnsEndLines: Bool {
        switch self {
        case .format(let format): format.returnsEndLines
        case .sniffed, .own: false
        }
    }
}

/// What was set for keys. Only ever grows.
package struct FormatRules: Sendable {
    private struct Rule: Sendable {
        let pattern: KeyPattern
        let format: KeyFormat
    }
    private var rules: [Rule] = []

    package var isEmpty: Bool { rules.isEmpty }

    package mutating func add(_ format: KeyFormat, for pattern: KeyPattern) {
        rules.append(Rule(pattern: pattern, format: format))
    }

    /// What was set last for a key; nil when nothing was.
    func format(of key: Bytes) -> KeyFormat? {
        rules.last { $0.pattern.matches(key) }?.format
    }
}
