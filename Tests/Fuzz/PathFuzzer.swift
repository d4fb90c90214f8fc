// Feeds the ways to name keys and values: a glob, a line break, a key, a line break, a path, a line
// break, the value of that key. Each is compared with a second opinion that is slow and plain: the
// glob with fnmatch(3) where both mean the same, the path with a walk over unescaped tokens. Run by
// fuzz.sh.
import Foundation

@testable import Config

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    let parts = input.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
        .map(Array.init)
    let (glob, key) = (parts[0], parts.count > 1 ? parts[1] : [])
    do throws(Failure) {
        try checkGlob(glob, key)
    } catch {
        precondition(error.kind == .invalidArgument || error.kind == .limit)
    }
    guard parts.count == 4, !key.isEmpty else { return 0 }
    do throws(Failure) {
        try checkPath(parts[2], key, parts[3])
    } catch {
        precondition(error.kind == .parse || error.kind == .limit)
    }
    return 0
}

private func checkGlob(_ glob: [UInt8], _ key: [UInt8]) throws(Failure) {
    let pattern = try withExact(glob) { (glob) throws(Failure) in try KeyPattern(glob) }
    let matches = try withExact(key) { (key) throws(Failure) in pattern.matches(key) }
    // fnmatch takes exponential time where there are many stars.
    guard glob.count(where: { $0 == UInt8(ascii: "*") }) < 5, key.count < 100,
        let (glob, key) = narrowed(glob, key)
    else { return }
    let expected = fnmatch(glob, key, 0) == 0
    precondition(matches == expected)
}

/// Both as C strings in which one byte is one character, in the order of their numbers: of UTF-8
/// glibc's fnmatch takes what matches as characters or as bytes, so `??` would match `é`. Nil where
/// that cannot be written: bytes are not UTF-8, one is NUL, there are too many characters.
private func narrowed(_ glob: [UInt8], _ key: [UInt8]) -> (glob: [CChar], key: [CChar])? {
    guard let glob = String(validating: glob, as: UTF8.self)?.unicodeScalars,
        let key = String(validating: key, as: UTF8.self)?.unicodeScalars
    else { return nil }
    let wide = Set((Array(glob) + Array(key)).filter { !$0.isASCII }).sorted()
    guard wide.count < 128, !glob.contains("\0"), !key.contains("\0") else { return nil }
    let bytes = Dictionary(uniqueKeysWithValues: zip(wide, UInt8(128)...))
    func written(_ text: String.UnicodeScalarView) -> [CChar] {
        text.map { CChar(bitPattern: bytes[$0] ?? UInt8($0.value)) } + [0]
    }
    return (written(glob), written(key))
}

/// Asks a snapshot of three keys, of which the fuzzer names one, for a path.
private func checkPath(_ path: [UInt8], _ key: [UInt8], _ value: [UInt8]) throws(Failure) {
    var content = [
        Array("a.json".utf8): Array(#"{"b":[1,{"~/":2}],"":3}"#.utf8), Array("a#".utf8): [],
    ]
    content[key] = value
    var documents: [Document] = []
    defer { for document in documents { document.release(memory) } }
    var scratch = ParseScratch(memory: memory)
    for (key, value) in content {
        documents.append(try makeDocument(key, value, &scratch))
    }
    let snapshot = try documents.withUnsafeMutableBufferPointer { (documents) throws(Failure) in
        try Snapshot.make(
            documents: documents, generation: Bytes(start: nil, count: 0), memory: memory)
    }
    defer { snapshot.free(memory) }
    let found = try withExact(path) { (path) throws(Failure) in
        (try? snapshot.value(atPath: path))?.node
    }
    precondition(found == expected(path, documents)?.node)
}

private func makeDocument(
    _ key: [UInt8], _ value: [UInt8], _ scratch: inout ParseScratch
) throws(Failure) -> Document {
    try withExact(value + [UInt8](repeating: 0, count: 64)) { (padded) throws(Failure) in
        try withExact(key) { (key) throws(Failure) in
            try Document.make(
                key: key, bytes: Bytes(rebasing: padded.dropLast(64)), format: Format(key: key),
                limits: Limits(), scratch: &scratch, memory: memory
            ).document
        }
    }
}

/// What the header says of paths, read literally.
private func expected(_ path: [UInt8], _ documents: [Document]) -> Value? {
    func root(_ key: some Sequence<UInt8>) -> Value? {
        let key = Array(key)
        return documents.first { Array($0.key) == key }?.root
    }
    if let value = root(path) { return value }
    for place in path.indices.reversed() where path[place] == UInt8(ascii: "#") {
        let pointer = path[(place + 1)...]
        guard pointer.isEmpty || pointer.first == UInt8(ascii: "/") else { continue }
        if let value = root(path[..<place]) { return walk(value, pointer) }
    }
    return nil
}

private func walk(_ root: Value, _ pointer: ArraySlice<UInt8>) -> Value? {
    var value = root
    let tokens = pointer.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for token in tokens.dropFirst() {
        guard let name = unescaped(token), let next = child(of: value, name) else { return nil }
        value = next
    }
    return value
}

private func child(of value: Value, _ name: [UInt8]) -> Value? {
    switch value.type {
    case .object:
        for index in 0..<value.count {
            guard let member = try? value.name(at: index) else { preconditionFailure() }
            if Array(member) == name { return value.element(at: index) }
        }
        return nil
    case .array:
        let text = String(decoding: name, as: UTF8.self)
        guard let index = Int(text), String(index) == text else { return nil }
        return value.element(at: index)
    case .null, .bool, .int64, .double, .string, .bytes:
        return nil
    }
}

/// A pointer's token as it is meant; nil where a tilde escapes nothing.
private func unescaped(_ token: ArraySlice<UInt8>) -> [UInt8]? {
    var name: [UInt8] = []
    var isEscaped = false
    for byte in token {
        switch (isEscaped, byte) {
        case (true, UInt8(ascii: "0")): name.append(UInt8(ascii: "~"))
        case (true, UInt8(ascii: "1")): name.append(UInt8(ascii: "/"))
        case (true, _): return nil
        case (false, UInt8(ascii: "~")): break
        case (false, _): name.append(byte)
        }
        isEscaped = !isEscaped && byte == UInt8(ascii: "~")
    }
    return isEscaped ? nil : name
}
