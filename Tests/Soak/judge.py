"""What is made of what a soak observed: the numbers of the writer, the hosts and the library beside
each other, and how what the hosts hold has gone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from board import EVENTS, FAILURES, READS, VISITORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from soak import Soak

Sample = dict[str, float]


@dataclasses.dataclass
class Written:
    """What the writer did to a mount, as it prints it."""

    mount: int
    storms: int
    contents: int
    generation: int
    published: int
    unparsed: int
    refused: int
    lost: int
    recovered: int
    rolled_back: int


@dataclasses.dataclass
class Followed:
    """What the library says of one watcher, as a host prints it. Calls are those of subscribers that
    the library counts and the host; Go tells of panics instead."""

    mount: int
    version: int
    succeeded: int
    rejected: int
    source_errors: int
    calls_told: int
    calls: int
    held: int
    healthy: int


# Statements about each mount, and of it in each host.
ALWAYS: dict[str, Callable[[Written, Followed], bool]] = {
    "each version is counted as a load that succeeded":
        lambda writer, host: host.version == host.succeeded,
    "calls of subscribers, or panics in Go, are counted one by one":
        lambda writer, host: host.calls_told == host.calls,
    "nothing is held in the end": lambda writer, host: host.held == 0,
    "all is well in the end": lambda writer, host: host.healthy == 1,
    "no source fails that was never lost":
        lambda writer, host: writer.lost > 0 or host.source_errors == 0,
}
STEP_BY_STEP: dict[str, Callable[[Written, Followed], bool]] = {
    "each good content, and each rollback, is one version":
        lambda writer, host: host.version == writer.published,
    "each bad content is rejected once":
        lambda writer, host: host.rejected == writer.unparsed + writer.refused,
}
STORMS: dict[str, Callable[[Written, Followed], bool]] = {
    "no more versions than good contents":
        lambda writer, host: 1 < host.version <= writer.published,
    "no more rejections than bad contents":
        lambda writer, host: host.rejected <= writer.unparsed + writer.refused,
}


class Verdict:
    def __init__(self) -> None:
        self.passed = 0
        self.complaints: list[str] = []

    def check(self, holds: bool, what: str, offence: str = "") -> None:
        self.passed += holds
        if not holds:
            self.complaints.append(f"{what}{': ' if offence else ''}{offence}")


def table(kind: type, lines: Iterable[str]) -> dict[int, object]:
    rows = (kind(*map(int, line.split()[1:])) for line in lines)
    return {row.mount: row for row in rows}


def judge_counts(verdict: Verdict, host: str, writer: dict, followed: dict) -> None:
    verdict.check(followed.keys() == writer.keys() and bool(writer), f"{host}: tells of all mounts")
    for rules, chosen in (
        (ALWAYS, list(writer.values())),
        (STEP_BY_STEP, [each for each in writer.values() if not each.storms]),
        (STORMS, [each for each in writer.values() if each.storms]),
    ):
        for sentence, rule in rules.items():
            broken = [each for each in chosen
                      if each.mount in followed and not rule(each, followed[each.mount])]
            offence = "".join(f"\n    {each}\n    {followed[each.mount]}" for each in broken[:3])
            verdict.check(not broken, f"{host}: {sentence}", f"not on {len(broken)}{offence}")


# ---- What the hosts hold: does it grow with what they do? --------------------------------------

# Memory that is forgotten is forgotten at events, or at visits, which are as frequent in each half:
# what malloc says that it gave out is looked at against the number of events. The smallest block of
# malloc is 32 bytes with its header: one in eight events may not forget one. Beside that there is
# what comes late and once: tables that double, the state of one more thread.
BYTES_AN_EVENT, BYTES_ONCE = 4, 512 << 10
# The hosts give back what malloc has free before they report. What is resident then still depends on
# how the rest lies about, most of all where garbage is collected. What the two above do not see,
# mapped memory and stacks, is lost by pages: over the second half these bytes, and this share.
RESIDENT_BYTES, RESIDENT_SHARE = 2 << 20, 0.05
# More at the end of the second half than at its beginning, by the trend. Go's runtime keeps a thread
# that a blocked call once needed, so there are steps; what leaks goes on and on.
MORE = {"threads": 2, "descriptors": 2, "held": 20}
# A trend is believed when it is this many standard errors away from the bound.
ERRORS = 3


def trend(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The slope of the line that fits best, and its standard error."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points) or 1
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, (rest / max(count - 2, 1) / spread) ** 0.5


def lowest(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each ten points the lowest: files are open while they are read, those of a leak always."""
    tens = [points[first:first + 10] for first in range(0, len(points) - 9, 10)]
    return [min(ten, key=lambda point: point[1]) for ten in tens]


def judge_holdings(verdict: Verdict, host: str, samples: list[Sample]) -> None:
    late = [each for each in samples if each["seconds"] >= samples[-1]["seconds"] / 2]
    events = late[-1]["events"] - late[0]["events"]
    verdict.check(events > 0, f"{host}: events come all the time")
    for what in ["heap", "objects", "resident", *MORE]:
        points = [(each["events"], each[what]) for each in late]
        slope, error = trend(lowest(points) if what == "descriptors" else points)
        values = [each[what] for each in late]
        mean = sum(values) / len(values)
        if what in ("heap", "objects"):
            bound = BYTES_ONCE + BYTES_AN_EVENT * events
        elif what == "resident":
            bound = RESIDENT_BYTES + RESIDENT_SHARE * mean
        else:
            bound = MORE[what]
        rise = slope * events
        verdict.check(rise - ERRORS * error * events <= bound, f"{host}: {what} does not grow",
                      f"by {rise:.0f}, at most {bound:.0f}, while {events:.0f} events came")
        print(f"{host:7} {what:12} {min(values):11.0f} to {max(values):11.0f}, trend {rise:+10.1f}"
              f" ± {error * events:8.1f}, bound {bound:10.0f}")


def judge(soak: Soak) -> Verdict:
    verdict = Verdict()
    writer = table(Written, soak.writer.lines("mount "))
    verdict.complaints += soak.writer.lines("failed:")
    for number, host in enumerate(soak.hosts):
        verdict.complaints += host.lines("failed:")
        words = soak.board.host(number)
        verdict.check(host.process.returncode == 0, f"{host.name}: ends well")
        verdict.check(words[FAILURES] == 0, f"{host.name}: nothing is torn, stale, out of order")
        verdict.check(words[READS] > 0 and words[VISITORS] > 0, f"{host.name}: reads, and visits")
        judge_counts(verdict, host.name, writer, table(Followed, host.lines("mount ")))
        print(f"{host.name:7} {words[EVENTS]} events, {words[READS]} snapshots read, "
              f"{words[VISITORS]} watchers that came and went")
        judge_holdings(verdict, host.name,
                       [each for each in soak.samples if each["host"] == host.name])
    steps = sum(each.contents + each.lost + each.recovered + each.rolled_back
                for each in writer.values())
    print(f"writer  {steps} steps on {len(writer)} mounts")
    return verdict
