// The words of the line that is being performed, read as what a verb wants. Misuse fails the story.

/// One line at work.
struct Words {
    let script: Script
    let line: Script.Line

    var verb: String { line.words[0].text }
    var count: Int { line.words.count }

    func failure(_ message: String) -> StoryFailure { script.failure(message, at: line.number) }

    func has(_ index: Int) -> Bool { index < count }

    func word(_ index: Int) throws(StoryFailure) -> Word {
        guard has(index) else { throw failure("\(verb): a word is missing") }
        return line.words[index]
    }

    func text(_ index: Int) throws(StoryFailure) -> String { try word(index).text }

    func number(_ index: Int) throws(StoryFailure) -> Int64 {
        guard let number = Int64(try text(index)) else {
            throw failure("'\(try text(index))' is no number")
        }
        return number
    }

    func mode(_ index: Int) throws(StoryFailure) -> UInt32 {
        guard let mode = UInt32(try text(index), radix: 8) else {
            throw failure("'\(try text(index))' is no mode")
        }
        return mode
    }

    /// The value at index, repeated where `times COUNT` follows.
    func value(_ index: Int) throws(StoryFailure) -> [UInt8] {
        let bytes = try word(index).bytes
        guard has(index + 1) else { return bytes }
        guard try text(index + 1) == "times" else {
            throw failure("'\(try text(index + 1))' where `times` may stand")
        }
        try nothing(from: index + 3)
        return Array(repeatElement(bytes, count: Int(try number(index + 2))).joined())
    }

    func nothing(from index: Int) throws(StoryFailure) {
        if has(index) { throw failure("'\(try text(index))' is a word too many") }
    }
}
