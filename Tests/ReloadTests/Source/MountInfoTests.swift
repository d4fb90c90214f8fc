// Which mounts are never updated, by the kernel's own table.

import Config
import Testing

@testable import Reload

@Suite struct MountInfoTests {
    private let table = """
        22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
        30 22 0:25 / /etc/config rw - tmpfs tmpfs rw
        31 22 8:1 /pods/1/c/..2026_11_22_08_45_04.1/app.json /etc/app.json ro - ext4 /dev/sda1 rw
        32 22 8:1 /pods/1/volume-subpaths/c/app/0 /etc/sub ro - ext4 /dev/sda1 rw
        33 22 8:1 /pods/1/c/..2026_11_22_08_45_04.1/d /etc/with\\040space ro - ext4 /dev/sda1 rw
        34 22 8:1 /somewhere /etc/sub2 ro - ext4 /dev/sda1 rw
        35 34 0:26 / /etc/config2 rw - tmpfs tmpfs rw
        36 22 8:1 /pods/1/c/..2026_11_22_08_45_04.1/b.json /srv/keys/b.json ro - ext4 /dev/sda1 rw
        37 22 8:1 /pods/1/c/..2026_11_22_08_45_04.1/a /srv/keys/deep/a ro - ext4 /dev/sda1 rw
        38 22 8:1 /somewhere/c.json /srv/file/c.json ro - ext4 /dev/sda1 rw
        39 22 0:27 / /srv/nested/volume rw - tmpfs tmpfs rw
        40 22 8:1 /pods/1/volume-subpaths/c/app/1 /srv/covered ro - ext4 /dev/sda1 rw
        41 40 0:28 / /srv/covered rw - tmpfs tmpfs rw
        42 22 8:1 /pods/1/volume-subpaths/c/app/2 /srv/covering ro - ext4 /dev/sda1 rw
        43 42 0:29 / /srv/covering/volume rw - tmpfs tmpfs rw

        """

    private func reason(_ path: String, _ kind: MountInfo.Kind = .volume) -> String? {
        var table = table
        return table.withUTF8 {
            MountInfo.neverUpdates(FilePath(text: path), kind, table: $0) {
                $0.description.hasSuffix(".json")
            }
        }
    }

    @Test("a volume that is mounted as a whole is updated")
    func whole() {
        #expect(reason("/etc/config") == nil)
        #expect(reason("/etc/sub2") == nil)
        #expect(reason("/etc/unmounted") == nil)
        #expect(reason("/etc/unmounted", .plainDirectory) == nil)
        #expect(reason("/etc/unmounted.json", .file) == nil)
        #expect(reason("/etc/config/app.json", .file) == nil)
    }

    @Test("a subPath is told by what is bound, spaces in its name or not")
    func subPath() {
        #expect(reason("/etc/sub")?.hasPrefix("is mounted by subPath:") == true)
        #expect(reason("/etc/with space")?.hasPrefix("is mounted by subPath:") == true)
    }

    @Test("a single file that is a mount of its own is never updated")
    func file() {
        #expect(reason("/etc/app.json", .file)?.contains("single file") == true)
    }

    @Test("what lies in a directory that is mounted by subPath is never updated, however deep")
    func below() {
        let below = "lies in /etc/sub, which is mounted by subPath:"
        #expect(reason("/etc/sub/app.json", .file)?.hasPrefix(below) == true)
        #expect(reason("/etc/sub/a/b/app.json", .file)?.hasPrefix(below) == true)
        #expect(reason("/etc/sub/a", .plainDirectory)?.hasPrefix(below) == true)
        #expect(reason("/etc/submarine/app.json", .file) == nil)
    }

    @Test("a mount within a plain directory is never updated when it is a subPath or a file")
    func within() {
        let keys = "its b.json and 1 more are mounted into the container by themselves:"
        #expect(reason("/srv/keys", .plainDirectory)?.hasPrefix(keys) == true)
        let file = "its c.json is mounted into the container by itself:"
        #expect(reason("/srv/file", .plainDirectory)?.hasPrefix(file) == true)
        #expect(reason("/srv/nested", .plainDirectory) == nil)
        #expect(reason("/srv/key", .plainDirectory) == nil)
    }

    @Test("keys of a volume lie in the volume itself, whatever is mounted over their links")
    func volume() {
        #expect(reason("/srv/keys", .volume) == nil)
    }

    @Test("of mounts on each other the one on top counts, and of nested ones the nearest")
    func covered() {
        #expect(reason("/srv/covered") == nil)
        #expect(reason("/srv/covered/app.json", .file) == nil)
        #expect(reason("/srv/covering/volume/app.json", .file) == nil)
        #expect(reason("/srv/covering/app.json", .file)?.contains("subPath") == true)
    }
}
