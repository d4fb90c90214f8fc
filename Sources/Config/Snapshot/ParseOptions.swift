// How values are to be parsed where more than one way is right.

/// How tolerantly values are parsed, and as what.
package struct ParseOptions: Sendable {
    /// Keys of text format are parsed as JSON when they are JSON.
    package var sniffJSON = false
    /// What does not parse is kept as text.
    package var isLenient = false
    /// What was set for keys that match a pattern.
    package var formats = FormatRules()
    /// Gives the value of a variable; when there is such a function, references to variables in
    /// values of text format are replaced.
    package var variables: (@Sendable (_ name: Bytes) -> Bytes?)?

    package init() {}

    /// What the value of a key is parsed as.
    package func format(of key: Bytes) -> KeyFormat {
        if let format = formats.format(of: key) { return format }
        let format = Format(key: key)
        return format == .text && sniffJSON ? .sniffed : .format(format)
    }

    /// Whether a document of the same bytes would be parsed no other way now. What was set can only
    /// be added to, so that as long as nothing is, nothing has changed.
    package func stillApply(to document: Document) -> Bool {
        formats.isEmpty || document.header.pointee.format == format(of: document.key).number
    }
}
