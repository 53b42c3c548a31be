"""DuckDB over the JSON Lines as they are."""

import duckdb

from bench.peers.query_parquet import ask

__all__ = ["ask", "open_session", "prepare"]


def prepare(place):
    return [f"{place}/corpus.jsonl"]


def open_session(place):
    return (
        duckdb.connect(),
        f"read_json('{place}/corpus.jsonl', format='newline_delimited')",
    )
