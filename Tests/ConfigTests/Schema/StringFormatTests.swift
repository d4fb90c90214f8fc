// What each format accepts and refuses, once it is asserted.
import Testing

@testable import Config

@Suite struct StringFormatTests {
    static let formats: [(String, [String], [String])] = [
        (
            "date",
            ["2024-02-29", "0000-01-01", "9999-12-31", "2000-02-29"],
            [
                "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-1-01",
                "24-01-01",
                "2024-01-01T", "", "2024/01/01", "٢٠٢٤-01-01", "2024-01-32", "2024-01-00",
            ]
        ),
        (
            "time",
            [
                "00:00:00Z", "23:59:59z", "12:34:56.789+01:30", "23:59:60Z", "00:59:60+01:00",
                "18:59:60-05:00",
            ],
            [
                "24:00:00Z", "12:60:00Z", "12:00:61Z", "12:00:00", "12:00Z", "12:00:00.Z",
                "22:59:60Z",
                "23:59:60+01:00", "12:00:00+24:00", "12:00:00+0100", "12:00:00 Z", "1:00:00Z",
            ]
        ),
        (
            "date-time",
            ["1985-04-12T23:20:50.52Z", "1996-12-19t16:39:57-08:00", "1990-12-31T23:59:60Z"],
            [
                "1985-04-12 23:20:50Z", "1985-04-12T23:20:50", "1985-02-30T00:00:00Z", "1985-04-12",
                "x",
            ]
        ),
        (
            "duration",
            ["P1Y", "P1Y2M3D", "PT1H", "PT1H2M3S", "P4W", "P2M", "P1DT12H", "PT0S", "P0D"],
            [
                "P", "PT", "P1", "1D", "P1D2H", "P2D1Y", "P1YT", "PT1D", "P1W2D", "P1Y1D", "PT1H1S",
                "P-1D", "p1d", "P1.5D",
            ]
        ),
        (
            "email",
            [
                "a@b", "joe.bloggs@example.com", "te~st@example.com", "\"joe bloggs\"@example.com",
                "\"a\\\"b\"@c",
                "a@[127.0.0.1]", "a@[IPv6:::1]", "a+b=c@d.e",
            ],
            [
                "2962", "@b", "a@", ".a@b", "a.@b", "a..b@c", "a b@c", "a@b c", "a@-b",
                "a@[127.0.0.300]", "a@[x]",
                "\"a@b", "a@b@c", "a@b=c",
            ]
        ),
        (
            "hostname",
            ["a", "www.example.com", "h0st", "1host", "a-b", "xn--ll-0ea", "a--b.com"],
            ["", ".", "a.", ".a", "-a", "a-", "a_b", "a..b", "é", "a b", "xn--X", "xn--al-0ea"]
        ),
        (
            "ipv4",
            ["127.0.0.1", "0.0.0.0", "255.255.255.255"],
            [
                "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", ".1.2.3", "1.2.3.4 ",
                "1.2.3.a", "0x7f.0.0.1", "",
            ]
        ),
        (
            "ipv6",
            [
                "::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:192.168.0.1", "1:2::7:8",
                "abcd:EF01::", "1:2:3:4:5:6:1.2.3.4",
                "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
            ],
            [
                "", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::1.2.3", "::1.2.3.256", "1:", ":1", "1:2:3:4:5:6:7:8:", "::1%eth0",
                "1::2:3:4:5:6:7:8", "::1.2.3.4:5",
            ]
        ),
        (
            "uri",
            [
                "http://a.b/c?d=e#f", "urn:x:y", "mailto:a@b.c", "http://[::1]:80/", "http://a:80",
                "a:", "ftp://u:p@h/%20",
                "http://[v1.x:y]/", "tel:+1-816-555-1212", "http://a/b(c)'d",
            ],
            [
                "/a", "a", "//a/b", "http://a b", "http://a/<", "http://a/%zz", ":a", "1a:b",
                "http://[::1", "http://[x]/",
                "http://a:b/", "http://é/", "http://a/\\", "http://a/{b}", "http://a/#b#c",
                "http://[v1.]/", "http://a/^",
            ]
        ),
        (
            "uri-reference",
            ["http://a/b", "/a", "a", "", "#b", "?c", "//a", "a/b:c", "./a:b"],
            ["\\\\a\\b", "a b", "1a:b", "#a#b", "é", "%"]
        ),
        (
            "uuid",
            ["2EB8AA08-aa98-11ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000"],
            [
                "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380", "",
                "2eb8aa08-aa98-11ea-b4ga-73b441d16380",
                "2eb8aa08-aa98-11ea-b4aa-73b441d16380\n", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
            ]
        ),
        (
            "json-pointer",
            ["", "/", "/a/b", "/a~0~1b", "//", "/é"], ["a", "/~", "/~2", "/a~", "#", "#/a"]
        ),
        (
            "relative-json-pointer",
            ["0", "1/a", "0#", "10/~1", "2/"], ["", "/a", "01", "-1", "+1", "0##", "1a", "0#/a"]
        ),
        (
            "regex",
            [
                "", "a*", "(?<n>a)\\k<n>", "(?=a)", "(a)\\1", "[]", "[^]", "\\p{Script=Greek}",
                "(?<=a+)b", "a{5000}{5000}",
            ],
            ["(", "a)", "*", "\\a", "(?i)a", "[b-a]", "\\1", "a{2,1}", "(?P<n>a)", "\\k<n>"]
        ),
    ]

    @Test(arguments: formats)
    func `accepts what its document says`(format: String, good: [String], bad: [String]) throws {
        let name = try #require(format.withBytes { StringFormat(name: $0) })
        #expect(Bytes(name.name).text == format)
        for text in good {
            #expect(
                try text.withBytes { try name.accepts($0, TestMemory.memory) }, "\(format) \(text)")
        }
        for text in bad {
            #expect(
                try !text.withBytes { try name.accepts($0, TestMemory.memory) }, "\(format) \(text)"
            )
        }
    }

    @Test func `asserts only when it is asked to, and only what it knows`() throws {
        #expect(try Schema.test(#"{"format":"ipv4"}"#).accepts("\"x\""))
        let asserting = try Schema.test(#"{"format":"ipv4"}"#, assertsFormat: true)
        #expect(try !asserting.accepts("\"x\"") && asserting.accepts("5"))
        #expect(
            try Schema.test(#"{"format":"of-my-own"}"#, assertsFormat: true).accepts("\"x\""))
    }

    @Test func `a name of labels that are too long, or too many, is none`() throws {
        let label = String(repeating: "a", count: 63)
        for (text, isName) in [
            (label, true), (label + "a", false), ("\(label).\(label).\(label).\(label)", false),
            ("\(label).\(label).\(label).\(label.dropLast(2))", true),
        ] {
            #expect(text.withBytes { StringFormat.hostname.accepts($0) } == isName)
        }
    }

    @Test func `no cut or stray byte leads astray`() {
        var random = TestRandom(seed: 11)
        let pieces = [
            "1", "0", "a", "-", ":", "::", ".", "@", "[", "]", "%", "%4", "P", "T", "1Y", "/", "~",
            "#", "?", "\"",
            "\\", "xn--", "é", "Z", "+01:00", "2024-01-01", "IPv6:", "v1.",
        ]
        for number in 0..<StringFormat.relativeJSONPointer.rawValue
        where number != StringFormat.regex.rawValue {
            for _ in 0..<500 {
                let text = GuardedBytes(random.text(12, of: pieces).utf8)
                _ = StringFormat(rawValue: number)?.accepts(text.bytes)
            }
        }
    }
}
