// What a line of the log looks like.

import Testing

@testable import Reload

@Suite struct LogTests {
    @Test("a line begins with the watcher's name, if it has one")
    func name() {
        #expect(Log.line(of: "shop", "version 1") == "shop: version 1")
        #expect(Log.line(of: "", "version 1") == "version 1")
    }

    @Test("what would end the line or the text is replaced, in the name too")
    func control() {
        #expect(Log.line(of: "a\nb", "c\r\nd\0e\u{1B}[0m\u{7F}") == "a?b: c??d?e?[0m?")
    }

    @Test("all other characters stay")
    func others() {
        let text = "/etc/caf\u{E9}/\u{20AC}\u{1F600} 'quoted' \u{85}"
        #expect(Log.line(of: "", text) == text)
    }
}
