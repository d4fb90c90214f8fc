// The schemas that others may refer to, by their addresses. Nothing is ever fetched: what is not
// here, and is not the draft's own metaschema, is nowhere.

/// Schemas by id. Whoever owns it sees to it that one thread at a time uses it.
package final class SchemaRegistry {
    private var documents: [SchemaDocument] = []

    package init() {}

    /// Adds a schema, of which `id` is the address; an address without a scheme is beside the
    /// schemas that have no `$id`. A metaschema comes before the schemas that name it.
    package func add(id: Bytes, json: Bytes, memory: Memory) throws(Failure) {
        let name = String(id)
        guard StringFormat.uriReference.accepts(id), URI(id).fragment?.isEmpty ?? true else {
            throw Failure(
                .invalidArgument, .validate, key: name,
                "the id of a schema must be a URI without a fragment")
        }
        var address = List<UInt8>(memory)
        try URI(id).resolve(against: URI(Bytes(SchemaDocument.noAddress)), into: &address)
        let document = try SchemaDocument.read(
            text: json, name: id, address: address.elements, registry: self,
            memory: memory)
        // It is found by its `$id` as well as by where it is.
        if find(address.elements) != nil || Metaschema.text(at: address.elements) != nil {
            throw Failure(
                .invalidArgument, .validate, key: name, "a schema with this id was added before")
        }
        for resource in 0..<document.resources.count {
            let address = document.address(of: resource)
            if find(address) != nil || Metaschema.text(at: address) != nil {
                throw document.failure(
                    at: document.resources[resource].root, "a schema with this id was added before")
            }
        }
        documents.append(document)
    }

    /// The document and the resource with an address.
    func find(_ address: Bytes) -> (SchemaDocument, resource: Int)? {
        for document in documents {
            if let resource = document.resource(at: address) { return (document, resource) }
        }
        return nil
    }
}
