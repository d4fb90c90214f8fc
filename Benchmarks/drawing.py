"""How plots look, those of the benchmarks and that of the soak, and how they are kept: read on white
and on black alike, no background, middle tones; the same bytes for the same figures.
"""

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as pyplot  # noqa: E402

INK = "#768390"
OURS, OURS_PYTHON, OURS_GO = "#1f7fe0", "#17a2a2", "#8a63d2"
STYLE = {
    "svg.hashsalt": "libcmreload", "svg.fonttype": "none", "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"], "font.size": 9,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "axes.titlesize": 9,
    "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
    "figure.facecolor": "none", "savefig.facecolor": "none", "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": INK, "grid.alpha": 0.25, "grid.linewidth": 0.5, "lines.linewidth": 1.6,
}
pyplot.rcParams.update(STYLE)


def keep(figure, path):
    """Writes a figure as SVG, and lets go of it."""
    figure.tight_layout()
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
