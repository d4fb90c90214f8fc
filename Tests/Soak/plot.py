"""Draws what a soak observed, build/soak/samples.csv, as an SVG: plot.py SAMPLES SVG. No background,
middle tones: it is read on white and on black alike."""

from __future__ import annotations

import csv
import sys

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as pyplot  # noqa: E402

INK = "#768390"
COLOURS = {"C": "#1f7fe0", "Python": "#17a2a2", "Go": "#8a63d2"}
STYLE = {
    "svg.hashsalt": "libcmreload", "svg.fonttype": "none", "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"], "font.size": 9,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "axes.titlesize": 9,
    "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
    "figure.facecolor": "none", "savefig.facecolor": "none", "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": INK, "grid.alpha": 0.25, "grid.linewidth": 0.5, "lines.linewidth": 1.2,
}
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
    pyplot.rcParams.update(STYLE)
    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(9.6, 2.6))
    for panel, (what, title, unit) in zip(panels, PANELS):
        for host, colour in COLOURS.items():
            minutes, values = thinned([each for each in samples if each["host"] == host], what)
            panel.plot(minutes, [value / unit for value in values], color=colour, label=host)
        panel.set_title(title)
        panel.set_ylim(bottom=0)
        panel.set_xlabel("minutes")
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


draw(sys.argv[1], sys.argv[2])
