// Parsers that the application brings: what becomes of the JSON that they write, and of what goes
// wrong in them.
import Foundation
import Testing

@testable import Config

@Suite struct OwnParserTests {
    /// A document that a parser makes of a text.
    private func make(
        _ text: String, options: ParseOptions = ParseOptions(), limits: Limits = Limits(),
        _ parse: @escaping OwnParser.Parse
    ) throws -> ParsedText {
        try ParsedText(
            text, key: "app.hcl", as: .own(OwnParser(parse)), limits: limits, options: options)
    }

    private func failure(
        limits: Limits = Limits(), _ parse: @escaping OwnParser.Parse
    ) -> Failure? {
        do {
            _ = try make("x", limits: limits, parse)
            return nil
        } catch { return error as? Failure }
    }

    @Test func `the value is the JSON that the parser writes, in as many pieces as it likes`()
        throws
    {
        let parsed = try make("some text") { key, bytes, json throws(Failure) in
            #expect(key.text == "app.hcl" && bytes.text == "some text")
            for piece in ["{\"le", "ngth", "\":", "9,\"list\":[true,null]}"] {
                try json.write(piece)
            }
        }
        #expect(parsed.tree == #"{"length":9,"list":[true,null]}"#)
        #expect(parsed.document.bytes.text == "some text")
        #expect(parsed.offsets(4) == [0, 0, 0, 0])
    }

    @Test func `large output grows in memory`() throws {
        let parsed = try make("") { _, _, json throws(Failure) in
            try json.write("[0")
            for number in 1..<20_000 { try json.write(",\(number)") }
            try json.write("]")
        }
        #expect(parsed.root.count == 20_000)
        #expect(try parsed.root.element(at: 19_999)?.int64 == 19_999)
    }

    @Test func `a failure of the parser is the value's, with its own words`() throws {
        let failed = failure { _, _, _ throws(Failure) in
            throw Failure(
                .rejected, .none, key: "", "no such block", osErrno: 0, line: 3, column: 7)
        }
        #expect(failed?.kind == .rejected && failed?.stage == .parse && failed?.key == "app.hcl")
        #expect(failed?.message == "no such block" && failed?.line == 3 && failed?.column == 7)
    }

    @Test(arguments: [
        ("", "expected a value, found the end of the text, in line 1, column 1 of it"),
        ("{\n\"a\":}", "expected a value, found '}', in line 2, column 5 of it"),
        ("1 2", "expected nothing more after the value, found a digit, in line 1, column 3 of it"),
    ])
    func `output that is not JSON is told apart from the value`(output: String, problem: String) {
        let failed = failure { _, _, json throws(Failure) in try json.write(output) }
        #expect(failed?.kind == .parse && failed?.line == 0 && failed?.column == 0)
        #expect(failed?.message == "what the parser wrote is not JSON: " + problem)
    }

    @Test func `output is held to the limits, whether or not the parser looks`() {
        var limits = Limits()
        limits.maxValueBytes = 10
        limits.maxDepth = 2
        for looks in [true, false] {
            let failed = failure(limits: limits) { _, _, json throws(Failure) in
                for _ in 0..<3 {
                    do throws(Failure) {
                        try json.write("[1,")
                        try json.write("[2]]    ")
                    } catch { if looks { throw error } }
                }
            }
            #expect(failed?.kind == .limit && failed?.key == "app.hcl")
            #expect(failed?.message == "the parser wrote more than 10 bytes of JSON")
        }
        #expect(
            failure(limits: limits) { _, _, json throws(Failure) in try json.write("[[[]]]") }?
                .kind == .limit)
    }

    @Test func `members that occur twice are noted without a place`() throws {
        let parsed = try make("\n\nx") { _, _, json throws(Failure) in
            try json.write(#"{"a":1,"a":2}"#)
        }
        #expect(parsed.tree == #"{"a":2}"#)
        #expect(parsed.parsed.repeats?.count == 1)
        #expect(parsed.parsed.repeats?.position.line == 1)
    }

    @Test func `a lenient watcher keeps as text what the parser refuses`() throws {
        var options = ParseOptions()
        options.isLenient = true
        let parsed = try make(" x ", options: options) { _, _, _ throws(Failure) in
            throw Failure(.parse, "no")
        }
        #expect(parsed.tree == "\"x\"")
        #expect(parsed.parsed.forgiven?.message == "no")
    }

    @Test func `memory that is refused ends the parse, and nothing is lost`() {
        var refused = 0
        for allocation in 0..<12 {
            let leaked = TestMemory.leaked(refusing: allocation) { memory in
                var scratch = ParseScratch(memory: memory)
                let bytes = GuardedBytes("x".utf8)
                let parser = OwnParser { _, _, json throws(Failure) in
                    for _ in 0..<2000 { try json.write("[[[[[[1]]]]],") }
                }
                do throws(Failure) {
                    let parsed = try Document.make(
                        key: bytes.bytes, bytes: bytes.bytes, as: .own(parser), limits: Limits(),
                        options: ParseOptions(), scratch: &scratch, memory: memory)
                    parsed.document.release(memory)
                } catch {
                    if error.kind == .noMemory { refused += 1 }
                }
            }
            #expect(leaked == 0)
        }
        #expect(refused > 3)
    }
}

extension JSONSink {
    fileprivate func write(_ text: String) throws(Failure) {
        try text.withBytes { (bytes) throws(Failure) in try write(bytes) }
    }
}
