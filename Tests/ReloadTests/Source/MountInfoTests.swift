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

        """

    private func reason(_ path: String, isFile: Bool = false) -> String? {
        var table = table
        return table.withUTF8 {
            MountInfo.neverUpdates(FilePath(text: path), isFile: isFile, table: $0)
        }
    }

    @Test("a volume that is mounted as a whole is updated")
    func whole() {
        #expect(reason("/etc/config") == nil)
        #expect(reason("/etc/sub2") == nil)
        #expect(reason("/etc/unmounted") == nil)
        #expect(reason("/etc/unmounted.json", isFile: true) == nil)
    }

    @Test("a subPath is told by what is bound, spaces in its name or not")
    func subPath() {
        #expect(reason("/etc/sub")?.contains("subPath") == true)
        #expect(reason("/etc/with space")?.contains("subPath") == true)
    }

    @Test("a single file that is a mount of its own is never updated")
    func file() {
        #expect(reason("/etc/app.json", isFile: true)?.contains("single file") == true)
    }
}
