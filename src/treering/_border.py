"""The border to foreign code: what an application's own classes and objects may raise is anything."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def attempt(act: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """What it gives, or what it raised."""
    try:
        return act(), None
    except Exception as error:  # noqa: BLE001 - what this is for
        return None, error
