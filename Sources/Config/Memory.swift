// Memory whose size follows input. A failed Swift allocation traps and takes the host process
// along, so such memory comes from an allocator that may say no; the owner of `Config` decides
// which.

/// An allocator that can fail.
package struct Memory: Sendable {
    /// Gives at least `size` bytes aligned to 16, uninitialised, or nil.
    package let allocate: @convention(c) @Sendable (_ size: Int) -> UnsafeMutableRawPointer?
    /// Takes back what `allocate` gave for the same `size`.
    package let free:
        @convention(c) @Sendable (_ memory: UnsafeMutableRawPointer?, _ size: Int) -> Void

    package init(
        allocate: @escaping @convention(c) @Sendable (Int) -> UnsafeMutableRawPointer?,
        free: @escaping @convention(c) @Sendable (UnsafeMutableRawPointer?, Int) -> Void
    ) {
        self.allocate = allocate
        self.free = free
    }
}
