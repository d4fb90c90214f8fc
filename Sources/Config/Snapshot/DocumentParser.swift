// What turns the values of one load into documents: the scratch memory that they share, and how
// tolerantly they are parsed.

/// A maker of documents. One load at a time uses it.
package final class DocumentParser {
    private var scratch: ParseScratch
    private let memory: Memory

    package init(memory: Memory) {
        scratch = ParseScratch(memory: memory)
        self.memory = memory
    }

    /// Parses the `bytes` of `key` as what the options, or the key's suffix, say. At least
    /// `Payload.padding` zero bytes must follow the bytes.
    package func parse(
        key: Bytes, bytes: Bytes, limits: Limits, options: ParseOptions
    ) throws(Failure) -> ParsedDocument {
        try Document.make(
            key: key, bytes: bytes, as: options.format(of: key), limits: limits, options: options,
            scratch: &scratch, memory: memory)
    }

    /// After a huge document the scratch goes back to a size that ordinary ones need.
    package func trim() { scratch.trim(to: 4 << 20) }
}
