// Which parser a key's bytes are meant for. A key says so by its suffix, as file names do; what has
// no suffix that is known here is text.

/// The format of a key's bytes; the raw values are those of `CMR_FORMAT_…`.
package enum Format: Int32, Sendable {
    case text = 0
    case json = 1
    case yaml = 2
    case toml = 3
    case properties = 4
    case dotenv = 5
    case ini = 6

    /// The format that a key's suffix announces.
    package init(key: Bytes) {
        if key.hasSuffix(".json") {
            self = .json
        } else if key.hasSuffix(".yaml") || key.hasSuffix(".yml") {
            self = .yaml
        } else if key.hasSuffix(".toml") {
            self = .toml
        } else if key.hasSuffix(".properties") {
            self = .properties
        } else if key.hasSuffix(".env") {
            self = .dotenv
        } else if key.hasSuffix(".ini") {
            self = .ini
        } else {
            self = .text
        }
    }

    /// Whether a name may stand only once in an object. The other formats take the last one, as the
    /// programs do that they come from.
    var refusesRepeatedNames: Bool {
        switch self {
        case .yaml, .toml: true
        case .text, .json, .properties, .dotenv, .ini: false
        }
    }
}

extension Bytes {
    /// Whether the bytes end with the ASCII characters of `suffix`.
    fileprivate func hasSuffix(_ suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        guard let start = baseAddress, count >= length else { return false }
        let tail = start + (count &- length)
        for index in 0..<length where tail[index] != suffix.utf8Start[index] { return false }
        return true
    }
}
