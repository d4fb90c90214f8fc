// What an attempt makes of what its sources hold, with sources of the tests' own.

import Config
import Testing

@testable import Reload

/// A mount that holds one generation, and whose first read shows that there is more to watch.
private final class ScriptedSource: Source {
    let name = FilePath("config")
    let settles = false
    let canChange = true
    let isLocal = true
    var generation = Generation(name: FilePath("..1"))
    var value = "1"
    private(set) var reads = 0

    func neverUpdates() -> String? { nil }

    func watches() -> [Watch] {
        reads == 0 ? [] : [Watch(path: FilePath("/config"), mask: [.movedTo])]
    }

    func read(
        into payload: Payload, unless known: Generation?, limits: Limits, using files: FileReader
    ) throws(Failure) -> Reading {
        payload.removeAll()
        reads += 1
        if generation == known { return .unchanged }
        try payload.add("app.json", value)
        return .payload(generation)
    }
}

extension Payload {
    fileprivate func add(_ key: String, _ value: String) throws(Failure) {
        let (key, value) = (Array(key.utf8), Array(value.utf8))
        try key.withUnsafeBufferPointer { key throws(Failure) in
            try value.withUnsafeBufferPointer { value throws(Failure) in
                try add(key: key, value: value)
            }
        }
    }
}

@Suite struct ReloadAttemptTests {
    private let source = ScriptedSource()
    private let layer: Layer
    private let bench = Workbench()

    init() { layer = Layer(source, isOptional: false) }

    private func run() -> ReloadAttempt.Result {
        let attempt = ReloadAttempt(
            name: "", layers: [layer], due: [0], options: Options(), rules: Rules(),
            contents: [nil],
            quarantines: [Quarantine()], newest: nil, known: nil, isForced: false,
            isWithdrawn: false)
        return attempt.run(
            with: bench, arm: { layer, _ in layer.source.watches() }, validate: { _ in nil },
            discard: { _ in })
    }

    @Test("what was read before the watches were set anew is not lost when nothing changed since")
    func readTwice() throws {
        let result = run()
        #expect(source.reads == 2)
        guard case .content(let content, let generation) = result.outcomes.first?.outcome else {
            Issue.record("no content")
            return
        }
        #expect(content.body.count == 1)
        #expect(generation == source.generation)
        #expect(result.proposal?.composition.content === content)
    }

    @Test("what did not parse before the watches were set anew is rejected all the same")
    func rejectTwice() throws {
        source.value = "{"
        let result = run()
        #expect(source.reads == 2)
        guard case .failed(let rejection) = result.outcomes.first?.outcome else {
            Issue.record("not rejected")
            return
        }
        #expect(rejection.failure.kind == .parse)
    }
}
