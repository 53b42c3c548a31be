"""Structured, crash-safe, multi-process logging.

```python
import treering

treering.configure(directory="logs")
log = treering.get_logger("auth")
log.info("User authenticated", user_id=7)
```
"""

from __future__ import annotations

import os as _os

from treering._context import context, current_context
from treering._core import __version__
from treering._levels import Level, LogCategory, level_name, level_number
from treering._lifecycle import (
    add_output,
    configure,
    flush,
    get_logging_config,
    list_outputs,
    remove_output,
    shutdown,
    statistics,
)
from treering._logger import Logger, Receipt, get_level, get_logger, set_level, strip
from treering.errors import (
    AnchorError,
    ConfigurationError,
    JournalDamaged,
    JournalUnavailable,
    TreeringError,
    VerificationFailed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from treering._personal import forget, personal, reveal
    from treering._stdlib import StdlibHandler, capture_stdlib
    from treering.catalog import event

__all__ = [
    "AnchorError",
    "ConfigurationError",
    "JournalDamaged",
    "JournalUnavailable",
    "Level",
    "LogCategory",
    "Logger",
    "Receipt",
    "StdlibHandler",
    "TreeringError",
    "VerificationFailed",
    "__version__",
    "add_output",
    "capture_stdlib",
    "configure",
    "context",
    "current_context",
    "event",
    "flush",
    "forget",
    "get_level",
    "get_logger",
    "get_logging_config",
    "level_name",
    "level_number",
    "list_outputs",
    "personal",
    "remove_output",
    "reveal",
    "set_level",
    "shutdown",
    "statistics",
    "strip",
]


def __getattr__(name: str) -> object:
    # `logging` costs more to import than all of Treering: only who bridges to it pays.
    if name in {"StdlibHandler", "capture_stdlib"}:
        from treering import _stdlib

        return getattr(_stdlib, name)
    if name in {"personal", "forget", "reveal"}:
        from treering import _personal

        return getattr(_personal, name)
    if name == "event":
        from treering.catalog import event

        # Found at once from now on: this is a log call.
        globals()[name] = event
        return event
    message = f"module 'treering' has no attribute {name!r}"
    raise AttributeError(message)


if _os.environ.get("TREERING_STRIP"):
    strip(_os.environ["TREERING_STRIP"])
