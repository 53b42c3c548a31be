"""Treering: a journal, all of it archived, asked through its store."""

import json
import os

from bench import corpus
from bench.corpus import RARE_WORD
from treering.archive import archive
from treering.store import open_store


def _journal(place):
    return os.path.join(place, "journal")


def prepare(place):
    corpus.journal(_journal(place), os.path.join(place, "corpus.jsonl"))
    archive(_journal(place), all=True)
    return [os.path.join(_journal(place), "archive")]


def open_session(place):
    return open_store(_journal(place))


def ask(store, question):
    from bench.queries import WANTED_ID

    return {
        "histogram": _histogram,
        "errors": _errors,
        "id": lambda store: _messages(store, f"context.request_id={WANTED_ID}"),
        "rare": lambda store: _messages(store, RARE_WORD),
        "common": lambda store: [[store.count("gateway")]],
        "field": lambda store: [[store.count("context.user_id=7")]],
        "top": _top,
        "percentiles": _percentiles,
    }[question](store)


def _histogram(store):
    counts = store.histogram(span="1m").arrow().read_all().column("count").to_pylist()
    return [[len(counts), sum(counts)]]


def _errors(store):
    found = store.search("level>=ERROR component:payment", limit=100)
    values = [json.loads(line) for line in found.lines()]
    return [[value["message"], value["context"]["request_id"]] for value in values]


def _messages(store, query):
    found = store.search(query, limit=None)
    return sorted([json.loads(line)["message"]] for line in found.lines())


def _top(store):
    found = store.search(
        "| stats count() by context.user_id | sort -count, context.user_id | limit 10"
    )
    return [[int(row["context.user_id"]), row["count"]] for row in found]


def _percentiles(store):
    field = "metadata.duration_ms"
    found = store.search(f"| stats p50({field}), p99({field}) by component | sort component")
    return [
        [row["component"], round(row[f"p50({field})"], 3), round(row[f"p99({field})"], 3)]
        for row in found
    ]
