// The draft's metaschema is here, and whole.
import Testing

@testable import Config

@Suite struct MetaschemaTests {
    @Test(arguments: [
        "schema", "meta/core", "meta/applicator", "meta/unevaluated", "meta/validation",
        "meta/meta-data", "meta/format-annotation", "meta/format-assertion", "meta/content",
    ])
    func `each document is a schema of its own metaschema`(name: String) throws {
        let address = "https://json-schema.org/draft/2020-12/\(name)"
        let text = try #require(address.withBytes { Metaschema.text(at: $0) })
        let metaschema = try Schema.test(
            #"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#)
        #expect(try metaschema.violations(Bytes(text).text) == [])
        let parsed = try ParsedText(Bytes(text).text)
        let id = try "$id".withBytes { try #require(parsed.root.member(named: $0)).string.text }
        #expect(id == address)
        #expect(try Schema.test("{\"$ref\":\"\(address)\"}").accepts("{}"))
    }

    @Test func `knows no other`() {
        for address in [
            "https://json-schema.org/draft/2020-12/", "https://json-schema.org/draft/2020-12/x",
            "https://json-schema.org/draft/2019-09/schema", "",
        ] {
            #expect(address.withBytes { Metaschema.text(at: $0) } == nil)
        }
    }
}
