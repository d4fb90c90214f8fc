// A program as a validation reads it: plain addresses, for which one list after another would have
// to be asked.

/// Where the parts of a program lie that are looked at for each value.
struct Code {
    let instructions: UnsafePointer<Instruction>
    let calls: UnsafePointer<Call>
    let routines: UnsafePointer<Routine>
    let arrayRules: UnsafePointer<ArrayRule>
    let objectRules: UnsafePointer<ObjectRule>
    let entries: UnsafePointer<NameEntry>
    let slots: UnsafePointer<UInt32>
    let patternRules: UnsafePointer<PatternRule>
    let enumRules: UnsafePointer<EnumRule>
    let seed: UInt64
    let hasDynamicCalls: Bool

    init(_ program: borrowing Program) {
        instructions = UnsafePointer(program.instructions.base)
        calls = UnsafePointer(program.calls.base)
        routines = UnsafePointer(program.routines.base)
        arrayRules = UnsafePointer(program.arrayRules.base)
        objectRules = UnsafePointer(program.objectRules.base)
        entries = UnsafePointer(program.entries.base)
        slots = UnsafePointer(program.slots.base)
        patternRules = UnsafePointer(program.patternRules.base)
        enumRules = UnsafePointer(program.enumRules.base)
        seed = program.seed
        hasDynamicCalls = program.dynamicCalls.count > 0
    }

    /// The entry of a name among those of a rule, or -1.
    @_optimize(speed) @inline(never)
    func entry(_ rule: UnsafePointer<ObjectRule>, _ name: Bytes) -> Int {
        guard let text = name.baseAddress else { return -1 }
        let entries = entries + rule.pointee.firstEntry
        // Where several schemas apply to one object, most names are unknown to most of them.
        if rule.pointee.lengths & ObjectRule.lengthBit(name.count) == 0 { return -1 }
        let hash = Hash.text(text, name.count, seed: seed)
        let slots = slots + rule.pointee.firstSlot
        let mask = rule.pointee.slotMask
        var index = Int(truncatingIfNeeded: hash) & mask
        // The table is at most half full: an empty slot always ends the walk.
        while true {
            let number = Int(slots[index]) &- 1
            if number < 0 { return -1 }
            if entries[number].hash == hash, entries[number].isNamed(text, name.count) {
                return number
            }
            index = (index &+ 1) & mask
        }
    }

    /// Likewise. Members mostly come in the order of the schema: the name behind the last one is
    /// tried first.
    @inline(__always)
    func entry(_ rule: UnsafePointer<ObjectRule>, _ name: Bytes, after last: Int) -> Int {
        let guess = last &+ 1
        if guess < rule.pointee.entryCount, let text = name.baseAddress,
            (entries + (rule.pointee.firstEntry &+ guess)).pointee.isNamed(text, name.count)
        {
            return guess
        }
        return entry(rule, name)
    }
}
