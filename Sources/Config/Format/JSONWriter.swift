// Values as JSON (RFC 8259), without white space between tokens. What is parsed again gives the
// same values: an int64 stays exact, a double stays a double and the same one. Walks the tape from
// left to right; how deep values are nested costs a few bytes each, not stack frames.

package enum JSONWriter {
    /// The JSON of one value.
    package static func write(_ value: Value, memory: Memory) throws(Failure) -> OwnedText {
        var buffer = try TextBuffer(capacity: 256, memory: memory)
        try append(value, to: &buffer)
        return try buffer.finish()
    }

    /// The JSON of everything: one object with a member for each key.
    package static func write(_ snapshot: Snapshot, memory: Memory) throws(Failure) -> OwnedText {
        var capacity = 64
        for index in 0..<snapshot.count {
            guard let document = snapshot.document(at: index) else { continue }
            capacity += document.key.count + document.bytes.count + 8
        }
        var buffer = try TextBuffer(capacity: capacity, memory: memory)
        try buffer.append(UInt8(ascii: "{"))
        for index in 0..<snapshot.count {
            guard let document = snapshot.document(at: index) else { continue }
            if index > 0 { try buffer.append(UInt8(ascii: ",")) }
            try append(string: document.key, to: &buffer)
            try buffer.append(UInt8(ascii: ":"))
            try append(document.root, to: &buffer)
        }
        try buffer.append(UInt8(ascii: "}"))
        return try buffer.finish()
    }

    /// Writes a value and all that is below it. Each round of the loop writes one value, with its
    /// name when it is a member, and closes what ends behind it.
    private static func append(_ root: Value, to buffer: inout TextBuffer) throws(Failure) {
        var value = root
        var open = OpenContainers(root: root)
        while true {
            let type = value.type
            try append(token: value, type, to: &buffer)
            let isContainer = type == .array || type == .object
            if isContainer { try open.push(value, type) }
            value = isContainer ? value.first : value.after

            var isFirst = isContainer
            while let closed = open.popEnding(before: value) {
                try buffer.append(closed == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                isFirst = false
            }
            guard let container = open.innermost else { return }
            if !isFirst { try buffer.append(UInt8(ascii: ",")) }
            if container == .object {
                try append(string: value.content, to: &buffer)
                try buffer.append(UInt8(ascii: ":"))
                value = value.after
            }
        }
    }

    /// Writes a scalar, or what an array or object begins with.
    private static func append(token value: Value, _ type: ValueType, to buffer: inout TextBuffer)
        throws(Failure)
    {
        let payload = value.node.pointee.payload
        switch type {
        case .null: try buffer.append("null")
        case .bool: try buffer.append(payload != 0 ? "true" : "false")
        case .int64: try append(integer: Int64(bitPattern: payload), to: &buffer)
        case .double: try append(double: Double(bitPattern: payload), to: &buffer)
        case .string: try append(string: value.content, to: &buffer)
        case .array: try buffer.append(UInt8(ascii: "["))
        case .object: try buffer.append(UInt8(ascii: "{"))
        case .bytes: try append(base64: value.content, to: &buffer)
        }
    }

    private static func append(integer: Int64, to buffer: inout TextBuffer) throws(Failure) {
        // From the last digit to the first; nineteen digits and a sign are the most.
        var text = InlineArray<20, UInt8>(repeating: zero)
        var position = text.count
        var magnitude = integer.magnitude
        repeat {
            position -= 1
            text[position] = zero + UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        if integer < 0 {
            position -= 1
            text[position] = UInt8(ascii: "-")
        }
        while position < text.count {
            try buffer.append(text[position])
            position += 1
        }
    }

    /// The shortest digits that read as the same double, with a point or an exponent: "1.0",
    /// "5e-324".
    private static func append(double: Double, to buffer: inout TextBuffer) throws(Failure) {
        for byte in double.description.utf8 { try buffer.append(byte) }
    }

    private static func append(string: Bytes, to buffer: inout TextBuffer) throws(Failure) {
        try buffer.append(UInt8(ascii: "\""))
        var plain = 0
        for (index, byte) in string.enumerated()
        where byte < 0x20 || byte == quote || byte == backslash {
            try buffer.append(Bytes(rebasing: string[plain..<index]))
            try append(escaped: byte, to: &buffer)
            plain = index + 1
        }
        try buffer.append(Bytes(rebasing: string[plain...]))
        try buffer.append(UInt8(ascii: "\""))
    }

    private static func append(escaped byte: UInt8, to buffer: inout TextBuffer) throws(Failure) {
        switch byte {
        case quote: try buffer.append("\\\"")
        case backslash: try buffer.append("\\\\")
        case 0x08: try buffer.append("\\b")
        case 0x09: try buffer.append("\\t")
        case 0x0A: try buffer.append("\\n")
        case 0x0C: try buffer.append("\\f")
        case 0x0D: try buffer.append("\\r")
        default:
            let digit = byte & 0xF
            try buffer.append("\\u00")
            try buffer.append(byte < 0x10 ? zero : zero + 1)
            try buffer.append(digit < 10 ? zero + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// A string of base64 with padding (RFC 4648), as `binaryData` of a ConfigMap has it.
    private static func append(base64 bytes: Bytes, to buffer: inout TextBuffer) throws(Failure) {
        try buffer.append(UInt8(ascii: "\""))
        var index = 0
        while index < bytes.count {
            let count = min(bytes.count - index, 3)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0)
            }
            for place in 0..<4 {
                let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * place) & 63)
                try buffer.append(place <= count ? base64Digit(sextet) : UInt8(ascii: "="))
            }
            index += 3
        }
        try buffer.append(UInt8(ascii: "\""))
    }

    private static func base64Digit(_ sextet: UInt8) -> UInt8 {
        switch sextet {
        case 0..<26: UInt8(ascii: "A") + sextet
        case 26..<52: UInt8(ascii: "a") + (sextet - 26)
        case 52..<62: zero + (sextet - 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

extension Snapshot {
    /// The JSON of the value at a path, or of everything when the path is empty.
    package func json(atPath path: Bytes, memory: Memory) throws(Failure) -> OwnedText {
        if path.isEmpty { return try JSONWriter.write(self, memory: memory) }
        guard let value = try? value(atPath: path) else {
            throw Failure(.notFound, .none, "there is nothing at that path")
        }
        return try JSONWriter.write(value, memory: memory)
    }
}

/// The arrays and objects around the place where the writer is: four bytes each, of which there are
/// as many as documents may be deep.
private struct OpenContainers {
    private let root: UnsafePointer<Node>
    /// Where each ends, counted in nodes from the root, twice; and one more for an object.
    private var ends = InlineArray<1024, Int32>(repeating: 0)
    private var depth = 0

    init(root: Value) { self.root = root.node }

    var innermost: ValueType? {
        depth > 0 ? (ends[depth - 1] & 1 == 1 ? .object : .array) : nil
    }

    mutating func push(_ container: Value, _ type: ValueType) throws(Failure) {
        guard depth < ends.count else {
            throw Failure(.limit, .none, "a value is nested too deeply to be written")
        }
        let end = Int32(truncatingIfNeeded: container.after.node - root)
        ends[depth] = end &* 2 &+ (type == .object ? 1 : 0)
        depth += 1
    }

    /// Closes the innermost one if it ends before `value`.
    mutating func popEnding(before value: Value) -> ValueType? {
        guard let type = innermost, Int(ends[depth - 1] >> 1) == value.node - root else {
            return nil
        }
        depth -= 1
        return type
    }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
