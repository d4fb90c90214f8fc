#!/usr/bin/env python3
"""Tells what the last run measured: every threshold in one table, what it ran on, and the plots. Of
a look (QUICK=1) it prints the table alone. It measures nothing.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "reload")]

import plots  # noqa: E402
import reload  # noqa: E402
import report  # noqa: E402

PARTS = ["reload", "hammer", "contents", "reads", "json", "yaml", "formats", "schema", "footprint",
         "python", "go"]
UNITS = {"reads": "ns", "json": "ns/B", "yaml": "ns/B", "formats": "ns/B", "schema": "ns/B"}
CAPTIONS = {
    "latency": "Rename of `..data` to callback, by the size of the mount. Each line is the share of"
               " updates that had arrived by then; ours in C, Python and Go, the floors (bare C"
               " loops) and what people use today.",
    "cpu": "CPU time of the whole process for one update, all threads.",
    "deliveries": "What went wrong with deliveries: with updates 180 ms apart, and with a writer that"
                  " never rests, where being overtaken is no fault.",
    "reads": "One read, by language and threads: what each thread waits for it.",
    "watchers": "One process with 1 to 10,000 watchers, each on a mount of its own; beside it, in turns,"
                " a process with one watcher, of which the bounds of an update are.",
    "contents": "One update by the number of keys, of 100 bytes each, and by the size of one value;"
                " every key changes.",
}


def figures(part):
    kept = report.kept(part)
    if part == "hammer":
        return reload.flat(rows(kept), ["torn", "partial"])
    return kept.get("figures") or reload.flat(rows(kept))


def rows(kept):
    return {(row["shape"], row["reader"]): dict({"latency_us": None}, **row)
            for row in kept.get("rows", [])}


def unit(threshold):
    if threshold["figure"].startswith("slowed "):
        return ""  # a ratio by itself
    last = threshold["figure"].rpartition("_")[2].rpartition(" ")[2]
    return {"us": "µs", "ns": "ns", "ms": "ms"}.get(last, UNITS.get(threshold["part"], ""))


def measured(threshold, found):
    """The ratio and what it is of: `1.17 (143 µs ÷ 122 µs)`."""
    value = report.verdict(threshold, found)["value"]
    if value is None or "of" not in threshold:
        return report.number(value)
    parts = (report.number(found[threshold[side]]) + f" {unit(threshold)}".rstrip()
             for side in ("figure", "of"))
    return f"{report.number(value)} ({' ÷ '.join(parts)})"


def thresholds(found, topics):
    """A table for each topic, and how many are met and not."""
    tables, met, all_of_them = [], 0, 0
    for topic in topics:
        lines = []
        for threshold in topic["bounds"]:
            if report.QUICK and not threshold.get("quick"):
                continue
            each = report.verdict(threshold, found[threshold["part"]])
            met, all_of_them = met + each["met"], all_of_them + 1
            lines.append([threshold["what"], report.bound(threshold),
                          measured(threshold, found[threshold["part"]]), report.state(each)])
        if lines:
            tables.append(f"### {topic['topic']}\n\n"
                          + report.table(["", "bound", "measured", ""], lines))
    return "\n\n".join(tables), met, all_of_them


def ran_on(kept):
    about, versions = kept["reload"]["machine"], kept["reload"].get("versions", {})
    return (f"Measured on {about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']},"
            f" {versions.pop('system', '')}: "
            + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".")


def commits(kept):
    """Of which commit everything is, or each part as far as that was kept."""
    found = {}
    for part, content in kept.items():
        if content.get("commit"):
            found.setdefault(content["commit"], []).append(part)
    return ", ".join(f"`{commit}`" + f" ({', '.join(parts)})" * (len(parts) < len(kept))
                     for commit, parts in found.items())


def how(kept, whole_seconds):
    """Of which commit, for how long, and what found the machine busy, as far as that was kept."""
    kept = {part: content for part, content in kept.items() if content}
    told = []
    if commits(kept):
        told.append(f"Of commit {commits(kept)}.")
    taken = {part: content["took_seconds"] for part, content in kept.items()
             if "took_seconds" in content}
    if taken:
        parts = ", ".join(f"{part} {seconds:,}" for part, seconds in taken.items())
        told.append((f"The whole run took {whole_seconds:,} s, building included; each part: "
                     if whole_seconds else "Seconds that each part took: ") + parts + ".")
    waited = {part: content for part, content in kept.items() if "busy" in content}
    busy = [f"{part} ({len(content['busy'])} of {content['runs']} runs)"
            for part, content in waited.items() if content["busy"]]
    if busy:
        told.append(f"**Measured on a busy machine:** {', '.join(busy)}.")
    elif len(waited) == len(kept):
        told.append("Every run found the machine idle.")
    return " ".join(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--took", type=int, metavar="SECONDS",
                        help="how long the whole run took that is told of; kept")
    arguments = parser.parse_args()

    kept = {part: report.kept(part) for part in PARTS}
    found = {part: figures(part) for part in PARTS}
    tables, met, all_of_them = thresholds(found, report.topics())
    summary = f"{met} of {all_of_them} thresholds are met."
    if report.QUICK:
        print(f"{tables}\n\n{summary}")
        return
    if arguments.took is not None:
        report.keep("run", dict(took_seconds=arguments.took))
    conditions = how(kept, report.kept("run").get("took_seconds"))
    drawn = plots.draw(kept, report.RESULTS)
    with open(os.path.join(report.RESULTS, "README.md"), "w") as file:
        file.write(f"# What was measured\n\nWritten by `make bench`. {ran_on(kept)}\n\n"
                   + f"{conditions}\n\n" * bool(conditions) +
                   f"{summary} A ratio is of figures of one run; what is compared with a floor, a peer or"
                   " one watcher took turns with it. A bound that is known not to be met has a second one"
                   " beside it, beyond which it fails the run even so. How each is measured is in"
                   " [../README.md](../README.md), every bound in"
                   " [../thresholds.json](../thresholds.json).\n\n"
                   "## Thresholds\n\n" + tables + "\n\n## Plots\n")
        for name in drawn:
            file.write(f"\n{CAPTIONS[name]}\n\n![{CAPTIONS[name].split(':')[0].rstrip('.')}]({name}.svg)\n")
    print(summary)


if __name__ == "__main__":
    main()
