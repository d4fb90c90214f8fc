// A file that is written again and again by a thread of its own, for as long as this exists.

import Glibc
import Synchronization

/// Writes that never rest.
final class Churn {
    /// What the thread gets; it outlives neither the thread nor this.
    private final class Turn: Sendable {
        let path: String
        let goesOn = Atomic<Bool>(true)

        init(_ path: String) { self.path = path }

        func run() {
            var number = 0
            while goesOn.load(ordering: .relaxed) {
                if let file = fopen(path, "we") {
                    fputs(String(number), file)
                    fclose(file)
                }
                number += 1
                var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
                nanosleep(&pause, nil)
            }
        }
    }

    private let turn: Turn
    private var thread = pthread_t()

    init(_ path: String) throws(StoryFailure) {
        turn = Turn(path)
        let context = Unmanaged.passUnretained(turn).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Turn>.fromOpaque(context).takeUnretainedValue().run() }
                return nil
            }, context)
        if result != 0 { throw StoryFailure(description: "no thread for the story") }
    }

    deinit {
        turn.goesOn.store(false, ordering: .relaxed)
        pthread_join(thread, nil)
    }
}
