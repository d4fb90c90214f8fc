// The kubelet's side of a mount, for tests and tools.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_mount_write") @implementation
public func cmr_mount_write(
    _ directory: UnsafePointer<CChar>!, _ list: UnsafePointer<cmr_file>!, _ count: Int,
    _ error: UnsafeMutablePointer<cmr_error>!
) -> cmr_status {
    answer(error) { () throws(Failure) in
        let files = try files(list, count)
        try MountWriter.write(files.count, to: try path(directory)) { MountFile(files[$0]) }
    }
}

extension MountFile {
    fileprivate init(_ file: cmr_file) {
        self.init(key: file.key, bytes: file.bytes, size: file.size, mode: file.mode)
    }
}
