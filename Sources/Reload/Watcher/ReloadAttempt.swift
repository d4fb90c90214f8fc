// One attempt to get from sources to a snapshot: load → parse → merge. Runs on one thread without a
// lock and changes nothing that others see; what it came to is for the watcher to publish or to
// report.

internal import Config

/// What an attempt works with. One attempt at a time uses it, the next one finds its memory warm;
/// one for secrets is used once, so that nothing of them stays.
package final class Workbench {
    let isSensitive: Bool
    let payload: Payload
    let parser: DocumentParser
    let files = FileReader()
    /// Whether what is parsed was parsed before, and what it was forgiven told; nil until it
    /// matters.
    fileprivate var isTold: Bool?

    init(_ options: Options = Options()) {
        isSensitive = options.isSensitive
        payload = Payload(memory: options.memory)
        parser = DocumentParser(memory: options.memory)
    }

    deinit { if isSensitive { Memory.wipeStack() } }
}

/// An attempt at some of a watcher's layers.
package struct ReloadAttempt {
    /// The watcher's, for the log.
    let name: String
    let layers: [Layer]
    /// Indices of the layers to be loaded.
    let due: [Int]
    let options: Options
    let rules: Rules
    /// The last good content of each layer, and what it offered and was left.
    let contents: [Content?]
    let quarantines: [Quarantine]
    /// What the new content is to be compared with: what is current, or waits to be.
    let newest: Content?
    /// What the newest content was rejected for, if it was.
    let known: Rejection?
    /// Load even what has not changed, and ask again for what was rejected.
    let isForced: Bool
    /// What waited to be published is judged again, whether or not a layer is new in it.
    let isWithdrawn: Bool

    private var memory: Memory { options.memory }

    /// What became of one layer.
    enum Outcome {
        /// The generation was examined before: nothing was read.
        case known
        /// What was read is the last good content.
        case same
        case content(Content, Generation?)
        case missing(Failure)
        /// What is there was left before, and has no effect.
        case quarantined
        case failed(Rejection)
    }

    /// What is to be published.
    struct Proposal {
        let composition: Composition
        /// What the application was shown, if it wanted to see it.
        let candidate: SharedSnapshot?
    }

    struct Result {
        var outcomes: [(layer: Int, outcome: Outcome)] = []
        /// What the layers hold together now; nil when that is what is there.
        var proposal: Proposal?
        /// Why not all of the new content is in it although every layer was good.
        var rejection: Rejection?
        /// The layers whose new content is not in it.
        var heldBack: [Int] = []
    }

    /// Loads the layers that are due, lays all of them on each other, and lets `validate` have a
    /// look.
    func run(
        with bench: Workbench, arm: (Layer, _ isForced: Bool) -> [Watch]?,
        validate: (Content) throws(Rejection) -> SharedSnapshot?, discard: (SharedSnapshot) -> Void
    ) -> Result {
        var result = Result(outcomes: loadDue(with: bench, arm: arm))
        var loaded = contents
        var changed: [Int] = []
        for (index, outcome) in result.outcomes {
            guard case .content(let content, _) = outcome else { continue }
            loaded[index] = content
            changed.append(index)
        }
        bench.parser.trim()
        // What nobody has changed is what is there. A first version lacks no source: until all of
        // them are good there is nothing to look at.
        if newest == nil ? isIncomplete(result) : changed.isEmpty && !isWithdrawn { return result }
        do throws(Rejection) {
            result.proposal = try propose(loaded, validate)
        } catch {
            result.rejection = error
            result.heldBack = changed
            // Sources are independent of each other: what is good by itself does not wait.
            if changed.count > 1, newest != nil {
                salvage(loaded, changed, into: &result, validate, discard)
            }
        }
        return result
    }

    /// Loads the layers that are due, and again those of one mount between which the kubelet came:
    /// nobody is to see a certificate with another one's key.
    private func loadDue(
        with bench: Workbench, arm: (Layer, _ isForced: Bool) -> [Watch]?
    ) -> [(layer: Int, outcome: Outcome)] {
        var pending = due
        // Until a gap between two swaps is long enough for all of them. Each is parsed before the
        // next is read: under a writer that never rests that may take until it does.
        while true {
            var outcomes: [(layer: Int, outcome: Outcome)] = []
            for index in pending {
                outcomes.append((index, load(index, with: bench, arm: arm)))
            }
            // The defaults and one source have nothing to be compared with.
            let straddling = layers.count > 2 ? straddling() : []
            if straddling.isEmpty { return outcomes }
            for index in straddling where !pending.contains(index) { pending.append(index) }
            for index in pending { layers[index].examined = nil }
        }
    }

    /// The layers of one mount that were read in different generations.
    private func straddling() -> [Int] {
        var straddling: [Int] = []
        for (index, layer) in layers.enumerated() {
            guard let mount = layer.source.mount, let generation = layer.examined else { continue }
            for other in layers {
                guard let examined = other.examined, examined != generation,
                    other.source.mount == mount
                else { continue }
                straddling.append(index)
                break
            }
        }
        return straddling
    }

    private func isIncomplete(_ result: Result) -> Bool {
        result.outcomes.contains {
            switch $0.outcome {
            case .failed: true
            case .missing: !layers[$0.layer].isOptional
            case .known, .same, .content, .quarantined: false
            }
        }
    }

    /// Takes of the changed layers those that are good without the others.
    private func salvage(
        _ loaded: [Content?], _ changed: [Int], into result: inout Result,
        _ validate: (Content) throws(Rejection) -> SharedSnapshot?,
        _ discard: (SharedSnapshot) -> Void
    ) {
        var taken = contents
        for index in changed {
            var trial = taken
            trial[index] = loaded[index]
            do throws(Rejection) {
                let proposal = try propose(trial, validate)
                if let candidate = result.proposal?.candidate { discard(candidate) }
                result.proposal = proposal
                result.heldBack.removeAll { $0 == index }
                taken = trial
            } catch {}
        }
    }

    /// Lays contents on each other; nil when that gives what is there.
    private func propose(
        _ contents: [Content?], _ validate: (Content) throws(Rejection) -> SharedSnapshot?
    ) throws(Rejection) -> Proposal? {
        let merged: Content
        do throws(Failure) {
            merged = try merge(contents)
            if try !differs(merged, among: contents) { return nil }
        } catch {
            throw Rejection(error, fingerprint: 0)
        }
        if let known, !isForced, known.fingerprint != 0, known.fingerprint == merged.fingerprint {
            throw known
        }
        return Proposal(
            composition: Composition(content: merged, contents: contents),
            candidate: try validate(merged))
    }

    /// Makes of what the layers hold what it would be now, and lets `validate` have a look: for
    /// when it is not the bytes that changed.
    func parseAgain(
        with bench: Workbench, validate: (Content) throws(Rejection) -> SharedSnapshot?
    ) throws(Failure) -> (contents: [Content?], proposal: Proposal?) {
        var parsed = contents
        for index in contents.indices {
            guard let content = contents[index] else { continue }
            parsed[index] = try parseAgain(content, of: index, with: bench)
        }
        bench.parser.trim()
        if newest == nil { return (parsed, nil) }
        do throws(Rejection) {
            return (parsed, try propose(parsed, validate))
        } catch {
            throw error.failure
        }
    }

    private func parseAgain(
        _ content: Content, of layer: Int, with bench: Workbench
    ) throws(Failure) -> Content {
        let body = content.body
        bench.payload.removeAll()
        var isNew = false
        for index in 0..<body.count {
            guard let document = body.document(at: index) else { continue }
            try bench.payload.add(key: document.key, value: document.bytes)
            if !options.parsing.stillApply(to: document) { isNew = true }
        }
        if !isNew { return content }
        let name = body.generation
        let generation = name.isEmpty ? nil : Generation(name: FilePath(name))
        switch parse(layer, generation, previous: content, with: bench) {
        case .content(let content, _): return content
        case .failed(let rejection): throw rejection.failure
        case .known, .same, .missing, .quarantined: return content
        }
    }

    // MARK: - One layer

    private func load(
        _ index: Int, with bench: Workbench, arm: (Layer, _ isForced: Bool) -> [Watch]?
    ) -> Outcome {
        let layer = layers[index]
        // Watched first and read then, so that no change falls between the two. The read may show
        // that there is more to watch: links in a plain directory, a mount that has just come. Then
        // once more, with that watched.
        let armed = arm(layer, false)
        if let armed { layer.watched = armed }
        let outcome = read(index, with: bench)
        guard armed != nil || layer.source.settles, layer.watched != layer.source.watches() else {
            return outcome
        }
        if let armed = arm(layer, true) { layer.watched = armed }
        let again = read(index, with: bench)
        // The same generation is still there: what the first read made of it is what counts.
        if case .known = again { return outcome }
        return again
    }

    private func read(_ index: Int, with bench: Workbench) -> Outcome {
        let layer = layers[index]
        let known = isForced ? nil : layer.examined
        do throws(Failure) {
            let reading = try layer.source.read(
                into: bench.payload, unless: known, limits: options.limits, using: bench.files)
            switch reading {
            case .unchanged: return .known
            case .missing(let failure):
                layer.examined = nil
                return .missing(failure)
            case .payload(let generation):
                // A volume goes empty when something went wrong with it (kubernetes#113242): that
                // is no content.
                if bench.payload.count == 0, let content = contents[index], content.body.count > 0 {
                    layer.examined = nil
                    let name = layer.source.name.description
                    let failure = Errno.noSuchFile.failure(.load, key: name, "the source is empty")
                    return .missing(failure)
                }
                layer.examined = generation
                if quarantines[index].holds(bench.payload) { return .quarantined }
                if !isForced, let refused = layer.refused,
                    refused.fingerprint == bench.payload.fingerprint
                {
                    return .failed(refused)
                }
                let outcome = parse(index, generation, previous: contents[index], with: bench)
                layer.refused = nil
                if case .failed(let rejection) = outcome, !rejection.isPassing {
                    layer.refused = rejection
                }
                return outcome
            }
        } catch {
            layer.examined = nil
            return .failed(Rejection(error, fingerprint: 0))
        }
    }

    /// Turns the payload into content, sharing the documents of keys whose bytes did not change.
    private func parse(
        _ layer: Int, _ generation: Generation?, previous: Content?, with bench: Workbench
    ) -> Outcome {
        let payload = bench.payload
        bench.isTold = nil
        let count = payload.count
        let size = max(1, count) * MemoryLayout<Document?>.stride
        guard let room = memory.allocate(size) else {
            return .failed(
                Rejection(
                    Failure(.noMemory, .parse, "no memory for \(count) keys"), fingerprint: 0))
        }
        let documents = UnsafeMutableBufferPointer(
            start: room.bindMemory(to: Document?.self, capacity: max(1, count)), count: count)
        documents.initialize(repeating: nil)
        defer {
            for document in documents { document?.release(memory) }
            memory.free(room, size)
        }
        // First all that is known: each look waits for memory, and so they wait together.
        let shared = share(previous, with: documents, bench.payload)
        var failure: Failure?
        for index in 0..<count where documents[index] == nil {
            do throws(Failure) {
                documents[index] = try document(
                    payload.key(index), payload.value(index), of: layer, with: bench)
            } catch {
                // Of several the first by name, whatever order the directory lists them in.
                if let first = failure, !error.key.precedes(first.key) { continue }
                failure = error
            }
        }
        if let failure {
            return .failed(Rejection(failure, fingerprint: payload.fingerprint))
        }
        if let previous, shared == count, previous.body.count == count { return .same }
        do throws(Failure) {
            // None is nil any more, and then they lie in memory as documents do.
            let body = try documents.withMemoryRebound(to: Document.self) { made throws(Failure) in
                try snapshot(made, generation)
            }
            return .content(Content(body, memory: memory), generation)
        } catch {
            return .failed(Rejection(error, fingerprint: payload.fingerprint))
        }
    }

    /// Takes the documents of keys whose bytes did not change; how many those are.
    private func share(
        _ previous: Content?, with documents: UnsafeMutableBufferPointer<Document?>,
        _ payload: Payload
    ) -> Int {
        guard let previous else { return 0 }
        var shared = 0
        for index in 0..<payload.count {
            guard let known = previous.body.document(forKey: payload.key(index)),
                known.hasSameBytes(as: payload.value(index)), options.parsing.stillApply(to: known)
            else { continue }
            known.retain()
            documents[index] = known
            shared += 1
        }
        return shared
    }

    private func document(
        _ key: Bytes, _ value: Bytes, of layer: Int, with bench: Workbench
    ) throws(Failure) -> Document {
        guard String(validating: key, as: UTF8.self) != nil else {
            let name = String(key)
            throw Failure(.parse, .load, key: name, "the name of the key is not UTF-8")
        }
        let parsed = try bench.parser.parse(
            key: key, bytes: value, limits: options.limits, options: options.parsing)
        if let repeats = parsed.repeats {
            warn(
                layer, with: bench, String(key), repeats.position.line,
                repeats.position.column,
                "a member's name occurs again, the last one counts (\(repeats.count) in all)")
        }
        if let unknown = parsed.unknown {
            warn(
                layer, with: bench, String(key), unknown.position.line,
                unknown.position.column,
                "there is no such environment variable, the reference stays "
                    + "(\(unknown.count) in all)")
        }
        if let forgiven = parsed.forgiven {
            warn(
                layer, with: bench, forgiven.key, forgiven.line, forgiven.column,
                "\(forgiven.message); kept as text")
        }
        return parsed.document
    }

    /// Says what is not as it should be and is taken all the same. Once: content that waits for
    /// other layers' is parsed at each look, and what is rejected when somebody asks.
    private func warn(
        _ index: Int, with bench: Workbench, _ key: String, _ line: UInt32, _ column: UInt32,
        _ message: @autoclosure () -> String
    ) {
        let layer = layers[index]
        if bench.isTold == nil, Log.isEnabled(.warning) {
            let fingerprint = bench.payload.fingerprint
            bench.isTold = layer.warnedOf == fingerprint
            layer.warnedOf = fingerprint
        }
        if bench.isTold == true { return }
        Log.write(
            .warning, of: name,
            "\(layer.source.name.description): \(key):\(line):\(column): \(message())")
    }

    private func snapshot(
        _ documents: UnsafeMutableBufferPointer<Document>, _ generation: Generation?
    ) throws(Failure) -> Snapshot {
        guard let generation else {
            return try Snapshot.make(
                documents: documents, generation: Bytes(start: nil, count: 0), memory: memory)
        }
        return try generation.name.withBytes { name throws(Failure) in
            try Snapshot.make(documents: documents, generation: name, memory: memory)
        }
    }

    // MARK: - All layers

    /// Lays the layers on each other: of a key that several have, the last one counts.
    private func merge(_ contents: [Content?]) throws(Failure) -> Content {
        let filled = contents.indices.filter { (contents[$0]?.body.count ?? 0) > 0 }
        let generation = lastGeneration(contents)
        if filled.count == 1, let only = contents[filled[0]] {
            if generation == nil
                || equalBytes(only.body.generation, generation ?? only.body.generation)
            {
                try checkTotals(only.body)
                return only
            }
        }
        var most = 0
        for index in filled { most += contents[index]?.body.count ?? 0 }
        let size = max(1, most) * MemoryLayout<Document>.stride
        guard let room = memory.allocate(size) else {
            throw Failure(.noMemory, .publish, "no memory for \(most) keys")
        }
        defer { memory.free(room, size) }
        let documents = room.bindMemory(to: Document.self, capacity: max(1, most))
        var count = 0
        for (position, index) in filled.enumerated() {
            guard let body = contents[index]?.body else { continue }
            for number in 0..<body.count {
                guard let document = body.document(at: number) else { continue }
                let isCovered = filled[(position + 1)...].contains {
                    contents[$0]?.body.document(forKey: document.key) != nil
                }
                if isCovered { continue }
                (documents + count).initialize(to: document)
                count += 1
            }
        }
        let body = try Snapshot.make(
            documents: UnsafeMutableBufferPointer(start: documents, count: count),
            generation: generation ?? Bytes(start: nil, count: 0), memory: memory)
        let merged = Content(body, memory: memory)
        try checkTotals(body)
        return merged
    }

    /// The generation of the mount that was added last.
    private func lastGeneration(_ contents: [Content?]) -> Bytes? {
        for content in contents.reversed() {
            if let generation = content?.body.generation, generation.count > 0 { return generation }
        }
        return nil
    }

    private func checkTotals(_ body: Snapshot) throws(Failure) {
        if body.count > options.limits.maxKeys {
            throw Failure(.limit, .publish, "there are more than \(options.limits.maxKeys) keys")
        }
        var total = 0
        for index in 0..<body.count { total += body.document(at: index)?.bytes.count ?? 0 }
        if total > options.limits.maxTotalBytes {
            throw Failure(
                .limit, .publish,
                "the values are larger than \(options.limits.maxTotalBytes) bytes together")
        }
    }

    private func differs(_ merged: Content, among loaded: [Content?]) throws(Failure) -> Bool {
        guard let newest else { return true }
        if newest === merged { return false }
        // What was current was one layer's content as it is, and so is what comes now: a layer's
        // content is only made anew when some of its bytes differ, or what they are parsed as.
        if contents.contains(where: { $0 === newest }),
            loaded.contains(where: { $0 === merged })
        {
            return true
        }
        let changes = try Changes.between(newest.body, merged.body, memory: memory)
        changes.free(memory)
        return changes.count > 0
    }
}
