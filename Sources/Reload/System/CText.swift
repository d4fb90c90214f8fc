// Text as C hands it over: NUL-terminated, its length unknown.

internal import CSystem
internal import Config

extension Bytes {
    /// The text at `start`, without its NUL.
    @inline(__always)
    package init(text start: UnsafePointer<CChar>) {
        self.init(
            start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self),
            count: cs_string_length(start))
    }

    /// The bytes as C reads text; a NUL must follow them.
    @inline(__always)
    package var cText: UnsafePointer<CChar>? {
        UnsafeRawPointer(baseAddress)?.assumingMemoryBound(to: CChar.self)
    }
}

extension StaticString {
    /// The text as C reads it: a literal is followed by a NUL.
    package var cText: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
