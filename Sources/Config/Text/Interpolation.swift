// What is put into messages: texts and numbers, each by one function that is not inlined. The
// standard library's own is generic, and costs a kilobyte of code for each place that uses it.

extension DefaultStringInterpolation {
    @inline(never)
    package mutating func appendLiteral(_ text: String) { write(text) }

    package mutating func appendInterpolation(_ text: String) { appendLiteral(text) }

    @inline(never)
    package mutating func appendInterpolation(_ text: StaticString) {
        appendLiteral(text.description)
    }

    @inline(never)
    package mutating func appendInterpolation(_ number: Int) { appendLiteral(number.description) }

    @inline(never)
    package mutating func appendInterpolation(_ number: UInt32) {
        appendInterpolation(Int(number))
    }

    @inline(never)
    package mutating func appendInterpolation(_ number: UInt64) {
        appendLiteral(number.description)
    }
}
