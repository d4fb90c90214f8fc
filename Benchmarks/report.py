"""Figures against thresholds: judges, prints as Markdown and keeps as JSON. It measures nothing.

A figure has a name ("small ours latency_us"). thresholds.json has every bound in one place: what one
figure may be at most or at least, by itself or as a ratio to another of the same run,

    {"part": "reload", "what": "…", "figure": "small ours latency_us",
     "of": "small floor_c latency_us", "at_most": 1.25}

A bound that is known not to be met says why, as its "reason", and how far the figure may be from it,
as its "known", about a quarter beyond what was measured: it is told as not met wherever figures are
shown, but fails a run only when the figure is further off than that. "quick": true are those that QUICK=1 checks.
"""

import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
QUICK = bool(os.environ.get("QUICK"))
# A look must not replace what was measured.
RESULTS = os.path.join(HERE, "../build/bench/quick") if QUICK else os.path.join(HERE, "results")


def table(header, rows):
    cells = [[str(cell) for cell in row] for row in [header] + rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) if not column else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))) + " |"
             for row in cells]
    rule = "|" + "|".join("-" * (width + 1) + ("-" if not column else ":")
                          for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule] + lines[1:])


def topics():
    with open(HERE + "/thresholds.json") as file:
        return json.load(file)


def verdict(threshold, figures):
    """What one threshold says of the figures; one that was not measured is not met. It fails when it is
    not met, and further off than is known."""
    value = figures.get(threshold["figure"])
    if "of" in threshold:
        base = figures.get(threshold["of"])
        value = value / base if value is not None and base else None

    def within(bound):
        return value is not None and (value <= bound if "at_most" in threshold else value >= bound)

    met = within(threshold.get("at_most", threshold.get("at_least")))
    return dict(threshold, value=value, met=met,
                failed=not met and not ("reason" in threshold and within(threshold["known"])))


def judge(part, figures):
    """One verdict for each threshold of the part; QUICK=1 has but few of them."""
    return [verdict(threshold, figures)
            for topic in topics() for threshold in topic["bounds"]
            if threshold["part"] == part and (threshold.get("quick") or not QUICK)]


def failed(verdicts):
    """Those that fail a run."""
    return [each for each in verdicts if each["failed"]]


def number(value):
    if value is None:
        return "not measured"
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def bound(each):
    side, sign = ("at_most", "≤ ") if "at_most" in each else ("at_least", "≥ ")
    return sign + number(each[side]) + (f" (known: {sign}{number(each['known'])})"
                                        if "reason" in each else "")


def state(each):
    if each["met"]:
        return "met"
    if "reason" not in each or each["value"] is None:
        return "NOT MET"
    return ("NOT MET, further off than known: " if each["failed"] else "not met: ") + each["reason"]


def verdict_table(verdicts):
    if not verdicts:
        return "no threshold is checked"
    return table(["threshold", "measured", "bound", ""], [
        [each["figure"] + (f" ÷ {each['of']}" if "of" in each else ""),
         number(each["value"]), bound(each), state(each)] for each in verdicts])


def keep(name, content):
    """Writes NAME.json among the results and answers its path; a list of numbers is one line."""
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, name + ".json")
    text = json.dumps(content, indent=1)
    text = re.sub(r"\[[-\d.,\s]+\]", lambda match: " ".join(match[0].split()), text)
    with open(path, "w") as file:
        file.write(text + "\n")
    return os.path.relpath(path)


def kept(name):
    """What was kept under that name, or nothing."""
    try:
        with open(os.path.join(RESULTS, name + ".json")) as file:
            return json.load(file)
    except OSError:
        return {}
