// What a source holds now, as far as it can be told without reading it.

package import Config

/// The identity of a source's content: the name of the directory that `..data` links to. Only ever
/// compared for equality. Plain directories and files have none: there, reading is the only way to
/// know.
package struct Generation: Equatable {
    package let name: FilePath

    package init(name: FilePath) { self.name = name }
}

/// What reading a source came to.
package enum Reading {
    /// The generation is the one that the caller knows.
    case unchanged
    /// The payload is filled with one whole generation.
    case payload(Generation?)
    /// The source is not there.
    case missing(Failure)
}

/// A directory whose changes may mean that a source changed.
package struct Watch: Equatable {
    package var path: FilePath
    package var mask: WatchMask
    /// The only name in the directory that matters; nil for all names.
    package var name: FilePath?

    /// What it tells may mean that the path leads elsewhere now, so that other directories are to
    /// be watched.
    package var leadsElsewhere: Bool

    package init(
        path: FilePath, mask: WatchMask, name: FilePath? = nil, leadsElsewhere: Bool = false
    ) {
        self.path = path
        self.mask = mask
        self.name = name
        self.leadsElsewhere = leadsElsewhere
    }
}
