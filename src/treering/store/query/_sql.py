"""Pieces of SQL with the values that belong to their question marks, which are never part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fragment(NamedTuple):
    """SQL and its parameters in the order of its question marks."""

    sql: str
    parameters: tuple[Any, ...] = ()


TRUE = Fragment("TRUE")
FALSE = Fragment("FALSE")


def value(of: Any) -> Fragment:
    """A parameter."""
    return Fragment("?", (of,))


def identifier(name: str) -> Fragment:
    """A column's name, whatever is in it."""
    return Fragment('"' + name.replace('"', '""') + '"')


def build(template: str, *pieces: Fragment) -> Fragment:
    """The template with a piece for each `{}`, and the parameters of all in their order."""
    sql = template.format(*(piece.sql for piece in pieces))
    return Fragment(sql, tuple(value for piece in pieces for value in piece.parameters))


def join(separator: str, pieces: Iterable[Fragment]) -> Fragment:
    """One after the other."""
    listed = list(pieces)
    return build(separator.join(["{}"] * len(listed)), *listed)


def any_of(pieces: Iterable[Fragment]) -> Fragment:
    """True where one is; what is FALSE is left out."""
    left = [piece for piece in pieces if piece != FALSE]
    if not left or TRUE in left:
        return TRUE if left else FALSE
    return left[0] if len(left) == 1 else build("({})", join(" OR ", left))


def all_of(pieces: Iterable[Fragment]) -> Fragment:
    """True where all are; what is TRUE is left out."""
    left = [piece for piece in pieces if piece != TRUE]
    if not left or FALSE in left:
        return FALSE if left else TRUE
    return left[0] if len(left) == 1 else build("({})", join(" AND ", left))
