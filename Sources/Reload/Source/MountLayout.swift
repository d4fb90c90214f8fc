// The names in a volume that the kubelet writes, kubernetes pkg/volume/util/atomic_writer.go: the
// *data directory* link, the *timestamped directory* it names, and the *user-visible* links
// through it. Reader and writer share them.

package import Config

/// The kubelet's layout of a mount.
package enum MountLayout {
    /// The link to the timestamped directory that holds the payload.
    package static let dataDirectory: StaticString = "..data"
    /// The link that is renamed over it.
    package static let newDataDirectory: StaticString = "..data_tmp"

    /// The name of a new timestamped directory; the number behind the time makes it unique.
    package static func timestampedDirectory() -> FilePath {
        "..\(utcTimestamp()).\(randomNumber())".withBytes { FilePath($0) }
    }

    /// Whether a `..data` link leads to a timestamped directory in the mount itself, rather than
    /// anywhere else.
    package static func isTimestampedDirectory(_ target: FilePath) -> Bool {
        let slash = UInt8(ascii: "/")
        return target.withBytes { isReserved($0) && $0.count > 2 && !$0.contains(slash) }
            && target != FilePath(dataDirectory) && target != FilePath(newDataDirectory)
    }

    /// Directories within directories; a payload's paths are far flatter.
    package static let mostLevels = 32

    /// Names that begin with two dots are the kubelet's own, never keys.
    package static func isReserved(_ name: Bytes) -> Bool {
        name.count >= 2 && name[0] == UInt8(ascii: ".") && name[1] == UInt8(ascii: ".")
    }
}
