// Why a read gave nothing. Smaller than a `Failure`: reading is frequent, and the caller knows what
// was read.

/// Why a value cannot be read as what was asked for; the raw values are those of `Failure.Kind`.
package enum ReadError: Int32, Error {
    /// There is nothing at that path.
    case notFound = 2
    /// It is something else.
    case type = 3
    /// It is a number that does not fit.
    case range = 4
}
