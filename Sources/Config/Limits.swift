// How much configuration is accepted. Kubernetes caps an object at 1 MiB (etcd's request size); the
// defaults leave room for projected volumes and plain directories.

/// The bounds that a payload is held to.
package struct Limits: Sendable {
    package var maxValueBytes = 4 << 20
    package var maxTotalBytes = 32 << 20
    package var maxKeys = 65_536
    package var maxDepth = 128

    package init() {}

    /// The most that `maxValueBytes` can be set to: offsets within a document are 32 bits wide.
    package static let valueBytesCeiling = 1 << 30
    /// The most that `maxDepth` can be set to.
    package static let depthCeiling = 1024
    /// The most values in one document: a node keeps its index in 24 bits.
    package static let nodesPerDocument = (1 << 24) - 1
}
