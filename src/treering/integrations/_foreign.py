"""Records that other logging systems have made, on their way into Treering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering import _core
from treering._lifecycle import start

if TYPE_CHECKING:
    from typing import Any

    Location = tuple[str | None, str | None, str | None, int]

NOWHERE: Location = (None, None, None, 0)
_MAX_LEVEL = 99


def log_foreign(
    component: str,
    level: int,
    message: str,
    *,
    metadata: dict[str, Any],
    location: Location = NOWHERE,
    error: object = None,
    category: str | None = None,
) -> None:
    """Logs a record whose parts are known, if the component's level lets it pass.

    Args:
        component: Its component.
        level: Its number, from 0 to 99; others count as the nearest of these.
        message: Any text.
        metadata: Its fields.
        location: Module, function, file and line of the call.
        error: The exception, as `exc_info` takes it.
        category: What it is about.
    """
    start()
    level = max(0, min(level, _MAX_LEVEL))
    if level >= _core.get_level(component):
        text = message.encode("utf-8", "backslashreplace").decode()
        _core.log_record(component, level, text, location, metadata, error, category)
