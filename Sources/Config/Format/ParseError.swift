// What was wrong with a text and where, before a key and a line are put to it. Holds no byte of the
// text: of what was found only the kind of character is told, for a value may be a secret.

/// The reason why a text did not parse, and the offset of the byte at which that showed. One word
/// to throw, like `Failure`.
final class ParseError: Error, Sendable {
    let problem: Problem
    let offset: Int
    /// What a parser of another format than JSON says of a text that is `malformed`.
    let words: String

    init(problem: Problem, offset: Int, words: String) {
        self.problem = problem
        self.offset = offset
        self.words = words
    }

    @inline(never)
    convenience init(problem: Problem, offset: Int) {
        self.init(problem: problem, offset: offset, words: "")
    }

    /// The text is not what its format demands, for this reason: a few words without a full stop.
    @inline(never)
    convenience init(_ words: StaticString, at offset: Int) {
        self.init(words: "\(words)", at: offset)
    }

    convenience init(words: String, at offset: Int) {
        self.init(problem: .malformed, offset: offset, words: words)
    }

    /// The same of what was expected: it is told what was found instead.
    @inline(never)
    convenience init(expected words: StaticString, at offset: Int) {
        self.init(problem: .expected, offset: offset, words: "\(words)")
    }

    /// One reason from JSON, which all may use, or what is told in words.
    enum Problem {
        case expectedValue, expectedName, expectedNameOrBrace, expectedColon, expectedCommaOrBrace
        case expectedCommaOrBracket, expectedEnd
        case controlCharacter, badEscape, badUnicodeEscape, loneSurrogate, invalidUTF8,
            unclosedString
        case leadingZero, expectedDigit, numberTooLarge
        case repeatedName
        case tooDeep, tooManyValues, tooLarge, tooManyCopies
        case tooManyDirectives, tooLongDirective, tooMuchSpace
        case noMemory
        case malformed, expected
    }
}

extension ParseError {
    /// The failure that is reported for this error in the text `bytes` of `key`.
    func failure(key: Bytes, bytes: Bytes, returnsEndLines: Bool = false) -> Failure {
        let place = TextPosition(of: offset, in: bytes, returnsEndLines: returnsEndLines)
        return Failure(
            problem.kind, .parse, key: String(key), message(in: bytes),
            osErrno: 0, line: place.line, column: place.column)
    }

    private func message(in bytes: Bytes) -> String {
        let message =
            switch problem {
            case .malformed: words
            case .expected: "expected \(words)"
            default: problem.message
            }
        return problem.tellsWhatWasFound ? "\(message), found \(found(in: bytes))" : message
    }

    /// The kind of the character at the error's place. Punctuation of the format itself is named;
    /// anything else could be a part of a value and is only classified.
    private func found(in bytes: Bytes) -> String {
        guard offset >= 0, offset < bytes.count else { return "the end of the text" }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return "'{'"
        case UInt8(ascii: "}"): return "'}'"
        case UInt8(ascii: "["): return "'['"
        case UInt8(ascii: "]"): return "']'"
        case UInt8(ascii: ","): return "','"
        case UInt8(ascii: ":"): return "':'"
        case UInt8(ascii: "="): return "'='"
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return "a digit"
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return "a letter"
        case 0: return "a NUL byte"
        case 0x0a, 0x0d: return "the end of the line"
        case 0x01..<0x20, 0x7f: return "a control character"
        case 0x80...: return "a character outside ASCII"
        default: return "another character"
        }
    }
}

extension ParseError.Problem {
    fileprivate var kind: Failure.Kind {
        switch self {
        case .tooDeep, .tooManyValues, .tooLarge, .tooManyCopies, .tooManyDirectives,
            .tooLongDirective, .tooMuchSpace:
            .limit
        case .noMemory: .noMemory
        case .expectedValue, .expectedName, .expectedNameOrBrace, .expectedColon,
            .expectedCommaOrBrace,
            .expectedCommaOrBracket, .expectedEnd, .controlCharacter, .badEscape, .badUnicodeEscape,
            .loneSurrogate, .invalidUTF8, .unclosedString, .leadingZero, .expectedDigit,
            .numberTooLarge, .repeatedName, .malformed, .expected:
            .parse
        }
    }

    fileprivate var tellsWhatWasFound: Bool {
        switch self {
        case .expectedValue, .expectedName, .expectedNameOrBrace, .expectedColon,
            .expectedCommaOrBrace,
            .expectedCommaOrBracket, .expectedEnd, .expectedDigit, .expected:
            true
        case .controlCharacter, .badEscape, .badUnicodeEscape, .loneSurrogate, .invalidUTF8,
            .unclosedString,
            .leadingZero, .numberTooLarge, .repeatedName, .tooDeep, .tooManyValues, .tooLarge,
            .tooManyCopies, .tooManyDirectives, .tooLongDirective, .tooMuchSpace, .noMemory,
            .malformed:
            false
        }
    }

    fileprivate var message: String {
        switch self {
        case .expectedValue: "expected a value"
        case .expectedName: "expected a member's name in double quotes"
        case .expectedNameOrBrace: "expected a member's name in double quotes or '}'"
        case .expectedColon: "expected ':' after a member's name"
        case .expectedCommaOrBrace: "expected ',' or '}' after a member"
        case .expectedCommaOrBracket: "expected ',' or ']' after an element"
        case .expectedEnd: "expected nothing more after the value"
        case .controlCharacter: "unescaped control character in a string"
        case .badEscape: "invalid escape sequence in a string"
        case .badUnicodeEscape: "expected four hexadecimal digits after \\u in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .unclosedString: "a string is not closed"
        case .leadingZero: "a number begins with a superfluous zero"
        case .expectedDigit: "expected a digit in a number"
        case .numberTooLarge: "a number fits neither a 64-bit integer nor a finite double"
        case .repeatedName: "a name occurs twice in one object"
        case .tooDeep: "arrays and objects are nested too deeply"
        case .tooManyValues: "too many values in one document"
        case .tooLarge: "the value is too large"
        case .tooManyCopies: "aliases make the value too large"
        case .tooManyDirectives: "too many directives"
        case .tooLongDirective: "a directive is too long"
        case .tooMuchSpace: "too much white space in one place"
        case .noMemory: "out of memory while parsing"
        case .malformed, .expected: "not what the format demands"
        }
    }
}

/// A place in a text as editors count: lines from 1, ended by a line feed or as the format says;
/// columns in bytes from 1.
package struct TextPosition: Equatable, Sendable {
    package var line: UInt32 = 1
    package var column: UInt32 = 1

    /// The place of the byte at `offset`; the end of the text for an offset beyond it.
    package init(of offset: Int, in bytes: Bytes, returnsEndLines: Bool = false) {
        var lines = LineCounter(returnsEndLines: returnsEndLines)
        self = lines.position(of: offset, in: bytes)
    }

    fileprivate init(line: UInt32, column: UInt32) { (self.line, self.column) = (line, column) }
}

/// Finds places in a text, each from the one before.
struct LineCounter {
    /// A carriage return ends a line also where no line feed follows.
    let returnsEndLines: Bool
    private(set) var offset = 0
    private var line: UInt32 = 1
    private var lineStart = 0

    init(returnsEndLines: Bool) { self.returnsEndLines = returnsEndLines }

    /// The place of the byte at `offset`, which is none before the last one.
    mutating func position(of offset: Int, in bytes: Bytes) -> TextPosition {
        let end = min(max(offset, 0), bytes.count)
        while self.offset < end {
            let isEnd = endsLine(self.offset, bytes)
            self.offset = self.offset &+ 1
            if isEnd { (line, lineStart) = (line &+ 1, self.offset) }
        }
        return TextPosition(
            line: line, column: UInt32(truncatingIfNeeded: end &- lineStart &+ 1))
    }

    private func endsLine(_ index: Int, _ bytes: Bytes) -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "\n"): true
        case UInt8(ascii: "\r"):
            returnsEndLines
                && (index &+ 1 == bytes.count || bytes[index &+ 1] != UInt8(ascii: "\n"))
        default: false
        }
    }
}
