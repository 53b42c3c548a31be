"""Whether RE2, which DuckDB searches with, takes a regular expression."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

_MAX_LENGTH = 4_096
"""Characters: a longer one costs RE2 more memory than a search should."""


@cache
def problem(source: str) -> str | None:
    """What is wrong with it; `None` for nothing, or when there is no DuckDB to say so."""
    if len(source) > _MAX_LENGTH:
        return f"it has {len(source)} characters, {_MAX_LENGTH} may be"
    if find_spec("duckdb") is None:
        return None
    import duckdb

    try:
        _connection().cursor().execute("SELECT regexp_matches('', ?)", [source]).fetchall()
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
    return None


@cache
def _connection() -> Any:
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})
