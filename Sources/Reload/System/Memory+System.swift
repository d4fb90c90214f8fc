// The allocator behind everything whose size follows input.

internal import CSystem
package import Config

extension Memory {
    /// CSystem's allocator: may say no, keeps large blocks warm for the next reload.
    package static let system = Memory(
        allocate: { cs_allocate($0) },
        free: { cs_free($0, $1) })

    /// The same, for what nobody may find afterwards.
    package static let sensitive = Memory(
        allocate: { cs_allocate($0) },
        free: { cs_free_wiped($0, $1) })

    /// What callers get as theirs; `cmr_free` takes it back, wiped.
    package static let caller = Memory(
        allocate: { cs_allocate_for_caller($0) },
        free: { memory, _ in cs_free_for_caller(memory) })

    /// Wipes what calls that have returned left on this thread's stack.
    package static func wipeStack() { cs_wipe_stack() }
}
