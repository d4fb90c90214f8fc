// Feeds regular expressions, and texts to match, that libFuzzer thinks of: a pattern, a line break,
// a text. The table of a pattern and its steps must agree, and neither may take longer than the
// lengths say. Run by fuzz.sh.
import Foundation

@testable import Config

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    // What is not UTF-8 never gets to a pattern: the parser of schemas and values refuses it.
    let input = String(
        decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    let parts = input.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    let pattern = Array(parts[0].utf8)
    let text = parts.count > 1 ? Array(parts[1].utf8) : []
    pattern.withUnsafeBufferPointer { pattern in
        text.withUnsafeBufferPointer { text in
            do throws(Failure) {
                try check(pattern, text)
            } catch {
                precondition(error.kind == .invalidArgument || error.kind == .limit)
                precondition(error.column >= 1 && Int(error.column) <= pattern.count + 1)
            }
        }
    }
    return 0
}

private func check(_ source: Bytes, _ text: Bytes) throws(Failure) {
    var patterns = Patterns(memory)
    // Enough for tables of both kinds: those that are made and those that are given up.
    patterns.work = 100_000
    let number = try patterns.add(source)
    let isWellFormed = try Patterns.isWellFormed(source, memory)
    precondition(isWellFormed)
    let pattern = patterns.patterns[number]
    var scratch = PatternScratch(memory)
    let most = (text.count + 1) * (2 * pattern.stepCount + 3)
    var budget = most
    let steps = try scratch.matches(pattern, patterns, text, budget: &budget)
    precondition(budget >= 0)
    let matches = try patterns.matches(number, text, &scratch, budget: &budget)
    precondition(matches == steps)
}
