// swift-tools-version: 6.2
import PackageDescription

// One tree, two builds. `CMRELOAD_EMBEDDED=1` selects the Embedded Swift build that ships; without
// it the same files build with the full runtime, for `swift test`, the sanitizers and the debugger.
let embedded = Context.environment["CMRELOAD_EMBEDDED"] == "1"

let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableExperimentalFeature("BuiltinModule"),
        .treatAllWarnings(as: .error),
    ]
    + (embedded
        ? [
            .enableExperimentalFeature("Embedded"),
            // That accesses exclude each other is checked in the normal build.
            .unsafeFlags([
                "-wmo", "-Osize", "-Xfrontend", "-function-sections",
                "-Xfrontend", "-mergeable-traps", "-enforce-exclusivity=unchecked",
                // No copy of a function for each closure that it is given.
                "-Xllvm", "-sil-disable-pass=closure-specialize",
            ]),
        ] : [])

/// For what waits for the kernel most of its time: parts of functions that are the same are shared.
let outlined: [SwiftSetting] =
    embedded ? [.unsafeFlags(["-Xllvm", "-enable-machine-outliner=always"])] : []

let linkerSettings: [LinkerSetting] =
    [
        .unsafeFlags([
            "-Xlinker", "-soname=libcmreload.so.1",
            "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/CMReload/exports.map",
            "-Xlinker", "--no-undefined-version",
            "-Xlinker", "-z", "-Xlinker", "nodelete",
        ])
    ]
    + (embedded
        ? [
            .unsafeFlags([
                "-use-ld=lld",
                "-Xlinker", "--gc-sections", "-Xlinker", "--icf=all",
                "-Xlinker", "--script=\(Context.packageDirectory)/Sources/CMReload/sections.ld",
                "-Xlinker", "--no-eh-frame-hdr",
                // A string that is the end of another one is stored once.
                "-Xlinker", "-O2",
                // Loading costs a mapping a segment: constants share one with code, and what the
                // loader has bound is sealed at once.
                "-Xlinker", "--no-rosegment",
                "-Xlinker", "-z", "-Xlinker", "now",
            ])
        ] : [])

let package = Package(
    name: "cmreload",
    products: [
        .library(name: "cmreload", type: .dynamic, targets: ["Library"])
    ],
    targets: [
        .systemLibrary(name: "CCMReload", path: "include"),
        .target(
            name: "CSystem",
            cSettings: [.unsafeFlags(["-fvisibility=hidden", "-Wall", "-Wextra"])]
                + (embedded ? [.define("CS_EMBEDDED")] : [])),
        .target(
            name: "CYAML",
            cSettings: [.unsafeFlags(["-fvisibility=hidden", "-Wall", "-Wextra"])],
            linkerSettings: [
                .unsafeFlags([
                    // The archive and not the shared library, which would be one more to load.
                    "-Xlinker", "-l:libyaml.a",
                    // libyaml's memory is Config's: CYAML/memory.c.
                    "-Xlinker", "--wrap=malloc", "-Xlinker", "--wrap=realloc",
                    "-Xlinker", "--wrap=free", "-Xlinker", "--wrap=strdup",
                ])
            ]),
        .target(
            name: "Config", dependencies: ["CYAML"],
            // For size too: what has to be fast says so itself, by @_optimize(speed).
            swiftSettings: swiftSettings),
        .target(
            name: "Reload", dependencies: ["Config", "CSystem"],
            swiftSettings: swiftSettings + outlined),
        .target(
            name: "CMReload", dependencies: ["CCMReload", "Config", "Reload"],
            exclude: ["exports.map", "sections.ld"], swiftSettings: swiftSettings),
        .target(
            name: "Library", dependencies: ["CMReload"], swiftSettings: swiftSettings,
            linkerSettings: linkerSettings),
    ]
        + (embedded
            ? []
            : [
                .testTarget(name: "ConfigTests", dependencies: ["Config", "CYAML"]),
                .testTarget(
                    name: "ReloadTests", dependencies: ["Reload", "CMReload", "CCMReload"]),
            ])
)
