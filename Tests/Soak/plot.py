"""Draws what a soak observed, build/soak/samples.csv, as an SVG: plot.py SAMPLES SVG."""

from __future__ import annotations

import csv
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Benchmarks"))

from drawing import OURS, OURS_GO, OURS_PYTHON, keep, pyplot  # noqa: E402

COLOURS = {"C": OURS, "Python": OURS_PYTHON, "Go": OURS_GO}
MIB = 1 << 20
PANELS = [
    ("resident", "resident memory, MiB", MIB),
    ("heap", "given out by malloc, MiB", MIB),
    ("threads", "threads", 1),
    ("descriptors", "open descriptors", 1),
]
MOST_POINTS = 120  # of a line: more would not be seen


def thinned(samples: list[dict[str, str]], what: str) -> tuple[list[float], list[float]]:
    """The highest of each stretch: no peak is left out."""
    step = max(1, len(samples) // MOST_POINTS)
    stretches = [samples[at : at + step] for at in range(0, len(samples), step)]
    return ([float(each[0]["seconds"]) / 60 for each in stretches],
            [max(float(sample[what]) for sample in each) for each in stretches])


def draw(path: str, picture: str) -> None:
    with open(path, newline="") as file:
        samples = list(csv.DictReader(file))
    pyplot.rcParams["lines.linewidth"] = 1.2
    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(9.6, 2.6))
    for panel, (what, title, unit) in zip(panels, PANELS):
        for host, colour in COLOURS.items():
            minutes, values = thinned([each for each in samples if each["host"] == host], what)
            panel.plot(minutes, [value / unit for value in values], color=colour, label=host)
        panel.set_title(title)
        panel.set_ylim(bottom=0)
        panel.set_xlabel("minutes")
    panels[0].legend()
    keep(figure, picture)


draw(sys.argv[1], sys.argv[2])
