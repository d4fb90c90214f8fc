// References to environment variables in text, as Kubernetes expands them.
import Foundation
import Testing

@testable import Config

@Suite struct VariablesTests {
    private static let values: [String: StaticString] = [
        "A": "alpha", "EMPTY": "", "B": "$(A)", "SPACE": "  x  ",
    ]

    private func options() -> ParseOptions {
        var options = ParseOptions()
        options.variables = { name in
            VariablesTests.values[name.text].map {
                Bytes(start: $0.utf8Start, count: $0.utf8CodeUnitCount)
            }
        }
        return options
    }

    private func expand(_ text: String, limits: Limits = Limits()) throws -> ParsedText {
        try ParsedText(
            text, key: "greeting", as: .format(.text), limits: limits, options: options())
    }

    // The cases are those of Kubernetes' own documentation and tests, with other names.
    @Test(arguments: [
        ("$(A)", "alpha"), ("___$(A)___", "___alpha___"), ("$(A)-$(B)", "alpha-$(A)"),
        ("$$(A)", "$(A)"), ("$$$(A)", "$alpha"), ("$$$$(A)", "$$(A)"), ("$$$$$(A)", "$$alpha"),
        ("$(EMPTY)x", "x"), ("$A", "$A"), ("A)", "A)"), ("$(A", "$(A"), ("$$", "$"), ("$", "$"),
        ("x$", "x$"), ("$)", "$)"), ("$()", "$()"), ("$$x", "$x"), ("$a$(A)", "$aalpha"),
        ("${A}", "${A}"), ("$($(A))", "$($(A))"), ("é$(A)日", "éalpha日"), ("$(A)$(A)", "alphaalpha"),
        ("$( A)", "$( A)"), ("$(A)\n$(B)", "alpha\n$(A)"), ("no reference", "no reference"),
        ("\n $(A) ", "alpha"), ("x$(SPACE)", "x  x"), ("$(EMPTY)", ""), ("$($$(A)", "$($$(A)"),
    ])
    func `references become what the variables hold`(text: String, expanded: String) throws {
        let parsed = try expand(text)
        #expect(parsed.tree == "\"\(expanded)\"")
        #expect(parsed.document.bytes.text == text, "the bytes stay as stored")
    }

    @Test func `names of no variable stay, and are counted`() throws {
        let parsed = try expand("a $(A)\n  $(NONE) $$(NONE) $(A=x) $(NONE)")
        #expect(parsed.tree == "\"a alpha\n  $(NONE) $(NONE) $(A=x) $(NONE)\"")
        #expect(parsed.parsed.unknown?.count == 3)
        #expect(parsed.parsed.unknown?.position.line == 2)
        #expect(parsed.parsed.unknown?.position.column == 3)
        #expect(try expand("$(A)").parsed.unknown == nil)
    }

    @Test func `numbers read as what the text became`() throws {
        var options = options()
        options.variables = { name in
            let value: StaticString = "42"
            return name.text == "N"
                ? Bytes(start: value.utf8Start, count: value.utf8CodeUnitCount) : nil
        }
        let parsed = try ParsedText(
            "$(N)0", key: "limit", as: .format(.text), options: options)
        #expect(try parsed.root.int64 == 420)
    }

    @Test func `only text is expanded`() throws {
        for (format, text, tree) in [
            (KeyFormat.format(.json), "[\"$(A)\"]", "[\"$(A)\"]"),
            (.format(.yaml), "a: $(A)", "{\"a\":\"$(A)\"}"), (.sniffed, "[\"$(A)\"]", "[\"$(A)\"]"),
            (.sniffed, "[$(A)", "\"[alpha\""),
        ] {
            let parsed = try ParsedText(text, key: "k", as: format, options: options())
            #expect(parsed.tree == tree)
        }
        var lenient = options()
        lenient.isLenient = true
        let kept = try ParsedText("{$(A)", key: "k", as: .format(.json), options: lenient)
        #expect(kept.tree == "\"{$(A)\"")
    }

    @Test func `what became too large is refused`() throws {
        var limits = Limits()
        limits.maxValueBytes = 20
        #expect(try expand("$(A)$(A)$(A)$(A)", limits: limits).tree == "\"alphaalphaalphaalpha\"")
        #expect(throws: Failure.self) { try expand("$(A)$(A)$(A)$(A)!", limits: limits) }
    }

    @Test func `a megabyte of beginnings takes no time to speak of`() throws {
        let text = String(repeating: "$(", count: 500_000)
        let time = try ContinuousClock().measure { _ = try expand(text) }
        // Looking for the end of each again would take hours.
        #expect(time < .seconds(20))
    }
}
