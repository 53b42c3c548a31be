"""Records about the configuration: what changed, and what was asked for and cannot be."""

from __future__ import annotations

from treering import _core
from treering._levels import Level, level_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from treering.config import LoggingConfig

COMPONENT = "treering.config"
LEVEL_CHANGED = "level changed"

LevelChange = tuple[str, "int | None", "int | None"]


def say(level: Level, message: str, facts: dict[str, Any]) -> None:
    """Logs a record about the configuration."""
    _core.log_record(COMPONENT, int(level), message, (None, None, None, 0), facts)


def level_facts(
    component: str, before: int | None, now: int | None, by: str, *, is_stored: bool = False
) -> dict[str, Any]:
    """What a record about a changed level holds; `inherit` for none of its own."""
    facts = {"of": component, "from": _named(before), "to": _named(now), "by": by}
    return facts | ({"stored": True} if is_stored else {})


def tell_levels(changes: Iterable[LevelChange], by: str) -> None:
    """One AUDIT record for each level that changed."""
    for component, before, now in changes:
        say(Level.AUDIT, LEVEL_CHANGED, level_facts(component, before, now, by))


def tell_notices(config: LoggingConfig) -> None:
    """One WARNING for everything that was asked for and has no effect."""
    for notice in config.notices:
        say(Level.WARNING, notice, {"code": "setting_without_effect"})


def difference(old: LoggingConfig, new: LoggingConfig) -> dict[str, dict[str, Any]]:
    """What differs between two configurations, by setting, without secrets."""
    before, after = old.to_dict(hide_secrets=True), new.to_dict(hide_secrets=True)
    return {
        name: {"from": before[name], "to": after[name], "source": new.sources[name]}
        for name in after
        if old.values[name] != new.values[name]
    }


def tell_difference(changes: Mapping[str, Any]) -> None:
    """One AUDIT record for a changed configuration."""
    if changes:
        say(Level.AUDIT, "configuration changed", {"changes": dict(changes)})


def tell_refusal(error: Exception) -> None:
    """An ERROR for a changed configuration that cannot be used."""
    facts = {"code": getattr(error, "code", None), "field": getattr(error, "field", None)}
    known = {name: fact for name, fact in facts.items() if fact is not None}
    say(Level.ERROR, f"the configuration stays as it was: {error}", known)


def _named(level: int | None) -> str:
    return "inherit" if level is None else level_name(level)
