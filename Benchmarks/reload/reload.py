#!/usr/bin/env python3
"""Measures reload: from the rename of `..data` to the callback, and the CPU time of one update.

The writer runs on CPU 0, the reader on CPU 1; readers take turns, round by round, and each waits for
an idle machine. A reader is any program that prints APPLIED lines (applied.h). The floors and ours in C are
always there; --reader NAME='CMD {DIR}' adds one that is measured as often, --peer one of which
fewer updates will do.
"""

import argparse
import bisect
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402

SHAPES = ["small", "medium", "large"]
READERS = ["floor_c", "floor_c_json", "ours"]
FAULTS = ["torn", "partial", "stale", "duplicate", "lost"]
# What a handler in another language may take beyond a multiple of C's: making a small mount native,
# and waking a goroutine.
ALLOWANCES_US = {"ours_python": 100, "ours_go": 50}
APPLIED = re.compile(r"APPLIED (-?\d+) (\d+)(?: n=(\d+) lo=(-?\d+) hi=(-?\d+))?")
WRITER_CPU, READER_CPU = 0, 1
START_SECONDS, DELIVERY_SECONDS = 20, 4
# Updates that come before those that count: a service runs for days, and its history is full.
WARM_UP, WARM_UP_INTERVAL_MS = 12, 50


class Applied:
    """One load that a reader reported."""

    def __init__(self, match):
        self.generation, self.moment = int(match[1]), int(match[2])
        self.checked = match[3] is not None
        self.count, self.lowest, self.highest = (int(match[index] or 0) for index in (3, 4, 5))


def applied_in(path):
    return [Applied(match) for match in map(APPLIED.match, machine.read(path).split("\n")) if match]


class Run:
    """One reader that followed one series of updates."""

    def __init__(self, renames, before, loads, keys, cpu_ns, other_cpus):
        self.renames = renames  # generation → (start, end) of its rename
        self.before = before  # the generation that the reader held when the series began
        self.loads = loads
        self.keys = keys
        self.cpu_ns = cpu_ns
        self.other_cpus = other_cpus


def pinned(cpu, also=lambda: None):
    def enter():
        os.sched_setaffinity(0, {cpu})
        also()
    return enter


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def run(peer, command, shape, series, arguments, seed, warm_up=WARM_UP):
    """Starts the writer and one reader, gives the writer its command, and gathers both stories."""
    folder = tempfile.mkdtemp(prefix="cmreload-bench-", dir=arguments.base)
    # The readers' lines go to memory: nobody wakes up, and no disk writes, while they are measured.
    notes = tempfile.mkdtemp(prefix="cmreload-bench-", dir="/dev/shm")
    mount, output = folder + "/config", notes + "/output"
    account = machine.Account(f"{peer}-{seed}")
    writer = reader = None
    try:
        writer = subprocess.Popen(
            [arguments.programs + "/writer", mount, shape, str(seed), notes + "/log"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            preexec_fn=pinned(WRITER_CPU))
        keys = int(writer.stdout.readline().split()[1])
        with open(output, "w") as lines, open(notes + "/errors", "w") as errors:
            reader = subprocess.Popen(
                [part.replace("{DIR}", mount) for part in command], stdin=subprocess.DEVNULL,
                stdout=lines, stderr=errors, preexec_fn=pinned(READER_CPU, account.enter))
        account.pid = reader.pid
        if not wait_for(lambda: applied_in(output) or reader.poll() is not None, START_SECONDS) \
                or reader.poll() is not None:
            raise RuntimeError(f"{peer} did not start: {machine.read(notes + '/errors').strip()}")
        if warm_up:
            writer.stdin.write(f"steady {warm_up} {WARM_UP_INTERVAL_MS}\n")
            writer.stdout.readline()
        time.sleep(0.5)  # what that leaves to be done later is not a reload's; a debounce is over
        first_loads = applied_in(output)
        others = (writer.pid, os.getpid())
        busy, spent = machine.busy_seconds(), sum(map(machine.process_seconds, others))
        cpu, start = account.nanoseconds(), time.monotonic()
        writer.stdin.write(series + "\n")
        first, last = map(int, writer.stdout.readline().split()[1:3])
        wait_for(lambda: any(load.generation == last for load in applied_in(output)),
                 DELIVERY_SECONDS)
        time.sleep(0.3)  # a duplicate would come now
        cpu = account.nanoseconds() - cpu
        busy = machine.busy_seconds() - busy
        spent = sum(map(machine.process_seconds, others)) - spent
        other_cpus = max(0.0, busy - spent - cpu / 1e9) / (time.monotonic() - start)
        renames = {}
        for line in machine.read(notes + "/log").strip().split("\n"):
            generation, begin, end = map(int, line.split())
            if first <= generation <= last:
                renames[generation] = (begin, end)
        return Run(renames, first_loads[-1].generation, applied_in(output)[len(first_loads):],
                   keys, cpu, other_cpus)
    finally:
        for process in (reader, writer):
            if process:
                process.kill()
                process.wait()
        account.close()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(notes, ignore_errors=True)


def figures_of(runs):
    """One row from all rounds of one reader on one shape.

    torn: a load mixed generations · partial: keys were missing · stale: a newer generation was in
    place when the callback ran · duplicate: nothing new · lost: a generation never delivered (where
    updates have time between them; a writer without a pause may overtake a reader, which lost
    nothing as long as the last one arrives).
    """
    latencies, counts = [], dict.fromkeys(FAULTS, 0)
    for one in runs:
        ends = sorted((end, generation) for generation, (_, end) in one.renames.items())
        seen, delivered = one.before, set()
        for load in one.loads:
            newer = bisect.bisect_right(ends, (load.moment, float("inf")))
            newest = ends[newer - 1][1] if newer else one.before
            sound = not load.checked or load.lowest == load.highest == load.generation
            whole = not load.checked or load.count == one.keys
            counts["torn"] += not sound
            counts["partial"] += not whole
            counts["stale"] += load.generation < newest
            counts["duplicate"] += load.generation <= seen
            if sound and whole and load.generation in one.renames.keys() - delivered:
                delivered.add(load.generation)
                latencies.append((load.moment - one.renames[load.generation][0]) / 1000)
            seen = max(seen, load.generation)
        counts["lost"] += len(one.renames.keys() - delivered)
    updates = sum(len(one.renames) for one in runs)
    ordered = sorted(latencies)
    return dict(
        updates=updates, applied=len(latencies),
        latency_us=statistics.median(ordered) if ordered else None,
        p99_us=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else None,
        cpu_us=sum(one.cpu_ns for one in runs) / 1000 / updates,
        other_cpus=max(one.other_cpus for one in runs),
        loads=sum(len(one.loads) for one in runs),
        **counts,
        latencies_us=[round(latency, 1) for latency in ordered])


def measure(readers, arguments, conditions, shapes=None, series=None, few=(), cold=()):
    """Round by round, shape by shape, each reader in turn, so that a slow minute is everybody's. A
    run that others disturb is repeated; the last one counts, and conditions tell of it. Those of whom few updates will do sit out all rounds but one; shapes that are cold have nothing
    before what counts."""
    gathered, seed = {}, 0
    if not series:
        series = f"steady {-(-arguments.updates // arguments.rounds)} {arguments.interval}"
    for turn in range(arguments.rounds):
        for shape in shapes or arguments.shapes:
            for name, command in readers.items():
                if name in few and turn != arguments.rounds // 2:
                    continue
                seed += 1
                for attempt in range(arguments.retries + 1):
                    idle = conditions.await_idle()
                    one = run(name, command, shape, series, arguments, seed,
                              0 if shape in cold else WARM_UP)
                    undisturbed = one.other_cpus <= arguments.noise
                    if undisturbed:
                        break
                conditions.count(f"{shape} {name}, round {turn + 1}", idle and undisturbed)
                gathered.setdefault((shape, name), []).append(one)
                figures = figures_of([one])
                print(f"reload: {shape} {name} {figures['latency_us'] or -1:.0f} us,"
                      f" {figures['cpu_us']:.0f} us CPU,"
                      f" {figures['other_cpus']:.2f} CPUs busy otherwise", file=sys.stderr)
    return {key: figures_of(runs) for key, runs in gathered.items()}


def markdown(rows):
    def ratio(shape, name, figure, base):
        value, floor = (rows.get((shape, who), {}).get(figure) for who in (name, base))
        return f"{value / floor:.2f}" if value and floor else "-"

    shapes = list(dict.fromkeys(shape for shape, _ in rows))
    header = ["shape", "reader", "applied", "median µs", "p99 µs", "× floor_c", "× floor_c_json",
              "CPU µs", "× floor_c", "× floor_c_json",
              "torn", "partial", "stale", "dup", "lost", "others"]
    return report.table(header, [
        [shape, name, f"{row['applied']}/{row['updates']}",
         f"{row['latency_us'] or -1:.0f}", f"{row['p99_us'] or -1:.0f}",
         ratio(shape, name, "latency_us", "floor_c"),
         ratio(shape, name, "latency_us", "floor_c_json"),
         f"{row['cpu_us']:.0f}",
         ratio(shape, name, "cpu_us", "floor_c"), ratio(shape, name, "cpu_us", "floor_c_json"),
         row["torn"], row["partial"], row["stale"], row["duplicate"], row["lost"],
         f"{row['other_cpus']:.2f}"]
        for (shape, name), row in sorted(rows.items(), key=lambda item: shapes.index(item[0][0]))])


def flat(rows, faults=FAULTS):
    """The figures by name, and over all shapes what must not happen in any."""
    named = {}
    for (shape, name), row in rows.items():
        for figure, value in row.items():
            named[f"{shape} {name} {figure}"] = value
        named[f"{name} faults"] = named.get(f"{name} faults", 0) + sum(row[each] for each in faults)
        if name in ALLOWANCES_US and row["latency_us"]:
            named[f"{shape} {name} beyond allowance_us"] = row["latency_us"] - ALLOWANCES_US[name]
    return named


def listed(rows):
    return [dict(shape=shape, reader=name, **row) for (shape, name), row in rows.items()]


def commands(readers):
    split = (each.partition("=") for each in readers)
    return {name: shlex.split(command if "{DIR}" in command else command + " {DIR}")
            for name, _, command in split}


def options(parser):
    """Those that every part has which measures reloads."""
    parser.add_argument("--programs", required=True, help="where writer, floors and ours lie")
    parser.add_argument("--updates", type=int, default=100, help="of each shape for each reader")
    parser.add_argument("--rounds", type=int, default=3, help="over which the updates are spread")
    parser.add_argument("--interval", type=float, default=180, help="ms between updates")
    parser.add_argument("--base", default=None, help="where mounts are made (default: /tmp)")
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    parser.add_argument("--noise", type=float, default=0.06,
                        help="CPUs that others may use; the run is repeated when they use more")
    parser.add_argument("--retries", type=int, default=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    options(parser)
    parser.add_argument("--readers", default=",".join(READERS), help="which of them run")
    parser.add_argument("--reader", action="append", default=[], metavar="NAME=CMD",
                        help="another one; {DIR} in CMD is the mount, or it is appended")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=CMD",
                        help="the same, in one round only")
    parser.add_argument("--shapes", default=",".join(SHAPES), type=lambda text: text.split(","))
    parser.add_argument("--hammer", type=float, default=0, metavar="SECONDS",
                        help="then, updates of the medium mount without a pause, for each reader")
    arguments = parser.parse_args()

    peers = commands(arguments.peer)
    readers = {name: [f"{arguments.programs}/{name}", "{DIR}"]
               for name in arguments.readers.split(",") if name}
    readers |= commands(arguments.reader) | peers
    conditions = machine.Conditions(arguments.wait)
    rows = measure(readers, arguments, conditions, few=peers)
    print(markdown(rows))
    figures = flat(rows)
    verdicts = report.judge("reload", figures)
    print("\n" + report.verdict_table(verdicts))
    path = report.keep("reload", dict(
        conditions.kept(), versions=machine.versions("watchdog", "watchfiles"),
        updates=arguments.updates, rounds=arguments.rounds,
        interval_ms=arguments.interval, verdicts=verdicts, rows=listed(rows)))
    print(f"reload: kept in {path}", file=sys.stderr)
    if arguments.hammer:
        verdicts += hammer(readers, arguments)
    return 1 if report.failed(verdicts) else 0


def hammer(readers, arguments):
    """A writer that never rests: what is torn or partial counts, and that something arrives. A reader
    may be overtaken, so that what is lost or stale does not."""
    arguments.rounds = 1
    conditions = machine.Conditions(arguments.wait)
    rows = measure(readers, arguments, conditions, ["medium"], f"hammer {arguments.hammer}")
    print("\n" + markdown(rows))
    verdicts = report.judge("hammer", flat(rows, ["torn", "partial"]))
    print("\n" + report.verdict_table(verdicts))
    for row in rows.values():
        del row["latencies_us"]
    path = report.keep("hammer", dict(conditions.kept(), seconds=arguments.hammer, verdicts=verdicts,
                                      rows=listed(rows)))
    print(f"reload: kept in {path}", file=sys.stderr)
    return verdicts


if __name__ == "__main__":
    sys.exit(main())
