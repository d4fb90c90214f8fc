"""Figures against thresholds: judges, prints as Markdown and keeps as JSON. It measures nothing.

A figure has a name ("small ours latency_us"); a threshold says what one figure may be at most, by
itself or as a multiple of another of the same run:

    {"figure": "small ours latency_us", "of": "small floor_c latency_us", "at_most": 1.25}
"""

import json
import os


def table(header, rows):
    cells = [[str(cell) for cell in row] for row in [header] + rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) if not column else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))) + " |"
             for row in cells]
    rule = "|" + "|".join("-" * (width + 1) + ("-" if not column else ":")
                          for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule] + lines[1:])


def judge(figures, thresholds):
    """One verdict a threshold; a figure that was not measured has missed it."""
    verdicts = []
    for threshold in thresholds:
        value = figures.get(threshold["figure"])
        if value is not None and "of" in threshold:
            base = figures.get(threshold["of"])
            value = value / base if base else None
        verdicts.append(dict(threshold, value=value,
                             met=value is not None and value <= threshold["at_most"]))
    return verdicts


def verdict_table(verdicts):
    def number(value):
        if value is None:
            return "not measured"
        return f"{value:.2f}" if value % 1 else f"{value:.0f}"

    return table(["threshold", "measured", "at most", ""], [
        [verdict["figure"] + (f" ÷ {verdict['of']}" if "of" in verdict else ""),
         number(verdict["value"]), number(verdict["at_most"]),
         "met" if verdict["met"] else "MISSED"]
        for verdict in verdicts])


def keep(name, content):
    """Writes Benchmarks/results/NAME.json and answers its path."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + ".json")
    with open(path, "w") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    return path
