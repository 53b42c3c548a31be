"""A configuration as the core is told of it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from treering.config import LoggingConfig


def flat(config: LoggingConfig) -> dict[str, object]:
    """Settings by the names that the core has for them."""
    values = dict(config.values)
    values["levels"] = levels(config)
    colors = values.pop("console_colors")
    values["console_colour"] = _is_colourful() if colors is None else colors
    return values


def levels(config: LoggingConfig) -> list[tuple[str, int]]:
    """Levels by component, silenced ones among them; the root has the empty name."""
    own = dict(config.levels)
    if config.level is not None:
        own[""] = config.level
    silenced = {
        component: max(level, _inherited(component, own))
        for component, level in config.silence.items()
        if component not in own
    }
    return list({**silenced, **own}.items())


def _inherited(component: str, levels: Mapping[str, int]) -> int:
    """The level that a component would have: silencing never makes it say more."""
    while component:
        component = component.rpartition(".")[0]
        if component in levels:
            return levels[component]
    return 0


def gone(old: LoggingConfig, new: LoggingConfig) -> list[tuple[str, int]]:
    """Levels that a configuration had and does not have any more."""
    kept = dict(levels(new))
    return [(component, level) for component, level in levels(old) if component not in kept]


def _is_colourful() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return os.isatty(2)
    except OSError:
        return False
