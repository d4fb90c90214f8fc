// Directories for tests, and the steps of the kubelet in them.

import Config
import Foundation
@testable import Reload

/// A directory of a test's own, removed with everything in it, and the kubelet's steps in it one by
/// one.
final class TemporaryDirectory: Sendable {
    let url: URL

    init() {
        url = FileManager.default.temporaryDirectory.appending(
            path: "cmreload-\(UUID().uuidString)")
        // Free of links, so that tests can compare paths.
        try! FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var path: FilePath { FilePath(text: url.path) }
    func path(_ name: String) -> FilePath { FilePath(text: url.appending(path: name).path) }

    func write(_ name: String, _ text: String) {
        let file = url.appending(path: name)
        try! FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try! Data(text.utf8).write(to: file)
    }

    func link(_ name: String, to target: String) {
        precondition(symlink(target, url.appending(path: name).path) == 0)
    }

    func remove(_ name: String) {
        try! FileManager.default.removeItem(at: url.appending(path: name))
    }

    func rename(_ name: String, to other: String) {
        precondition(
            Foundation.rename(url.appending(path: name).path, url.appending(path: other).path) == 0)
    }

    /// The steps of the kubelet's AtomicWriter: timestamped directory, `..data_tmp`, the rename
    /// over `..data`.
    func publish(_ generation: String, _ files: [String: String]) {
        try! FileManager.default.createDirectory(
            at: url.appending(path: generation), withIntermediateDirectories: true)
        for (name, text) in files { write("\(generation)/\(name)", text) }
        link("..data_tmp", to: generation)
        rename("..data_tmp", to: "..data")
    }
}

extension FilePath {
    init(text: String) {
        var text = text
        self = text.withUTF8 { FilePath($0) }
    }
}

extension Payload {
    /// What is in it, for comparing.
    var contents: [String: String] {
        var all: [String: String] = [:]
        for index in 0..<count {
            all[String(decoding: key(index), as: UTF8.self)] = String(
                decoding: value(index), as: UTF8.self)
        }
        return all
    }
}
