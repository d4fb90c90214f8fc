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
            .unsafeFlags(["-wmo", "-Xfrontend", "-function-sections"]),
        ] : [])

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
                "-Xlinker", "--gc-sections",
                // Loading costs a mapping a segment: constants share one with code, and what the
                // loader has bound is sealed at once.
                "-Xlinker", "--no-rosegment",
                "-Xlinker", "-z", "-Xlinker", "now",
                "-Xlinker", "-l:../embedded/x86_64-unknown-linux-gnu/libswiftUnicodeDataTables.a",
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
            cSettings: [.unsafeFlags(["-fvisibility=hidden", "-Wall", "-Wextra"])]),
        .systemLibrary(name: "CYAML", path: "Sources/CYAML"),
        .target(
            name: "Config", dependencies: ["CYAML"], swiftSettings: swiftSettings,
            // The archive and not the shared library, which would be one more to load.
            linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libyaml.a"])]),
        .target(
            name: "Reload", dependencies: ["Config", "CSystem"],
            // Waits for the kernel most of its time; what must be fast in it is inlined into its
            // callers.
            swiftSettings: swiftSettings + (embedded ? [.unsafeFlags(["-Osize"])] : [])),
        .target(
            name: "CMReload", dependencies: ["CCMReload", "Config", "Reload"],
            exclude: ["exports.map"], swiftSettings: swiftSettings),
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
