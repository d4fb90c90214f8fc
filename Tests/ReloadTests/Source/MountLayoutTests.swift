// The names that the kubelet keeps for itself.

import Testing

@testable import Reload

@Suite struct MountLayoutTests {
    private func isReserved(_ name: String) -> Bool {
        FilePath(text: name).withBytes { MountLayout.isReserved($0) }
    }

    @Test("names that begin with two dots are the kubelet's, and no others")
    func reserved() {
        for name in ["..data", "..data_tmp", "..2026_11_22_08_45_04.1", "..", "..."] {
            #expect(isReserved(name), "\(name)")
        }
        for name in ["", ".", ".hidden", "a..b", "app.json"] {
            #expect(!isReserved(name), "\(name)")
        }
    }

    @Test("a timestamped directory lies in the mount itself, under a name of its own")
    func timestamped() {
        let first = MountLayout.timestampedDirectory(), second = MountLayout.timestampedDirectory()
        #expect(MountLayout.isTimestampedDirectory(first) && first != second)
        #expect(first.description.hasPrefix("..2") && first.description.count > 22)
        for target in ["..data", "..data_tmp", "..", "..a/b", "../a", "/a", "a", ""] {
            #expect(!MountLayout.isTimestampedDirectory(FilePath(text: target)), "\(target)")
        }
    }
}
