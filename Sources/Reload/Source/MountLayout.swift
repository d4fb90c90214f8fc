package import Config

// The names in a volume that the kubelet writes, kubernetes pkg/volume/util/atomic_writer.go: the *data directory*
// link, the *timestamped directory* it names, and the *user-visible* links through it. Reader and writer share them.

/// The kubelet's layout of a mount.
package enum MountLayout {
    /// The link to the timestamped directory that holds the payload.
    package static let dataDirectory: StaticString = "..data"
    /// The link that is renamed over it.
    package static let newDataDirectory: StaticString = "..data_tmp"

    /// Names that begin with two dots are the kubelet's own, never keys.
    package static func isReserved(_ name: Bytes) -> Bool {
        name.count >= 2 && name[0] == UInt8(ascii: ".") && name[1] == UInt8(ascii: ".")
    }
}
