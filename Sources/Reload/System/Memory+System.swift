// The allocator behind everything whose size follows input.

internal import CSystem
package import Config

extension Memory {
    /// CSystem's allocator: may say no, keeps large blocks warm for the next reload.
    package static let system = Memory(
        allocate: { cs_allocate($0) },
        free: { cs_free($0, $1) })

    /// What callers get as theirs; `cmr_free` takes it back.
    package static let caller = Memory(
        allocate: { cs_allocate_for_caller($0) },
        free: { memory, _ in cs_free_for_caller(memory) })
}
