// Values that a caller reads with one load. A cell is eight bytes that follow one path from version
// to version; publishing stores them before the version word, so whoever sees version N in the word
// sees cells of version N or newer. Readers load; everything else here happens under the lock.

package import Config
internal import CSystem
package import Synchronization

/// Eight aligned bytes. A `cmr_cell *` points at them; they live as long as the watcher's block.
package struct Cell: Equatable {
    package let word: UnsafeMutablePointer<Atomic<UInt64>>

    /// Most cells stay what they are when a version is published: then nobody's cache line is
    /// taken away.
    fileprivate func store(_ bits: UInt64) {
        if word.pointee.load(ordering: .relaxed) == bits { return }
        word.pointee.store(bits, ordering: .relaxed)
    }
}

/// What a cell is read as, and what it holds while its path leads to nothing of that type.
package struct Fallback: Equatable {
    private enum Kind {
        case int64, double, bool
    }
    private let kind: Kind
    fileprivate let bits: UInt64

    package static func int64(_ value: Int64) -> Fallback {
        Fallback(kind: .int64, bits: UInt64(bitPattern: value))
    }

    package static func double(_ value: Double) -> Fallback {
        Fallback(kind: .double, bits: value.bitPattern)
    }

    package static func bool(_ value: Bool) -> Fallback {
        Fallback(kind: .bool, bits: value ? 1 : 0)
    }

    /// What a cell of this value holds.
    fileprivate func bits(of value: Value) throws(ReadError) -> UInt64 {
        switch kind {
        case .int64: return UInt64(bitPattern: try value.int64)
        case .double: return try value.double.bitPattern
        case .bool: return try value.bool ? 1 : 0
        }
    }
}

/// The cells of one watcher, and what each follows. Under the lock.
struct Cells {
    private struct Binding {
        let path: [UInt8]
        let fallback: Fallback
        let cell: Cell
        /// The document that the cell's value was read from; nil when it holds the fallback for
        /// want of one.
        var document: UnsafeMutableRawPointer?
    }
    private var bindings: [Binding] = []

    /// The cell of a path, the same for the same path, type and fallback. It holds at once what
    /// `snapshot` has.
    mutating func bind(
        _ path: Bytes, _ fallback: Fallback, in block: CurrentSnapshot, _ snapshot: Snapshot?
    ) throws(Failure) -> Cell {
        for known in bindings where known.fallback == fallback && known.path.elementsEqual(path) {
            return known.cell
        }
        guard let cell = block.makeCell() else { throw Failure(.noMemory, "no memory for a cell") }
        var binding = Binding(path: Array(path), fallback: fallback, cell: cell)
        cell.store(fallback.bits)
        if let snapshot { Cells.update(&binding, from: snapshot) }
        bindings.append(binding)
        return cell
    }

    /// Makes all cells hold what `next` has. What was current until now must still be there: a key
    /// whose document is the same is passed over.
    mutating func follow(_ next: Snapshot) {
        for index in bindings.indices { Cells.update(&bindings[index], from: next) }
    }

    private static func update(_ binding: inout Binding, from snapshot: Snapshot) {
        let place = binding.path.withUnsafeBufferPointer { path in
            let place = snapshot.place(ofPath: path)
            if let place, place.document.base != binding.document {
                let bits = try? binding.fallback.bits(
                    of: place.document.root.value(atPointer: place.pointer))
                binding.cell.store(bits ?? binding.fallback.bits)
            }
            return place?.document.base
        }
        if place == nil { binding.cell.store(binding.fallback.bits) }
        binding.document = place
    }
}

extension Watcher {
    /// Binds a path to a cell, which follows it from now on.
    package func bind(_ path: Bytes, _ fallback: Fallback) throws(Failure) -> Cell {
        try reactor.lock.withLock { () throws(Failure) in
            guard life != .stopped else { throw Failure(.state, "the watcher was stopped") }
            return try cells.bind(path, fallback, in: current, current.snapshot?.body)
        }
    }
}

extension CurrentSnapshot {
    // MARK: - Memory of cells, under the lock

    /// A piece of memory with the address of the next one in front, and then cells.
    private static var pieceSize: Int { 1024 }

    /// The newest piece, or nil.
    private var piece: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        (base + 88).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// How many bytes of it are taken.
    private var taken: UnsafeMutablePointer<Int> { (base + 96).assumingMemoryBound(to: Int.self) }

    /// A cell that lives as long as the block; nil when there is no memory.
    fileprivate func makeCell() -> Cell? {
        if piece.pointee == nil || taken.pointee == CurrentSnapshot.pieceSize {
            guard let fresh = cs_allocate_lines(CurrentSnapshot.pieceSize) else { return nil }
            fresh.storeBytes(of: piece.pointee, as: UnsafeMutableRawPointer?.self)
            piece.pointee = fresh
            taken.pointee = MemoryLayout<UnsafeMutableRawPointer?>.stride
        }
        guard let piece = piece.pointee else { return nil }
        defer { taken.pointee += MemoryLayout<Atomic<UInt64>>.stride }
        return Cell(word: (piece + taken.pointee).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// Nobody can hold a cell of this block any more.
    func freeCells() {
        while let last = piece.pointee {
            piece.pointee = last.load(as: UnsafeMutableRawPointer?.self)
            cs_free_wiped(last, CurrentSnapshot.pieceSize)
        }
    }
}
