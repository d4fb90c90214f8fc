// A string for its bytes, and back: one function each. The standard library's own are written out
// at each place that uses them, and its views know strings of other systems, whose code they bring
// along.

extension String {
    /// What is not UTF-8 is replaced.
    @inline(never)
    package init(_ bytes: Bytes) { self.init(decoding: bytes, as: UTF8.self) }

    /// Whether the bytes are the same. `==` would ask for Unicode's canonical equivalence, and for
    /// its tables.
    @inline(never)
    package func isIdentical(to other: String) -> Bool {
        withBytes { mine in other.withBytes { equalBytes(mine, $0) } }
    }

    /// Whether its bytes come before those of `other`.
    @inline(never)
    package func precedes(_ other: String) -> Bool {
        withBytes { mine in other.withBytes { compareBytes(mine, $0) < 0 } }
    }

    /// Gives its UTF-8 for the time of the call. The view of it, `utf8`, brings along what strings
    /// in UTF-16 need.
    @inline(never)
    package func withBytes<Answer>(_ body: (Bytes) -> Answer) -> Answer {
        var text = self
        return text.withUTF8(body)
    }
}
