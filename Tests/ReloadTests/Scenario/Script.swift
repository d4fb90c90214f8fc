// A scenario file taken apart into lines of words; the language is described in
// Tests/Scenarios/README.md. Knows no verb and touches nothing but the file.

import Glibc
import Testing

/// Why a story failed, and where it says so.
struct StoryFailure: Error, CustomStringConvertible {
    let description: String
}

/// A word: bytes, since values may be anything.
struct Word: Sendable {
    var bytes: [UInt8] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// One story.
struct Script: Sendable, CustomTestStringConvertible {
    /// A verb and its arguments.
    struct Line: Sendable {
        let number: Int
        var words: [Word]
    }

    let name: String
    private(set) var title = ""
    private(set) var lines: [Line] = []

    var testDescription: String { title }

    /// What the story needs of the machine: the words behind `needs`.
    var needs: [String] { lines.filter { $0.words[0].text == "needs" }.map { $0.words[1].text } }

    init(name: String, text: [UInt8]) throws(StoryFailure) {
        self.name = name
        var isInBlock = false
        for (index, raw) in text.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).enumerated() {
            let start = raw.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            switch start.first {
            case nil:
                break
            case UInt8(ascii: "#"):
                if index == 0 { title = String(decoding: start.dropFirst(2), as: UTF8.self) }
            case UInt8(ascii: "|"):
                addText(start.dropFirst(), isFirst: !isInBlock)
            default:
                lines.append(Line(number: index + 1, words: try words(of: start, at: index + 1)))
            }
            isInBlock = start.first == UInt8(ascii: "|")
        }
        if title.isEmpty {
            throw failure("the first line must be a comment: the story in one sentence", at: 1)
        }
    }

    func failure(_ message: String, at line: Int) -> StoryFailure {
        StoryFailure(description: "\(name):\(line): \(message)")
    }

    /// Adds a line of text to the last word of the last verb; the first such line makes that word.
    private mutating func addText(_ text: ArraySlice<UInt8>, isFirst: Bool) {
        guard var line = lines.popLast() else { return }
        if isFirst { line.words.append(Word()) }
        line.words[line.words.count - 1].bytes +=
            text.first == UInt8(ascii: " ") ? text.dropFirst() : text
        line.words[line.words.count - 1].bytes.append(UInt8(ascii: "\n"))
        lines.append(line)
    }

    private func words(of text: ArraySlice<UInt8>, at line: Int) throws(StoryFailure) -> [Word] {
        var words: [Word] = []
        var rest = text
        while let first = rest.first {
            switch first {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                rest = rest.dropFirst()
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                words.append(try quoted(&rest, by: first, at: line))
            default:
                let bare = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
                words.append(Word(bytes: Array(bare)))
                rest = rest.dropFirst(bare.count)
            }
        }
        return words
    }

    private func quoted(
        _ rest: inout ArraySlice<UInt8>, by quote: UInt8, at line: Int
    ) throws(StoryFailure) -> Word {
        var word = Word()
        rest = rest.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote { return word }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                word.bytes.append(try escaped(&rest, at: line))
            } else {
                word.bytes.append(byte)
            }
        }
        throw failure("a quote is not closed", at: line)
    }

    private func escaped(_ rest: inout ArraySlice<UInt8>, at line: Int) throws(StoryFailure)
        -> UInt8
    {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "\""): return UInt8(ascii: "\"")
        case UInt8(ascii: "x"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            rest = rest.dropFirst(2)
            guard let byte = UInt8(digits, radix: 16) else { fallthrough }
            return byte
        default:
            throw failure("unknown escape", at: line)
        }
    }
}

extension Script {
    /// The folder of the scenarios, found from where this file lies.
    static let folder: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/") + "/Scenarios"
    }()

    /// The stories below a folder, by name.
    static func all(in folder: String) throws -> [Script] {
        guard let directory = opendir(folder) else {
            throw StoryFailure(description: "cannot read \(folder)")
        }
        defer { closedir(directory) }
        var scripts: [Script] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".scenario") {
                scripts.append(try Script(name: name, text: try bytes(of: "\(folder)/\(name)")))
            }
        }
        return scripts.sorted { $0.name < $1.name }
    }

    private static func bytes(of path: String) throws(StoryFailure) -> [UInt8] {
        guard let file = fopen(path, "r") else {
            throw StoryFailure(description: "cannot read \(path)")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF {
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
        return bytes
    }
}
