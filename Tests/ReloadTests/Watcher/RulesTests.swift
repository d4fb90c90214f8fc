// When two rejections are one that is reported once.

import Config
import Testing

@testable import Reload

@Suite struct RulesTests {
    private func failure(
        _ kind: Failure.Kind = .parse, key: String = "a.json",
        message: String = "a comma is missing", osErrno: Int32 = 5, line: UInt32 = 2,
        column: UInt32 = 3
    ) -> Failure {
        Failure(
            kind, .parse, key: key, message, osErrno: osErrno, line: line, column: column)
    }

    @Test("a rejection is the same for the same content and the same reason")
    func same() {
        #expect(Rejection(failure(), fingerprint: 1) == Rejection(failure(), fingerprint: 1))
    }

    @Test("another content, key, place or reason makes it another")
    func other() {
        let rejection = Rejection(failure(), fingerprint: 1)
        #expect(rejection != Rejection(failure(), fingerprint: 2))
        let others = [
            failure(.limit), failure(key: "b.json"), failure(message: "a comma is too much"),
            failure(osErrno: 13), failure(line: 3), failure(column: 4),
        ]
        for other in others { #expect(rejection != Rejection(other, fingerprint: 1)) }
    }

    @Test("keys are compared by their bytes, not by what they look like")
    func bytes() {
        let composed = Rejection(failure(key: "\u{E9}"), fingerprint: 1)
        let decomposed = Rejection(failure(key: "e\u{301}"), fingerprint: 1)
        #expect(composed != decomposed)
    }
}
