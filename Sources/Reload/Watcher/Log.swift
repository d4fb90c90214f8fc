// The library's log: lines for the host's handler, nothing of its own. Never holds a value of a
// key.

package import Config
internal import Synchronization

package enum LogLevel: Int32, Sendable {
    case error = 1
    case warning = 2
    case info = 3
    case debug = 4
}

package enum Log {
    /// A handler and what it wants to hear.
    package struct Handler: Sendable {
        package let level: LogLevel
        package let write: @Sendable (LogLevel, String) -> Void

        package init(level: LogLevel, write: @escaping @Sendable (LogLevel, String) -> Void) {
            self.level = level
            self.write = write
        }
    }

    /// The level of the handler, 0 when there is none: looked at before a line is made.
    private static let level = Atomic<Int32>(0)
    nonisolated(unsafe) private static var handler: Handler?
    nonisolated(unsafe) private static var running = 0
    static let lock = Lock()

    /// Whether anybody wants to hear lines of this level.
    static func isEnabled(_ level: LogLevel) -> Bool {
        level.rawValue <= Log.level.load(ordering: .relaxed)
    }

    /// Hands a line of the watcher with this name to the handler, if it wants to hear it.
    static func write(_ level: LogLevel, of name: String, _ line: @autoclosure () -> String) {
        if isEnabled(level) { hand(level, Log.line(of: name, line())) }
    }

    static func line(of name: String, _ line: String) -> String {
        singleLine(name.isEmpty ? line : "\(name): \(line)")
    }

    /// No lock is held while the handler runs.
    private static func hand(_ level: LogLevel, _ line: String) {
        if RunningLogHandler.isRunning { return }
        lock.acquire()
        guard let handler, level.rawValue <= handler.level.rawValue else { return lock.release() }
        running += 1
        lock.release()
        RunningLogHandler.isRunning = true
        handler.write(level, line)
        RunningLogHandler.isRunning = false
        lock.acquire()
        running -= 1
        lock.wakeAll()
        lock.release()
    }

    /// Names may hold anything: what would end the line or the text is replaced.
    private static func singleLine(_ line: String) -> String {
        line.withBytes { text in
            String(
                decoding: text.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 },
                as: UTF8.self)
        }
    }

    /// A line to be written once nobody holds the reactor's lock: at the next `flush`.
    static func `defer`(_ level: LogLevel, of name: String, _ line: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        let text = Log.line(of: name, line())
        lock.withLock { deferred.append((level, text)) }
        hasDeferred.store(true, ordering: .releasing)
    }

    static func flush() {
        guard hasDeferred.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let lines = lock.withLock { () -> [(LogLevel, String)] in
            defer { deferred.removeAll() }
            return deferred
        }
        for (level, line) in lines { hand(level, line) }
    }

    private static let hasDeferred = Atomic<Bool>(false)
    nonisolated(unsafe) private static var deferred: [(LogLevel, String)] = []

    /// Replaces the handler, and returns once no call of the one before runs.
    package static func setHandler(_ handler: Handler?) throws(Failure) {
        if RunningLogHandler.isRunning { throw Failure(.state, "not inside the log handler") }
        lock.acquire()
        self.handler = handler
        level.store(handler?.level.rawValue ?? 0, ordering: .relaxed)
        while running > 0 { lock.wait(until: .never) }
        lock.release()
    }

    /// In the child of a fork(2): threads that were in the handler are no more.
    static func afterForkInChild() {
        lock.reset()
        running = 0
    }
}
