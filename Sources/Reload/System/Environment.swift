// The environment of the process, environ(7), as it is at the moment.

internal import CSystem
package import Config

package enum Environment {
    /// The value of a variable, borrowed from the environment.
    @Sendable
    package static func value(of name: Bytes) -> Bytes? {
        guard let start = UnsafeRawPointer(name.baseAddress),
            let value = cs_variable(start.assumingMemoryBound(to: CChar.self), name.count)
        else { return nil }
        return Bytes(text: value)
    }

    /// Calls `body` for each variable. Nobody may change the environment meanwhile, as getenv(3)
    /// says.
    package static func forEach(_ body: (_ name: Bytes, _ value: Bytes) throws(Failure) -> Void)
        throws(Failure)
    {
        var index = 0
        while let entry = cs_environment(index) {
            index += 1
            let text = Bytes(
                start: UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self),
                count: cs_string_length(entry))
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
            try body(Bytes(rebasing: text[..<equals]), Bytes(rebasing: text[(equals + 1)...]))
        }
    }
}
