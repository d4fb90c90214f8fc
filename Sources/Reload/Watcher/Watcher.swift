package final class Watcher {}
enum Reclaimer { static func request() {} }
enum Wakeup { static func signal(reloadRequested: Bool) -> Bool { true } }
