// Which parser a key's bytes are meant for. A key says so by its suffix, as file names do; what has
// no suffix that is known here is text.

/// The format of a key's bytes; the raw values are those of `CMR_FORMAT_…`.
package enum Format: Int32, Sendable {
    case text = 0
    case json = 1

    /// The format that a key's suffix announces.
    package init(key: Bytes) {
        self = key.hasSuffix(".json") ? .json : .text
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
