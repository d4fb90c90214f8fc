// Which values are the same, and that their hashes say so.
import Testing

@testable import Config

@Suite struct EqualityTests {
    static let pairs: [(String, String, Bool)] = [
        ("1", "1.0", true), ("0", "-0.0", true), ("1", "true", false), ("0", "false", false),
        ("null", "0", false), ("null", "null", true), ("\"a\"", "\"a\"", true),
        ("\"1\"", "1", false), ("[]", "{}", false), ("[1,2]", "[2,1]", false),
        ("[1,[2,{}]]", "[1.0,[2,{}]]", true), ("[[],1]", "[[1]]", false),
        ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true),
        ("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false),
        ("{\"a\":{\"b\":[1],\"c\":2}}", "{\"a\":{\"c\":2.0,\"b\":[1]}}", true),
        ("{\"a\":1}", "{\"a\":1,\"b\":1}", false), ("{\"a\":null}", "{\"b\":null}", false),
        ("\"é\"", "\"e\u{301}\"", false), ("[[1],[2]]", "[[1,2],[]]", false),
        ("[{\"x\":1},{}]", "[{},{\"x\":1}]", false),
    ]

    @Test(arguments: pairs)
    func `compares values as JSON Schema does`(a: String, b: String, areEqual: Bool) throws {
        let (first, second) = (try ParsedText(a), try ParsedText(b))
        var equality = Equality(seed: 7, TestMemory.memory)
        #expect(try equality.areEqual(first.root, second.root) == areEqual)
        #expect(try equality.areEqual(second.root, first.root) == areEqual)
        let hashes = (try equality.hash(first.root), try equality.hash(second.root))
        #expect((hashes.0 == hashes.1) == areEqual)
    }

    @Test func `members in any order are found in time that grows with their number`() throws {
        let count = 30_000
        let members = (0..<count).map { "\"member \($0)\":\($0)" }
        let forwards = try ParsedText("{\(members.joined(separator: ","))}")
        let backwards = try ParsedText("{\(members.reversed().joined(separator: ","))}")
        var equality = Equality(seed: 7, TestMemory.memory)
        #expect(try equality.areEqual(forwards.root, backwards.root))
    }

    @Test func `deep values are compared without a stack`() throws {
        var limits = Limits()
        limits.maxDepth = 1024
        let text = String(repeating: "[", count: 1024) + String(repeating: "]", count: 1024)
        let (a, b) = (try ParsedText(text, limits: limits), try ParsedText(text, limits: limits))
        var equality = Equality(seed: 7, TestMemory.memory)
        #expect(try equality.areEqual(a.root, b.root))
        #expect(try equality.hash(a.root) == equality.hash(b.root))
    }
}
