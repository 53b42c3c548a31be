"""How well are templates found, against the ground truth of loghub, and how fast?

`TREERING_LOGHUB` names a directory with `NAME_2k.log_structured.csv` files (columns Content, EventId,
EventTemplate; Zhu et al., "Tools and Benchmarks for Automated Log Parsing", ICSE-SEIP 2019). One
configuration for all of them: the miner's defaults.

- GA: share of messages whose group is exactly a group of the ground truth.
- PA: share of messages whose template is that of the ground truth after `normalised`, on both sides.
- exact: the same with nothing normalised but white space.
"""

import csv
import os
import re
import statistics
import time
from array import array
from collections import defaultdict
from pathlib import Path

from bench.report import Report

WORDS_THAT_ARE_VALUES = {"true", "false", "null", "root", "admin"}
BETWEEN_PATHS = r"""([\s,!;:=|"'\[\](){}])"""
BETWEEN_TOKENS = r"""([\s,!;:=|"'\[\](){}.\-+@#$%&])"""


def normalised(template):
    """The rules of Khan et al., "Guidelines for Assessing the Accuracy of Log Message Template
    Identification Techniques" (ICSE 2022), as its authors' tool applies them to ground truth and results:
    white space; paths, numbers and words with a variable inside are variables; so are variables joined by
    a separator."""
    text = re.sub(r"\s+", " ", template.strip())
    parts = re.split(BETWEEN_PATHS, text)
    text = "".join("<*>" if re.fullmatch(r"(/[^/]+)+", part) else part for part in parts)
    text = "".join(map(_token, re.split(BETWEEN_TOKENS, text)))
    for joined in ("<*>.<*>", "<*><*>", "<*>:<*>", "<*>#<*>", "<*>/<*>", "<*>@<*>", "<*>.<*>"):
        while joined in text:
            text = text.replace(joined, "<*>")
    for quote in (' "<*>" ', " '<*>' "):
        text = text.replace(quote, " <*> ")
    return text.replace("<*><*>", "<*>")


def _token(token):
    if token.lower() in WORDS_THAT_ARE_VALUES or re.fullmatch(r"\d+", token):
        return "<*>"
    if re.fullmatch(r"[^\s/]*<\*>[^\s/]*", token) and token != "<*>/<*>":
        return "<*>"
    return token


def mined(messages):
    """The template of each message, and its id."""
    from treering import _core

    miner = _core.Miner()
    ids = array("I", miner.settle(miner.add_lines(b"".join(m.encode() + b"\n" for m in messages))))
    templates = {found["id"]: found["template"] for found in miner.templates()}
    return list(ids), [templates[one] for one in ids]


def accuracy(truth, messages):
    """GA, PA and the share that is exact; `truth` holds an id and a template for each message."""
    ids, templates = mined(messages)
    right, ours = defaultdict(set), defaultdict(set)
    for at, ((event, _), one) in enumerate(zip(truth, ids, strict=True)):
        right[event].add(at)
        ours[one].add(at)
    grouped = sum(len(group) for group in ours.values() if right[truth[min(group)][0]] == group)
    pairs = [(wanted, found) for (_, wanted), found in zip(truth, templates, strict=True)]
    parsed = sum(normalised(wanted) == normalised(found) for wanted, found in pairs)
    exact = sum(" ".join(wanted.split()) == " ".join(found.split()) for wanted, found in pairs)
    return tuple(count / len(truth) for count in (grouped, parsed, exact))


def rate(messages, number=200_000):
    """Lines a second, the files' lines over and over."""
    from treering import _core

    lines = b"".join(message.encode() + b"\n" for message in messages)
    data = lines * max(1, number // len(messages))
    miner = _core.Miner()
    begin = time.perf_counter()
    miner.add_lines(data)
    return data.count(b"\n") / (time.perf_counter() - begin)


def patterns():
    report = Report(
        "How well and how fast are templates found? (loghub, one configuration)",
        ("file", "messages", "templates", "GA", "PA", "exact", "lines/s"),
    )
    place = os.environ.get("TREERING_LOGHUB", "")
    files = sorted(Path(place).glob("*_structured.csv")) if place else []
    if not files:
        report.row("TREERING_LOGHUB names no directory with ground truth", "", "", "", "", "", "")
        return report
    found = []
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        truth = [(row["EventId"], row["EventTemplate"]) for row in rows]
        messages = [row["Content"] for row in rows]
        shares = accuracy(truth, messages)
        speed = rate(messages)
        found.append((*shares, speed))
        cells = [f"{share:.3f}" for share in shares]
        number = len({event for event, _ in truth})
        report.row(path.name.split("_")[0], len(rows), number, *cells, f"{speed:,.0f}")
    means = [statistics.mean(column) for column in zip(*found, strict=True)]
    report.row("mean", "", "", *(f"{mean:.3f}" for mean in means[:3]), f"{means[3]:,.0f}")
    report.goal("grouping accuracy, mean", means[0], 0.90, at_least=True)
    report.goal("template accuracy, mean", means[1], 0.60, at_least=True)
    slowest = min(speed for *_, speed in found)
    report.goal("100,000 lines/s, slowest file", slowest / 1e5, 1, at_least=True)
    return report
