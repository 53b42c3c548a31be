"""How records look."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from treering.outputs._output import Formatter


class _Lines:
    def lines(self, data: bytes, indexes: Sequence[int]) -> list[bytes]:
        return data[:-1].split(b"\n") if indexes else []

    def text(self, data: bytes, indexes: Sequence[int]) -> bytes:
        return data


def formatter(spec: object, *, date_format: str | None = None) -> Formatter:
    """Canonical lines, for now."""
    return _Lines()
