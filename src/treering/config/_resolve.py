"""From defaults, profile, environment and arguments to one frozen configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from treering.config._values import Unusable
from treering.config.settings import BY_NAME, ENVIRONMENT_PREFIX, SETTINGS, Setting
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILES: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "development": {"level": "DEBUG", "console": True},
        "testing": {"level": "WARNING", "console": False},
        "production": {"level": "INFO", "console": False, "checkpoint_interval_s": 1},
        "debug": {"level": "TRACE", "console": True},
    }
)
"""Presets by name; whatever is set elsewhere wins over them."""


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """The settings in force, and where each came from.

    Every setting of `treering.config.SETTINGS` is an attribute: `config.level`, `config.directory`.
    """

    values: Mapping[str, object]
    sources: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


def resolve(
    profile: str | None,
    arguments: Mapping[str, object],
    environment: Mapping[str, str] | None = None,
) -> LoggingConfig:
    """Layers the sources: defaults, profile, environment, arguments; later ones win.

    Args:
        profile: A name of `PROFILES`; without one, `TREERING_PROFILE` is asked.
        arguments: What the program sets; `None` counts as not set.
        environment: The environment variables; those of the process when left out.

    Raises:
        ConfigurationError: A setting is unknown or its value unusable; the error names the setting, the
            value, where it came from and what would be right.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {setting.name: setting.default for setting in SETTINGS}
    sources = dict.fromkeys(values, "default")
    profile = profile or environment.get(ENVIRONMENT_PREFIX + "PROFILE")
    if profile:
        for name, value in _profile(profile).items():
            values[name] = _read(BY_NAME[name], value, f"profile {profile}")
            sources[name] = f"profile {profile}"
    for setting in SETTINGS:
        text = environment.get(setting.variable)
        if text is not None:
            source = f"environment variable {setting.variable}"
            values[setting.name] = _read(setting, text, source)
            sources[setting.name] = source
    for name, value in arguments.items():
        if name not in BY_NAME:
            raise _unknown(name)
        if value is not None:
            values[name] = _read(BY_NAME[name], value, "argument")
            sources[name] = "argument"
    return LoggingConfig(MappingProxyType(values), MappingProxyType(sources))


def _profile(name: str) -> Mapping[str, object]:
    try:
        return PROFILES[name]
    except KeyError:
        message = f"profile '{name}' is unknown: one of {', '.join(PROFILES)} would be right"
        raise ConfigurationError(message, code="profile_unknown", field="profile") from None


def _read(setting: Setting, value: object, source: str) -> object:
    try:
        return setting.read(value)
    except (ValueError, TypeError, OverflowError) as error:
        wanted = f"{setting.wanted} would be right"
        why = error if isinstance(error, Unusable) else wanted
        message = f"setting {setting.name} from {source} is {value!r}: {why}"
        raise ConfigurationError(message, code="setting_invalid", field=setting.name) from None


def _unknown(name: str) -> ConfigurationError:
    from difflib import get_close_matches

    close = get_close_matches(name, BY_NAME, n=1)
    hint = f"did you mean {close[0]}?" if close else None
    message = f"setting {name} is unknown: one of {', '.join(BY_NAME)} would be right"
    return ConfigurationError(message, code="setting_unknown", field=name, hint=hint)
