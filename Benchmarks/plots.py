"""Draws what was kept: one SVG a question, the same bytes for the same figures. Nothing is measured or
judged here.
"""

import os

from drawing import OURS, OURS_GO, OURS_PYTHON, keep, pyplot
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

FLOOR, WARM = "#8c959f", ["#e5534b", "#f0883e", "#c69026", "#d1559b", "#b08800", "#a0522d"]
# In the order of legends: name → (label, colour, line).
READERS = {
    "floor_c": ("floor: bare C", FLOOR, "-"),
    "floor_c_json": ("floor: bare C, simdjson", FLOOR, "--"),
    "ours": ("libcmreload, C", OURS, "-"),
    "ours_go": ("libcmreload, Go", OURS_GO, "-"),
    "ours_python": ("libcmreload, Python", OURS_PYTHON, "-"),
    "fsnotify": ("fsnotify (Go)", WARM[0], "-"),
    "fsnotify_debounced": ("fsnotify, debounced", WARM[0], "--"),
    "viper": ("viper (Go, one file)", WARM[2], "-"),
    "watchdog": ("watchdog (Python)", WARM[1], "-"),
    "watchdog_debounced": ("watchdog, debounced", WARM[1], "--"),
    "watchfiles": ("watchfiles (Python)", WARM[3], "-"),
}
SHAPES = {"small": "4 keys, 273 B", "medium": "20 keys, 10 KB", "large": "200 keys, 1 MiB"}
FAULTS = {"torn": WARM[0], "partial": WARM[3], "stale": WARM[2], "duplicate": WARM[1],
          "lost": FLOOR}


def plain(value, _=None):
    """1500000 as 1.5 M: what stands at an axis."""
    for size, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def seconds(us, _=None):
    for size, suffix in ((1e6, " s"), (1e3, " ms")):
        if us >= size:
            return f"{us / size:g}{suffix}"
    return f"{us:g} µs"


def size(value, _=None):
    for least, suffix in ((1 << 20, " MiB"), (1 << 10, " KiB")):
        if value >= least:
            return f"{value / least:g}{suffix}"
    return f"{value:g} B"


def logarithmic(axis, text, base=10):
    axis.set_major_locator(LogLocator(base))
    axis.set_major_formatter(FuncFormatter(text))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def present(rows, shape=None):
    return [name for name in READERS
            if any(row["reader"] == name and shape in (None, row["shape"]) for row in rows)]


def row_of(rows, shape, reader):
    return next((row for row in rows if (row["shape"], row["reader"]) == (shape, reader)), None)


def counted(rows):
    """How many updates those rows are of each reader: `102 updates (peers: 34)`."""
    ours, peers = ({sum(row["updates"] for row in rows if row["reader"] == name)
                    for name in present(rows) if is_peer(name) == peer} for peer in (False, True))
    return f"{max(ours)} updates" + (f" (peers: {max(peers)})" if peers else "")


def is_peer(name):
    return not name.startswith(("floor", "ours"))


def latency(kept):
    rows = kept["reload"]["rows"]
    figure, panels = pyplot.subplots(1, 3, figsize=(9.6, 3.6), sharey=True)
    for panel, (shape, title) in zip(panels, SHAPES.items()):
        for name in present(rows, shape):
            taken = row_of(rows, shape, name)["latencies_us"]
            label, colour, line = READERS[name]
            # The lowest, the highest, and fifty between: more would not be seen.
            steps = sorted({round(index * (len(taken) - 1) / 50) for index in range(51)})
            panel.plot([taken[step] for step in steps],
                       [100 * step / max(1, len(taken) - 1) for step in steps], line, color=colour,
                       label=label, linewidth=2.4 if name.startswith("ours") else 1.3)
        panel.set_xscale("log")
        logarithmic(panel.xaxis, seconds)
        panel.set_title(title)
    panels[0].set_ylabel("% of updates delivered")
    panels[1].set_xlabel("from the rename of ..data to the callback: "
                         + counted([row for row in rows if row["shape"] == "small"]))
    below(figure, panels[0])
    return figure


def below(figure, panel, columns=4):
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=columns)


def cpu(kept):
    rows = kept["reload"]["rows"]
    names = present(rows)[::-1]
    figure, panels = pyplot.subplots(1, 3, figsize=(9.6, 3.2), sharey=True)
    for panel, (shape, title) in zip(panels, SHAPES.items()):
        found = {name: row_of(rows, shape, name) for name in names}
        values = [found[name]["cpu_us"] if found[name] else 0 for name in names]
        panel.barh(range(len(names)), values, color=[READERS[name][1] for name in names])
        for place, value in enumerate(values):
            panel.text(value * 1.1, place, seconds(float(f"{value:.3g}")), va="center", fontsize=8)
        panel.set_xscale("log")
        panel.set_xlim(min(values) / 2, max(values) * 6)
        logarithmic(panel.xaxis, seconds)
        panel.set_title(title)
        panel.grid(False, axis="y")
    panels[0].set_yticks(range(len(names)), [READERS[name][0] for name in names])
    panels[1].set_xlabel("CPU time of an update")
    return figure


def deliveries(kept):
    steady, hammer = kept["reload"]["rows"], kept["hammer"].get("rows", [])
    names = present(steady)[::-1]

    def share(rows, name, fault, of):
        mine = [row for row in rows if row["reader"] == name]
        return 100 * sum(row[fault] for row in mine) / max(1, sum(row[of] for row in mine))

    figure, panels = pyplot.subplots(1, 2, figsize=(9.6, 3.2), sharey=True)
    for panel, rows, faults, of, title in (
            (panels[0], steady, list(FAULTS), "updates",
             f"an update every 180 ms: % of {counted(steady)}"),
            (panels[1], hammer, ["torn", "partial", "duplicate"], "loads",
             "updates without a pause: % of deliveries")):
        left = [0.0] * len(names)
        for fault in faults:
            values = [share(rows, name, fault, of) for name in names]
            panel.barh(range(len(names)), values, left=left, color=FAULTS[fault], label=fault)
            left = [before + value for before, value in zip(left, values)]
        for place, (name, value) in enumerate(zip(names, left)):
            text = f"{value:.3g}" if value else "none"
            if rows is hammer:  # who is overtaken delivers few: a debounce, next to none
                mine = row_of(rows, "medium", name)
                text += f" – {mine['applied']} of {mine['updates']} updates delivered"
            panel.text(value + max(left) / 50, place, text, va="center", fontsize=8)
        panel.set_xlim(0, max(left) * (1.9 if rows is hammer else 1.15) or 1)
        panel.set_title(title)
        panel.grid(False, axis="y")
    panels[0].set_yticks(range(len(names)), [READERS[name][0] for name in names])
    panels[0].set_xlabel("deliveries that were wrong, all mounts")
    panels[1].set_xlabel("deliveries that were wrong, 20 keys")
    below(figure, panels[0], 5)
    return figure


READS = [  # part, figure on one thread, on two, label, colour
    *[("reads", f"idle 1 {name}", f"idle 2 {name}", label, colour) for name, label, colour in (
        ("floor_load", "floor: an atomic load", FLOOR),
        ("version_word", "C: version word", OURS),
        ("cell", "C: cell", OURS),
        ("floor_call", "floor: an exported function that loads", FLOOR),
        ("reader_current", "C: reader, nothing changed", OURS),
        ("floor_text", "floor: hash table behind an atomic pointer", FLOOR),
        ("string", "C: string by key", OURS),
        ("int64", "C: int64 by key", OURS),
        ("floor_add_sub", "floor: atomic add and subtract", FLOOR),
        ("acquire_release", "C: acquire and release", OURS))],
    *[("go", f"{name} ns", f"{name} 2 threads ns", label, colour) for name, label, colour in (
        ("LoadFloor", "floor: Go's atomic.Pointer.Load", FLOOR),
        ("Load", "Go: Bind's Load", OURS_GO),
        ("StringFloor", "floor: Go's map behind an atomic.Pointer", FLOOR),
        ("String", "Go: Current().String(key)", OURS_GO))],
    *[("python", f"{name} ns", f"{name} 2 threads ns", label, colour) for name, label, colour in (
        ("dict", "floor: Python's dict[key]", FLOOR),
        ("snapshot", "Python: snapshot[key]", OURS_PYTHON),
        ("config", "Python: config[key]", OURS_PYTHON))],
]


def reads(kept):
    found = [(label, colour, [kept[part]["figures"].get(name) for name in (one, two)])
             for part, one, two, label, colour in READS if kept[part]][::-1]
    figure, panel = pyplot.subplots(figsize=(9.6, 5.2))
    for offset, thread, alpha in ((0.2, 0, 1.0), (-0.2, 1, 0.5)):
        for place, (_, colour, values) in enumerate(found):
            if values[thread] is None:
                continue
            panel.barh(place + offset, values[thread], 0.36, color=colour, alpha=alpha)
            panel.text(values[thread] * 1.05, place + offset, f"{values[thread]:.3g} ns",
                       va="center", fontsize=7)
    panel.set_xscale("log")
    panel.set_xlim(0.1, 4 * max(value for _, _, values in found for value in values if value))
    logarithmic(panel.xaxis, lambda value, _: f"{value:g} ns")
    panel.set_yticks(range(len(found)), [label for label, _, _ in found])
    panel.set_xlabel("one read: on one thread (full), on each of two (pale)")
    panel.grid(False, axis="y")
    panel.margins(y=0.01)
    return figure


def watchers(kept):
    found = kept["footprint"]["figures"]
    counts = sorted(int(name.split()[0]) for name in found if name.endswith(" threads"))
    figure, panels = pyplot.subplots(1, 4, figsize=(9.6, 2.8))
    for panel, cost in ((panels[0], "latency_us"), (panels[1], "cpu_us")):
        for name, label, line, colour in (
                ("single", "a process with one watcher, in turns", "v:", FLOOR),
                ("same", "the same of so many each time", "o-", OURS),
                ("another", "another of them each time", "s--", OURS_GO)):
            values = [found.get(f"{count} {name} {cost}") for count in counts]
            if None in values:
                continue
            panel.plot(counts, values, line, color=colour, label=label, markersize=4)
            if name == "single":
                panel.plot(counts, [1.5 * value for value in values], ":", color=WARM[0], linewidth=1)
    for panel, figure_name in ((panels[2], "watcher_kib"), (panels[3], "started_ms")):
        known = [count for count in counts if count > 1]
        panel.plot(known, [found[f"{count} {figure_name}"] for count in known], "o-", color=OURS,
                   markersize=4)
    for panel, bound in ((panels[2], 12), (panels[3], 3000)):
        panel.axhline(bound, color=WARM[0], linewidth=1, linestyle=":")
    for panel, title in zip(panels, ("µs, rename to callback", "µs CPU of an update",
                                     "KiB resident each", "ms until all are started")):
        panel.plot([], [], ":", color=WARM[0], linewidth=1, label="bound")
        panel.set_xscale("log")
        logarithmic(panel.xaxis, plain)
        panel.set_ylim(0, 1.15 * max(value for line in panel.lines for value in line.get_ydata()))
        panel.set_title(title)
    panels[1].set_xlabel("watchers in one process", x=1.15)
    below(figure, panels[0])
    return figure


def contents(kept):
    rows = kept["contents"]["rows"]
    figure, panels = pyplot.subplots(2, 2, figsize=(9.6, 5), sharey="row")
    for column, (kind, text, title) in enumerate((
            ("keys", plain, "keys of 100 bytes"), ("bytes", size, "bytes of one value"))):
        for name in ("floor_c", "ours"):
            label, colour, line = READERS[name]
            mine = sorted((int(row["shape"].partition("=")[2]), row) for row in rows
                          if row["reader"] == name and row["shape"].startswith(kind))
            for panel, value in zip(panels[:, column], ("latency_us", "cpu_us")):
                panel.plot([count for count, _ in mine], [row[value] for _, row in mine],
                           "o" + line, color=colour, label=label, markersize=4)
        for panel in panels[:, column]:
            panel.set_xscale("log", base=10 if kind == "keys" else 2)
            panel.set_yscale("log")
            if kind == "bytes":
                panel.set_xticks([1, 1 << 5, 1 << 10, 1 << 15, 1 << 20])
                panel.xaxis.set_major_formatter(FuncFormatter(text))
                panel.xaxis.set_minor_locator(NullLocator())
            else:
                logarithmic(panel.xaxis, text)
            logarithmic(panel.yaxis, seconds)
        panels[1, column].set_xlabel(title)
    panels[0, 0].set_ylabel("rename to callback")
    panels[1, 0].set_ylabel("CPU time of an update")
    below(figure, panels[0, 0])
    return figure


PLOTS = {"latency": (latency, "reload"), "cpu": (cpu, "reload"),
         "deliveries": (deliveries, "reload"), "reads": (reads, "reads"),
         "watchers": (watchers, "footprint"), "contents": (contents, "contents")}


def draw(kept, folder):
    """Writes the plots of what was measured, and answers their names."""
    drawn = []
    for name, (plot, part) in PLOTS.items():
        if kept[part]:
            keep(plot(kept), os.path.join(folder, name + ".svg"))
            drawn.append(name)
    return drawn
