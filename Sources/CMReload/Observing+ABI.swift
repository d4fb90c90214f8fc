// What the library tells of itself: versions, statuses, statistics, the log.

public import CCMReload
internal import Config
internal import Reload

@_cdecl("cmr_version") @implementation
public func cmr_version() -> UnsafePointer<CChar>! { text(versionText) }

/// The same as CMR_VERSION of the header, which a test compares.
private let versionText: StaticString = "1.0.0"

@_cdecl("cmr_abi_version") @implementation
public func cmr_abi_version() -> UInt32 {
    UInt32(CMR_VERSION_MAJOR) << 16 | UInt32(CMR_VERSION_MINOR)
}

@_cdecl("cmr_status_name") @implementation
public func cmr_status_name(_ status: cmr_status) -> UnsafePointer<CChar>! {
    if status == .ok { return text("CMR_OK") }
    guard let kind = Failure.Kind(rawValue: status) else { return text("unknown") }
    switch kind {
    case .invalidArgument: return text("CMR_E_INVALID_ARGUMENT")
    case .notFound: return text("CMR_E_NOT_FOUND")
    case .type: return text("CMR_E_TYPE")
    case .range: return text("CMR_E_RANGE")
    case .io: return text("CMR_E_IO")
    case .parse: return text("CMR_E_PARSE")
    case .rejected: return text("CMR_E_REJECTED")
    case .limit: return text("CMR_E_LIMIT")
    case .state: return text("CMR_E_STATE")
    case .timeout: return text("CMR_E_TIMEOUT")
    case .unavailable: return text("CMR_E_UNAVAILABLE")
    case .denied: return text("CMR_E_DENIED")
    case .noMemory: return text("CMR_E_NO_MEMORY")
    }
}

private func text(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@_cdecl("cmr_free") @implementation
public func cmr_free(_ memory: UnsafeMutableRawPointer!) { Memory.caller.free(memory, 0) }

@_cdecl("cmr_watcher_stats") @implementation
public func cmr_watcher_stats(
    _ handle: OpaquePointer!, _ stats_out: UnsafeMutablePointer<cmr_stats>!
) -> cmr_status {
    guard let stats_out, stats_out.pointee.struct_size >= UInt32(MemoryLayout<cmr_stats>.size)
    else {
        return .invalidArgument
    }
    return answer(nil) { () throws(Failure) in
        stats_out.pointee.fill(with: try watcher(handle).copyStats())
    }
}

extension cmr_stats {
    /// Everything but the size that the caller set.
    fileprivate mutating func fill(with stats: Stats) {
        healthy = stats.isHealthy ? 1 : 0
        version = stats.version
        reloads_succeeded = stats.succeeded
        reloads_rejected = stats.rejected
        reloads_unchanged = stats.unchanged
        source_errors = stats.sourceErrors
        overflows = stats.overflows
        rescans = stats.rescans
        callbacks = stats.callbacks
        last_success_ns = stats.lastSuccessNanoseconds
        last_failure_ns = stats.lastFailureNanoseconds
        last_duration_ns = stats.lastDurationNanoseconds
        polling = stats.polling
        held_snapshots = stats.heldSnapshots
    }
}

@_cdecl("cmr_watcher_metrics") @implementation
public func cmr_watcher_metrics(
    _ handle: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard handle != nil, let size_out, buffer != nil || capacity == 0 else {
        return .invalidArgument
    }
    return answer(nil) { () throws(Failure) in
        try write(try watcher(handle).metrics(), to: buffer, capacity, size_out)
    }
}

@_cdecl("cmr_metrics") @implementation
public func cmr_metrics(
    _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ size_out: UnsafeMutablePointer<Int>!
) -> cmr_status {
    guard let size_out, buffer != nil || capacity == 0 else { return .invalidArgument }
    return answer(nil) { () throws(Failure) in
        try write(Reactor.shared.metrics(), to: buffer, capacity, size_out)
    }
}

/// Writes metrics; where they do not fit, `size_out` says how much room they need with their NUL.
private func write(
    _ metrics: Metrics, to buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
    _ size_out: UnsafeMutablePointer<Int>
) throws(Failure) {
    // A size_t that no Int holds is more than any memory.
    let room = capacity < 0 ? Int.max : capacity
    let count = metrics.write(to: UnsafeMutableRawBufferPointer(start: buffer, count: room))
    size_out.pointee = count < room ? count : count + 1
    if count >= room { throw Failure(.limit, "the metrics need \(count + 1) bytes") }
}

@_cdecl("cmr_set_log_handler") @implementation
public func cmr_set_log_handler(
    _ handler: cmr_log_fn!, _ context: UnsafeMutableRawPointer!, _ level: Int32
) -> cmr_status {
    answer(nil) { () throws(Failure) in try Log.setHandler(try logHandler(handler, context, level))
    }
}

private func logHandler(
    _ function: cmr_log_fn?, _ context: UnsafeMutableRawPointer?, _ level: Int32
) throws(Failure) -> Log.Handler? {
    guard let function else { return nil }
    guard let level = LogLevel(rawValue: level) else {
        throw Failure(.invalidArgument, "there is no such level")
    }
    nonisolated(unsafe) let context = context  // The host's own, given back to it unseen.
    return Log.Handler(level: level) { level, line in
        (line + "\0").withBytes { text in
            text.withMemoryRebound(to: CChar.self) {
                function(context, level.rawValue, $0.baseAddress, $0.count - 1)
            }
        }
    }
}
