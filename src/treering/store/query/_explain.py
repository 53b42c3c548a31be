"""Saying what is wrong with a query: what, at which column, and what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from treering.config._closest import closest
from treering.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_AROUND = 60
"""Characters shown before and after the place."""


def refuse(
    text: str, at: int, message: str, *, hint: str | None = None, field: str | None = None
) -> NoReturn:
    """Raises a QueryError for the place `at`, counted from 0.

    Raises:
        QueryError: Always.
    """
    column = at + 1
    raise QueryError(
        f"column {column}: {message}",
        column=column,
        excerpt=_excerpt(text, at),
        hint=hint,
        field=field,
    )


def meant(word: str, known: Iterable[str]) -> str | None:
    """`did you mean …?`, when a known word is like this one."""
    found = closest(word.lower(), known)
    return f"did you mean `{found}`?" if found else None


def _excerpt(text: str, at: int) -> str:
    begin, end = max(0, at - _AROUND), at + _AROUND
    before, after = ("…" if begin else ""), ("…" if end < len(text) else "")
    shown = "".join(c if c.isprintable() else " " for c in text[begin:end])
    return f"{before}{shown}{after}\n{' ' * (len(before) + at - begin)}^"
