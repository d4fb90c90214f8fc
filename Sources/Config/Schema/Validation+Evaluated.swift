// Which members and elements of a value some keyword has evaluated, and what
// `unevaluatedProperties` and `unevaluatedItems` apply to the rest. It is noted only where one of
// them asks: a bit for each, in the frames that are about the same value, handed down when such a
// frame ends.

extension Validation {
    static func words(_ count: Int) -> Int { (count &+ 63) &>> 6 }

    /// Begins to note which members or elements are evaluated.
    mutating func track(_ frame: UnsafeMutablePointer<Frame>) throws(Failure) {
        let words = Validation.words(Value(frame.pointee.node).count)
        frame.pointee.evaluated = bits.count
        try bits.append(repeating: 0, count: words)
        budget &-= words
    }

    @inline(__always)
    func mark(_ index: Int, _ frame: UnsafeMutablePointer<Frame>) {
        if frame.pointee.evaluated >= 0 { setBit(index, frame.pointee.evaluated) }
    }

    @inline(__always)
    func setBit(_ index: Int, _ first: Int) {
        bits[first &+ index &>> 6] |= 1 &<< UInt64(index & 63)
    }

    func isMarked(_ index: Int, _ first: Int) -> Bool {
        bits[first &+ index &>> 6] &>> UInt64(index & 63) & 1 != 0
    }

    func markAll(_ frame: UnsafeMutablePointer<Frame>) {
        let first = frame.pointee.evaluated
        guard first >= 0 else { return }
        for word in 0..<Validation.words(Value(frame.pointee.node).count) {
            bits[first &+ word] = .max
        }
    }

    /// Applies a schema to the members or elements that nothing has evaluated.
    mutating func unevaluated(
        _ instruction: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>
    ) throws(Failure) -> Flow {
        let value = Value(frame.pointee.node)
        let isObject = value.type == .object
        var isFailed = false
        if frame.pointee.step == 0 {
            frame.pointee.step = 1
            frame.pointee.cursor = value.first.node
            frame.pointee.index = -1
        } else {
            isFailed = !passed
            frame.pointee.cursor = next(frame.pointee.cursor, isObject)
        }
        while true {
            if isFailed, failPart(frame) == .stop { return .stop }
            frame.pointee.index &+= 1
            let index = frame.pointee.index
            guard index < value.count else { return .next }
            budget &-= 1
            let child = Value(frame.pointee.cursor)
            isFailed = false
            if !isMarked(index, frame.pointee.evaluated) {
                mark(index, frame)
                let outcome = try attempt(
                    UInt32(truncatingIfNeeded: instruction.pointee.operand),
                    isObject ? child.memberValue.node : child.node, [],
                    isQuiet: frame.pointee.isQuiet)
                if outcome == .waits { return .wait }
                isFailed = outcome == .failed
            }
            frame.pointee.cursor = next(frame.pointee.cursor, isObject)
        }
    }

    /// The name or element behind one.
    @inline(__always)
    func next(_ cursor: UnsafePointer<Node>, _ isObject: Bool) -> UnsafePointer<Node> {
        Value(isObject ? cursor + 1 : cursor).after.node
    }
}
