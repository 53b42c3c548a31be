"""Loguru: `treering.integrations.loguru.intercept()` sends its records into Treering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loguru import logger

from treering.integrations._foreign import log_foreign

if TYPE_CHECKING:
    from loguru import Message


def intercept(*, level: str | int = 0, remove: bool = True) -> int:
    """Sends what is logged through Loguru into Treering; nothing else needs to change.

    Extra fields become metadata, exceptions and locations are kept, the component is the module's name.

    Args:
        level: Loguru's threshold for this; by default Treering's levels decide alone.
        remove: Take away the sinks that Loguru has, such as its standard error.

    Returns:
        Loguru's id of the sink, for `logger.remove`.
    """
    if remove:
        logger.remove()
    return logger.add(_sink, level=level, format="{message}")


def _sink(message: Message) -> None:
    record = message.record
    exception = record["exception"]
    log_foreign(
        record["name"] or "",
        record["level"].no,
        record["message"],
        metadata=dict(record["extra"]),
        location=(record["module"], record["function"], record["file"].path, record["line"]),
        error=exception.value if exception is not None else None,
    )
