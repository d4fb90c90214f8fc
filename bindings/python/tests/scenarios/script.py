"""Reads a scenario: lines of words, comments, and blocks of text behind ``|``. Knows no verb.

Words are bytes, for a value need not be UTF-8.
"""

import re
from dataclasses import dataclass, field

_WORD = re.compile(
    rb"""'(?P<single>[^']*)'(?=[ \t]|$)
    | "(?P<double>(?:\\.|[^"\\])*)"(?=[ \t]|$)
    | (?P<bare>[^ \t'"][^ \t]*)""",
    re.X,
)
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"\\": b"\\", b'"': b'"'}


class Failed(Exception):
    """A line of the story does not hold."""


class Skipped(Exception):
    """This machine cannot tell the story."""


@dataclass
class Line:
    number: int
    words: list = field(default_factory=list)

    @property
    def verb(self):
        return self.words[0].decode()

    def text(self, index, default=None):
        """A word as text; file names keep what is not UTF-8."""
        if index < len(self.words):
            return self.words[index].decode(errors="surrogateescape")
        if default is None:
            raise Failed("a word is missing")
        return default

    def number_at(self, index):
        try:
            return int(self.text(index), 0)
        except ValueError:
            raise Failed(f"'{self.text(index)}' is no number") from None

    def value(self, index):
        """``VALUE [times COUNT]``, to the end of the line."""
        self.text(index)
        if len(self.words) == index + 1:
            return self.words[index]
        if self.text(index + 1) != "times":
            raise Failed("`times COUNT` may stand here")
        self.no_more_than(index + 3)
        return self.words[index] * self.number_at(index + 2)

    def no_more_than(self, count):
        if len(self.words) > count:
            raise Failed(f"'{self.text(count)}' is a word too many")


def _unescaped(match):
    escape = match[1]
    if escape.startswith(b"x"):
        return bytes([int(escape[1:], 16)])
    if escape not in _ESCAPED:
        raise Failed(f"unknown escape \\{escape.decode()}")
    return _ESCAPED[escape]


def _words(text):
    position = 0
    while position < len(text):
        if text[position] in b" \t":
            position += 1
            continue
        word = _WORD.match(text, position)
        if word is None:
            raise Failed("a quote is not closed, or no blank follows it")
        if word["double"] is not None:
            yield _ESCAPE.sub(_unescaped, word["double"])
        else:
            yield word["single"] if word["single"] is not None else word["bare"]
        position = word.end()


def read(path):
    """The lines of a story."""
    lines, in_block = [], False
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        text = raw.lstrip(b" \t")
        if text.startswith(b"|"):
            if not in_block:
                lines[-1].words.append(b"")
            lines[-1].words[-1] += text[1:].removeprefix(b" ") + b"\n"
        elif text and not text.startswith(b"#"):
            lines.append(Line(number, list(_words(text))))
        in_block = text.startswith(b"|")
    return lines
