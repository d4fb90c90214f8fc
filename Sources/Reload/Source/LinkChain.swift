// Which directories a path leads through: each link on the way can be retargeted, and what is
// missing can come.

/// The way from the root to what a path names, with a watch for every step that can change.
package struct LinkChain {
    /// Where the path leads, free of links; nil when something on the way is missing.
    package private(set) var end: FilePath?
    /// The directories of the links on the way and of the first missing name, each watched for that
    /// name.
    package private(set) var watches: [Watch] = []

    /// What changes a name: creation, replacement, removal, and the watched directory's own end.
    private static let mask: WatchMask = [
        .create, .movedTo, .movedFrom, .delete, .deleteSelf, .moveSelf,
    ]

    /// Follows `path`, absolute, as the kernel would now.
    package init(_ path: FilePath) {
        var walked: [FilePath] = []
        var ahead = path.components
        var links = 0
        while !ahead.isEmpty {
            let name = ahead.removeFirst()
            if name == .parentName {
                _ = walked.popLast()
                continue
            }
            let directory = FilePath(components: walked, absolute: true)
            let here = directory.appending(name)
            let target: FilePath?
            do throws(Errno) {
                target = try Directory.link(at: here)
                if target == nil { _ = try Directory.status(at: here) }
            } catch {
                // Missing, or not to be seen: what can be noticed is that the name appears or
                // changes.
                watches.append(LinkChain.step(directory, name))
                return
            }
            guard let target else {
                walked.append(name)
                continue
            }
            watches.append(LinkChain.step(directory, name))
            links += 1
            if links > Directory.mostLinks { return }
            if target.isAbsolute { walked.removeAll() }
            ahead.insert(contentsOf: target.components, at: 0)
        }
        end = FilePath(components: walked, absolute: true)
    }

    private static func step(_ directory: FilePath, _ name: FilePath) -> Watch {
        Watch(path: directory, mask: LinkChain.mask, name: name, leadsElsewhere: true)
    }
}
