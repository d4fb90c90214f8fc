"""Patterns of keys, as ``cmr_watcher_subscribe`` reads them, as regular expressions.

The same pattern matches the same keys here as in the library; a test compares the two.
"""

from __future__ import annotations

import re

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_ELEMENT = re.compile(
    r"""\\(?P<escaped>.)
    | (?P<any>\*) | (?P<one>\?)
    | \[ (?P<not>[!^]?) (?P<set>\]?
        (?: \[:\w+:\] | \\. | [^\]\\\[] | \[(?![:.=]) )* ) \]
    | (?P<literal>[^\\\[])""",
    re.X | re.S,
)
_SET_ITEM = re.compile(
    r"\[:(?P<named>\w+):\] | (?P<low>\\?.) (?: - (?P<high>\\.|[^\]]) )?", re.X | re.S
)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern of keys, as ``cmr_watcher_subscribe`` reads one, as a regular expression.

    ``*`` stands for any characters, ``?`` for one, ``[a-z]`` and ``[!a-z]`` for one of a set, and a
    backslash takes the next one literally.

    Raises:
        ValueError: the pattern is empty or malformed.
    """
    if not pattern:
        raise ValueError("the key pattern is empty")
    translated, position = [], 0
    while position < len(pattern):
        element = _ELEMENT.match(pattern, position)
        if element is None:
            raise ValueError("the key pattern is malformed")
        if element["any"]:
            translated.append(".*")
        elif element["one"]:
            translated.append(".")
        elif element["set"] is not None:
            translated.append(f"[{'^' * bool(element['not'])}{_set(element['set'])}]")
        else:
            translated.append(re.escape(element["escaped"] or element["literal"]))
        position = element.end()
    try:
        return re.compile("".join(translated), re.S)
    except re.error:
        raise ValueError("the key pattern is malformed") from None


def _set(text: str) -> str:
    translated = []
    for item in _SET_ITEM.finditer(text):
        if item["named"]:
            if item["named"] not in _CLASSES:
                raise ValueError("the key pattern names a class of characters that does not exist")
            translated.append(_CLASSES[item["named"]])
            continue
        ends = [re.escape(end[-1]) for end in (item["low"], item["high"]) if end]
        translated.append("-".join(ends))
    return "".join(translated)
