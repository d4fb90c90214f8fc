// References to environment variables in text, as Kubernetes has them in the fields of a pod
// (third_party/forked/golang/expansion/expand.go): `$(NAME)` is the variable's value, `$$` is one
// dollar sign, so that `$$(NAME)` stays `$(NAME)`. What names no variable stays as it is.

/// References that were left as they are, for there is no such variable.
package struct UnknownVariables: Sendable {
    /// How many there are.
    package fileprivate(set) var count: Int
    /// Where the first one is. Its name is a part of the value, and not to be told.
    package let position: TextPosition
}

extension ParseScratch {
    /// Replaces the references in `source`. What comes of it is followed by 64 zeros, as the source
    /// is, and is good until the scratch is used again.
    mutating func expand(
        _ source: Bytes, limit: Int, _ variables: (Bytes) -> Bytes?
    ) throws(ParseError) -> (text: Bytes, unknown: UnknownVariables?) {
        guard source.contains(dollar) else { return (source, nil) }
        var unknown: UnknownVariables?
        var written = 0
        // Everything before is written.
        var done = 0
        var position = 0
        var hasClosers = true
        while position &+ 1 < source.count {
            guard source[position] == dollar else {
                position = position &+ 1
                continue
            }
            let next = source[position &+ 1]
            if next == dollar {
                // The first of the two is left out.
                try append(source[done..<position], &written, limit)
                done = position &+ 1
                position = position &+ 2
                continue
            }
            guard next == UInt8(ascii: "("), hasClosers else {
                position = position &+ 2
                continue
            }
            guard let end = source[(position &+ 2)...].firstIndex(of: UInt8(ascii: ")")) else {
                // There is none further down either.
                hasClosers = false
                position = position &+ 2
                continue
            }
            let name = Bytes(rebasing: source[(position &+ 2)..<end])
            if let value = variables(name) {
                try append(source[done..<position], &written, limit)
                try append(value[...], &written, limit)
                done = end &+ 1
            } else if unknown == nil {
                unknown = UnknownVariables(
                    count: 1, position: TextPosition(of: position, in: source))
            } else {
                unknown?.count += 1
            }
            position = end &+ 1
        }
        if done == 0 { return (source, unknown) }
        try append(source[done...], &written, limit)
        return (try finishText(written), unknown)
    }

    private mutating func append(_ piece: Slice<Bytes>, _ written: inout Int, _ limit: Int)
        throws(ParseError)
    {
        let piece = Bytes(rebasing: piece)
        if piece.count > limit &- written { throw ParseError(problem: .tooLarge, offset: 0) }
        guard reserveText(written &+ piece.count, keeping: written), let base = text.base else {
            throw ParseError(problem: .noMemory, offset: 0)
        }
        if let start = piece.baseAddress {
            UnsafeMutableRawPointer(base + written).copyMemory(
                from: start, byteCount: piece.count)
        }
        written = written &+ piece.count
    }

    private mutating func finishText(_ count: Int) throws(ParseError) -> Bytes {
        guard let base = text.base else { throw ParseError(problem: .noMemory, offset: 0) }
        (base + count).update(repeating: 0, count: Payload.padding)
        return Bytes(start: base, count: count)
    }

    /// Makes room for `count` bytes and the zeros behind them.
    private mutating func reserveText(_ count: Int, keeping used: Int) -> Bool {
        let needed = count &+ Payload.padding
        return needed <= text.capacity || growText(to: needed, keeping: used)
    }
}

private let dollar = UInt8(ascii: "$")
