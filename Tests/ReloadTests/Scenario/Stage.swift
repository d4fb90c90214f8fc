// The verbs about the watcher and what is expected of it, through the C functions as Swift imports
// them: what runs here is the normal build of the sources that ship as Embedded Swift. Events are
// heard one after another and none is passed over: each must be expected by a line of the story.

import CCMReload
import Glibc

/// A watcher on the stage, and what has been heard of it.
final class Stage {
    /// Less than the library's own rescan, so that it is the notification that is tested.
    private let deadlineMilliseconds: Int64
    private let world: World
    private let recorder = Recorder()
    private var watcher: OpaquePointer?
    private var isStarted = false
    private var atHand: OpaquePointer?
    private var changes = ""
    private var held: OpaquePointer?

    init(_ world: World, deadlineMilliseconds: Int64) throws(StoryFailure) {
        self.world = world
        self.deadlineMilliseconds = deadlineMilliseconds
        cmr_set_log_handler(Recorder.onLog, recorder.context, Int32(CMR_LOG_WARN))
        guard cmr_watcher_create(&watcher) == CMR_OK,
            cmr_watcher_subscribe(watcher, nil, 0, Recorder.onEvent, recorder.context, nil, nil)
                == CMR_OK
        else { throw StoryFailure(description: "no watcher") }
    }

    deinit {
        cmr_watcher_destroy(watcher)
        cmr_set_log_handler(nil, nil, 0)
        cmr_snapshot_release(atHand)
        cmr_snapshot_release(held)
    }

    /// Nothing may have happened that no line expected.
    func end(_ script: Script) throws(StoryFailure) {
        cmr_watcher_destroy(watcher)
        watcher = nil
        if let event = recorder.next(within: 0) {
            throw StoryFailure(description: "\(script.name): at the end, \(event.description)")
        }
    }

    /// Returns false when the verb is not the stage's.
    func perform(_ words: Words) throws(StoryFailure) -> Bool {
        switch words.verb {
        case "option": try setOption(words)
        case "add": try add(words)
        case "start": try start(words)
        case "reload":
            var error = cmr_error.fresh
            try expectOutcome(
                cmr_watcher_reload(watcher, deadlineMilliseconds, nil, &error), error, words)
        case "request-reload": cmr_watcher_request_reload(watcher)
        case "settle": try settle(words)
        case "await": try awaitValue(words)
        case "hold":
            cmr_snapshot_release(held)
            held = cmr_snapshot_retain(atHand)
        case "expect":
            let what = try words.text(1)
            if try expectEvent(what, words) { return true }
            if try expectValue(what, words) { return true }
            guard try expectState(what, words) else {
                throw words.failure("nothing is known about \(what)")
            }
        default: return false
        }
        return true
    }

    // MARK: The watcher's life

    private static let options: [String: Int] = [
        "SETTLE_MS": CMR_OPTION_SETTLE_MS, "RESCAN_MS": CMR_OPTION_RESCAN_MS,
        "POLL_MS": CMR_OPTION_POLL_MS,
        "OPTIONAL": CMR_OPTION_OPTIONAL, "SNIFF_JSON": CMR_OPTION_SNIFF_JSON,
        "LENIENT": CMR_OPTION_LENIENT,
        "MAX_VALUE_BYTES": CMR_OPTION_MAX_VALUE_BYTES,
        "MAX_TOTAL_BYTES": CMR_OPTION_MAX_TOTAL_BYTES,
        "MAX_KEYS": CMR_OPTION_MAX_KEYS, "MAX_DEPTH": CMR_OPTION_MAX_DEPTH,
        "EXPAND_ENVIRONMENT": CMR_OPTION_EXPAND_ENVIRONMENT,
    ].mapValues { Int($0) }

    private func setOption(_ words: Words) throws(StoryFailure) {
        guard let option = Self.options[try words.text(1)] else {
            throw words.failure("there is no such option")
        }
        let status = cmr_watcher_set_option(watcher, Int32(option), try words.number(2))
        if status != CMR_OK { throw words.failure("the option was refused: \(name(of: status))") }
    }

    private func add(_ words: Words) throws(StoryFailure) {
        let what = try words.text(2)
        var error = cmr_error.fresh
        let status: cmr_status
        switch try words.text(1) {
        case "mount": status = cmr_watcher_add_mount(watcher, world.path(what), &error)
        case "file": status = cmr_watcher_add_file(watcher, world.path(what), &error)
        case "environment": status = cmr_watcher_add_environment(watcher, what, &error)
        case "default":
            let bytes = try words.value(3)
            status = cmr_watcher_add_default(watcher, what, bytes, bytes.count, &error)
        default: throw words.failure("no such source can be added")
        }
        if status != CMR_OK { throw words.failure("\(name(of: status)): \(error.text)") }
    }

    private func start(_ words: Words) throws(StoryFailure) {
        var error = cmr_error.fresh
        let status = cmr_watcher_start(watcher, &error)
        try expectOutcome(status, error, words)
        isStarted = status == CMR_OK
        if isStarted { takeInHand(try published(1, words)) }
    }

    /// `fails STATUS [KEY [LINE COLUMN]]` from the second word on, or nothing there for CMR_OK.
    private func expectOutcome(_ status: cmr_status, _ error: cmr_error, _ words: Words)
        throws(StoryFailure)
    {
        let fails = words.has(1)
        if fails, try words.text(1) != "fails" {
            throw words.failure("'\(try words.text(1))' is a word too many")
        }
        let wanted = fails ? try words.text(2) : name(of: cmr_status(CMR_OK))
        if name(of: status) != wanted {
            throw words.failure(
                "\(name(of: status)) (\(error.about): \(error.text)), \(wanted) was expected")
        }
        try expectReason(error, words, at: 3)
    }

    /// `[KEY [LINE COLUMN]]` from a word on.
    private func expectReason(_ error: cmr_error, _ words: Words, at index: Int)
        throws(StoryFailure)
    {
        if words.has(index), error.about != (try words.text(index)),
            error.about != world.path(try words.text(index))
        {
            throw words.failure("it is about '\(error.about)' (\(error.text))")
        }
        if words.has(index + 1) {
            let place = (Int64(error.line), Int64(error.column))
            if place != (try words.number(index + 1), try words.number(index + 2)) {
                throw words.failure("it is at \(place.0):\(place.1) (\(error.text))")
            }
        }
        try words.nothing(from: index + 3)
    }

    // MARK: Events

    private func next(_ words: Words) throws(StoryFailure) -> Heard {
        guard let event = recorder.next(within: deadlineMilliseconds) else {
            throw words.failure("no event came")
        }
        return event
    }

    private func published(_ version: UInt64, _ words: Words) throws(StoryFailure) -> Heard {
        let event = try next(words)
        if event.kind != CMR_EVENT_PUBLISHED || event.version != version {
            throw words.failure(event.description)
        }
        return event
    }

    /// The event's snapshot and changes become those that values are read from.
    private func takeInHand(_ event: Heard) {
        cmr_snapshot_release(atHand)
        atHand = cmr_snapshot_retain(event.snapshot)
        changes = event.changes
    }

    private func expectEvent(_ what: String, _ words: Words) throws(StoryFailure) -> Bool {
        switch what {
        case "version":
            let event = try published(UInt64(try words.number(2)), words)
            let causes = [
                "START": CMR_CAUSE_START, "CHANGE": CMR_CAUSE_CHANGE, "RELOAD": CMR_CAUSE_RELOAD,
            ]
            if words.has(3), causes[try words.text(3)].map({ event.cause == $0 }) != true {
                throw words.failure("the cause is \(event.cause)")
            }
            try words.nothing(from: 4)
            takeInHand(event)
        case "rejected":
            let event = try next(words)
            guard event.kind == CMR_EVENT_REJECTED else { throw words.failure(event.description) }
            if name(of: event.error.status) != (try words.text(2)) {
                throw words.failure(event.description)
            }
            try expectReason(event.error, words, at: 3)
            if event.version != cmr_snapshot_version(atHand) {
                throw words.failure("version \(event.version) is current")
            }
        case "lost", "recovered":
            let kind = what == "lost" ? CMR_EVENT_SOURCE_LOST : CMR_EVENT_SOURCE_RECOVERED
            let event = try next(words)
            guard event.kind == kind else { throw words.failure(event.description) }
            try expectReason(event.error, words, at: 2)
        case "changes":
            var wanted: [String] = []
            for index in 2..<max(words.count, 2) { wanted.append(try words.text(index)) }
            if changes != wanted.joined(separator: " ") {
                throw words.failure("the changes are: \(changes)")
            }
        case "quiet":
            try expectQuiet(words)
        default:
            return false
        }
        return true
    }

    /// Whoever reloads knows that the attempt has ended: the way to see that nothing happens.
    private func expectQuiet(_ words: Words) throws(StoryFailure) {
        let version = cmr_snapshot_version(atHand)
        cmr_watcher_reload(watcher, deadlineMilliseconds, nil, nil)
        if cmr_watcher_version(watcher) != version {
            throw words.failure("a version was published")
        }
        if let event = recorder.next(within: 0) { throw words.failure(event.description) }
    }

    /// Reloads, and takes the version that is current then.
    private func settle(_ words: Words) throws(StoryFailure) {
        var error = cmr_error.fresh
        var version: UInt64 = 0
        let status = cmr_watcher_reload(watcher, deadlineMilliseconds, &version, &error)
        if status != CMR_OK {
            throw words.failure("\(name(of: status)) (\(error.about): \(error.text))")
        }
        while cmr_snapshot_version(atHand) != version {
            let event = try next(words)
            guard event.kind == CMR_EVENT_PUBLISHED else { throw words.failure(event.description) }
            takeInHand(event)
        }
    }

    /// Passes over versions until one has the value.
    private func awaitValue(_ words: Words) throws(StoryFailure) {
        while read(atHand, try words.text(2)) != (try words.value(3)) {
            let event = try next(words)
            guard event.kind == CMR_EVENT_PUBLISHED else { throw words.failure(event.description) }
            takeInHand(event)
        }
    }

    // MARK: Values

    /// The path as text; as the name of the status where it cannot be read.
    private func read(_ snapshot: OpaquePointer?, _ path: String) -> [UInt8] {
        var text: UnsafePointer<CChar>?
        var size = 0
        let status = cmr_snapshot_string(snapshot, path, &text, &size)
        guard status == CMR_OK, let text else { return Array(name(of: status).utf8) }
        return UnsafeRawBufferPointer(start: text, count: size).map { $0 }
    }

    private func expectValue(_ what: String, _ words: Words) throws(StoryFailure) -> Bool {
        let path = words.has(2) ? try words.text(2) : ""
        switch what {
        case "value", "held":
            let got = read(what == "held" ? held : atHand, path)
            if got != (try words.value(3)) {
                throw words.failure(
                    "\(path) is \(String(decoding: got.prefix(200), as: UTF8.self))")
            }
        case "bytes":
            var bytes: UnsafeRawPointer?
            var size = 0
            let status = cmr_snapshot_bytes(atHand, path, &bytes, &size)
            let got = UnsafeRawBufferPointer(start: bytes, count: size).map { $0 }
            let wanted = try words.value(3)
            if status != CMR_OK || got != wanted {
                throw words.failure("\(path) has \(size) other bytes")
            }
        case "json":
            var json: UnsafeMutablePointer<CChar>?
            let status = cmr_snapshot_json(atHand, path, &json, nil)
            defer { cmr_free(json) }
            let got = json.map { String(cString: $0) } ?? name(of: status)
            if got != (try words.text(3)) { throw words.failure("\(path) is \(got.prefix(400))") }
        case "type":
            let names = [
                "none", "null", "bool", "int64", "double", "string", "array", "object", "bytes",
            ]
            let type = Int(cmr_value_type(cmr_snapshot_value(atHand, path))) + 1
            let wanted = try words.text(3)
            if !names.indices.contains(type) || names[type] != wanted {
                throw words.failure("\(path) is of type \(type - 1)")
            }
        case "int64", "duration", "quantity", "double", "bool":
            let got = scalar(what, path)
            let wanted = try words.text(3)
            let equal =
                what == "double" && Double(got) != nil
                ? Double(got) == Double(wanted) : got == wanted
            if !equal { throw words.failure("\(path) reads as \(got)") }
        default:
            return false
        }
        return true
    }

    private func scalar(_ getter: String, _ path: String) -> String {
        var integer: Int64 = 0
        var number = 0.0
        var truth = false
        let status =
            switch getter {
            case "int64": cmr_snapshot_int64(atHand, path, &integer)
            case "duration": cmr_snapshot_duration(atHand, path, &integer)
            case "quantity": cmr_snapshot_quantity(atHand, path, &integer)
            case "double": cmr_snapshot_double(atHand, path, &number)
            default: cmr_snapshot_bool(atHand, path, &truth)
            }
        guard status == CMR_OK else { return name(of: status) }
        return getter == "double" ? "\(number)" : getter == "bool" ? "\(truth)" : "\(integer)"
    }

    // MARK: What can be observed

    private func expectState(_ what: String, _ words: Words) throws(StoryFailure) -> Bool {
        switch what {
        case "keys":
            var keys: [String] = []
            for index in 0..<cmr_snapshot_count(atHand) {
                var key: UnsafePointer<CChar>?
                if cmr_snapshot_key(atHand, index, &key, nil) == CMR_OK, let key {
                    keys.append(String(cString: key))
                }
            }
            var wanted: [String] = []
            for index in 2..<max(words.count, 2) { wanted.append(try words.text(index)) }
            if keys != wanted { throw words.failure("the keys are \(keys)") }
        case "generation":
            let got = cmr_snapshot_generation(atHand).map { String(cString: $0) } ?? ""
            if got != World.target(of: world.path("\(try words.text(2))/..data")) {
                throw words.failure("the generation is '\(got)'")
            }
        case "healthy", "unhealthy":
            if (stats().healthy == 1) != (what == "healthy") { throw words.failure("it is not") }
        case "polling":
            // How sources are watched may change with the next look at them.
            let wanted = try words.number(2)
            var turns = deadlineMilliseconds
            while Int64(stats().polling) != wanted, turns > 0 {
                poll(nil, 0, 1)
                turns -= 1
            }
            if Int64(stats().polling) != wanted {
                throw words.failure("\(stats().polling) are polled")
            }
        case "log":
            try expectLog(words)
        default:
            return false
        }
        return true
    }

    private func stats() -> cmr_stats {
        var stats = cmr_stats()
        stats.struct_size = UInt32(MemoryLayout<cmr_stats>.size)
        cmr_watcher_stats(watcher, &stats)
        return stats
    }

    private func expectLog(_ words: Words) throws(StoryFailure) {
        let levels = ["EVENT", "ERROR", "WARN", "INFO", "DEBUG"]
        guard let level = levels.firstIndex(of: try words.text(2)) else {
            throw words.failure("there is no such level")
        }
        let text = try words.text(3)
        // The library logs once all have been told: a reload may have returned before.
        let wanted = words.has(4) ? try words.number(5) : 1
        let isLogged = recorder.waitForLines(wanted, level, text, within: deadlineMilliseconds)
        guard words.has(4) else {
            if isLogged { return }
            throw words.failure("nothing such was logged")
        }
        let found = recorder.lines(level, text)
        if Int64(found) != wanted {
            throw words.failure("it was logged \(found) times")
        }
    }
}

/// The name of a status, as the header spells it.
func name(of status: cmr_status) -> String { String(cString: cmr_status_name(status)) }

extension cmr_error {
    static var fresh: cmr_error {
        var error = cmr_error()
        error.struct_size = UInt32(MemoryLayout<cmr_error>.size)
        return error
    }

    /// The key, path or source that it is about.
    var about: String {
        withUnsafeBytes(of: key) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    /// The message.
    var text: String {
        withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
