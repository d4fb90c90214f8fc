// What the fuzzers share: memory that the address sanitizer looks after, and blocks that end where
// their content does.
import Foundation

@testable import Config

let memory = Memory(
    allocate: { size in malloc(size) },
    free: { memory, _ in free(memory) })

/// The bytes in a block of their own, which ends where they do.
func withExact<R>(_ bytes: [UInt8], _ body: (Bytes) throws(Failure) -> R) throws(Failure) -> R {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    defer { block.deallocate() }
    for (index, byte) in bytes.enumerated() { block[index] = byte }
    return try body(Bytes(start: block, count: bytes.count))
}
