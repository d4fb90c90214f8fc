// What a value was found to break, told so that a person can mend it: where it is, which rule it
// breaks and what would have been right. Of what was found nothing but its type and its length ever
// gets here.

/// One rule that content breaks, laid out as the C interface's `cmr_violation`. All texts are
/// followed by a NUL.
package struct Violation: BitwiseCopyable {
    /// The key whose value breaks it; "" when it is the configuration as a whole.
    package let key: UnsafePointer<CChar>
    /// The RFC 6901 pointer to the value within the key; with `*` for each name of a member where
    /// names are secret.
    package let instancePath: UnsafePointer<CChar>
    /// The RFC 6901 pointer to the rule, through the references that led to it.
    package let schemaPath: UnsafePointer<CChar>
    package let keyword: UnsafePointer<CChar>
    package let expected: UnsafePointer<CChar>
    /// Where the value begins, both counted from 1; 0 for what is in no text.
    package let line: UInt32
    package let column: UInt32
}

/// The violations of one reload. They are added by one thread; once `seal` was called nothing
/// changes any more, and any number may look.
package final class Violations: @unchecked Sendable {
    // Safe to share once it is sealed: what adds refuses to from then on.
    private let memory: Memory
    /// Whether names of members are told: they are content, as values are.
    let tellsNames: Bool
    private var texts: List<UInt8>
    private var records: List<Record>
    private var sealed: List<Violation>
    private var isSealed = false
    /// How many there are, of which the first `most` are kept.
    package private(set) var count = 0

    /// So many are kept: what more there are a person sees when these are mended.
    package static var most: Int { 100 }
    /// The longest text that is kept; what is longer is cut.
    private static var mostBytes: Int { 4096 }

    /// Where in the texts those of a violation begin.
    private struct Record: BitwiseCopyable {
        var key = 0
        var instancePath = 0
        var schemaPath = 0
        var keyword = 0
        var expected = 0
        var line: UInt32 = 0
        var column: UInt32 = 0
    }

    package init(memory: Memory, tellsNames: Bool = true) {
        self.memory = memory
        self.tellsNames = tellsNames
        texts = List(memory)
        records = List(memory)
        sealed = List(memory)
    }

    package var isEmpty: Bool { count == 0 }

    /// Counts one more; true when there is room for what is to be said of it.
    func begin() -> Bool {
        precondition(!isSealed, "what others may look at does not change")
        count += 1
        return records.count < Violations.most
    }

    /// Keeps what is said of a violation; each part appends its text.
    func add(
        position: TextPosition?, keyword: StaticString,
        key: (inout ViolationText) throws(Failure) -> Void,
        instancePath: (inout ViolationText) throws(Failure) -> Void,
        schemaPath: (inout ViolationText) throws(Failure) -> Void,
        expected: (inout ViolationText) throws(Failure) -> Void
    ) throws(Failure) {
        var record = Record()
        record.key = try append(key)
        record.instancePath = try append(instancePath)
        record.schemaPath = try append(schemaPath)
        record.keyword = try append { text throws(Failure) in try text.append(keyword) }
        record.expected = try append(expected)
        record.line = position?.line ?? 0
        record.column = position?.column ?? 0
        try records.append(record)
    }

    private func append(_ write: (inout ViolationText) throws(Failure) -> Void) throws(Failure)
        -> Int
    {
        let start = texts.count
        var text = ViolationText(bytes: exchange(&texts, with: List(memory)))
        do throws(Failure) {
            try write(&text)
        } catch {
            texts = text.takeBytes()
            throw error
        }
        texts = text.takeBytes()
        if texts.count &- start > Violations.mostBytes {
            var end = start &+ Violations.mostBytes
            // Not within a character.
            while end > start, texts[end] & 0xC0 == 0x80 { end &-= 1 }
            texts.truncate(to: end)
            try texts.append(contentsOf: Bytes("…"))
        }
        try texts.append(0)
        return start
    }

    /// Lets others look; nothing is added from now on.
    package func seal() throws(Failure) {
        guard !isSealed else { return }
        let base = UnsafeRawPointer(texts.base).assumingMemoryBound(to: CChar.self)
        try sealed.reserve(records.count)
        for index in 0..<records.count {
            let record = records[index]
            try sealed.append(
                Violation(
                    key: base + record.key, instancePath: base + record.instancePath,
                    schemaPath: base + record.schemaPath, keyword: base + record.keyword,
                    expected: base + record.expected, line: record.line, column: record.column))
        }
        isSealed = true
    }

    /// Those that were kept; none before it is sealed.
    package var list: UnsafeBufferPointer<Violation> { sealed.elements }

    /// The first one, as what a reload failed with.
    package var failure: Failure? {
        guard let first = list.first else { return nil }
        let more = count > 1 ? "; \(count - 1) more" : ""
        let keyword = String(cString: first.keyword)
        let expected = String(cString: first.expected)
        return Failure(
            .rejected, .validate, key: String(cString: first.key),
            "\(keyword)\(Violations.place(first)): expected \(expected)\(more)", osErrno: 0,
            line: first.line, column: first.column)
    }

    private static func place(_ violation: Violation) -> String {
        violation.instancePath.pointee == 0
            ? "" : " at \(String(cString: violation.instancePath))"
    }

    /// An array of objects with the members of `cmr_violation`.
    package func json(memory: Memory) throws(Failure) -> OwnedText {
        var writer = try JSONWriter(capacity: texts.count &+ 256, memory: memory)
        writer.buffer.append(UInt8(ascii: "["))
        for (index, violation) in list.enumerated() {
            writer.buffer.append(index > 0 ? ",{" : "{")
            writer.append(member: "key", violation.key)
            writer.append(member: ",instance_path", violation.instancePath)
            writer.append(member: ",schema_path", violation.schemaPath)
            writer.append(member: ",keyword", violation.keyword)
            writer.append(member: ",expected", violation.expected)
            writer.buffer.append(",\"line\":")
            writer.append(integer: Int64(violation.line))
            writer.buffer.append(",\"column\":")
            writer.append(integer: Int64(violation.column))
            writer.buffer.append(UInt8(ascii: "}"))
        }
        writer.buffer.append(UInt8(ascii: "]"))
        return try writer.finish()
    }
}

extension JSONWriter {
    fileprivate mutating func append(member: StaticString, _ text: UnsafePointer<CChar>) {
        var name = Bytes(member)
        if name.first == UInt8(ascii: ",") {
            buffer.append(UInt8(ascii: ","))
            name = Bytes(rebasing: name[1...])
        }
        append(string: name)
        buffer.append(UInt8(ascii: ":"))
        var length = 0
        while text[length] != 0 { length += 1 }
        append(
            string: Bytes(
                start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length))
    }
}

/// Text of a violation that is being written.
struct ViolationText: ~Copyable {
    private var bytes: List<UInt8>

    init(bytes: consuming List<UInt8>) { self.bytes = bytes }

    consuming func takeBytes() -> List<UInt8> { bytes }

    mutating func append(_ text: StaticString) throws(Failure) {
        try bytes.append(contentsOf: Bytes(text))
    }

    /// Text of others; a NUL would end it early.
    mutating func append(_ text: Bytes) throws(Failure) {
        for byte in text { try bytes.append(byte == 0 ? UInt8(ascii: "?") : byte) }
    }

    mutating func append(_ number: UInt64) throws(Failure) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var count = 0
        var rest = number
        repeat {
            digits[count] = zero &+ UInt8(truncatingIfNeeded: rest % 10)
            count &+= 1
            rest /= 10
        } while rest > 0
        while count > 0 {
            count &-= 1
            try bytes.append(digits[count])
        }
    }

    /// A number and what it counts, in the plural where it is due. The largest stands for all that
    /// are larger.
    mutating func append(_ number: UInt64, _ noun: StaticString) throws(Failure) {
        if number == .max { try append("2^64") } else { try append(number) }
        try append(" ")
        try append(noun)
        if number != 1 { try append("s") }
    }

    /// A step of an RFC 6901 pointer.
    mutating func append(step: Bytes) throws(Failure) {
        try append("/")
        for byte in step {
            switch byte {
            case UInt8(ascii: "~"): try append("~0")
            case UInt8(ascii: "/"): try append("~1")
            case 0: try append("?")
            default: try bytes.append(byte)
            }
        }
    }

    /// A value of the schema as JSON, cut to a length fit for a message.
    mutating func append(schemaValue: Value, memory: Memory) throws(Failure) {
        let json = try JSONWriter.write(schemaValue, memory: memory)
        defer { json.free(memory) }
        var end = min(json.count, 80)
        while end < json.count, end > 0, json.bytes[end] & 0xC0 == 0x80 { end &-= 1 }
        try append(Bytes(rebasing: json.bytes[..<end]))
        if end < json.count { try append("…") }
    }
}
