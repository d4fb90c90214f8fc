// What watchers have done, as Prometheus reads it: the text exposition format 0.0.4. Each metric
// stands once, with a series or a few for each watcher. Written from copies, without a lock; holds
// no value of a key.

internal import Config

/// What is told of some watchers, at one moment.
package struct Metrics {
    private let samples: [Sample]

    fileprivate init(_ samples: [Sample]) { self.samples = samples }

    /// Writes the text and a NUL behind it if both fit; answers the length of the text.
    package func write(to room: UnsafeMutableRawBufferPointer) -> Int {
        let count = write(MetricsText(room: UnsafeMutableRawBufferPointer(start: nil, count: 0)))
        // Nobody is to find half a text.
        return count < room.count ? write(MetricsText(room: room)) : count
    }

    private func write(_ empty: consuming MetricsText) -> Int {
        var text = empty
        for metric in Metric.all where !samples.isEmpty {
            text.begin(metric.name, metric.type, metric.help)
            for sample in samples { metric.write(sample, &text) }
        }
        return text.finish()
    }
}

/// What is told of one watcher.
private struct Sample {
    let name: String
    /// Tells watchers of the same name apart: from 2 on it is a label.
    let number: Int
    let stats: Stats
    let isSensitive: Bool
    /// What is current, kept alive while it is written about.
    let content: Content?
}

/// One metric, and the series that a watcher has of it.
private struct Metric: Sendable {
    let name: StaticString
    let type: StaticString
    let help: StaticString
    let write: @Sendable (Sample, inout MetricsText) -> Void

    static let all = [
        Metric(
            name: "config_reload_total", type: "counter",
            help: "Loads that published, that were refused, and that found what is current."
        ) { sample, text in
            text.series(sample, "status", "success", sample.stats.succeeded)
            text.series(sample, "status", "rejected", sample.stats.rejected)
            text.series(sample, "status", "unchanged", sample.stats.unchanged)
        },
        Metric(
            name: "config_reload_duration_seconds", type: "histogram",
            help: "How long loads took that read a source."
        ) { sample, text in
            let durations = sample.stats.durations
            durations.forEachBound { bound, cumulated in
                text.series(sample, suffix: "_bucket", "le", bound.label, cumulated)
            }
            text.series(sample, suffix: "_bucket", "le", "+Inf", durations.count)
            text.series(sample, suffix: "_sum", nanoseconds: durations.sumNanoseconds)
            text.series(sample, suffix: "_count", durations.count)
        },
        Metric(
            name: "config_version", type: "gauge",
            help: "The current version; 0 before the first."
        ) { sample, text in
            text.series(sample, sample.stats.version)
        },
        Metric(
            name: "config_last_reload_successful", type: "gauge",
            help: "1 while what was found last is what is current, otherwise 0."
        ) { sample, text in
            text.series(sample, sample.stats.isHealthy ? 1 : 0)
        },
        Metric(
            name: "config_last_reload_success_timestamp_seconds", type: "gauge",
            help: "When content was last found good; 0 never."
        ) { sample, text in
            text.series(sample, nanoseconds: sample.stats.lastSuccessNanoseconds)
        },
        Metric(
            name: "config_info", type: "gauge",
            help: "What is current, by its checksum and its generation; always 1."
        ) { sample, text in
            guard let body = sample.content?.body else { return }
            text.begin(sample)
            // Of short secrets a checksum tells too much.
            if !sample.isSensitive { text.label("checksum", body.checksum) }
            // Anybody can make a link of any bytes, and one that is not UTF-8 would spoil it all.
            text.label("generation", String(body.generation))
            text.end(1)
        },
        Metric(
            name: "config_source_errors_total", type: "counter",
            help: "Reads of a source that failed."
        ) { sample, text in
            text.series(sample, sample.stats.sourceErrors)
        },
        Metric(
            name: "config_watch_mode", type: "gauge",
            help: "1 for how changes are noticed: polling when any source has to be polled."
        ) { sample, text in
            let isPolling = sample.stats.polling > 0
            text.series(sample, "mode", "inotify", isPolling ? 0 : 1)
            text.series(sample, "mode", "polling", isPolling ? 1 : 0)
        },
    ]
}

/// The exposition in the caller's memory. What does not fit is counted and not written.
private struct MetricsText {
    private let room: UnsafeMutableRawBufferPointer
    private var count = 0
    /// The metric whose series are written.
    private var metric: StaticString = ""
    private var hasLabels = false

    init(room: UnsafeMutableRawBufferPointer) { self.room = room }

    /// Ends the text with a NUL; its length.
    mutating func finish() -> Int {
        append(0)
        return count - 1
    }

    mutating func begin(_ metric: StaticString, _ type: StaticString, _ help: StaticString) {
        self.metric = metric
        append(line: "# HELP ", help)
        append(line: "# TYPE ", type)
    }

    // MARK: - A series: `begin`, its labels, `end`

    mutating func series(_ sample: Sample, suffix: StaticString = "", _ number: UInt64) {
        begin(sample, suffix: suffix)
        end(number)
    }

    mutating func series(_ sample: Sample, suffix: StaticString = "", nanoseconds: Int64) {
        begin(sample, suffix: suffix)
        end(nanoseconds: nanoseconds)
    }

    mutating func series(
        _ sample: Sample, suffix: StaticString = "", _ label: StaticString, _ value: StaticString,
        _ number: UInt64
    ) {
        begin(sample, suffix: suffix)
        self.label(label, Bytes(start: value.utf8Start, count: value.utf8CodeUnitCount))
        end(number)
    }

    mutating func begin(_ sample: Sample, suffix: StaticString = "") {
        append(metric)
        append(suffix)
        hasLabels = false
        if !sample.name.isEmpty { label("watcher", sample.name) }
        if sample.number > 1 { label("number", "\(sample.number)") }
    }

    /// Of a label's value the format escapes backslash, quote and line feed; all else stands as it
    /// is.
    mutating func label(_ name: StaticString, _ value: Bytes) {
        append(hasLabels ? "," : "{")
        append(name)
        append("=\"")
        hasLabels = true
        for byte in value {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\n"): append("\\n")
            default: append(byte)
            }
        }
        append("\"")
    }

    mutating func label(_ name: StaticString, _ value: String) {
        value.withBytes { label(name, $0) }
    }

    mutating func end(_ number: UInt64) {
        append(hasLabels ? "} " : " ")
        append(number, digits: 1)
        append("\n")
    }

    /// In seconds, exactly.
    mutating func end(nanoseconds: Int64) {
        append(hasLabels ? "} " : " ")
        let nanoseconds = UInt64(max(0, nanoseconds))
        append(nanoseconds / 1_000_000_000, digits: 1)
        append(".")
        append(nanoseconds % 1_000_000_000, digits: 9)
        append("\n")
    }

    // MARK: - Bytes

    private mutating func append(_ byte: UInt8) {
        if count < room.count { room[count] = byte }
        count += 1
    }

    private mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }

    private mutating func append(line beginning: StaticString, _ rest: StaticString) {
        append(beginning)
        append(metric)
        append(" ")
        append(rest)
        append("\n")
    }

    /// Writes a number with at least so many digits.
    private mutating func append(_ number: UInt64, digits: Int) {
        if digits > 1 || number >= 10 { append(number / 10, digits: max(1, digits - 1)) }
        append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

extension Watcher {
    /// What is told of this watcher.
    package func metrics() -> Metrics {
        reactor.lock.withLock { Metrics([sample(number: 1)]) }
    }

    /// Under the lock.
    fileprivate func sample(number: Int) -> Sample {
        Sample(
            name: name, number: number, stats: currentStats, isSensitive: options.isSensitive,
            content: current.snapshot?.content)
    }
}

extension Reactor {
    /// What is told of all watchers. Of several with the same name, or without one, the later ones
    /// have a number, which they keep.
    package func metrics() -> Metrics {
        lock.withLock {
            for watcher in watchers where watcher.numberAmongNamesakes == 0 {
                var last = 0
                for other in watchers where other.name.isIdentical(to: watcher.name) {
                    last = max(last, other.numberAmongNamesakes)
                }
                watcher.numberAmongNamesakes = last + 1
            }
            return Metrics(watchers.map { $0.sample(number: $0.numberAmongNamesakes) })
        }
    }
}
