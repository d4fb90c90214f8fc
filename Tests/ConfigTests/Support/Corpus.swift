// The inputs that a fuzzer begins with, replayed: what they are is in their names.
import Foundation
import Testing

@testable import Config

/// The files of Tests/Fuzz/corpus/`folder`, in the order of their names.
func corpus(_ folder: String) throws -> [(name: String, content: Data)] {
    let tests = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    let folder = tests.appending(path: "Fuzz/corpus/\(folder)")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
        ($0, try Data(contentsOf: folder.appending(path: $0)))
    }
}

/// Parses every file of Tests/Fuzz/corpus/`folder`: y_ parses, n_ does not, for the others it only
/// matters that nothing breaks. Each is cut at every length and broken at every byte, too.
func judgeCorpus(_ folder: String, _ format: Format) throws {
    let files = try corpus(folder)
    #expect(files.count > 10)
    for (name, content) in files {
        let failure = ParsedText.failure(content, format: format)
        if name.hasPrefix("y_") { #expect(failure == nil, "\(name)") }
        if name.hasPrefix("n_") { #expect(failure != nil, "\(name)") }
        // What has to be this long to be hostile is slow enough once.
        if content.count > 5000 { continue }
        for place in 0..<min(content.count, 300) {
            _ = ParsedText.failure(content.prefix(place), format: format)
            var broken = content
            broken[place] ^= 1 << UInt8(place % 8)
            _ = ParsedText.failure(broken, format: format)
        }
    }
}

extension ParsedText {
    /// The tree of a text in some format.
    static func tree(_ text: String, _ format: Format, limits: Limits = Limits()) throws -> String {
        try ParsedText(text, format: format, limits: limits).tree
    }

    /// The problem of a text in some format, as a person reads it: `line:column: message`.
    static func complaint(
        _ content: some Sequence<UInt8>, _ format: Format, limits: Limits = Limits()
    ) -> String? {
        failure(content, format: format, limits: limits).map {
            "\($0.line):\($0.column): \($0.message)"
        }
    }

    static func complaint(_ text: String, _ format: Format, limits: Limits = Limits()) -> String? {
        complaint(text.utf8, format, limits: limits)
    }
}

// What tests ask of objects of strings.
extension ParsedText {
    /// The members of the root, which are strings.
    var members: [(name: String, value: String)] { members(of: root.node).members }

    /// The members of the root, which are objects of strings.
    var sections: [(name: String, members: [(String, String)])] {
        var sections: [(name: String, members: [(String, String)])] = []
        var next = root.node + 1
        for _ in 0..<root.count {
            let section = members(of: next + 1)
            sections.append((document.text(of: next.pointee).text, section.members))
            next = section.next
        }
        return sections
    }

    private func members(
        of object: UnsafePointer<Node>
    ) -> (members: [(name: String, value: String)], next: UnsafePointer<Node>) {
        let count = Int(object.pointee.payload >> 32)
        let members = (0..<count).map {
            (
                name: document.text(of: object[1 + 2 * $0]).text,
                value: document.text(of: object[2 + 2 * $0]).text
            )
        }
        return (members, object + 1 + 2 * count)
    }
}
