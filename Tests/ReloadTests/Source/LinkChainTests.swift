// What a path leads through, and what is to be watched on the way.

import Testing

@testable import Reload

@Suite struct LinkChainTests {
    private let directory = TemporaryDirectory()

    private func names(_ chain: LinkChain) -> [String] {
        chain.watches.map { "\($0.path.description):\($0.name?.description ?? "*")" }
    }

    @Test("a path without links ends where it says, and needs no watch")
    func plain() {
        directory.write("a/b", "x")
        let chain = LinkChain(directory.path("a/b"))
        #expect(chain.end == directory.path("a/b"))
        #expect(chain.watches.isEmpty)
    }

    @Test("each link on the way is watched in its own directory")
    func links() {
        directory.write("real/dir/file", "x")
        directory.link("one", to: "real/two")
        directory.link("real/two", to: "dir")
        let chain = LinkChain(directory.path("one/file"))
        #expect(chain.end == directory.path("real/dir/file"))
        #expect(names(chain) == ["\(directory.url.path):one", "\(directory.url.path)/real:two"])
        #expect(chain.watches.allSatisfy { $0.leadsElsewhere })
    }

    @Test("of a path that is missing the first missing name is watched for")
    func missing() {
        directory.write("a/file", "x")
        let chain = LinkChain(directory.path("a/b/c"))
        #expect(chain.end == nil)
        #expect(names(chain) == ["\(directory.url.path)/a:b"])
    }

    @Test("a loop of links ends")
    func loop() {
        directory.link("x", to: "y")
        directory.link("y", to: "x")
        #expect(LinkChain(directory.path("x")).end == nil)
    }
}
