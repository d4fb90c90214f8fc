// What the parsers of several formats build their trees with: order, growth, limits, names that
// occur twice.
import Foundation
import Testing

@testable import Config

@Suite struct TreeBuilderTests {
    @Test func `a tree holds every kind of value in the order in which they came`() throws {
        let parsed = try ParsedText { tree throws(ParseError) in
            try tree.openObject(at: 0)
            try tree.name("a", at: 1)
            try tree.openArray(at: 2)
            try tree.null(at: 3)
            try tree.bool(true, at: 4)
            try tree.bool(false, at: 5)
            try tree.int64(.min, at: 6)
            try tree.double(0.5, at: 7)
            try tree.string("", at: 8)
            try tree.openObject(at: 9)
            try tree.close()
            try tree.close()
            try tree.name("b", at: 10)
            try tree.string("text", at: 11)
            try tree.close()
        }
        #expect(
            parsed.tree == #"{"a":[null,true,false,-9223372036854775808,0.5d,"",{}],"b":"text"}"#)
        #expect(parsed.offsets(12) == Array(0..<12))
    }

    @Test func `a parser may write text into its place itself`() throws {
        let parsed = try ParsedText { tree throws(ParseError) in
            try tree.openArray(at: 0)
            for byte in [0x61, 0xff] as [UInt8] {
                let room = try tree.room(for: 2)
                (room[0], room[1]) = (byte, byte)
                if byte < 0x80 {
                    try tree.string(length: 2, at: 1)
                } else {
                    try tree.bytes(length: 1, at: 1)
                }
            }
            try tree.close()
        }
        #expect(parsed.tree == #"["aa",bytes(255)]"#)
    }

    @Test func `a tree grows in nodes, texts and names as far as it must`() throws {
        let parsed = try ParsedText { tree throws(ParseError) in
            try tree.openObject(at: 0)
            for number in 0..<5000 {
                try tree.name("name \(number)", at: number)
                try tree.string(String(repeating: "x", count: number % 300), at: number)
            }
            try tree.close()
        }
        #expect(parsed.root.count == 5000)
        for number in [0, 1, 299, 4999] {
            let value = try #require("name \(number)".withBytes { parsed.root.member(named: $0) })
            #expect(try value.string.count == number % 300)
        }
    }

    @Test(arguments: [2, 30, 40, 1000])
    func `of a name that occurs twice the last one counts, unless it is refused`(count: Int) throws
    {
        func build(_ tree: inout TreeBuilder) throws(ParseError) {
            try tree.openArray(at: 0)
            try tree.openObject(at: 1)
            for number in 0..<count {
                try tree.name("\(number)", at: number)
                try tree.int64(Int64(number), at: number)
            }
            try tree.name("0", at: 5000)
            try tree.openArray(at: 5001)
            try tree.close()
            try tree.close()
            try tree.null(at: 0)
            try tree.close()
        }
        let parsed = try ParsedText(building: build)
        let members = (1..<count).map { "\"\($0)\":\($0)," }.joined()
        #expect(parsed.tree == "[{\(members)\"0\":[]},null]")
        #expect(parsed.parsed.repeats?.count == 1)
        #expect(parsed.parsed.repeats?.name == "0")

        let error = try #require(throws: ParseError.self) {
            try ParsedText(refusesRepeatedNames: true, building: build)
        }
        #expect(error.problem == .repeatedName)
        #expect(error.offset == 5000)
    }

    @Test func `names in different objects may be the same`() throws {
        let parsed = try ParsedText(refusesRepeatedNames: true) { tree throws(ParseError) in
            try tree.openObject(at: 0)
            for name in ["a", "b"] {
                try tree.name(name, at: 0)
                try tree.openObject(at: 0)
                try tree.name("a", at: 0)
                try tree.null(at: 0)
                try tree.close()
            }
            try tree.close()
        }
        #expect(parsed.tree == #"{"a":{"a":null},"b":{"a":null}}"#)
    }

    @Test func `depth, count and infinity are refused where they begin`() throws {
        var limits = Limits()
        limits.maxDepth = 3
        func problem(mostNodes: Int = 100, _ parse: (inout TreeBuilder) throws(ParseError) -> Void)
            -> ParseError?
        {
            do {
                _ = try ParsedText(limits: limits, mostNodes: mostNodes, building: parse)
                return nil
            } catch { return error as? ParseError }
        }
        let deep = problem { tree throws(ParseError) in
            for level in 0..<4 { try tree.openArray(at: level) }
        }
        #expect(deep?.problem == .tooDeep)
        #expect(deep?.offset == 3)
        let many = problem(mostNodes: 10) { tree throws(ParseError) in
            try tree.openArray(at: 0)
            for element in 1...10 { try tree.null(at: element) }
        }
        #expect(many?.problem == .tooManyValues)
        #expect(many?.offset == 10)
        let infinite = problem { tree throws(ParseError) in try tree.double(.infinity, at: 7) }
        #expect(infinite?.problem == .numberTooLarge)
        #expect(infinite?.offset == 7)
    }

    @Test func `memory that is refused ends the tree, and nothing is lost`() throws {
        var refused = 0
        for allocation in 0..<40 {
            let leaked = TestMemory.leaked(refusing: allocation) { memory in
                var scratch = ParseScratch(memory: memory)
                do throws(ParseError) {
                    _ = try TreeBuilder.build(in: &scratch, limits: Limits()) {
                        tree throws(ParseError) in
                        try tree.openObject(at: 0)
                        for number in 0..<2000 {
                            try tree.name("name \(number)", at: 0)
                            try tree.string("some text", at: 0)
                        }
                        try tree.close()
                    }
                } catch {
                    #expect(error.problem == .noMemory)
                    refused += 1
                }
            }
            #expect(leaked == 0)
        }
        #expect(refused > 10)
    }
}

extension TreeBuilder {
    fileprivate mutating func name(_ text: String, at offset: Int) throws(ParseError) {
        let bytes = Array(text.utf8)
        try bytes.withBytes { (bytes) throws(ParseError) in try name(bytes, at: offset) }
    }

    fileprivate mutating func string(_ text: String, at offset: Int) throws(ParseError) {
        let bytes = Array(text.utf8)
        try bytes.withBytes { (bytes) throws(ParseError) in try string(bytes, at: offset) }
    }
}
