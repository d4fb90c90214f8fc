// How a failure looks from C: a status, and a cmr_error that is filled in the caller's memory.

internal import CCMReload
internal import Config

extension Failure.Kind {
    /// The cases carry the numbers of the header.
    var status: cmr_status { rawValue }
}

extension Failure.Stage {
    fileprivate var name: StaticString {
        switch self {
        case .none: return ""
        case .load: return "load"
        case .parse: return "parse"
        case .validate: return "validate"
        case .publish: return "publish"
        case .watch: return "watch"
        case .write: return "write"
        }
    }
}

/// Runs what a function does; its failure becomes the status, and fills `error` if there is one.
func answer(
    _ error: UnsafeMutablePointer<cmr_error>?, _ body: () throws(Failure) -> Void
) -> cmr_status {
    // A struct smaller than that of 1.0 is no cmr_error: it is left alone.
    if let error, error.pointee.struct_size < UInt32(MemoryLayout<cmr_error>.size) {
        return .invalidArgument
    }
    do throws(Failure) {
        try body()
        return .ok
    } catch let failure {
        error?.pointee.fill(with: failure)
        return failure.kind.status
    }
}

extension cmr_error {
    /// Everything but the size that the caller set.
    mutating func fill(with failure: Failure) {
        status = failure.kind.status
        os_errno = failure.osErrno
        line = failure.line
        column = failure.column
        reserved = 0
        withUnsafeMutableBytes(of: &stage) {
            $0.fill(with: failure.stage.name.utf8Start, failure.stage.name.utf8CodeUnitCount)
        }
        withUnsafeMutableBytes(of: &key) { $0.fill(with: failure.key) }
        withUnsafeMutableBytes(of: &message) { $0.fill(with: failure.message) }
    }

    /// A whole error, for an event.
    init(_ failure: Failure) {
        self.init()
        struct_size = UInt32(MemoryLayout<cmr_error>.size)
        fill(with: failure)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies text and a NUL; what does not fit is cut between characters.
    fileprivate func fill(with text: String) {
        text.withBytes { fill(with: $0.baseAddress, $0.count) }
    }

    fileprivate func fill(with text: UnsafePointer<UInt8>?, _ count: Int) {
        var kept = Swift.min(count, self.count - 1)
        if let text {
            // A byte 10xxxxxx continues a character: it is not where the next one begins.
            while kept < count, kept > 0, text[kept] & 0xC0 == 0x80 { kept -= 1 }
            copyMemory(from: UnsafeRawBufferPointer(start: text, count: kept))
        }
        self[kept] = 0
    }
}
