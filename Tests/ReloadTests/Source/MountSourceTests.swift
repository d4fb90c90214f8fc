// Reading a mount, a plain directory, one file: whole generations or nothing.

import Config
import Foundation
import Testing

@testable import Reload

@Suite struct MountSourceTests {
    private let directory = TemporaryDirectory()
    private let payload = Payload(memory: .system)
    private let files = FileReader()

    private func source() -> MountSource {
        MountSource(name: directory.path, directory: directory.path)
    }

    private func read(
        _ source: any Source, unless known: Generation? = nil, limits: Limits = Limits()
    ) throws(Failure) -> Reading {
        try source.read(into: payload, unless: known, limits: limits, using: files)
    }

    /// Why a source cannot be read; nil when it can.
    private func failure(of source: any Source, limits: Limits = Limits()) -> Failure? {
        do throws(Failure) { _ = try read(source, limits: limits) } catch { return error }
        return nil
    }

    @Test("a mount is read through ..data, whatever links stand beside it")
    func throughData() throws {
        directory.publish("..2026_01", ["LEVEL": "info", "features.json": "{}"])
        directory.link("OTHER", to: "..data/OTHER")
        directory.write("STRAY", "not of the mount")
        guard case .payload(let generation) = try read(source()) else {
            return #expect(Bool(false))
        }
        #expect(payload.contents == ["LEVEL": "info", "features.json": "{}"])
        #expect(generation?.name.description == "..2026_01")
    }

    @Test("a generation that is known is not read")
    func known() throws {
        directory.publish("..1", ["a": "1"])
        let source = source()
        guard case .payload(let generation) = try read(source) else { return #expect(Bool(false)) }
        guard case .unchanged = try read(source, unless: generation) else {
            return #expect(Bool(false))
        }
        directory.publish("..2", ["a": "1"])
        guard case .payload = try read(source, unless: generation) else {
            return #expect(Bool(false))
        }
    }

    @Test("nested keys are named by their path, names that begin with two dots are none")
    func nested() throws {
        directory.publish(
            "..1", ["user/labels": "x=1", "user/deep/er": "2", "..hidden": "no", ".env": "yes"])
        _ = try read(source())
        #expect(payload.contents == ["user/labels": "x=1", "user/deep/er": "2", ".env": "yes"])
    }

    @Test("every size around a page and a buffer is read whole")
    func sizes() throws {
        var expected: [String: String] = [:]
        for size in [0, 1, 63, 64, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 20] {
            expected["k\(size)"] = String(repeating: "x", count: size)
        }
        directory.publish("..1", expected)
        _ = try read(source())
        #expect(payload.contents == expected)
    }

    @Test("once a mount, a missing ..data is a missing source, not a plain directory")
    func lost() throws {
        directory.publish("..1", ["a": "1"])
        let source = source()
        _ = try read(source)
        directory.remove("..data")
        directory.write("stray", "x")
        guard case .missing = try read(source) else { return #expect(Bool(false)) }
    }

    @Test("a ..data link that leads nowhere is a missing source")
    func dangling() throws {
        directory.publish("..1", ["a": "1"])
        directory.remove("..1")
        guard case .missing(let failure) = try read(source()) else { return #expect(Bool(false)) }
        #expect(failure.osErrno == 2)
    }

    @Test(
        "links may not leave the data directory",
        arguments: ["/etc/hostname", "../../secret", "../..2/a"])
    func confinement(target: String) throws {
        directory.publish("..1", ["a": "1"])
        directory.publish("..2", ["a": "2"])
        directory.link("..2/key", to: target)
        let failure = failure(of: source())
        #expect(failure?.kind == .io)
        #expect(failure?.key == "key")
        #expect(failure?.osErrno == 18)
    }

    @Test("a link within the data directory is followed")
    func linkWithin() throws {
        directory.publish("..1", ["real/a": "1"])
        directory.link("..1/key", to: "real/a")
        _ = try read(source())
        #expect(payload.contents == ["real/a": "1", "key": "1"])
    }

    @Test("one file of a mount is that key of the generation, its user-visible link or not")
    func oneFile() throws {
        directory.publish("..1", ["app.json": "{}", "other": "x", "user/labels": "l"])
        _ = try read(FileSource(name: directory.path, path: directory.path("app.json")))
        #expect(payload.contents == ["app.json": "{}"])
        _ = try read(FileSource(name: directory.path, path: directory.path("user/labels")))
        #expect(payload.contents == ["labels": "l"])
        _ = try read(FileSource(name: directory.path, path: directory.path("..data/app.json")))
        #expect(payload.contents == ["app.json": "{}"])
        let absent = try read(FileSource(name: directory.path, path: directory.path("absent")))
        guard case .missing = absent else { return #expect(Bool(false)) }
    }

    @Test("a plain directory follows links, and watches where they lead")
    func plain() throws {
        let elsewhere = TemporaryDirectory()
        elsewhere.write("target", "1")
        directory.write("a", "2")
        directory.link("b", to: elsewhere.path("target").description)
        let source = source()
        _ = try read(source)
        #expect(payload.contents == ["a": "2", "b": "1"])
        #expect(source.settles)
        #expect(
            source.watches().contains {
                $0.path == elsewhere.path && $0.name?.description == "target"
            })
    }

    @Test("a value, or all together, that is larger than the limit is refused by name")
    func limits() throws {
        directory.publish("..1", ["big": "12345", "small": "1"])
        var limits = Limits()
        limits.maxValueBytes = 4
        #expect(failure(of: source(), limits: limits)?.kind == .limit)
        #expect(failure(of: source(), limits: limits)?.key == "big")
        limits.maxValueBytes = 5
        _ = try read(source(), limits: limits)
        limits.maxTotalBytes = 5
        #expect(failure(of: source(), limits: limits)?.kind == .limit)
        limits.maxTotalBytes = 6
        limits.maxKeys = 1
        #expect(failure(of: source(), limits: limits)?.kind == .limit)
    }

    @Test("a writer that never rests cannot make a read mix two generations")
    func tearing() throws {
        let names = (0..<20).map { "key\($0)" }
        let directory = directory
        @Sendable func publish(_ generation: Int) {
            directory.publish(
                "..\(generation)",
                Dictionary(uniqueKeysWithValues: names.map { ($0, "\(generation)") }))
            if generation > 1 { directory.remove("..\(generation - 1)") }
        }
        publish(1)
        let source = source()
        let writing = DispatchGroup()
        writing.enter()
        Foundation.Thread.detachNewThread {
            for generation in 2..<400 { publish(generation) }
            writing.leave()
        }
        var seen: Set<String> = []
        repeat {
            guard case .payload(let generation) = try read(source) else {
                return #expect(Bool(false))
            }
            let values = Set(payload.contents.values)
            #expect(payload.count == 20)
            #expect(values.count == 1)
            #expect(generation?.name.description == "..\(values.first ?? "")")
            seen.formUnion(values)
        } while writing.wait(timeout: .now()) != .success
        #expect(seen.count > 5)
    }

    @Test("descriptors that were read are closed, and never more are open than the host can spare")
    func descriptors() throws {
        let before = open()
        directory.publish(
            "..1", Dictionary(uniqueKeysWithValues: (0..<300).map { ("k\($0)", "v") }))
        _ = try read(source())
        #expect(files.mostOpen <= 256)
        #expect(open() <= before + files.mostOpen)
        #expect(open() > before)
        files.closeFiles()
        #expect(open() == before)
    }

    /// How many descriptors lead into this test's directory.
    private func open() -> Int {
        let links = try! FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return links.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?
                .hasPrefix(directory.url.path) ?? false
        }
    }
}
