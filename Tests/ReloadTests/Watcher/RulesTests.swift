// When two rejections are one that is reported once.

import Config
import Testing

@testable import Reload

@Suite struct RulesTests {
    private func failure(_ change: (inout Failure) -> Void = { _ in }) -> Failure {
        var failure = Failure(
            .parse, .parse, key: "a.json", "a comma is missing", osErrno: 5, line: 2, column: 3)
        change(&failure)
        return failure
    }

    @Test("a rejection is the same for the same content and the same reason")
    func same() {
        #expect(Rejection(failure(), fingerprint: 1) == Rejection(failure(), fingerprint: 1))
    }

    @Test("another content, key, place or reason makes it another")
    func other() {
        let rejection = Rejection(failure(), fingerprint: 1)
        #expect(rejection != Rejection(failure(), fingerprint: 2))
        let changes: [(inout Failure) -> Void] = [
            { $0.kind = .limit }, { $0.key = "b.json" }, { $0.message = "a comma is too much" },
            { $0.osErrno = 13 }, { $0.line = 3 }, { $0.column = 4 },
        ]
        for change in changes { #expect(rejection != Rejection(failure(change), fingerprint: 1)) }
    }

    @Test("keys are compared by their bytes, not by what they look like")
    func bytes() {
        let composed = Rejection(failure { $0.key = "\u{E9}" }, fingerprint: 1)
        let decomposed = Rejection(failure { $0.key = "e\u{301}" }, fingerprint: 1)
        #expect(composed != decomposed)
    }
}
