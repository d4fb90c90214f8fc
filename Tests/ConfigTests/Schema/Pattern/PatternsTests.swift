// What patterns match, and that no pattern and no text takes longer than their lengths say.
import Testing

@testable import Config

@Suite struct PatternsTests {
    /// Whether a pattern matches anywhere in a text; by its table, if it has one, and by its steps.
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        try pattern.withBytes { pattern in
            try text.withBytes { text in
                var patterns = Patterns(TestMemory.memory)
                let number = try patterns.add(pattern)
                var scratch = PatternScratch(TestMemory.memory)
                var budget = 1 << 30
                let matches = try patterns.matches(number, text, &scratch, budget: &budget)
                let step = try scratch.matches(
                    patterns.patterns[number], patterns, text, budget: &budget)
                #expect(matches == step, "the table and the steps agree")
                return matches
            }
        }
    }

    static let patterns: [(String, [String], [String])] = [
        ("", ["", "x"], []), ("a", ["a", "bab"], ["", "b"]), ("^a", ["ab"], ["ba", ""]),
        ("a$", ["ba"], ["ab", "a\n"]), ("^$", [""], ["a", "\n"]),
        ("^ab|cd$", ["abx", "xcd"], ["xab", "cdx"]),
        ("^(ab|cd)$", ["ab", "cd"], ["abcd", ""]), ("^a*$", ["", "aaa"], ["ab"]),
        ("^a+$", ["a"], [""]),
        ("^a?$", ["", "a"], ["aa"]), ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]), ("^a{0}b$", ["b"], ["ab"]),
        ("^a{0,1}$", ["", "a"], ["aa"]),
        ("^(a{1,2}){2}$", ["aa", "aaa", "aaaa"], ["a", "aaaaa"]),
        ("^(a|b)*?c$", ["c", "abac"], ["ab"]),
        ("^(?:a|)b$", ["b", "ab"], ["aab"]), ("^(?<x>a)$", ["a"], ["b"]),
        ("^(()|a)+$", ["", "aa"], ["b"]),
        ("^(a*)*$", ["", "aaa"], ["b"]), ("^(a*)+$", ["", "a"], ["b"]),
        ("^(a?){3}$", ["", "aaa"], ["aaaa"]),
        ("^.$", ["a", "é", "💩", "\u{0}"], ["", "ab", "\n", "\r", "\u{2028}", "\u{2029}"]),
        ("^[abc]$", ["a", "c"], ["d", ""]), ("^[^abc]$", ["d", "é", "\n"], ["a", ""]),
        ("^[a-c-e]$", ["b", "-", "e"], ["d"]), ("^[-a]$", ["-", "a"], ["b"]),
        ("^[a-]$", ["-"], ["b"]),
        ("^[]$", [], ["", "a"]), ("^[^]$", ["a", "\n"], [""]),
        ("^[\\]\\-\\\\^]$", ["]", "-", "\\", "^"], ["a"]),
        ("^[\\d_]+$", ["12_"], ["a"]), ("^[^\\d]$", ["a"], ["1"]), ("^[\\D]$", ["a", "é"], ["1"]),
        ("^[\\w-]+$", ["a-b_1"], ["é"]), ("^[\\b]$", ["\u{8}"], ["b"]),
        ("^[α-ω]+$", ["λογος"], ["a"]),
        ("^\\d+$", ["12"], ["1a", "१"]), ("^\\D$", ["a", "१"], ["1"]),
        ("^\\w$", ["_", "Z"], ["é", "-"]),
        ("^\\W$", ["é", "-"], ["a"]),
        ("^\\s+$", [" \t\n\u{a0}\u{feff}\u{2003}\u{2028}"], ["a", "\u{180e}"]),
        ("^\\S$", ["a", "\u{180e}"], [" ", "\u{3000}"]),
        ("^\\t\\n\\v\\f\\r\\0$", ["\t\n\u{b}\u{c}\r\u{0}"], ["t"]),
        ("^\\cJ\\x41\\u0042\\u{1F4A9}\\ud83d\\udca9$", ["\nAB💩💩"], ["x"]),
        ("^\\ud83d$", [], ["?", "💩"]), ("^[\\ud83d\\u0041]$", ["A"], ["?", "💩"]),
        ("^\\^\\$\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/\\\\$", ["^$.*+?()[]{}|/\\"], [""]),
        ("\\bcat\\b", ["cat", "a cat!", "é cat"], ["cats", "concat", ""]),
        ("\\Bcat", ["concat"], ["cat", "a cat"]),
        ("^\\b", ["a"], ["", " a"]), ("\\b$", ["a"], ["", "a "]), ("^\\B$", [""], ["a"]),
        ("\\b\\B", [], ["a", ""]),
        ("^\\p{L}+$", ["aéλ日"], ["1", "a1"]), ("^\\p{Lu}$", ["A", "É"], ["a", "1"]),
        ("^\\P{L}$", ["1", "💩"], ["a", "é"]),
        ("^\\p{Letter}\\p{Decimal_Number}\\p{Nd}$", ["a1१"], ["11a"]),
        ("^\\p{gc=Lu}\\p{General_Category=P}$", ["A!"], ["a!"]),
        ("^[\\p{Lu}\\p{Nd}é]+$", ["AÉ१é"], ["a"]), ("^[^\\p{L}]$", ["1", "💩"], ["a", "é"]),
        ("^[\\P{L}a]$", ["1", "a"], ["b", "é"]),
        ("^\\p{Any}$", ["a", "💩"], [""]), ("^\\p{Assigned}$", ["a"], ["\u{378}"]),
        ("^\\p{Cn}$", ["\u{378}"], ["a"]),
        ("^\\p{Sc}\\p{Zs}\\p{Cc}\\p{Sm}$", ["€ \n+"], ["x"]),
        ("^\\p{LC}\\p{digit}\\p{punct}$", ["a1!"], ["11!"]),
        ("é+", ["été"], ["e"]), ("^💩{2}$", ["💩💩"], ["💩"]),
        ("(^a|b$)", ["ax", "xb"], ["xa", "bx"]),
        ("^(a|ab)(c|bcd)(d*)$", ["abcd", "acd"], ["abc d"]), ("a^b", [], ["ab", "a\nb"]),
        ("a$b", [], ["ab"]),
        ("(a$)?b", ["ab", "b"], ["a"]), ("^[\\u0000-\\u{10FFFF}]$", ["a", "💩"], [""]),
        ("^[\u{FFFD}]$", ["\u{FFFD}"], ["a"]),
    ]

    @Test(arguments: patterns)
    func `matches what ECMA-262 says`(pattern: String, good: [String], bad: [String]) throws {
        for text in good { #expect(try matches(pattern, text), "\(pattern) matches \(text)") }
        for text in bad {
            #expect(try !matches(pattern, text), "\(pattern) does not match \(text)")
        }
    }

    @Test func `agrees with another matcher on thousands of patterns`() throws {
        var random = TestRandom(seed: 3)
        for _ in 0..<600 {
            let source = Self.pattern(&random, 4)
            let regex = try Regex(source).matchingSemantics(.unicodeScalar)
                .asciiOnlyWordCharacters().wordBoundaryKind(.simple)
            var patterns = Patterns(TestMemory.memory)
            try source.withBytes { pattern in
                let number = try patterns.add(pattern)
                var scratch = PatternScratch(TestMemory.memory)
                var budget = 1 << 30
                for _ in 0..<8 {
                    let text = random.text(8, of: ["a", "b", "c", " ", "é"])
                    let expected = try regex.firstMatch(in: text) != nil
                    try text.withBytes { text in
                        let table = try patterns.matches(number, text, &scratch, budget: &budget)
                        let steps = try scratch.matches(
                            patterns.patterns[number], patterns, text, budget: &budget)
                        #expect(
                            table == expected && steps == expected,
                            "\(source) on \(text.text): \(table) \(steps)")
                    }
                }
            }
        }
    }

    /// A pattern whose meaning is the same in all dialects.
    private static func pattern(_ random: inout TestRandom, _ depth: Int) -> String {
        let atom: String
        switch random.below(depth > 0 ? 9 : 4) {
        case 0: atom = random.pick(["a", "b", "c", "é"])
        case 1: atom = random.pick([".", "[ab]", "[^ab]", "[a-cé]", "\\w", "\\W"])
        case 2: atom = "a"
        case 3: return random.pick(["^", "$", "\\b", "\\B", ""])
        case 4: return pattern(&random, depth - 1) + pattern(&random, depth - 1)
        case 5: atom = "(\(pattern(&random, depth - 1))|\(pattern(&random, depth - 1)))"
        case 6: atom = "(?:\(pattern(&random, depth - 1)))"
        default: atom = "(\(pattern(&random, depth - 1))\(pattern(&random, depth - 1)))"
        }
        return atom
            + random.pick(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "*?"])
    }

    @Test(arguments: [
        "(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*x$", "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(a?){30}a{30}$", "(x+x+)+y", "^(a|b|ab)*c$", "(.*a){12}", "(a|b)*a(a|b){12}$",
    ])
    func `no pattern takes longer than lengths say`(pattern: String) throws {
        let text = String(repeating: "a", count: 4000) + "!"
        try pattern.withBytes { source in
            try text.withBytes { text in
                var patterns = Patterns(TestMemory.memory)
                let number = try patterns.add(source)
                var scratch = PatternScratch(TestMemory.memory)
                var budget = 1 << 30
                _ = try patterns.matches(number, text, &scratch, budget: &budget)
                // No more than each step once a character.
                let most = text.count * (2 * patterns.patterns[number].stepCount + 3)
                #expect((1 << 30) - budget < most)
                _ = try scratch.matches(
                    patterns.patterns[number], patterns, text, budget: &budget)
                #expect((1 << 30) - budget < 2 * most)
            }
        }
    }

    @Test func `a table that would be large is not made`() throws {
        var patterns = Patterns(TestMemory.memory)
        try "(a|b)*a(a|b){20}$".withBytes { source in
            let number = try patterns.add(source)
            #expect(patterns.patterns[number].automaton == nil)
        }
        #expect(try matches("(a|b)*a(a|b){20}$", "ba" + String(repeating: "b", count: 20)))
        #expect(try !matches("(a|b)*a(a|b){20}$", "bb" + String(repeating: "b", count: 20)))
        #expect(try matches("^.{1000}$", String(repeating: "é", count: 1000)))
        #expect(try !matches("^.{1000}$", String(repeating: "é", count: 1001)))
    }

    @Test func `many large patterns share what is to be spent on tables`() throws {
        var patterns = Patterns(TestMemory.memory)
        patterns.work = 30_000
        for number in 0..<12 {
            try "(a|b|\(number))*a(a|b){4}$".withBytes { source in _ = try patterns.add(source) }
        }
        #expect(patterns.patterns[0].automaton != nil && patterns.patterns[11].automaton == nil)
        #expect(patterns.work > -10_000)
    }

    @Test func `a budget that is spent ends the match`() throws {
        var patterns = Patterns(TestMemory.memory)
        let text = String(repeating: "ab", count: 10_000)
        try "(a|b)*a(a|b){20}$".withBytes { source in
            try text.withBytes { text in
                let number = try patterns.add(source)
                var scratch = PatternScratch(TestMemory.memory)
                var budget = 1000
                _ = try patterns.matches(number, text, &scratch, budget: &budget)
                #expect(budget < 0 && budget > -1000)
            }
        }
    }
}
