// Addresses of schemas: URI references (RFC 3986), resolved and taken apart as bytes. Only ever
// compared: nothing is fetched from them.

/// A URI reference in its parts; each is borrowed from the text.
struct URI {
    var scheme: Bytes?
    var authority: Bytes?
    var path: Bytes
    var query: Bytes?
    var fragment: Bytes?

    /// Takes any text apart (RFC 3986, appendix B); whether its characters are allowed is not
    /// asked.
    init(_ text: Bytes) {
        var rest = text
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            fragment = Bytes(rebasing: rest[(hash &+ 1)...])
            rest = Bytes(rebasing: rest[..<hash])
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = Bytes(rebasing: rest[(mark &+ 1)...])
            rest = Bytes(rebasing: rest[..<mark])
        }
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            URI.isScheme(Bytes(rebasing: rest[..<colon]))
        {
            scheme = Bytes(rebasing: rest[..<colon])
            rest = Bytes(rebasing: rest[(colon &+ 1)...])
        }
        if rest.count >= 2, rest[0] == slash, rest[1] == slash {
            rest = Bytes(rebasing: rest[2...])
            let end = rest.firstIndex(of: slash) ?? rest.count
            authority = Bytes(rebasing: rest[..<end])
            rest = Bytes(rebasing: rest[end...])
        }
        path = rest
    }

    private static func isScheme(_ text: Bytes) -> Bool {
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                if index == 0 { return false }
            default: return false
            }
        }
        return !text.isEmpty
    }

    /// Appends to `target` the address that this reference has where `base` is the address, without
    /// a fragment (RFC 3986, section 5.2).
    func resolve(against base: URI, into target: inout List<UInt8>) throws(Failure) {
        let start = target.count
        let hasBase = scheme == nil
        let keepsAuthority = hasBase && authority == nil
        if let scheme = scheme ?? base.scheme {
            try target.append(contentsOf: scheme)
            try target.append(UInt8(ascii: ":"))
        }
        if let authority = keepsAuthority ? base.authority : authority {
            try target.append(slash)
            try target.append(slash)
            try target.append(contentsOf: authority)
        }
        let pathStart = target.count
        if keepsAuthority, path.isEmpty {
            try target.append(contentsOf: base.path)
        } else {
            if keepsAuthority, path.first != slash {
                // Beside the last segment of the base.
                if let last = base.path.lastIndex(of: slash) {
                    try target.append(contentsOf: Bytes(rebasing: base.path[...last]))
                } else if base.authority != nil {
                    try target.append(slash)
                }
            }
            try target.append(contentsOf: path)
            URI.removeDotSegments(&target, from: pathStart)
        }
        if let query = query ?? (keepsAuthority && path.isEmpty ? base.query : nil) {
            try target.append(UInt8(ascii: "?"))
            try target.append(contentsOf: query)
        }
        // Schemes have no case.
        let schemeCount = (scheme ?? base.scheme)?.count ?? 0
        for index in start..<(start &+ schemeCount) {
            let byte = target[index]
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { target[index] = byte | 0x20 }
        }
    }

    /// Removes `.` and `..` from the path that begins at `start` (RFC 3986, section 5.2.4). A path
    /// that does not begin with a slash, as that of a URN, has no segments to remove.
    private static func removeDotSegments(_ target: inout List<UInt8>, from start: Int) {
        guard start < target.count, target[start] == slash else { return }
        var (read, write) = (start, start)
        let end = target.count
        while read < end {
            // A segment with the slash before it.
            var next = read &+ 1
            while next < end, target[next] != slash { next &+= 1 }
            let length = next &- read &- 1
            let isDot = length == 1 && target[read &+ 1] == dot
            let isDots = length == 2 && target[read &+ 1] == dot && target[read &+ 2] == dot
            if isDots {
                while write > start {
                    write &-= 1
                    if target[write] == slash { break }
                }
            }
            if isDot || isDots {
                // The last one leaves its slash.
                if next == end {
                    target[write] = slash
                    write &+= 1
                }
            } else {
                for offset in 0...length { target[write &+ offset] = target[read &+ offset] }
                write &+= length &+ 1
            }
            read = next
        }
        target.truncate(to: write)
    }
}

extension Bytes {
    /// No bytes.
    static var none: Bytes { Bytes(start: nil, count: 0) }

    init(_ text: StaticString) {
        self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

/// What percent-encoding (RFC 3986, section 2.1) stands for, byte by byte.
struct PercentDecoded: Sequence, IteratorProtocol {
    private let text: Bytes
    private var position = 0

    init(_ text: Bytes) { self.text = text }

    mutating func next() -> UInt8? {
        guard position < text.count else { return nil }
        let byte = text[position]
        position &+= 1
        guard byte == UInt8(ascii: "%"), position &+ 2 <= text.count,
            let high = hexadecimalDigit(text[position]),
            let low = hexadecimalDigit(text[position &+ 1])
        else { return byte }
        position &+= 2
        return high << 4 | low
    }
}

/// The worth of a hexadecimal digit.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
    default: nil
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
