// Sixteen bytes at once. The standard library's vector masks are slow to combine (a mask becomes
// memory), so the lanes are combined as the compiler's own vectors of bits; each operation here is
// one or two instructions on any 64-bit processor.
import Builtin

/// Sixteen bytes of text in one register.
struct Block {
    private let vector: Builtin.Vec16xInt8

    @inline(__always)
    private init(_ vector: Builtin.Vec16xInt8) { self.vector = vector }

    /// Loads sixteen bytes; the pointer needs no alignment.
    @inline(__always)
    init(at pointer: UnsafePointer<UInt8>) {
        self.init(UnsafeRawPointer(pointer).loadUnaligned(as: SIMD16<UInt8>.self)._storage._value)
    }

    /// The same byte sixteen times.
    @inline(__always)
    init(_ byte: UInt8) { self.init(SIMD16<UInt8>(repeating: byte)._storage._value) }

    @inline(__always)
    func store(to pointer: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(pointer).storeBytes(of: words, as: SIMD2<UInt64>.self)
    }

    /// The bytes as two words, the first byte lowest.
    @inline(__always)
    var words: SIMD2<UInt64> {
        var result = SIMD2<UInt64>()
        result._storage._value = Builtin.bitcast_Vec16xInt8_Vec2xInt64(vector)
        return result
    }

    /// Which bytes are `byte`.
    @inline(__always)
    func equal(_ byte: UInt8) -> Lanes {
        Lanes(Builtin.cmp_eq_Vec16xInt8(vector, Block(byte).vector))
    }

    /// Which bytes are at least `byte`.
    @inline(__always)
    func atLeast(_ byte: UInt8) -> Lanes {
        Lanes(Builtin.cmp_uge_Vec16xInt8(vector, Block(byte).vector))
    }

    /// Which bytes are less than `byte`.
    @inline(__always)
    func below(_ byte: UInt8) -> Lanes {
        Lanes(Builtin.cmp_ult_Vec16xInt8(vector, Block(byte).vector))
    }

    /// Which bytes, taken as signed numbers, are less than `byte`: from 0x80 to 0xFF they are
    /// negative. It costs one instruction where the unsigned order costs two.
    @inline(__always)
    func belowSigned(_ byte: UInt8) -> Lanes {
        Lanes(Builtin.cmp_slt_Vec16xInt8(vector, Block(byte).vector))
    }

    /// Each byte with the bits that `mask` has not cleared.
    @inline(__always)
    func masked(_ mask: UInt8) -> Block {
        Block(Builtin.and_Vec16xInt8(vector, Block(mask).vector))
    }
}

/// One truth value for each byte of a block.
struct Lanes {
    private let vector: Builtin.Vec16xInt1

    @inline(__always)
    init(_ vector: Builtin.Vec16xInt1) { self.vector = vector }

    /// One bit for each lane, the first lane lowest.
    @inline(__always)
    var bits: UInt32 { UInt32(UInt16(Builtin.bitcast_Vec16xInt1_Int16(vector))) }

    @inline(__always)
    static func | (a: Lanes, b: Lanes) -> Lanes { Lanes(Builtin.or_Vec16xInt1(a.vector, b.vector)) }

    @inline(__always)
    static func & (a: Lanes, b: Lanes) -> Lanes {
        Lanes(Builtin.and_Vec16xInt1(a.vector, b.vector))
    }

    @inline(__always)
    static func ^ (a: Lanes, b: Lanes) -> Lanes {
        Lanes(Builtin.xor_Vec16xInt1(a.vector, b.vector))
    }
}

extension UnsafePointer where Pointee == UInt8 {
    /// Loads an integer whose lowest byte is the one pointed at; no alignment needed.
    @inline(__always)
    func load<T: FixedWidthInteger & BitwiseCopyable>(as type: T.Type) -> T {
        T(littleEndian: UnsafeRawPointer(self).loadUnaligned(as: type))
    }
}
