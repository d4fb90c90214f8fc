// Runs every file of Tests/Scenarios through the normal build. What a process cannot do to itself
// among other tests (give up its user, mount) is left to the interpreter in C, which gives each
// story a process.

import Glibc
import Testing

@Suite("Scenarios", .serialized) struct ScenarioTests {
    private static func stories(in folder: String) -> [Script] {
        (try? Script.all(in: folder)) ?? []
    }

    private static let told = stories(in: Script.folder).filter { script in
        script.needs.allSatisfy { $0 == "unprivileged" && geteuid() != 0 }
    }

    private static let failing = stories(in: Script.folder + "/failing")

    @Test("a scenario holds", arguments: told) func holds(_ script: Script) throws {
        try Self.tell(script)
    }

    @Test("an expectation can fail", arguments: failing) func fails(_ script: Script) throws {
        let last = try #require(script.lines.last)
        let failure = #expect(throws: StoryFailure.self) {
            try Self.tell(script, deadlineMilliseconds: 1000)
        }
        #expect(failure?.description.hasPrefix("\(script.name):\(last.number): ") == true)
    }

    @Test("there are scenarios") func areThere() {
        #expect(Self.told.count > 40 && Self.failing.count > 20)
    }

    private static func tell(_ script: Script, deadlineMilliseconds: Int64 = 5000)
        throws(StoryFailure)
    {
        let world = try World()
        let stage = try Stage(world, deadlineMilliseconds: deadlineMilliseconds)
        for line in script.lines {
            let words = Words(script: script, line: line)
            if try world.perform(words) { continue }
            guard try stage.perform(words) else {
                throw words.failure("unknown verb: \(words.verb)")
            }
        }
        try stage.end(script)
    }
}
