internal import CCMReload


private let text: StaticString = "1.0.0"
@_cdecl("cmr_version") @implementation
public func cmr_version() -> UnsafePointer<CChar>! { UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self) }
@_cdecl("cmr_abi_version") @implementation
public func cmr_abi_version() -> UInt32 {
    (1 << 16) | 0
}
