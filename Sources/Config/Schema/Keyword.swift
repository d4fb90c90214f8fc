// The words of JSON Schema, draft 2020-12: how each is spelt, which vocabulary it belongs to and
// what its value must look like. A word that is not here is an annotation.

/// A keyword of the draft's vocabularies, and `definitions` and `dependencies`, which schemas of
/// earlier drafts left behind.
enum Keyword: UInt8, CaseIterable {
    // Core.
    case schema, vocabulary, id, anchor, dynamicAnchor, ref, dynamicRef, defs, comment, definitions
    // Applicators.
    case allOf, anyOf, oneOf, not, `if`, then, `else`, dependentSchemas, dependencies
    case prefixItems, items, contains, properties, patternProperties, additionalProperties
    case propertyNames, unevaluatedItems, unevaluatedProperties
    // Validation.
    case type, const, `enum`, multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum
    case maxLength, minLength, pattern, maxItems, minItems, uniqueItems, maxContains, minContains
    case maxProperties, minProperties, required, dependentRequired
    // Annotations.
    case format, contentEncoding, contentMediaType, contentSchema
    case title, description, `default`, deprecated, readOnly, writeOnly, examples

    static var count: Int { Int(Keyword.examples.rawValue) &+ 1 }

    var name: StaticString {
        switch self {
        case .schema: "$schema"
        case .vocabulary: "$vocabulary"
        case .id: "$id"
        case .anchor: "$anchor"
        case .dynamicAnchor: "$dynamicAnchor"
        case .ref: "$ref"
        case .dynamicRef: "$dynamicRef"
        case .defs: "$defs"
        case .comment: "$comment"
        case .definitions: "definitions"
        case .allOf: "allOf"
        case .anyOf: "anyOf"
        case .oneOf: "oneOf"
        case .not: "not"
        case .if: "if"
        case .then: "then"
        case .else: "else"
        case .dependentSchemas: "dependentSchemas"
        case .dependencies: "dependencies"
        case .prefixItems: "prefixItems"
        case .items: "items"
        case .contains: "contains"
        case .properties: "properties"
        case .patternProperties: "patternProperties"
        case .additionalProperties: "additionalProperties"
        case .propertyNames: "propertyNames"
        case .unevaluatedItems: "unevaluatedItems"
        case .unevaluatedProperties: "unevaluatedProperties"
        case .type: "type"
        case .const: "const"
        case .enum: "enum"
        case .multipleOf: "multipleOf"
        case .maximum: "maximum"
        case .exclusiveMaximum: "exclusiveMaximum"
        case .minimum: "minimum"
        case .exclusiveMinimum: "exclusiveMinimum"
        case .maxLength: "maxLength"
        case .minLength: "minLength"
        case .pattern: "pattern"
        case .maxItems: "maxItems"
        case .minItems: "minItems"
        case .uniqueItems: "uniqueItems"
        case .maxContains: "maxContains"
        case .minContains: "minContains"
        case .maxProperties: "maxProperties"
        case .minProperties: "minProperties"
        case .required: "required"
        case .dependentRequired: "dependentRequired"
        case .format: "format"
        case .contentEncoding: "contentEncoding"
        case .contentMediaType: "contentMediaType"
        case .contentSchema: "contentSchema"
        case .title: "title"
        case .description: "description"
        case .default: "default"
        case .deprecated: "deprecated"
        case .readOnly: "readOnly"
        case .writeOnly: "writeOnly"
        case .examples: "examples"
        }
    }

    /// The keyword of that name.
    @inline(never)
    init?(_ name: Bytes) {
        for number in 0..<UInt8(truncatingIfNeeded: Keyword.count) {
            guard let keyword = Keyword(rawValue: number) else { break }
            if name.isText(keyword.name) {
                self = keyword
                return
            }
        }
        return nil
    }

    /// What a keyword's value must be.
    enum Form {
        case anything, boolean, string, number, positiveNumber, count
        case uri, uriWithoutFragment, uriReference, anchorName, vocabularies
        case types, array, uniqueStrings, uniqueStringsByName, pattern
        case schema, schemas, schemasByName, schemasByPattern, schemasOrStringsByName
    }

    var form: Form {
        switch self {
        case .schema: .uri
        case .id: .uriWithoutFragment
        case .ref, .dynamicRef: .uriReference
        case .anchor, .dynamicAnchor: .anchorName
        case .vocabulary: .vocabularies
        case .comment, .title, .description, .format, .contentEncoding, .contentMediaType: .string
        case .deprecated, .readOnly, .writeOnly, .uniqueItems: .boolean
        case .default, .const: .anything
        case .enum, .examples: .array
        case .type: .types
        case .multipleOf: .positiveNumber
        case .maximum, .exclusiveMaximum, .minimum, .exclusiveMinimum: .number
        case .maxLength, .minLength, .maxItems, .minItems, .maxContains, .minContains,
            .maxProperties, .minProperties:
            .count
        case .pattern: .pattern
        case .required: .uniqueStrings
        case .dependentRequired: .uniqueStringsByName
        case .allOf, .anyOf, .oneOf, .prefixItems: .schemas
        case .defs, .definitions, .properties, .dependentSchemas: .schemasByName
        case .patternProperties: .schemasByPattern
        case .dependencies: .schemasOrStringsByName
        case .not, .if, .then, .else, .items, .contains, .additionalProperties, .propertyNames,
            .unevaluatedItems, .unevaluatedProperties, .contentSchema:
            .schema
        }
    }

    var vocabulary: Vocabularies {
        switch self {
        case .schema, .vocabulary, .id, .anchor, .dynamicAnchor, .ref, .dynamicRef, .defs, .comment,
            .definitions:
            .core
        case .allOf, .anyOf, .oneOf, .not, .if, .then, .else, .dependentSchemas, .dependencies,
            .prefixItems, .items, .contains, .properties, .patternProperties, .additionalProperties,
            .propertyNames:
            .applicator
        case .unevaluatedItems, .unevaluatedProperties: .unevaluated
        case .type, .const, .enum, .multipleOf, .maximum, .exclusiveMaximum, .minimum,
            .exclusiveMinimum, .maxLength, .minLength, .pattern, .maxItems, .minItems, .uniqueItems,
            .maxContains, .minContains, .maxProperties, .minProperties, .required,
            .dependentRequired:
            .validation
        case .title, .description, .default, .deprecated, .readOnly, .writeOnly, .examples:
            .metaData
        case .format: [.formatAnnotation, .formatAssertion]
        case .contentEncoding, .contentMediaType, .contentSchema: .content
        }
    }
}

/// Which vocabularies a schema's metaschema turns on.
struct Vocabularies: OptionSet {
    let rawValue: UInt8

    static var core: Vocabularies { Vocabularies(rawValue: 1) }
    static var applicator: Vocabularies { Vocabularies(rawValue: 2) }
    static var unevaluated: Vocabularies { Vocabularies(rawValue: 4) }
    static var validation: Vocabularies { Vocabularies(rawValue: 8) }
    static var metaData: Vocabularies { Vocabularies(rawValue: 16) }
    static var formatAnnotation: Vocabularies { Vocabularies(rawValue: 32) }
    static var formatAssertion: Vocabularies { Vocabularies(rawValue: 64) }
    static var content: Vocabularies { Vocabularies(rawValue: 128) }

    /// Those of the draft's own metaschema.
    static var standard: Vocabularies { Vocabularies(rawValue: 255).subtracting(.formatAssertion) }

    private static var names: InlineArray<8, (Vocabularies, StaticString)> {
        [
            (.core, "core"), (.applicator, "applicator"), (.unevaluated, "unevaluated"),
            (.validation, "validation"), (.metaData, "meta-data"),
            (.formatAnnotation, "format-annotation"), (.formatAssertion, "format-assertion"),
            (.content, "content"),
        ]
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The vocabulary with that URI, or none when it is not known.
    init(uri: Bytes) {
        let prefix: StaticString = "https://json-schema.org/draft/2020-12/vocab/"
        guard uri.count > prefix.utf8CodeUnitCount,
            Bytes(rebasing: uri[..<prefix.utf8CodeUnitCount]).isText(prefix)
        else {
            self = []
            return
        }
        let name = Bytes(rebasing: uri[prefix.utf8CodeUnitCount...])
        var found: Vocabularies = []
        let names = Vocabularies.names
        for index in names.indices where name.isText(names[index].1) { found = names[index].0 }
        self = found
    }
}

/// The types that a value may have, one bit for each `ValueType`, and one that lets doubles without
/// a fraction pass for integers.
struct TypeSet: OptionSet {
    let rawValue: UInt8

    static var null: TypeSet { TypeSet(.null) }
    static var bool: TypeSet { TypeSet(.bool) }
    static var int64: TypeSet { TypeSet(.int64) }
    static var double: TypeSet { TypeSet(.double) }
    static var string: TypeSet { TypeSet(.string) }
    static var array: TypeSet { TypeSet(.array) }
    static var object: TypeSet { TypeSet(.object) }
    /// In the place of `bytes`, which no schema can ask for.
    static var wholeDouble: TypeSet { TypeSet(rawValue: 128) }

    static var integer: TypeSet { [.int64, .wholeDouble] }
    static var number: TypeSet { [.int64, .double] }
    /// Every type, and bytes, which are of none.
    static var any: TypeSet { TypeSet(rawValue: 255) }

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ type: ValueType) { rawValue = 1 &<< type.rawValue }

    /// The type that a schema calls by that name.
    init?(name: Bytes) {
        switch ShortWord(name) {
        case "null": self = .null
        case "boolean": self = .bool
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }

    /// Whether it has the kind of a node, whatever its worth.
    @inline(__always)
    func hasKind(of node: Node) -> Bool {
        rawValue &>> UInt8(truncatingIfNeeded: node.head) & 1 != 0
    }

    /// Whether a node is of one of the types.
    @inline(__always)
    func contains(_ node: Node) -> Bool {
        let type = UInt8(truncatingIfNeeded: node.head)
        if rawValue &>> type & 1 != 0 { return type != ValueType.bytes.rawValue }
        return type == ValueType.double.rawValue && contains(.wholeDouble)
            && Number.double(Double(bitPattern: node.payload)).isInteger
    }
}
