// Values as JSON (RFC 8259), without white space between tokens. What is parsed again gives the
// same values: an int64 stays exact, a double stays a double and the same one. Walks the tape from
// left to right; how deep values are nested costs a few bytes each, not stack frames.

package struct JSONWriter: ~Copyable {
    var buffer: TextBuffer
    private var open: OpenContainers

    /// The JSON of one value.
    package static func write(_ value: Value, memory: Memory) throws(Failure) -> OwnedText {
        var writer = try JSONWriter(capacity: 256, memory: memory)
        writer.append(value)
        return try writer.finish()
    }

    /// The JSON of everything: one object with a member for each key.
    package static func write(_ snapshot: Snapshot, memory: Memory) throws(Failure) -> OwnedText {
        var capacity = 64
        for index in 0..<snapshot.count {
            guard let document = snapshot.document(at: index) else { continue }
            capacity += document.key.count + document.bytes.count + 8
        }
        var writer = try JSONWriter(capacity: capacity, memory: memory)
        writer.append(snapshot)
        return try writer.finish()
    }

    init(capacity: Int, memory: Memory) throws(Failure) {
        guard let open = OpenContainers(memory: memory) else {
            throw Failure(.noMemory, .none, "no memory to write JSON")
        }
        self.open = open
        buffer = TextBuffer(capacity: capacity, memory: memory)
    }

    mutating func finish() throws(Failure) -> OwnedText {
        if open.wereTooMany {
            throw Failure(.limit, .none, "a value is nested too deeply to be written as JSON")
        }
        return try buffer.finish()
    }

    private mutating func append(_ snapshot: Snapshot) {
        buffer.append(UInt8(ascii: "{"))
        for index in 0..<snapshot.count {
            guard let document = snapshot.document(at: index) else { continue }
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            append(string: document.key)
            buffer.append(UInt8(ascii: ":"))
            append(document.root)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    /// Writes a value and all that is below it. Each round of the loop writes one value, with its
    /// name when it is a member, and closes what ends behind it.
    private mutating func append(_ root: Value) {
        var value = root
        while !open.wereTooMany {
            let type = value.type
            append(token: value, type)
            let isContainer = type == .array || type == .object
            if isContainer { open.push(value, type) }
            value = isContainer ? value.first : value.after

            var isFirst = isContainer
            while let closed = open.popEnding(before: value) {
                buffer.append(closed == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                isFirst = false
            }
            guard let container = open.innermost else { return }
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            if container == .object {
                append(string: value.content)
                buffer.append(UInt8(ascii: ":"))
                value = value.after
            }
        }
    }

    /// Writes a scalar, or what an array or object begins with.
    private mutating func append(token value: Value, _ type: ValueType) {
        let payload = value.node.pointee.payload
        switch type {
        case .null: buffer.append("null")
        case .bool: buffer.append(payload != 0 ? "true" : "false")
        case .int64: append(integer: Int64(bitPattern: payload))
        case .double: append(double: Double(bitPattern: payload))
        case .string: append(string: value.content)
        case .array: buffer.append(UInt8(ascii: "["))
        case .object: buffer.append(UInt8(ascii: "{"))
        case .bytes: append(base64: value.content)
        }
    }

    mutating func append(integer: Int64) {
        // Nineteen digits and a sign are the most.
        buffer.append(atMost: 20) { text in
            var count = 0
            var magnitude = integer.magnitude
            var rest = magnitude
            repeat {
                count += 1
                rest /= 10
            } while rest > 0
            if integer < 0 {
                text[0] = UInt8(ascii: "-")
                count += 1
            }
            var position = count
            repeat {
                position -= 1
                text[position] = zero + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            return count
        }
    }

    /// The shortest digits that read as the same double, with a point or an exponent: "1.0",
    /// "5e-324". They are less than 32.
    private mutating func append(double: Double) {
        let text = double.description
        buffer.append(atMost: 32) { room in
            text.withBytes { digits in
                guard let start = digits.baseAddress, digits.count <= 32 else { return 0 }
                UnsafeMutableRawPointer(room).copyMemory(from: start, byteCount: digits.count)
                return digits.count
            }
        }
    }

    mutating func append(string: Bytes) {
        buffer.append(quote)
        var plain = 0
        for index in 0..<string.count {
            let byte = string[index]
            guard byte < 0x20 || byte == quote || byte == backslash else { continue }
            buffer.append(Bytes(rebasing: string[plain..<index]))
            append(escaped: byte)
            plain = index + 1
        }
        buffer.append(Bytes(rebasing: string[plain...]))
        buffer.append(quote)
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case quote: buffer.append("\\\"")
        case backslash: buffer.append("\\\\")
        case 0x08: buffer.append("\\b")
        case 0x09: buffer.append("\\t")
        case 0x0A: buffer.append("\\n")
        case 0x0C: buffer.append("\\f")
        case 0x0D: buffer.append("\\r")
        default:
            let digit = byte & 0xF
            buffer.append("\\u00")
            buffer.append(byte < 0x10 ? zero : zero + 1)
            buffer.append(digit < 10 ? zero + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// A string of base64 with padding (RFC 4648), as `binaryData` of a ConfigMap has it.
    private mutating func append(base64 bytes: Bytes) {
        buffer.append(quote)
        var index = 0
        while index < bytes.count {
            let count = min(bytes.count - index, 3)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0)
            }
            for place in 0..<4 {
                let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * place) & 63)
                buffer.append(place <= count ? Base64.digit(sextet) : UInt8(ascii: "="))
            }
            index += 3
        }
        buffer.append(quote)
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

/// The arrays and objects around the place where the writer is, as many as documents may be deep.
private struct OpenContainers: ~Copyable {
    private let memory: Memory
    /// Where each ends: the address of what follows it, and one more for an object.
    private let ends: UnsafeMutablePointer<UInt>
    private var depth = 0
    private(set) var wereTooMany = false

    private static var size: Int { Limits.depthCeiling * MemoryLayout<UInt>.stride }

    init?(memory: Memory) {
        guard let block = memory.allocate(OpenContainers.size) else { return nil }
        self.memory = memory
        ends = block.bindMemory(to: UInt.self, capacity: Limits.depthCeiling)
    }

    deinit { memory.free(ends, OpenContainers.size) }

    var innermost: ValueType? {
        depth > 0 ? (ends[depth - 1] & 1 == 1 ? .object : .array) : nil
    }

    mutating func push(_ container: Value, _ type: ValueType) {
        guard depth < Limits.depthCeiling else {
            wereTooMany = true
            return
        }
        ends[depth] = UInt(bitPattern: container.after.node) | (type == .object ? 1 : 0)
        depth += 1
    }

    /// Closes the innermost one if it ends before `value`.
    mutating func popEnding(before value: Value) -> ValueType? {
        guard let type = innermost, ends[depth - 1] & ~1 == UInt(bitPattern: value.node) else {
            return nil
        }
        depth -= 1
        return type
    }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
