// What each keyword allows and refuses.
import Testing

@testable import Config

@Suite struct KeywordTests {
    struct Rule: CustomTestStringConvertible {
        var schema: String
        var good: [String]
        var bad: [String]
        var testDescription: String { schema }

        init(_ schema: String, good: [String], bad: [String]) {
            (self.schema, self.good, self.bad) = (schema, good, bad)
        }
    }

    static let rules: [Rule] = [
        Rule(#"{"type":"null"}"#, good: ["null"], bad: ["0", "false", #""""#, "[]", "{}"]),
        Rule(#"{"type":"boolean"}"#, good: ["true", "false"], bad: ["1", "null", #""true""#]),
        Rule(#"{"type":"string"}"#, good: [#""""#, #""x""#], bad: ["1", "null", "[]"]),
        Rule(#"{"type":"array"}"#, good: ["[]", "[1]"], bad: ["{}", #""""#]),
        Rule(#"{"type":"object"}"#, good: ["{}"], bad: ["[]", "1"]),
        Rule(#"{"type":["null","integer"]}"#, good: ["null", "2", "2.0"], bad: ["2.5", "[]"]),
        Rule(#"{"const":{"a":[1]}}"#, good: [#"{"a":[1.0]}"#], bad: [#"{"a":[]}"#, "1"]),
        Rule(#"{"const":null}"#, good: ["null"], bad: ["0", "false"]),
        Rule(
            #"{"enum":[1,"a",[],{"b":2}]}"#, good: ["1.0", #""a""#, "[]", #"{"b":2}"#],
            bad: ["2", #""b""#, "{}", "null"]),
        Rule(#"{"enum":[]}"#, good: [], bad: ["1", "null"]),
        Rule(
            #"{"enum":[0,1,2,3,4,5,6,7,8,9,"a",[1],{"x":1,"y":2}]}"#,
            good: ["9", "7.0", #""a""#, "[1.0]", #"{"y":2,"x":1}"#],
            bad: ["10", #""b""#, "[2]", #"{"y":1,"x":2}"#, "null", "true"]),
        Rule(#"{"multipleOf":3}"#, good: ["9", "0", "-3.0", #""x""#], bad: ["10", "1.5"]),
        Rule(#"{"minimum":1.5}"#, good: ["1.5", "2", #""x""#], bad: ["1", "-3", "1.49"]),
        Rule(#"{"maximum":3}"#, good: ["3", "2.9", "null"], bad: ["3.1", "4"]),
        Rule(#"{"exclusiveMinimum":1}"#, good: ["1.1", "2", "[]"], bad: ["1", "1.0", "0"]),
        Rule(#"{"exclusiveMaximum":1}"#, good: ["0", "0.9", "{}"], bad: ["1", "1.0", "2"]),
        Rule(#"{"minLength":2}"#, good: [#""ab""#, #""日本""#, "1"], bad: [#""a""#, #""💩""#]),
        Rule(#"{"maxLength":2}"#, good: [#""ab""#, #""💩💩""#, "[1,2,3]"], bad: [#""abc""#]),
        Rule(#"{"minLength":2.0,"maxLength":1e300}"#, good: [#""ab""#], bad: [#""a""#]),
        Rule(#"{"pattern":"^a+$"}"#, good: [#""aa""#, "1"], bad: [#""ab""#, #""""#]),
        Rule(#"{"minItems":1}"#, good: ["[1]", "{}"], bad: ["[]"]),
        Rule(#"{"maxItems":1}"#, good: ["[1]", #""ab""#], bad: ["[1,2]"]),
        Rule(
            #"{"uniqueItems":true}"#, good: ["[]", "[1,2]", "[1,true]", #"{"a":1}"#],
            bad: ["[1,1.0]", #"[{"a":1,"b":2},{"b":2,"a":1}]"#, "[1,2,3,4,5,6,7,8,9,10,1]"]),
        Rule(#"{"uniqueItems":false}"#, good: ["[1,1]"], bad: []),
        Rule(#"{"minProperties":1}"#, good: [#"{"a":1}"#, "[]"], bad: ["{}"]),
        Rule(#"{"maxProperties":1}"#, good: [#"{"a":1}"#], bad: [#"{"a":1,"b":2}"#]),
        Rule(
            #"{"required":["a","b"]}"#, good: [#"{"b":1,"a":2}"#, "[]"], bad: [#"{"a":1}"#, "{}"]),
        Rule(
            #"{"properties":{"a":{"type":"integer"},"b":false}}"#,
            good: ["{}", #"{"a":1,"c":2}"#, "[]"], bad: [#"{"a":"x"}"#, #"{"b":1}"#]),
        Rule(
            #"{"patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":5}}}"#,
            good: [#"{"x":1,"z":"z"}"#, #"{"xy":5}"#], bad: [#"{"xa":"1"}"#, #"{"xy":4}"#]),
        Rule(
            #"""
            {"properties":{"a":true},"patternProperties":{"^x":true},"additionalProperties":
            false}
            """#,
            good: [#"{"a":1,"xx":2}"#], bad: [#"{"b":1}"#, #"{"a":1,"ax":1}"#]),
        Rule(
            #"{"additionalProperties":{"type":"integer"}}"#, good: [#"{"a":1}"#],
            bad: [#"{"a":""}"#]),
        Rule(
            #"""
            {"required":["a"],"additionalProperties":false}
            """#, good: [], bad: [#"{"a":1}"#, "{}"]),
        Rule(#"{"propertyNames":{"maxLength":2}}"#, good: [#"{"ab":1}"#], bad: [#"{"abc":1}"#]),
        Rule(
            #"{"dependentRequired":{"a":["b"]}}"#, good: ["{}", #"{"b":1}"#, #"{"a":1,"b":1}"#],
            bad: [#"{"a":1}"#]),
        Rule(
            #"{"dependentSchemas":{"a":{"minProperties":2}}}"#, good: ["{}", #"{"a":1,"b":1}"#],
            bad: [#"{"a":1}"#]),
        Rule(
            #"{"dependencies":{"a":["b"],"c":{"minProperties":2}}}"#,
            good: [#"{"a":1,"b":1}"#, #"{"c":1,"d":1}"#], bad: [#"{"a":1}"#, #"{"c":1}"#]),
        Rule(
            #"{"prefixItems":[{"type":"integer"},{"type":"string"}]}"#,
            good: ["[]", "[1]", #"[1,"a",null]"#], bad: [#"["a"]"#, "[1,2]"]),
        Rule(
            #"{"prefixItems":[true],"items":{"type":"integer"}}"#, good: [#"["a",1,2]"#, "[]"],
            bad: [#"["a",1,"b"]"#]),
        Rule(
            #"{"items":{"items":{"minimum":0}}}"#, good: ["[[1],[2]]", "[]"], bad: ["[[1],[-1]]"]),
        Rule(#"{"items":false}"#, good: ["[]"], bad: ["[1]"]),
        Rule(#"{"contains":{"minimum":5}}"#, good: ["[1,5]", "{}"], bad: ["[]", "[1]"]),
        Rule(
            #"{"contains":{"const":1},"minContains":2,"maxContains":3}"#,
            good: ["[1,1]", "[1,2,1,1]"], bad: ["[1]", "[1,1,1,1]"]),
        Rule(#"{"contains":{"const":1},"minContains":0}"#, good: ["[]", "[2]"], bad: []),
        Rule(#"{"minContains":5,"maxContains":0}"#, good: ["[]", "[1]"], bad: []),
        Rule(
            #"{"contains":{"items":{"const":1}},"items":{"type":"array"}}"#,
            good: ["[[1]]", "[[2],[1,1]]"], bad: ["[[2]]", "[[1],1]"]),
        Rule(#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, good: ["1", "2"], bad: ["0", "3"]),
        Rule(#"{"anyOf":[{"type":"string"},{"minimum":2}]}"#, good: [#""x""#, "2"], bad: ["1"]),
        Rule(#"{"oneOf":[{"type":"number"},{"minimum":2}]}"#, good: ["1", #""x""#], bad: ["3"]),
        Rule(#"{"oneOf":[false,false]}"#, good: [], bad: ["1"]),
        Rule(#"{"not":{"type":"integer"}}"#, good: ["1.5", #""x""#], bad: ["1"]),
        Rule(
            #"{"not":{"properties":{"a":{"minimum":5}},"required":["a"]}}"#,
            good: ["{}", #"{"a":1}"#], bad: [#"{"a":6}"#]),
        Rule(
            #"{"if":{"type":"integer"},"then":{"minimum":5},"else":{"type":"string"}}"#,
            good: ["5", #""a""#], bad: ["4", "null"]),
        Rule(#"{"if":{"type":"integer"},"else":false}"#, good: ["5"], bad: [#""a""#]),
        Rule(#"{"then":false,"else":false}"#, good: ["1"], bad: []),
        Rule(
            ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}},"minimum":5}"##,
            good: ["5"], bad: ["4", #""x""#]),
        Rule("true", good: ["1", "null", "{}"], bad: []),
        Rule("false", good: [], bad: ["1", "null", "{}"]),
        Rule("{}", good: ["1", "null", "{}"], bad: []),
        Rule(
            #"""
            {"title":"t","description":"d","default":1,"deprecated":true,"readOnly":true,
            "writeOnly":false,"examples":[1],"$comment":"c","contentEncoding":"base64",
            "contentMediaType":"text/plain","contentSchema":{"type":"null"},"unknown":{
            "type":7}}
            """#,
            good: ["1", #""x""#], bad: []),
    ]

    @Test(arguments: rules)
    func `allows what it says and nothing else`(rule: Rule) throws {
        let schema = try Schema.test(rule.schema)
        for text in rule.good {
            #expect(try schema.violations(text) == [], "\(rule.schema) allows \(text)")
        }
        for text in rule.bad {
            #expect(try !schema.accepts(text), "\(rule.schema) refuses \(text)")
        }
        // Where nobody wants to know why, the same holds.
        let registry = try SchemaRegistry([("http://x/rule", rule.schema)])
        let quiet = try Schema.test(##"{"not":{"$ref":"http://x/rule"}}"##, registry: registry)
        for text in rule.good { #expect(try !quiet.accepts(text), "quietly: \(text)") }
        for text in rule.bad { #expect(try quiet.accepts(text), "quietly: \(text)") }
    }

    static let unevaluated: [Rule] = [
        Rule(
            #"{"properties":{"a":true},"unevaluatedProperties":false}"#,
            good: [#"{"a":1}"#, "[]"], bad: [#"{"b":1}"#]),
        Rule(
            ##"""
            {"allOf":[{"properties":{"a":true}}],"$ref":"#/$defs/b","$defs":{"b":{
            "patternProperties":{"^b":true}}},"unevaluatedProperties":false}
            """##,
            good: [#"{"a":1,"bb":2}"#], bad: [#"{"c":1}"#]),
        Rule(
            #"""
            {"anyOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{
            "properties":{"b":true},"required":["b"]}],"unevaluatedProperties":false}
            """#,
            good: [#"{"a":1}"#, #"{"b":1}"#, #"{"a":1,"b":1}"#], bad: [#"{"a":"x","b":1}"#]),
        Rule(
            #"""
            {"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"properties":{
            "b":true}},"else":{"properties":{"c":true}},"unevaluatedProperties":false}
            """#,
            good: [#"{"a":1,"b":1}"#, #"{"c":1}"#],
            bad: [#"{"a":1,"c":1}"#, #"{"b":1}"#, #"{"a":2,"c":1}"#]),
        Rule(
            #"{"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false}"#,
            good: ["{}"], bad: [#"{"a":1}"#]),
        Rule(
            #"""
            {"dependentSchemas":{"a":{"properties":{"a":true,"b":true}}},
            "unevaluatedProperties":false}
            """#,
            good: [#"{"a":1,"b":1}"#], bad: [#"{"b":1}"#]),
        Rule(
            #"""
            {"properties":{"a":{"properties":{"b":true}}},"unevaluatedProperties":{"type":
            "integer"}}
            """#,
            good: [#"{"a":{"b":1,"c":2},"d":1}"#], bad: [#"{"d":"x"}"#]),
        Rule(
            #"""
            {"oneOf":[{"properties":{"a":true},"required":["a"]},{"properties":{"b":true},
            "required":["b"]}],"unevaluatedProperties":false}
            """#,
            good: [#"{"a":1}"#, #"{"b":2}"#], bad: [#"{"a":1,"b":1}"#, #"{"a":1,"c":1}"#]),
        Rule(
            #"{"allOf":[{"additionalProperties":true}],"unevaluatedProperties":false}"#,
            good: [#"{"a":1}"#], bad: []),
        Rule(
            #"{"allOf":[{"unevaluatedProperties":true}],"unevaluatedProperties":false}"#,
            good: [#"{"a":1}"#], bad: []),
        Rule(
            #"{"prefixItems":[true],"unevaluatedItems":false}"#, good: ["[1]", "{}"], bad: ["[1,2]"]
        ),
        Rule(
            #"{"prefixItems":[true],"contains":{"const":7},"unevaluatedItems":false}"#,
            good: ["[1,7,7]", "[7]"], bad: ["[1,7,2]", "[1]"]),
        Rule(
            #"""
            {"anyOf":[{"prefixItems":[{"const":1}]},{"prefixItems":[true,{"const":2}]}],
            "unevaluatedItems":false}
            """#,
            good: ["[1]", "[3,2]", "[1,2]"], bad: ["[1,3]", "[3,3]", "[1,2,3]"]),
        Rule(
            #"{"items":{"type":"integer"},"unevaluatedItems":false}"#, good: ["[1,2]"],
            bad: [#"["a"]"#]),
        Rule(#"{"allOf":[{"items":true}],"unevaluatedItems":false}"#, good: ["[1,2]"], bad: []),
        Rule(
            #"""
            {"$id":"http://a/","$ref":"b","$defs":{"b":{"$id":"b","properties":{"x":true}}},
            "unevaluatedProperties":false}
            """#,
            good: [#"{"x":1}"#], bad: [#"{"y":1}"#]),
    ]

    @Test(arguments: unevaluated)
    func `knows what has been evaluated`(rule: Rule) throws {
        try `allows what it says and nothing else`(rule: rule)
    }

    @Test func `notes more members and elements than a word has bits`() throws {
        let names = (0..<200).map { "\"m\($0)\"" }
        let known = names.map { "\($0):true" }.joined(separator: ",")
        let schema = try Schema.test(
            "{\"allOf\":[{\"properties\":{\(known)}}],\"unevaluatedProperties\":false}")
        let members = names.map { "\($0):1" }
        #expect(try schema.accepts("{\(members.reversed().joined(separator: ","))}"))
        let more = members + ["\"other\":1"]
        #expect(try schema.violations("{\(more.joined(separator: ","))}").map(\.path) == ["/other"])
        let items = try Schema.test(
            "{\"contains\":{\"const\":1},\"unevaluatedItems\":{\"const\":2}}")
        let elements = (0..<200).map { $0 % 3 == 0 ? "1" : "2" }
        #expect(try items.accepts("[\(elements.joined(separator: ","))]"))
        #expect(
            try items.violations("[\(elements.joined(separator: ",")),3]").map(\.path) == ["/200"])
    }

    @Test func `every keyword is found by its name and by no other`() {
        var names: Set<String> = []
        for keyword in Keyword.allCases {
            let name = Bytes(keyword.name)
            #expect(Keyword(name) == keyword)
            names.insert(name.text)
        }
        #expect(names.count == Keyword.count)
        for name in ["", "Type", "typ", "types", "$Ref", "ref", "$recursiveRef", "id"] {
            #expect(name.withBytes { Keyword($0) } == nil, "\(name)")
        }
    }
}
