// Dates and times of TOML, as RFC 3339 writes them: with or without date, time of day and offset
// from UTC. Checked for what can be, and copied as they stand but for the letters, which become
// capital, and the blank between date and time, which becomes a T.

struct TOMLDate {
    private let start: UnsafePointer<UInt8>
    private var p: UnsafePointer<UInt8>
    private var d: UnsafeMutablePointer<UInt8>

    /// Copies the date or time at `start` to `text`; nil when none begins there. Offsets of errors
    /// count from `start`.
    static func take(
        _ start: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
    ) throws(ParseError) -> TOMLString.Taken? {
        var date = TOMLDate(start: start, p: start, d: text)
        if start[2] == UInt8(ascii: ":") && date.isDigits(2) {
            try date.takeTime()
        } else if start[4] == UInt8(ascii: "-") && date.isDigits(4) {
            try date.takeDate()
            let isTime = date.p.pointee | 0x20 == UInt8(ascii: "t")
            if isTime || date.p.pointee == 0x20 && date.p[1] &- UInt8(ascii: "0") <= 9 {
                date.put(UInt8(ascii: "T"))
                try date.takeTime()
                try date.takeOffset()
            }
        } else {
            return nil
        }
        return TOMLString.Taken(source: date.p, text: date.d)
    }

    private func isDigits(_ count: Int) -> Bool {
        for index in 0..<count where start[index] &- UInt8(ascii: "0") > 9 { return false }
        return true
    }

    private mutating func takeDate() throws(ParseError) {
        let year = try takeNumber(4)
        try take(UInt8(ascii: "-"))
        let month = try takeNumber(2)
        try take(UInt8(ascii: "-"))
        let day = try takeNumber(2)
        guard month >= 1, month <= 12, day >= 1, day <= TOMLDate.days(of: month, in: year) else {
            throw ParseError("there is no such date", at: 0)
        }
    }

    private mutating func takeTime() throws(ParseError) {
        let hour = try takeNumber(2)
        try take(UInt8(ascii: ":"))
        let minute = try takeNumber(2)
        try take(UInt8(ascii: ":"))
        let second = try takeNumber(2)
        // A minute may have a leap second.
        guard hour <= 23, minute <= 59, second <= 60 else {
            throw ParseError("there is no such time of day", at: 0)
        }
        if p.pointee == UInt8(ascii: ".") {
            put(p.pointee)
            repeat { _ = try takeNumber(1) } while p.pointee &- UInt8(ascii: "0") <= 9
        }
    }

    private mutating func takeOffset() throws(ParseError) {
        if p.pointee | 0x20 == UInt8(ascii: "z") {
            put(UInt8(ascii: "Z"))
        } else if p.pointee == UInt8(ascii: "+") || p.pointee == UInt8(ascii: "-") {
            put(p.pointee)
            let hour = try takeNumber(2)
            try take(UInt8(ascii: ":"))
            let minute = try takeNumber(2)
            guard hour <= 23, minute <= 59 else {
                throw ParseError("there is no such offset from UTC", at: 0)
            }
        }
    }

    private mutating func takeNumber(_ digits: Int) throws(ParseError) -> Int {
        var number = 0
        for _ in 0..<digits {
            let digit = p.pointee &- UInt8(ascii: "0")
            if digit > 9 { throw incomplete() }
            number = number &* 10 &+ Int(digit)
            put(p.pointee)
        }
        return number
    }

    private mutating func take(_ byte: UInt8) throws(ParseError) {
        if p.pointee != byte { throw incomplete() }
        put(byte)
    }

    /// Moves on by one character, for which `byte` is written.
    private mutating func put(_ byte: UInt8) {
        d.pointee = byte
        d += 1
        p += 1
    }

    private func incomplete() -> ParseError {
        ParseError(expected: "a date or time as in 1979-05-27T07:32:00Z", at: p - start)
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
