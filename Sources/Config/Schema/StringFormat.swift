// What `format` may ask of a string. Each check follows the document that the draft names for it,
// to the letter, reads the text once and allocates nothing. A format that is not here is an
// annotation.

/// A format that can be checked.
enum StringFormat: UInt8 {
    case dateTime, date, time, duration, email, hostname, ipv4, ipv6, uri, uriReference, uuid
    case regex, jsonPointer, relativeJSONPointer

    init?(name: Bytes) {
        for number in 0...StringFormat.relativeJSONPointer.rawValue {
            guard let format = StringFormat(rawValue: number), name.isText(format.name) else {
                continue
            }
            self = format
            return
        }
        return nil
    }

    var name: StaticString {
        switch self {
        case .dateTime: "date-time"
        case .date: "date"
        case .time: "time"
        case .duration: "duration"
        case .email: "email"
        case .hostname: "hostname"
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        case .uri: "uri"
        case .uriReference: "uri-reference"
        case .uuid: "uuid"
        case .regex: "regex"
        case .jsonPointer: "json-pointer"
        case .relativeJSONPointer: "relative-json-pointer"
        }
    }

    /// Whether a text is of this format; only for `regex` memory is needed.
    func accepts(_ text: Bytes, _ memory: Memory) throws(Failure) -> Bool {
        self == .regex ? try Patterns.isWellFormed(text, memory) : accepts(text)
    }

    /// Whether a text is of this format, which is not `regex`.
    func accepts(_ text: Bytes) -> Bool {
        var cursor = FormatCursor(text)
        switch self {
        case .dateTime:
            return cursor.takeDate() && cursor.take(either: "Tt") && cursor.takeTime()
                && cursor.isAtEnd
        case .date: return cursor.takeDate() && cursor.isAtEnd
        case .time: return cursor.takeTime() && cursor.isAtEnd
        case .duration: return cursor.takeDuration() && cursor.isAtEnd
        case .email: return cursor.takeMailbox() && cursor.isAtEnd
        case .hostname: return FormatCursor.isHostname(text)
        case .ipv4: return cursor.takeIPv4() && cursor.isAtEnd
        case .ipv6: return cursor.takeIPv6() && cursor.isAtEnd
        case .uri: return FormatCursor.isURI(text, needsScheme: true)
        case .uriReference: return FormatCursor.isURI(text, needsScheme: false)
        case .uuid: return cursor.takeUUID() && cursor.isAtEnd
        case .jsonPointer: return cursor.takePointer() && cursor.isAtEnd
        case .relativeJSONPointer: return cursor.takeRelativePointer() && cursor.isAtEnd
        case .regex: return true
        }
    }
}

/// A place within a text that moves forward over what a format expects.
struct FormatCursor {
    let text: Bytes
    var position = 0

    init(_ text: Bytes) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    var next: UInt8? { position < text.count ? text[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position &+= 1
        return true
    }

    /// Takes one of the characters of `choice`.
    mutating func take(either choice: StaticString) -> Bool {
        guard let byte = next, Bytes(choice).contains(byte) else { return false }
        position &+= 1
        return true
    }

    /// Takes exactly `count` decimal digits; their number must be in `range`.
    mutating func takeNumber(_ count: Int, in range: ClosedRange<Int>) -> Int? {
        guard text.count &- position >= count else { return nil }
        var number = 0
        for _ in 0..<count {
            guard let digit = next, digit &- zero < 10 else { return nil }
            number = number &* 10 &+ Int(digit &- zero)
            position &+= 1
        }
        return range.contains(number) ? number : nil
    }

    /// Takes decimal digits and says how many there were.
    mutating func takeDigits() -> Int {
        let start = position
        while let digit = next, digit &- zero < 10 { position &+= 1 }
        return position &- start
    }

    // MARK: - Dates, times and durations (RFC 3339)

    /// `full-date`.
    mutating func takeDate() -> Bool {
        guard let year = takeNumber(4, in: 0...9999), take(UInt8(ascii: "-")),
            let month = takeNumber(2, in: 1...12), take(UInt8(ascii: "-")),
            let day = takeNumber(2, in: 1...31)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: day <= (isLeap ? 29 : 28)
        case 4, 6, 9, 11: day <= 30
        default: true
        }
    }

    /// `full-time`. A leap second is one at the end of a day of UTC.
    mutating func takeTime() -> Bool {
        guard let hour = takeNumber(2, in: 0...23), take(UInt8(ascii: ":")),
            let minute = takeNumber(2, in: 0...59), take(UInt8(ascii: ":")),
            let second = takeNumber(2, in: 0...60)
        else { return false }
        if take(UInt8(ascii: ".")), takeDigits() == 0 { return false }
        var offset: Int = 0
        if !take(either: "Zz") {
            let isBehind = next == UInt8(ascii: "-")
            guard take(either: "+-"), let hours = takeNumber(2, in: 0...23),
                take(UInt8(ascii: ":")), let minutes = takeNumber(2, in: 0...59)
            else { return false }
            offset = hours &* 60 &+ minutes
            if isBehind { offset = 0 &- offset }
        }
        guard second == 60 else { return true }
        let minutesADay: Int = 1440
        let minuteOfUTC = (hour &* 60 &+ minute &+ minutesADay &- offset) % minutesADay
        return minuteOfUTC == minutesADay &- 1
    }

    /// `duration` of appendix A.
    mutating func takeDuration() -> Bool {
        guard take(UInt8(ascii: "P")) else { return false }
        let start = position
        guard takeUnits("YMD") else {
            // Weeks stand alone.
            position = start
            return takeDigits() > 0 && take(UInt8(ascii: "W"))
        }
        guard take(UInt8(ascii: "T")) else { return position > start }
        let timeStart = position
        return takeUnits("HMS") && position > timeStart
    }

    /// Takes numbers with units, each of which follows the one before it without a gap.
    private mutating func takeUnits(_ units: StaticString) -> Bool {
        let units = Bytes(units)
        var expected = 0
        while let digit = next, digit &- zero < 10 {
            _ = takeDigits()
            guard let unit = next, let index = units.firstIndex(of: unit),
                index == expected || (expected == 0 && index > 0)
            else { return false }
            position &+= 1
            expected = index &+ 1
        }
        return true
    }

    // MARK: - Hosts

    /// A name of RFC 1123: labels of letters, digits and inner hyphens; those that stand for
    /// others (RFC 5891) stand for what may be one.
    static func isHostname(_ text: Bytes) -> Bool {
        guard !text.isEmpty, text.count <= 253 else { return false }
        var start = 0
        while start <= text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: ".") { end &+= 1 }
            guard isLabel(Bytes(rebasing: text[start..<end])) else { return false }
            start = end &+ 1
        }
        return true
    }

    private static func isLabel(_ label: Bytes) -> Bool {
        guard let first = label.first, let last = label.last, label.count <= 63,
            first != UInt8(ascii: "-"), last != UInt8(ascii: "-")
        else { return false }
        for byte in label where !isAlphanumeric(byte) && byte != UInt8(ascii: "-") {
            return false
        }
        guard label.count >= 4, label[0] | 0x20 == UInt8(ascii: "x"),
            label[1] | 0x20 == UInt8(ascii: "n"), label[2] == UInt8(ascii: "-"),
            label[3] == UInt8(ascii: "-")
        else { return true }
        return InternationalLabel.isValid(Bytes(rebasing: label[4...]))
    }

    /// Four numbers of RFC 2673, without zeros before them.
    mutating func takeIPv4() -> Bool {
        for part in 0..<4 {
            if part > 0, !take(UInt8(ascii: ".")) { return false }
            let start = position
            let count = takeDigits()
            guard count >= 1, count <= 3, count == 1 || text[start] != zero else { return false }
            var number = 0
            for byte in text[start..<position] { number = number &* 10 &+ Int(byte &- zero) }
            guard number <= 255 else { return false }
        }
        return true
    }

    /// An address of RFC 4291, section 2.2, without a zone.
    mutating func takeIPv6() -> Bool {
        var groups = 0
        var hasGap = false
        if next == UInt8(ascii: ":") {
            guard take(UInt8(ascii: ":")), take(UInt8(ascii: ":")) else { return false }
            hasGap = true
        }
        while groups < 8 {
            let start = position
            while let byte = next, hexadecimalDigit(byte) != nil, position &- start < 4 {
                position &+= 1
            }
            if next == UInt8(ascii: "."), position > start {
                position = start
                guard groups <= 6, takeIPv4() else { return false }
                groups &+= 2
                break
            }
            guard position > start else {
                // Nothing may follow a gap, but no other colon.
                guard hasGap, start >= 2, text[start &- 1] == UInt8(ascii: ":"),
                    text[start &- 2] == UInt8(ascii: ":")
                else { return false }
                break
            }
            groups &+= 1
            guard take(UInt8(ascii: ":")) else { break }
            if next == UInt8(ascii: ":") {
                guard !hasGap else { return false }
                position &+= 1
                hasGap = true
            }
        }
        return hasGap ? groups < 8 : groups == 8 && text[position &- 1] != UInt8(ascii: ":")
    }

    // MARK: - Mail (RFC 5321, section 4.1.2)

    mutating func takeMailbox() -> Bool {
        guard takeLocalPart(), take(UInt8(ascii: "@")) else { return false }
        if take(UInt8(ascii: "[")) {
            let start = position
            while let byte = next, byte != UInt8(ascii: "]") { position &+= 1 }
            let literal = Bytes(rebasing: text[start..<position])
            return FormatCursor.isAddressLiteral(literal) && take(UInt8(ascii: "]"))
        }
        let domain = Bytes(rebasing: text[position...])
        position = text.count
        return FormatCursor.isHostname(domain)
    }

    private mutating func takeLocalPart() -> Bool {
        let start = position
        if take(UInt8(ascii: "\"")) {
            while let byte = next, byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\") { position &+= 1 }
                guard let quoted = next, quoted >= 0x20, quoted < 0x7F else { return false }
                position &+= 1
            }
            return take(UInt8(ascii: "\"")) && position &- start <= 64
        }
        repeat {
            let atom = position
            while let byte = next,
                isAlphanumeric(byte) || Bytes("!#$%&'*+-/=?^_`{|}~").contains(byte)
            {
                position &+= 1
            }
            guard position > atom else { return false }
        } while take(UInt8(ascii: "."))
        return position &- start <= 64
    }

    private static func isAddressLiteral(_ text: Bytes) -> Bool {
        let prefix: StaticString = "IPv6:"
        if text.count > 5, Bytes(rebasing: text[..<5]).isText(prefix) {
            return StringFormat.ipv6.accepts(Bytes(rebasing: text[5...]))
        }
        return StringFormat.ipv4.accepts(text)
    }

    // MARK: - Identifiers

    /// The text form of RFC 9562.
    mutating func takeUUID() -> Bool {
        for (index, count) in [8, 4, 4, 4, 12].enumerated() {
            if index > 0, !take(UInt8(ascii: "-")) { return false }
            for _ in 0..<count {
                guard let byte = next, hexadecimalDigit(byte) != nil else { return false }
                position &+= 1
            }
        }
        return true
    }

    /// RFC 6901.
    mutating func takePointer() -> Bool {
        while take(UInt8(ascii: "/")) {
            while let byte = next, byte != UInt8(ascii: "/") {
                position &+= 1
                if byte == UInt8(ascii: "~"), !take(either: "01") { return false }
            }
        }
        return true
    }

    mutating func takeRelativePointer() -> Bool {
        let start = position
        let count = takeDigits()
        guard count > 0, count == 1 || text[start] != zero else { return false }
        return take(UInt8(ascii: "#")) || takePointer()
    }

    /// RFC 3986, with a scheme (`URI`) or also without (`URI-reference`).
    static func isURI(_ text: Bytes, needsScheme: Bool) -> Bool {
        let uri = URI(text)
        if needsScheme, uri.scheme == nil { return false }
        // A colon in the first segment would have been that of a scheme.
        if uri.scheme == nil, uri.authority == nil {
            for byte in uri.path {
                if byte == UInt8(ascii: "/") { break }
                if byte == UInt8(ascii: ":") { return false }
            }
        }
        if let authority = uri.authority, !isAuthority(authority) { return false }
        return isMadeOf(uri.path, "!$&'()*+,;=:@/") && isMadeOf(uri.query, "!$&'()*+,;=:@/?")
            && isMadeOf(uri.fragment, "!$&'()*+,;=:@/?")
    }

    private static func isAuthority(_ text: Bytes) -> Bool {
        var host = text
        if let at = text.firstIndex(of: UInt8(ascii: "@")) {
            guard isMadeOf(Bytes(rebasing: text[..<at]), "!$&'()*+,;=:") else { return false }
            host = Bytes(rebasing: text[(at &+ 1)...])
        }
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else { return false }
            guard isIPLiteral(Bytes(rebasing: host[1..<end])) else { return false }
            let rest = Bytes(rebasing: host[(end &+ 1)...])
            return rest.isEmpty || rest[0] == UInt8(ascii: ":") && isPort(rest)
        }
        guard let colon = host.firstIndex(of: UInt8(ascii: ":")) else {
            return isMadeOf(host, "!$&'()*+,;=")
        }
        return isMadeOf(Bytes(rebasing: host[..<colon]), "!$&'()*+,;=")
            && isPort(Bytes(rebasing: host[colon...]))
    }

    private static func isPort(_ textWithColon: Bytes) -> Bool {
        var cursor = FormatCursor(Bytes(rebasing: textWithColon[1...]))
        _ = cursor.takeDigits()
        return cursor.isAtEnd
    }

    private static func isIPLiteral(_ text: Bytes) -> Bool {
        guard let first = text.first, first | 0x20 == UInt8(ascii: "v") else {
            return StringFormat.ipv6.accepts(text)
        }
        var cursor = FormatCursor(Bytes(rebasing: text[1...]))
        let start = cursor.position
        while let byte = cursor.next, hexadecimalDigit(byte) != nil { cursor.position &+= 1 }
        guard cursor.position > start, cursor.take(UInt8(ascii: ".")), !cursor.isAtEnd else {
            return false
        }
        let rest = Bytes(rebasing: cursor.text[cursor.position...])
        return !rest.contains(UInt8(ascii: "%")) && isMadeOf(rest, "!$&'()*+,;=:")
    }

    /// Whether a text is made of unreserved characters, percent-encoded ones, and those of `more`.
    private static func isMadeOf(_ text: Bytes?, _ more: StaticString) -> Bool {
        guard let text else { return true }
        var position = 0
        while position < text.count {
            let byte = text[position]
            position &+= 1
            if isAlphanumeric(byte) || Bytes("-._~").contains(byte) || Bytes(more).contains(byte) {
                continue
            }
            guard byte == UInt8(ascii: "%"), position &+ 1 < text.count,
                hexadecimalDigit(text[position]) != nil,
                hexadecimalDigit(text[position &+ 1]) != nil
            else { return false }
            position &+= 2
        }
        return true
    }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
    default: false
    }
}
