// Keeps what a watcher says, from whatever thread it says it, until the story asks. The callbacks
// copy, retain and return; they decide nothing.

import CCMReload
import Glibc

/// An event, kept beyond its callback.
final class Heard {
    let kind: Int
    let cause: Int
    let version: UInt64
    let snapshot: OpaquePointer?
    /// "+key ~key -key", in the order of the event.
    let changes: String
    let error: cmr_error

    init(_ event: cmr_event) {
        kind = Int(event.kind)
        cause = Int(event.cause)
        version = event.version
        snapshot = cmr_snapshot_retain(event.snapshot)
        changes = UnsafeBufferPointer(start: event.changes, count: event.change_count).map {
            change in
            let sign = ["?", "+", "-", "~"][Int(change.kind) & 3]
            return sign + String(cString: change.key)
        }.joined(separator: " ")
        error = event.error?.pointee ?? .fresh
    }

    deinit { cmr_snapshot_release(snapshot) }

    var description: String {
        let kinds = ["?", "PUBLISHED", "REJECTED", "SOURCE_LOST", "SOURCE_RECOVERED"]
        return
            "\(kinds[kind < kinds.count ? kind : 0]) of version \(version) came "
            + "(\(changes)\(error.about) \(error.text))"
    }
}

/// What was heard and not yet asked for, and what was logged.
///
/// Sendable, since every access to the two arrays is made with the lock held.
final class Recorder: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let news = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var events: [Heard] = []
    private var log: [(level: Int, text: String)] = []

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(news, nil)
    }

    deinit {
        pthread_cond_destroy(news)
        pthread_mutex_destroy(lock)
        news.deallocate()
        lock.deallocate()
    }

    /// What the callbacks get; valid while the recorder lives.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static let onEvent: cmr_event_fn = { context, event in
        guard let context, let event else { return }
        Unmanaged<Recorder>.fromOpaque(context).takeUnretainedValue().keep(Heard(event.pointee))
    }

    static let onLog: cmr_log_fn = { context, level, message, size in
        guard let context, let message else { return }
        Unmanaged<Recorder>.fromOpaque(context).takeUnretainedValue().note(
            Int(level), String(cString: message))
    }

    private func keep(_ event: Heard) {
        if event.error.status != CMR_OK { note(0, event.error.text) }
        locked {
            events.append(event)
            pthread_cond_broadcast(news)
        }
    }

    /// Level 0 holds what events say, so that a story can look for words there too.
    private func note(_ level: Int, _ text: String) {
        locked {
            log.append((level, text))
            pthread_cond_broadcast(news)
        }
    }

    /// The next event, or nil when none came in time.
    func next(within milliseconds: Int64) -> Heard? {
        wait(milliseconds) { !events.isEmpty } ? locked { events.removeFirst() } : nil
    }

    func lines(_ level: Int, _ text: String) -> Int { locked { count(level, text) } }

    func waitForLines(
        _ wanted: Int64, _ level: Int, _ text: String, within milliseconds: Int64
    ) -> Bool {
        wait(milliseconds) { count(level, text) >= wanted }
    }

    private func count(_ level: Int, _ text: String) -> Int {
        log.count { $0.level == level && strstr($0.text, text) != nil }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }

    private func wait(_ milliseconds: Int64, until holds: () -> Bool) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = deadline.tv_nsec + Int(milliseconds % 1000) * 1_000_000
        deadline.tv_sec += Int(milliseconds / 1000) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        return locked {
            while !holds() {
                if pthread_cond_timedwait(news, lock, &deadline) != 0 { return holds() }
            }
            return true
        }
    }
}
