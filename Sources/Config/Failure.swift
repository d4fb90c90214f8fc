// Why something did not work, as data: it travels by typed throws inside, becomes a `cmr_error` at
// the edge. Never holds a value of a key, only names, positions, sizes and types.

/// The reason an operation failed, with what a person needs to mend it. One word to throw, since
/// hundreds of calls make room for it.
package final class Failure: Error, Sendable {
    /// What kind of failure it is; one case for each status of the C interface.
    package enum Kind: Int32, Sendable {
        case invalidArgument = 1
        case notFound = 2
        case type = 3
        case range = 4
        case io = 5
        case parse = 6
        case rejected = 7
        case limit = 8
        case state = 9
        case timeout = 10
        case unavailable = 11
        case denied = 12
        case noMemory = 13
    }

    /// The step of a reload in which it happened.
    package enum Stage: Sendable {
        case none, load, parse, validate, publish, watch, write
    }

    package let kind: Kind
    package let stage: Stage
    /// The key, path or source it is about, or "".
    package let key: String
    /// One sentence for a person, without a full stop.
    package let message: String
    /// `errno`, where a system call failed; otherwise 0.
    package let osErrno: Int32
    /// The line, counted from 1, where bytes did not parse; otherwise 0.
    package let line: UInt32
    /// The column in bytes, counted from 1; otherwise 0.
    package let column: UInt32

    package init(
        _ kind: Kind, _ stage: Stage, key: String, _ message: String, osErrno: Int32,
        line: UInt32, column: UInt32
    ) {
        self.kind = kind
        self.stage = stage
        self.key = key
        self.message = message
        self.osErrno = osErrno
        self.line = line
        self.column = column
    }

    // What is left out is put in once, not at each of some hundred calls, as default arguments are.

    @inline(never)
    package convenience init(_ kind: Kind, _ stage: Stage, key: String, _ message: String) {
        self.init(kind, stage, key: key, message, osErrno: 0, line: 0, column: 0)
    }

    @inline(never)
    package convenience init(_ kind: Kind, _ stage: Stage, _ message: String) {
        self.init(kind, stage, key: "", message)
    }

    /// A failure of a call rather than of a reload.
    @inline(never)
    package convenience init(_ kind: Kind, _ message: String) { self.init(kind, .none, message) }

    /// In front of the message in a line of the log, as far as it is known: "app.yaml:14:7: ".
    package var place: String {
        if key.isEmpty { return "" }
        return line == 0 ? "\(key): " : "\(key):\(line):\(column): "
    }

    /// The same, with what is given here in place of what was there.
    package func replacing(
        kind: Kind? = nil, stage: Stage? = nil, key: String? = nil, message: String? = nil
    ) -> Failure {
        Failure(
            kind ?? self.kind, stage ?? self.stage, key: key ?? self.key, message ?? self.message,
            osErrno: osErrno, line: line, column: column)
    }
}
