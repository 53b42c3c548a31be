"""The word that somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAST_ALIKE = 0.7


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one, if any is."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), n=1, cutoff=_LEAST_ALIKE)
    return found[0] if found else None
