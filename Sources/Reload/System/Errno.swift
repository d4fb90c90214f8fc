// What a system call said no with.

internal import CSystem
package import Config

/// The number of a failed system call, errno(3).
package struct Errno: Error, Equatable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    package static var notPermitted: Errno { Errno(1) }
    package static var noSuchFile: Errno { Errno(2) }
    package static var outOfMemory: Errno { Errno(12) }
    package static var denied: Errno { Errno(13) }
    package static var exists: Errno { Errno(17) }
    package static var crossesDevice: Errno { Errno(18) }
    package static var notDirectory: Errno { Errno(20) }
    package static var isDirectory: Errno { Errno(21) }
    package static var noSuchDevice: Errno { Errno(6) }
    package static var invalid: Errno { Errno(22) }
    package static var tooManyOpenFiles: Errno { Errno(24) }
    package static var noSpace: Errno { Errno(28) }
    package static var noSeek: Errno { Errno(29) }
    package static var nameTooLong: Errno { Errno(36) }
    package static var notImplemented: Errno { Errno(38) }
    package static var notEmpty: Errno { Errno(39) }
    package static var tooManyLinks: Errno { Errno(40) }
    package static var stale: Errno { Errno(116) }

    /// The C library's own words, such as "Permission denied".
    package var description: String { String(cString: cs_errno_description(number)) }

    /// The failure that a caller is told of. Permissions are `denied`, memory is `noMemory`, what
    /// is too long to be written is a `limit`, the rest is `io`.
    package func failure(_ stage: Failure.Stage, key: String, _ what: String) -> Failure {
        let kind: Failure.Kind
        switch self {
        case .denied, .notPermitted: kind = .denied
        case .outOfMemory: kind = .noMemory
        case .nameTooLong where stage == .write: kind = .limit
        default: kind = .io
        }
        return Failure(
            kind, stage, key: key, "\(what): \(description)",
            osErrno: kind == .noMemory || kind == .limit ? 0 : number, line: 0, column: 0)
    }
}

/// The answer of a CSystem call: a negative errno becomes an error.
@inline(__always)
package func check<Number: FixedWidthInteger & SignedInteger>(_ answer: Number) throws(Errno)
    -> Number
{
    if answer < 0 { throw Errno(Int32(truncatingIfNeeded: 0 &- answer)) }
    return answer
}
