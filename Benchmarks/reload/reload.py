#!/usr/bin/env python3
"""Measures reload: from the rename of `..data` to the callback, and the CPU time of one update.

The writer runs on CPU 0, the reader on CPU 1; readers take turns, round by round, on an idle
machine. A reader is any program that prints APPLIED lines (applied.h): --peer NAME='CMD {DIR}'.
"""

import argparse
import bisect
import json
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
PEERS = ["floor_c", "floor_c_json", "ours"]
APPLIED = re.compile(r"APPLIED (-?\d+) (\d+)(?: n=(\d+) lo=(-?\d+) hi=(-?\d+))?")
WRITER_CPU, READER_CPU = 0, 1
START_SECONDS, DELIVERY_SECONDS = 20, 4


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


def run(peer, command, shape, series, arguments, seed):
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
        time.sleep(0.5)  # whatever a start leaves to be done later is not a reload's
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
    latencies, counts = [], dict(torn=0, partial=0, stale=0, duplicate=0, lost=0)
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
        **counts)


def measure(peers, arguments):
    """Round by round, shape by shape, each reader in turn, so that a slow minute is everybody's."""
    gathered, seed = {}, 0
    updates = -(-arguments.updates // arguments.rounds)
    series = f"steady {updates} {arguments.interval}"
    if arguments.hammer:
        series = f"hammer {arguments.hammer}"
    for _ in range(arguments.rounds):
        for shape in arguments.shapes:
            for name, command in peers.items():
                seed += 1
                for attempt in range(arguments.retries + 1):
                    if not machine.wait_until_idle(arguments.wait):
                        print(f"reload: not idle after {arguments.wait} s", file=sys.stderr)
                    one = run(name, command, shape, series, arguments, seed)
                    if one.other_cpus <= arguments.noise:
                        break
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
        for (shape, name), row in sorted(rows.items(), key=lambda item: SHAPES.index(item[0][0]))])


def flat(rows):
    """The figures by name, and over all shapes what must not happen in any."""
    named = {}
    for (shape, name), row in rows.items():
        for figure, value in row.items():
            named[f"{shape} {name} {figure}"] = value
            if figure in ("torn", "partial", "stale", "duplicate", "lost"):
                named[f"{name} {figure}"] = named.get(f"{name} {figure}", 0) + value
    return named


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where writer, floors and ours lie")
    parser.add_argument("--peers", default=",".join(PEERS), help="which of them run")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=CMD",
                        help="another reader; {DIR} in CMD is the mount, or it is appended")
    parser.add_argument("--shapes", default=",".join(SHAPES), type=lambda text: text.split(","))
    parser.add_argument("--updates", type=int, default=100, help="of each shape for each reader")
    parser.add_argument("--rounds", type=int, default=4, help="over which the updates are spread")
    parser.add_argument("--interval", type=float, default=250, help="ms between updates")
    parser.add_argument("--hammer", type=float, default=0, metavar="SECONDS",
                        help="instead: updates without a pause; no thresholds")
    parser.add_argument("--base", default=None, help="where mounts are made (default: /tmp)")
    parser.add_argument("--wait", type=float, default=60, help="seconds for the machine to idle")
    parser.add_argument("--noise", type=float, default=0.06,
                        help="CPUs that others may use; the run is repeated when they use more")
    parser.add_argument("--retries", type=int, default=2)
    arguments = parser.parse_args()

    peers = {name: [f"{arguments.programs}/{name}", "{DIR}"]
             for name in arguments.peers.split(",") if name}
    for extra in arguments.peer:
        name, _, command = extra.partition("=")
        peers[name] = shlex.split(command if "{DIR}" in command else command + " {DIR}")

    about = machine.description()
    rows = measure(peers, arguments)
    print(markdown(rows))
    verdicts = []
    if not arguments.hammer and "ours" in peers:
        with open(HERE + "/thresholds.json") as file:
            verdicts = [verdict for verdict in report.judge(flat(rows), json.load(file))
                        if verdict["figure"].split()[0] in arguments.shapes + ["ours"]]
        print("\n" + report.verdict_table(verdicts))
    path = report.keep("hammer" if arguments.hammer else "reload", dict(
        machine=about, updates=arguments.updates, rounds=arguments.rounds,
        interval_ms=arguments.interval, hammer_seconds=arguments.hammer, verdicts=verdicts,
        rows=[dict(shape=shape, reader=name, **row) for (shape, name), row in rows.items()]))
    print(f"reload: kept in {os.path.relpath(path)}", file=sys.stderr)
    return 0 if all(verdict["met"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
