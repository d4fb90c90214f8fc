import Foundation
import Testing

@testable import Config

@Suite struct JSONParserTests {
    @Test(arguments: [
        ("null", "null"), ("true", "true"), ("false", "false"), ("0", "0"), ("-0", "0"), ("7", "7"), ("42", "42"),
        ("\"\"", "\"\""), ("\"a\"", "\"a\""), ("[]", "[]"), ("{}", "{}"), (" [ ] ", "[]"), ("\t{\r\n}\n", "{}"),
        ("[1,2,3]", "[1,2,3]"), ("[[],{},[[]]]", "[[],{},[[]]]"),
        ("{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}", "{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}"),
        (" { \"a\" : [ 1 , 2 ] , \"b\" : 1.5 } ", "{\"a\":[1,2],\"b\":1.5d}"),
        ("{\"\":0}", "{\"\":0}"), ("[\"\",\"x\",\"\"]", "[\"\",\"x\",\"\"]"),
    ])
    func `parses every kind of value`(text: String, tree: String) throws {
        #expect(try ParsedText(text).tree == tree)
    }
}
