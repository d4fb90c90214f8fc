#!/usr/bin/env -S python3 -B
"""Judges which lines of Sources the tests have run: coverage.py EXPORT, what llvm-cov exported as JSON.

Prints a line for each file, and fails when less than LEAST of all lines ran, when lines that did not
run have no reason in uncovered.txt, or when a reason is for lines that run by now.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import sys

LEAST = 0.95

root = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Stretch:
    """Lines that follow each other and did not run. Known by their text: numbers change."""

    file: str
    first: int
    text: tuple[str, ...]


class Lines:
    """The lines of one file that have code, and how often each ran, as llvm-cov counts: a line's
    count is the highest of the regions that begin in it, or of the one that it lies within."""

    def __init__(self, segments: list[list]) -> None:
        self.counts: dict[int, int] = {}
        by_line = collections.defaultdict(list)
        for segment in segments:
            by_line[segment[0]].append(segment)
        within = None
        last = segments[-1][0] if segments else 0
        for line in range(segments[0][0] if segments else 1, last + 1):
            begun = [each for each in by_line[line] if each[3] and each[4] and not each[5]]
            if within is not None and within[3] or begun:
                inherited = [within[2]] if within is not None and within[3] else []
                self.counts[line] = max(inherited + [each[2] for each in begun])
            if by_line[line]:
                within = by_line[line][-1]

    @property
    def not_run(self) -> list[int]:
        return [line for line, count in self.counts.items() if count == 0]


def stretches(file: str, lines: Lines, source: list[str]) -> list[Stretch]:
    """Comments, empty lines and closing braces neither make a stretch nor part one."""
    found: list[Stretch] = []
    last = None
    for line in lines.not_run:
        text = source[line - 1].strip()
        joins = last is not None and all(
            line_between not in lines.counts or lines.counts[line_between] == 0
            for line_between in range(last + 1, line))
        last = line
        if not text.strip("{}() ") or text.startswith("//"):
            continue
        if joins and found:
            found[-1].text += (text,)
        else:
            found.append(Stretch(file, line, (text,)))
    return found


@dataclasses.dataclass
class Reason:
    file: str
    reason: str
    text: tuple[str, ...]
    number: int

    @property
    def is_sometimes(self) -> bool:
        """Chance decides whether the lines run."""
        return self.reason.startswith("sometimes: ")


def reasons(path: pathlib.Path) -> list[Reason]:
    found: list[Reason] = []
    file = ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("Sources/"):
            file = line.strip()
        elif line.startswith("        "):
            found[-1].text += (line.strip(),)
        elif line.startswith("    "):
            found.append(Reason(file, line.strip(), (), number))
    return found


def main() -> None:
    exported = json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]["files"]
    open_reasons = reasons(root / "Tests/Coverage/uncovered.txt")
    total = ran = explained = 0
    complaints: list[str] = []
    for each in sorted(exported, key=lambda each: each["filename"]):
        path = pathlib.Path(each["filename"])
        if not path.is_relative_to(root / "Sources"):
            continue
        file = str(path.relative_to(root))
        lines = Lines(each["segments"])
        missing = len(lines.not_run)
        total, ran = total + len(lines.counts), ran + len(lines.counts) - missing
        share = 1 - missing / max(len(lines.counts), 1)
        print(f"{file:56} {len(lines.counts):5} lines {missing:4} not run {share:8.2%}")
        for stretch in stretches(file, lines, path.read_text().splitlines()):
            known = [reason for reason in open_reasons
                     if (reason.file, reason.text) == (stretch.file, stretch.text)]
            if known:
                open_reasons.remove(known[0])
                explained += 1
            else:
                shown = "".join(f"\n        {line}" for line in stretch.text)
                complaints.append(f"{file}:{stretch.first}: not run, without a reason{shown}")
    for reason in open_reasons:
        if not reason.is_sometimes:
            complaints.append(f"uncovered.txt:{reason.number}: is run by now, or gone")
    print(f"total: {total} lines, {total - ran} not run, {ran / total:.2%}")
    if ran / total < LEAST:
        complaints.append(f"fewer lines ran than {LEAST:.0%}")
    for complaint in complaints:
        print("failed:", complaint)
    print(f"{explained + 1} passed, {len(complaints)} failed")
    sys.exit(1 if complaints else 0)


main()
