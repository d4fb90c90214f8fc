// What a document consists of, and who holds it. Reads the block that `Document.make` wrote; never
// changes anything but the number of holders.

internal import Synchronization

extension Document {
    @inline(__always)
    package var header: UnsafePointer<DocumentHeader> {
        UnsafeRawPointer(base).assumingMemoryBound(to: DocumentHeader.self)
    }

    /// The key; a NUL follows it.
    @inline(__always)
    package var key: Bytes {
        Bytes(start: at(header.pointee.keyOffset), count: header.pointee.keyCount)
    }

    /// The key as C reads it.
    package var keyText: UnsafePointer<CChar> {
        UnsafeRawPointer(base + header.pointee.keyOffset).assumingMemoryBound(to: CChar.self)
    }

    /// `Hash.text` of the key.
    @inline(__always)
    package var keyHash: UInt64 { header.pointee.keyHash }

    @inline(__always)
    package func hasKey(_ key: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        header.pointee.keyCount == count && equalBytes(base + header.pointee.keyOffset, key, count)
    }

    /// The value exactly as stored; a NUL follows it.
    @inline(__always)
    package var bytes: Bytes {
        Bytes(start: at(header.pointee.bytesOffset), count: header.pointee.byteCount)
    }

    /// What the value parsed to.
    @inline(__always)
    package var root: Value {
        Value(UnsafeRawPointer(base + Document.tapeOffset).assumingMemoryBound(to: Node.self))
    }

    /// Counts one more holder.
    package func retain() {
        header.pointee.holders.wrappingAdd(1, ordering: .relaxed)
    }

    /// Counts one holder less; the last one gives the block back.
    package func release(_ memory: Memory) {
        if header.pointee.holders.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
            == 0
        {
            memory.free(base, header.pointee.size)
        }
    }

    @inline(__always)
    private func at(_ offset: Int) -> UnsafePointer<UInt8> {
        UnsafeRawPointer(base + offset).assumingMemoryBound(to: UInt8.self)
    }
}
