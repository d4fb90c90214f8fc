// What the parsers of TOML and INI build their trees with: tables that are added to in any order.
import Foundation
import Testing

@testable import Config

@Suite struct TableTreeTests {
    @Test func `tables are written whole, however their members came`() throws {
        let built = try BuiltTree { tree in
            let a = try tree.table("a", in: TableTree.root)
            let b = try tree.table("b", in: TableTree.root)
            try tree.number(1, named: "x", in: a)
            try tree.number(2, named: "x", in: b)
            let list = try tree.array("list", in: a)
            try tree.number(3, named: "y", in: a)
            for number in [4, 5] {
                let element = try tree.append(to: list)
                try tree.open(.object, at: 9, of: element)
                try tree.number(number, named: "z", in: element)
            }
            try tree.number(6, named: "last", in: TableTree.root)
        }
        #expect(
            built.text
                == #"{"a":{"x":1,"list":[{"z":4},{"z":5}],"y":3},"b":{"x":2},"last":6}"#)
    }

    @Test func `a name is found in its own table alone`() throws {
        _ = try BuiltTree { tree in
            let a = try tree.table("a", in: TableTree.root)
            let b = try tree.table("b", in: a)
            #expect(tree.find("a") == a && tree.find("b") == nil)
            #expect(tree.find("b", in: a) == b && tree.find("a", in: a) == nil)
            #expect(tree.find("b", in: b) == nil && tree.find("") == nil)
        }
    }

    @Test func `every name is found while entries and table grow`() throws {
        let built = try BuiltTree { tree in
            var tables: [Int] = []
            for number in 0..<300 {
                tables.append(try tree.table("table \(number)", in: TableTree.root))
            }
            // An element has no name, and is not mistaken for one.
            let list = try tree.array("list", in: TableTree.root)
            for number in 0..<40 {
                for table in tables { try tree.number(number, named: "name \(number)", in: table) }
                let element = try tree.append(to: list)
                tree.set(.bool, 1, at: 0, of: element)
            }
            for number in 0..<40 {
                for table in tables { #expect(tree.find("name \(number)", in: table) != nil) }
            }
            #expect(tree.find("name 40", in: tables[0]) == nil)
        }
        #expect(built.nodeCount == 1 + 300 * (2 + 80) + 2 + 40)
    }

    @Test func `a member that is replaced keeps its place and loses its value`() throws {
        let built = try BuiltTree { tree in
            try tree.number(1, named: "a", in: TableTree.root)
            try tree.number(2, named: "b", in: TableTree.root)
            for number in [3, 4] {
                let name = tree.write("a", at: 70 + number)
                let there = try #require(tree.find(name, in: TableTree.root))
                tree.replace(there, by: name)
                tree.set(.int64, UInt64(number), at: 80, of: there)
            }
        }
        #expect(built.text == #"{"a":4,"b":2}"#)
        #expect(built.replacedCount == 2 && built.firstRepeated.sourceOffset == 73)
    }

    @Test func `depth and number of nodes are held to their limits`() throws {
        var limits = Limits()
        limits.maxDepth = 3
        func nested(_ depth: Int) throws -> BuiltTree {
            try BuiltTree(limits: limits) { tree in
                var table = TableTree.root
                for _ in 1..<depth { table = try tree.table("a", in: table) }
            }
        }
        #expect(try nested(3).text == #"{"a":{"a":{}}}"#)
        #expect(throws: ParseError.self) { try nested(4) }

        func many(_ count: Int) throws -> BuiltTree {
            try BuiltTree(mostNodes: 9) { tree in
                for number in 0..<count {
                    try tree.number(number, named: "\(number)", in: TableTree.root)
                }
            }
        }
        #expect(try many(4).nodeCount == 9)
        let error = try #require(throws: ParseError.self) { try many(5) }
        #expect(error.problem == .tooManyValues)
    }
}

/// A tree, and the scratch that it is built in.
private final class TreeUnderTest {
    private var tree: TableTree
    private var scratch: ParseScratch

    init(limits: Limits, mostNodes: Int) throws {
        scratch = ParseScratch(memory: guardedMemory)
        tree = try TableTree(
            textRoom: 1 << 20, limits: limits, mostNodes: mostNodes, scratch: &scratch)
    }

    func write(_ name: String, at offset: Int) -> TableTree.Name {
        for (index, byte) in name.utf8.enumerated() { tree.free[index] = byte }
        return tree.name(name.utf8.count, at: offset)
    }

    func find(_ name: String, in table: Int = TableTree.root) -> Int? {
        tree.find(write(name, at: 0), in: table)
    }

    func find(_ name: TableTree.Name, in table: Int) -> Int? { tree.find(name, in: table) }

    func table(_ name: String, in table: Int) throws -> Int {
        let made = try tree.add(write(name, at: 0), to: table, scratch: &scratch)
        try tree.open(.object, at: 0, of: made)
        return made
    }

    func array(_ name: String, in table: Int) throws -> Int {
        let made = try tree.add(write(name, at: 0), to: table, scratch: &scratch)
        try tree.open(.array, at: 0, of: made)
        return made
    }

    func number(_ number: Int, named name: String, in table: Int) throws {
        let made = try tree.add(write(name, at: 0), to: table, scratch: &scratch)
        tree.set(.int64, UInt64(number), at: 0, of: made)
    }

    func append(to array: Int) throws -> Int {
        try tree.append(to: array, at: 0, scratch: &scratch)
    }

    func replace(_ entry: Int, by name: TableTree.Name) { tree.replace(entry, by: name) }

    func set(_ type: ValueType, _ payload: UInt64, at offset: Int, of entry: Int) {
        tree.set(type, payload, at: offset, of: entry)
    }

    func open(_ type: ValueType, at offset: Int, of entry: Int) throws {
        try tree.open(type, at: offset, of: entry)
    }

    /// What was built, and its JSON.
    func finish() throws -> (ParsedTree, String) {
        let parsed = try tree.finish(&scratch)
        let none = Bytes(start: nil, count: 0)
        let document = try Document.makeTree(
            parsed, key: none, bytes: none, format: .format(.text), scratch: scratch,
            memory: guardedMemory
        ).document
        defer { document.release(guardedMemory) }
        let written = try JSONWriter.write(document.root, memory: guardedMemory)
        defer { written.free(guardedMemory) }
        return (parsed, written.bytes.text)
    }
}

private struct BuiltTree {
    let text: String
    let nodeCount: Int
    let replacedCount: Int
    let firstRepeated: Node

    init(
        limits: Limits = Limits(), mostNodes: Int = Limits.nodesPerDocument,
        _ build: (TreeUnderTest) throws -> Void
    ) throws {
        let tree = try TreeUnderTest(limits: limits, mostNodes: mostNodes)
        try build(tree)
        let (parsed, text) = try tree.finish()
        self.text = text
        nodeCount = parsed.nodeCount
        replacedCount = parsed.replacedCount
        firstRepeated = parsed.firstRepeated
    }
}
