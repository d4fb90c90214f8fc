// A thread that may change what a process otherwise has in common: the umask, and who it is to
// files.
import Foundation

enum OwnThread {
    /// Runs `body` on a thread with a umask and, on request, a user of its own.
    static func run(asNobody: Bool = false, _ body: @escaping @Sendable () -> Void) {
        let over = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let cloneFileSystem: Int32 = 0x200  // CLONE_FS: not shared from here on
            precondition(call("unshare", cloneFileSystem) == 0, "the umask would be everybody's")
            if asNobody { _ = call("setfsuid", 65534) }
            body()
            over.signal()
        }
        over.wait()
    }

    /// A function of the C library that Swift's module of it leaves out.
    private static func call(_ name: String, _ argument: Int32) -> Int32 {
        typealias Function = @convention(c) (Int32) -> Int32
        guard let function = dlsym(nil, name) else { return -1 }
        return unsafeBitCast(function, to: Function.self)(argument)
    }
}
