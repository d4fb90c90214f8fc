// All keys of one version, frozen: documents sorted by key, a table that finds one by its hash, the
// generation's name and the checksum. One block from an allocator that can fail. Looking up takes
// no lock, changes no counter and allocates nothing. Never knows of versions, times or who holds
// it.

internal import Synchronization

/// An immutable set of documents. Copying this copies a pointer; whoever made it frees it once.
///
/// The block: header · checksum text · slots · documents · generation text and its NUL. A slot is a
/// document's address in the low 48 bits and 16 bits of its key's hash above them, or zero when
/// nobody sits there.
package struct Snapshot: @unchecked Sendable {
    // Safe to share: after `make` nothing in the block changes but the checksum's words, which are
    // atomic.
    package let base: UnsafeMutableRawPointer

    private struct Header {
        let size: Int
        let count: Int
        /// The number of slots, a power of two, less one.
        let slotMask: UInt64
        let documentsOffset: Int
        let generationOffset: Int
        let generationCount: Int
        /// The length of the longest key: a longer path cannot be one.
        let longestKey: Int
    }

    /// A byte count's room for the header; then 32 hexadecimal digits, a NUL, and whether they are
    /// there.
    private static var checksumOffset: Int { 64 }
    private static var checksumReadyOffset: Int { 104 }
    private static var slotsOffset: Int { 128 }

    /// Freezes `documents`, whose keys are unique, and retains each. Sorts them in place, by the
    /// bytes of their keys, in time proportional to their number when they come sorted already.
    package static func make(
        documents: UnsafeMutableBufferPointer<Document>, generation: Bytes, memory: Memory
    ) throws(Failure) -> Snapshot {
        let count = documents.count
        var slots = 4
        while slots < 2 * count { slots *= 2 }
        let documentsOffset = slotsOffset + slots * MemoryLayout<UInt64>.stride
        let generationOffset = documentsOffset + count * MemoryLayout<Document>.stride
        let size = generationOffset + generation.count + 1
        guard let base = memory.allocate(size) else {
            throw Failure(.noMemory, .publish, "no memory for a snapshot of \(count) keys")
        }
        // Until the slots are filled their room, at least twice as large as needed, serves the
        // sort.
        sortByKey(documents, scratch: base + slotsOffset)

        (base + slotsOffset).initializeMemory(as: UInt64.self, repeating: 0, count: slots)
        (base + checksumOffset).initializeMemory(as: UInt64.self, repeating: 0, count: 8)
        let sorted = (base + documentsOffset).bindMemory(to: Document.self, capacity: count)
        let slotMask = UInt64(slots) - 1
        var longestKey = 0
        for index in 0..<count {
            let document = documents[index]
            document.retain()
            (sorted + index).initialize(to: document)
            longestKey = max(longestKey, document.key.count)
            place(document, base + slotsOffset, slotMask)
        }
        let text = UnsafeMutableRawBufferPointer(
            start: base + generationOffset, count: generation.count + 1)
        text.copyMemory(from: UnsafeRawBufferPointer(generation))
        text[generation.count] = 0
        base.initializeMemory(
            as: Header.self,
            to: Header(
                size: size, count: count, slotMask: slotMask, documentsOffset: documentsOffset,
                generationOffset: generationOffset, generationCount: generation.count,
                longestKey: longestKey))
        return Snapshot(base: base)
    }

    /// Gives the documents and the block back. Nobody may use the snapshot any more.
    package func free(_ memory: Memory) {
        for index in 0..<count { sorted[index].release(memory) }
        memory.free(base, header.pointee.size)
    }

    // MARK: - Looking up

    package var count: Int { header.pointee.count }

    /// The document whose key is the `index`-th in the order of the keys' bytes, or nil past the
    /// last.
    package func document(at index: Int) -> Document? {
        index >= 0 && index < count ? sorted[index] : nil
    }

    /// The key at `index` in the order of the keys' bytes. A NUL follows it.
    package func key(at index: Int) throws(ReadError) -> Bytes {
        guard let document = document(at: index) else { throw .notFound }
        return document.key
    }

    /// The content of a key exactly as stored. A NUL follows it.
    package func bytes(ofKey key: Bytes) throws(ReadError) -> Bytes {
        guard let document = document(forKey: key) else { throw .notFound }
        return document.bytes
    }

    /// The document of a key.
    @inline(__always)
    package func document(forKey key: Bytes) -> Document? {
        guard let bytes = key.baseAddress else { return nil }
        let hash = Hash.text(bytes, key.count)
        let slots = UnsafeRawPointer(base + Snapshot.slotsOffset).assumingMemoryBound(
            to: UInt64.self)
        let mask = header.pointee.slotMask
        var index = hash & mask
        // The table is at most half full: an empty slot always ends the walk.
        while true {
            let slot = slots[Int(truncatingIfNeeded: index)]
            if slot == 0 { return nil }
            if (slot ^ hash) >> 48 == 0,
                let address = UnsafeMutableRawPointer(bitPattern: UInt(slot & Snapshot.addressMask))
            {
                let document = Document(base: address)
                if document.hasKey(bytes, key.count) { return document }
            }
            index = (index &+ 1) & mask
        }
    }

    /// The length of the longest key.
    package var longestKey: Int { header.pointee.longestKey }

    // MARK: - What it is called

    /// The name of the generation that the documents came from, or "". A NUL follows it.
    package var generation: Bytes {
        let header = header.pointee
        let text = UnsafeRawPointer(base + header.generationOffset).assumingMemoryBound(
            to: UInt8.self)
        return Bytes(start: text, count: header.generationCount)
    }

    /// 32 hexadecimal digits over the keys and their bytes, the same in every process. A NUL
    /// follows them.
    ///
    /// Computed when first asked for. Threads that ask at the same time all compute the same words
    /// and store them word by word, so that none waits for another.
    package var checksum: Bytes {
        let ready = base + Snapshot.checksumReadyOffset
        let text = base + Snapshot.checksumOffset
        if atomic(ready).pointee.load(ordering: .acquiring) == 0 {
            let (high, low) = digest
            atomic(text).pointee.store(hexadecimal(high >> 32), ordering: .relaxed)
            atomic(text + 8).pointee.store(hexadecimal(high), ordering: .relaxed)
            atomic(text + 16).pointee.store(hexadecimal(low >> 32), ordering: .relaxed)
            atomic(text + 24).pointee.store(hexadecimal(low), ordering: .relaxed)
            atomic(ready).pointee.store(1, ordering: .releasing)
        }
        return Bytes(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: 32)
    }

    /// The 128 bits that `checksum` writes, computed anew.
    package var digest: (high: UInt64, low: UInt64) {
        var sum = Hash.Content()
        for index in 0..<count {
            sum.add(sorted[index].key)
            sum.add(sorted[index].bytes)
        }
        return sum.digest
    }

    // MARK: - The block

    private static var addressMask: UInt64 { (1 << 48) - 1 }

    @inline(__always)
    private var header: UnsafePointer<Header> {
        UnsafeRawPointer(base).assumingMemoryBound(to: Header.self)
    }

    @inline(__always)
    private var sorted: UnsafePointer<Document> {
        UnsafeRawPointer(base + header.pointee.documentsOffset).assumingMemoryBound(
            to: Document.self)
    }

    private static func place(
        _ document: Document, _ slots: UnsafeMutableRawPointer, _ mask: UInt64
    ) {
        let slots = slots.assumingMemoryBound(to: UInt64.self)
        let hash = document.keyHash
        let address = UInt64(UInt(bitPattern: document.base))
        // Linux gives no address above 2^47 to a process that did not ask for one.
        precondition(address <= addressMask, "an address has 48 bits")
        var index = hash & mask
        while slots[Int(truncatingIfNeeded: index)] != 0 { index = (index &+ 1) & mask }
        slots[Int(truncatingIfNeeded: index)] = address | hash & ~addressMask
    }
}

@inline(__always)
private func atomic(_ word: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt64>> {
    word.assumingMemoryBound(to: Atomic<UInt64>.self)
}

/// The lower half of `word` as eight hexadecimal digits, in the order in which they lie in memory.
private func hexadecimal(_ word: UInt64) -> UInt64 {
    var text: UInt64 = 0
    for digit in 0..<8 as Range<UInt64> {
        let value = word >> (4 * digit) & 0xF
        text = text << 8 | (value < 10 ? 0x30 + value : 0x57 + value)
    }
    return text.littleEndian
}
