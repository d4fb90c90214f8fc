// fork(2): the parent's locks are held while it forks, so that the child finds everything in order.
// Nothing runs in the child by itself; many only exec.

internal import CSystem

enum ForkHandlers {
    /// Registers the handlers, once a process.
    static func install() {
        _ = cs_at_fork(
            {
                Reactor.shared.beforeFork()
                cs_memory_before_fork()
            },
            {
                cs_memory_after_fork()
                Reactor.shared.afterForkInParent()
            },
            {
                cs_memory_after_fork()
                Reactor.shared.afterForkInChild()
            })
    }
}
