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

    /// Whether a carriage return ends a line also where no line feed follows.
    var returnsEndLines: Bool {
        switch self {
        case .yaml, .properties, .dotenv: true
        case .text, .json, .toml, .ini: false
        }
    }
}
