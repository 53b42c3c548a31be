"""Presets: the four that everybody has, and those that a file defines."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from treering.config._closest import closest
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOISY = ("urllib3", "requests", "asyncio", "websockets", "sqlalchemy")
"""Loggers of libraries that say much and mean little, as NetLink lists them."""

PROFILES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "development": {
            "level": "DEBUG",
            "console": True,
            "security_enabled": False,
            "audit_enabled": False,
        },
        "testing": {
            "level": "WARNING",
            "console": False,
            "security_enabled": False,
            "audit_enabled": False,
        },
        "production": {
            "level": "INFO",
            "console": False,
            "checkpoint_interval_s": 1,
            "security_enabled": True,
            "audit_enabled": True,
            "silence": dict.fromkeys(NOISY, "WARNING"),
        },
        "debug": {
            "level": "TRACE",
            "console": True,
            "security_enabled": True,
            "audit_enabled": True,
            "silence": {},
        },
    }
)
"""Presets by name; whatever is set elsewhere wins over them."""


def chain(name: str, defined: Mapping[str, Any], source: str) -> list[str]:
    """The profiles that make up one, the most general first: what it extends, then itself.

    Raises:
        ConfigurationError: There is no such profile, or it extends itself in the end.
    """
    names: list[str] = []
    while True:
        if name in names:
            circle = " extends ".join([*names[names.index(name) :], name])
            raise ConfigurationError(
                f"profile {circle}: a profile that extends no other would be right",
                code="profile_circle",
                field=f"profiles.{name}.extends",
            )
        if name not in PROFILES and name not in defined:
            raise _unknown(name, [*PROFILES, *defined], source)
        names.append(name)
        extends = defined[name].get("extends") if name in defined else None
        if extends is None:
            return names[::-1]
        source, name = f"extends of profile {name}", str(extends)


def _unknown(name: str, known: list[str], source: str) -> ConfigurationError:
    close = closest(name, known)
    return ConfigurationError(
        f"profile '{name}' from {source} is unknown: one of {', '.join(known)} would be right",
        code="profile_unknown",
        field="profile",
        hint=f"did you mean {close}?" if close else None,
    )


def keep_console(values: dict[str, Any], sources: dict[str, str], notices: list[str]) -> None:
    """Leaves the console on where only the profile turns it off, and nothing else takes records.

    Whoever writes `console=False` themselves has it off.
    """
    if sources["console"] != "profile production" or values["directory"] or values["outputs"]:
        return
    values["console"] = True
    notices.append(
        "profile production turns the console off, but there is neither a journal nor an output, so it"
        " stays on: directory or outputs would be right, or console=False for no records at all"
    )
