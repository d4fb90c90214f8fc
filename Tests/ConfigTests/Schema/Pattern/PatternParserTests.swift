// Which expressions are refused, and at which byte.
import Testing

@testable import Config

@Suite struct PatternParserTests {
    private func refusal(_ pattern: String) -> Failure? {
        pattern.withBytes { pattern in
            var patterns = Patterns(TestMemory.memory)
            do throws(Failure) {
                _ = try patterns.add(pattern)
                return nil
            } catch {
                return error
            }
        }
    }

    static let wrong: [(String, Int, String)] = [
        ("(", 2, "a group is not closed"), ("a)", 2, "a parenthesis closes nothing"),
        ("*a", 1, "there is nothing to repeat"), ("a**", 3, "there is nothing to repeat"),
        ("^*", 2, "there is nothing to repeat"), ("(|*)", 3, "there is nothing to repeat"),
        ("\\b+", 3, "there is nothing to repeat"), ("a{", 2, "a brace"), ("a{x}", 2, "a brace"),
        ("a{1", 4, "expected }"), ("a{2,1}", 2, "asks for more repetitions"), ("}", 1, "a bracket"),
        ("]", 1, "a bracket"), ("[a", 1, "a set is not closed"),
        ("[b-a]", 2, "a range ends before"),
        ("[\\d-a]", 2, "a class ends a range"), ("[a-\\d]", 2, "a class ends a range"),
        ("\\", 2, "ends with a backslash"), ("\\a", 1, "ECMA-262 with the u flag knows no such"),
        ("\\-", 1, "ECMA-262 with the u flag"), ("\\_", 1, "ECMA-262 with the u flag"),
        ("\\é", 1, "ECMA-262 with the u flag"), ("\\01", 3, "octal escapes"),
        ("\\c1", 3, "expected a letter"),
        ("\\x4", 4, "expected a hexadecimal"), ("\\u123", 6, "expected a hexadecimal"),
        ("\\u{}", 4, "expected hexadecimal"), ("\\u{110000}", 4, "there is no such character"),
        ("\\p", 1, "expected a property"), ("\\p{L", 1, "expected a property"),
        ("\\p{}", 1, "there is no such"),
        ("\\p{gc=X}", 1, "there is no such general category"),
        ("\\p{x=L}", 1, "there is no such property"),
        ("(?i)a", 1, "ECMA-262 knows no such group"),
        ("(?P<n>a)", 1, "ECMA-262 knows no such group"),
        ("(?#a)", 1, "ECMA-262 knows no such group"), ("(?<1>a)", 4, "expected the name"),
        ("(?<n", 5, "expected the name"), ("\\k", 3, "expected the name"),
        ("(?=a)*", 6, "there is nothing to repeat"),
        ("(a)\\2", 4, "refers to a group that is not there"),
        ("\\k<n>", 1, "refers to a group that is not there"),
    ]

    @Test(arguments: wrong)
    func `refuses what is no expression`(pattern: String, byte: Int, message: String) throws {
        let failure = try #require(refusal(pattern))
        #expect(failure.kind == .invalidArgument)
        #expect(failure.message.hasPrefix(message), "\(pattern): \(failure.message)")
        #expect(failure.column == byte, "\(pattern): at \(failure.column)")
        #expect(try !pattern.withBytes { try Patterns.isWellFormed($0, TestMemory.memory) })
    }

    static let unsupported: [(String, Int, String)] = [
        ("a(?=b)", 2, "look-ahead is not supported"), ("a(?!b)", 2, "look-ahead is not supported"),
        ("(?<=a)b", 1, "look-behind is not supported"),
        ("(?<!a)b", 1, "look-behind is not supported"),
        ("(a)\\1", 4, "back-references are not supported"),
        ("(?<n>a)\\k<n>*", 8, "back-references are not"),
        ("\\p{Script=Greek}", 1, "scripts are not supported"),
        ("[\\p{sc=Grek}]", 2, "scripts are not supported"),
        ("\\P{scx=Grek}", 1, "scripts are not supported"),
        ("\\p{Alphabetic}", 1, "only general categories"),
        ("(?i:a)", 1, "modifiers of a group are not supported"),
    ]

    @Test(arguments: unsupported)
    func `refuses what it does not support, although it is an expression`(
        pattern: String, byte: Int, message: String
    ) throws {
        let failure = try #require(refusal(pattern))
        #expect(failure.kind == .invalidArgument && failure.message.hasPrefix(message))
        #expect(failure.column == byte, "\(pattern): at \(failure.column)")
        #expect(try pattern.withBytes { try Patterns.isWellFormed($0, TestMemory.memory) })
    }

    @Test(arguments: [
        "(a{1000}){1000}", "((a{100}){100}){100}", "a{1000000}", "(a{5000}|b{5000}|c)",
        "a{99999999999999999999}",
        "(((((((a{9}){9}){9}){9}){9}){9}){9})",
    ])
    func `refuses repetitions that are too many when written out`(pattern: String) throws {
        let failure = try #require(refusal(pattern))
        #expect(failure.kind == .limit && failure.message.hasPrefix("is too large"))
    }

    @Test func `groups may be nested as deeply as a pattern is long`() throws {
        let deep = String(repeating: "(", count: 5000) + "a" + String(repeating: ")", count: 5000)
        #expect(refusal(deep) == nil)
        #expect(
            refusal(String(repeating: "(a|", count: 2000) + String(repeating: ")", count: 2000))
                == nil)
    }

    @Test func `a schema says which pattern it is`() throws {
        let failure = try #require(
            Schema.failure("{\"properties\":{\"a\":{\"pattern\":\"x(?=y)\"}}}"))
        #expect(
            failure.message
                == "the schema is wrong at /properties/a/pattern: the pattern, at byte 2: "
                + "look-ahead is not supported"
        )
        #expect(Schema.failure("{\"pattern\":\"(a{1000}){1000}\"}")?.kind == .limit)
    }

    @Test func `no cut or stray piece leads astray`() {
        var random = TestRandom(seed: 9)
        let pieces = [
            "a", "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "$", ".", "\\", "-", "1",
            ",", "é", "\\p{L}",
            "\\u", "{1,2}", "(?:", "(?<n>", "\\k<n>", "[^", "\\d", "\\x4", "\\b", "=", "!", "<",
        ]
        for _ in 0..<4000 {
            let text = random.text(10, of: pieces)
            let isGood = refusal(text) == nil
            let isWellFormed = try? text.withBytes {
                try Patterns.isWellFormed($0, TestMemory.memory)
            }
            #expect(!isGood || isWellFormed == true, "\(text)")
        }
    }
}
