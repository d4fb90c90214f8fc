// What a validation has to remember of each subschema that it is in the middle of. As small as a
// cache line: values that are nested write and read one for each level.

extension Validation {
    /// A subschema that is being applied to a value.
    struct Frame: BitwiseCopyable {
        var node: UnsafePointer<Node>
        /// The member or element that it is at, and its number.
        var cursor: UnsafePointer<Node>
        private var indexWord: Int32 = 0
        /// How it came to be applied.
        var call: UInt32
        private var instructionWord: UInt32
        private var tallyWord: Int32 = 0
        private var entryWord: Int32 = -1
        private var firstBitsWord: Int32
        private var evaluatedWord: Int32 = -1
        private var seenWord: Int32 = -1
        private var scopeCountWord: Int32
        /// Which part of what is applied to the member or element comes next.
        var part: UInt32 = 0
        /// How far the instruction is: 0 at its beginning.
        var step: UInt8 = 0
        var flags: Flags

        init(
            _ node: UnsafePointer<Node>, call: UInt32, instruction: UInt32, firstBits: Int,
            scopeCount: Int, flags: Flags
        ) {
            self.node = node
            cursor = node
            self.call = call
            instructionWord = instruction
            // Whatever is counted here lies in memory, or is a part of what does.
            firstBitsWord = Int32(truncatingIfNeeded: firstBits)
            scopeCountWord = Int32(truncatingIfNeeded: scopeCount)
            self.flags = flags
        }

        @inline(__always)
        var index: Int {
            get { Int(indexWord) }
            set { indexWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// The instruction that is due.
        @inline(__always)
        var instruction: Int {
            get { Int(instructionWord) }
            set { instructionWord = UInt32(truncatingIfNeeded: newValue) }
        }

        /// What it has counted.
        @inline(__always)
        var tally: Int {
            get { Int(tallyWord) }
            set { tallyWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// The entry of the member's name; -1 when none is known.
        @inline(__always)
        var entry: Int {
            get { Int(entryWord) }
            set { entryWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// Where its bits begin.
        var firstBits: Int { Int(firstBitsWord) }

        /// Where the bits begin of what is evaluated; -1 when nobody asks.
        @inline(__always)
        var evaluated: Int {
            get { Int(evaluatedWord) }
            set { evaluatedWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// Where the bits begin of which names were seen; -1 when nobody asks.
        @inline(__always)
        var seen: Int {
            get { Int(seenWord) }
            set { seenWord = Int32(truncatingIfNeeded: newValue) }
        }

        /// How many resources were entered before it.
        var scopeCount: Int { Int(scopeCountWord) }

        struct Flags: OptionSet {
            let rawValue: UInt8
            /// It is not to say what is wrong, and ends at the first of it.
            static var isQuiet: Flags { Flags(rawValue: 1) }
            static var failed: Flags { Flags(rawValue: 2) }
            /// It is about the same value as the frame below.
            static var isInPlace: Flags { Flags(rawValue: 4) }
            /// All that is plain was judged before it was made, and did not pass.
            static var isJudged: Flags { Flags(rawValue: 8) }
            /// Something was applied to the member that it is at.
            static var hasApplied: Flags { Flags(rawValue: 16) }
        }

        var isQuiet: Bool { flags.contains(.isQuiet) }
    }
}
