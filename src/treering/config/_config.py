"""The configuration in force: typed, immutable, and able to say where everything in it came from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from treering._levels import Level
from treering.config import _mappings, _values
from treering.config._secrets import masked
from treering.config.settings import BY_NAME, SETTINGS

if TYPE_CHECKING:
    import os


class LoggingConfig:
    """The settings in force, and where each came from. Made by `treering.configure`.

    Every setting of `treering.config.SETTINGS` is an attribute: `config.level`, `config.directory`.

    Attributes:
        values: Settings by name.
        sources: Where each came from: `default`, `profile production`, `file logging.yaml, line 7`,
            `environment variable TREERING_LOG_LEVEL`, `argument`. Options of outputs have places of
            their own: `outputs.central.port`.
        profile: The profile, if there is one.
        file: The configuration file, if there is one; an absolute path.
        notices: What was asked for and cannot be done, one sentence each.
    """

    __slots__ = ("file", "notices", "profile", "sources", "values")

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    profile: str | None
    file: str | None
    notices: tuple[str, ...]

    if TYPE_CHECKING:
        directory: str | None
        level: int | None
        levels: Mapping[str, int]
        console: bool
        console_format: str
        console_date_format: str | None
        console_level: int
        console_colors: bool | None
        silence: Mapping[str, int]
        capture_stdlib: bool
        outputs: Mapping[str, Mapping[str, Any]]
        ring_bytes: int
        overflow: str
        block_timeout_s: float
        max_message_bytes: int
        security_enabled: bool
        audit_enabled: bool
        reload_interval_s: float
        reload_on_hangup: bool
        segment_max_bytes: int | None
        segment_max_age_s: int | None
        durability: str | None
        seal: bool | None
        origin: str | None
        seal_keys: str | None
        checkpoint_interval_s: int | None
        epoch_max_age_s: int | None
        retention_min_age_s: int | None
        archive: bool | None
        archive_after_s: int | None
        archive_cpu: float | None
        archive_recipients: tuple[str, ...] | None
        retention_max_age_s: int | None
        retention_max_bytes: int | None
        retention_max_files: int | None
        retention_min_free: str | None
        retention_keep: dict[str, str] | None
        archive_to: str | None
        redaction: bool | None
        redaction_keys: tuple[str, ...] | None
        redaction_allow_keys: tuple[str, ...] | None
        redaction_patterns: Mapping[str, str | bool] | None
        redaction_action: Mapping[str, str] | None
        redaction_text: str | None
        redaction_key_file: str | None

    def __init__(
        self,
        values: Mapping[str, Any],
        sources: Mapping[str, str],
        *,
        profile: str | None = None,
        file: str | None = None,
        notices: tuple[str, ...] = (),
    ) -> None:
        facts = {
            "values": MappingProxyType(dict(values)),
            "sources": MappingProxyType(dict(sources)),
            "profile": profile,
            "file": file,
            "notices": notices,
        }
        for name, fact in facts.items():
            object.__setattr__(self, name, fact)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in BY_NAME:
            raise AttributeError(f"there is no setting {name}")
        return self.values[name]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a configuration does not change: treering.configure({name}=…)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LoggingConfig) and self.values == other.values

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {name: getattr(self, name) for name in ("profile", "file", "notices")}
        return _rebuild, (dict(self.values), dict(self.sources), facts)

    def __repr__(self) -> str:
        given = self.to_dict(hide_secrets=True, only_given=True)
        inside = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"LoggingConfig({inside})"

    def to_dict(self, *, hide_secrets: bool = False, only_given: bool = False) -> dict[str, Any]:
        """Every setting as a value that JSON knows; levels by name. `configure` takes it back.

        Args:
            hide_secrets: Cover passwords, tokens and the like.
            only_given: Without what stands at its default.
        """
        return {
            setting.name: masked(plain, setting.name) if hide_secrets else plain
            for setting in SETTINGS
            if not (only_given and self.sources[setting.name] == "default")
            for plain in [_plain(setting.name, self.values[setting.name])]
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what differs from the defaults to a YAML or JSON file, 0600, replacing it whole.

        Secrets are written as they are.

        Raises:
            ConfigurationError: The suffix is not `.yaml`, `.yml` or `.json`.
            OSError: The file cannot be written.
        """
        from treering.config._render import save

        save(self.to_dict(only_given=True), path)

    def describe(self) -> str:
        """Every setting on a line with its value and its source; secrets are covered."""
        shown = self.to_dict(hide_secrets=True)
        width = max(map(len, shown))
        return "\n".join(
            f"{name:{width}} = {_text(value)}  ({self.sources[name]})"
            for name, value in shown.items()
        )


def _rebuild(
    values: dict[str, Any], sources: dict[str, str], facts: dict[str, Any]
) -> LoggingConfig:
    return LoggingConfig(values, sources, **facts)


def _text(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def _plain(name: str, value: Any) -> Any:
    """A value as people write it."""
    read = BY_NAME[name].read
    if value is not None and read in (_values.level, _values.level_or_none):
        return _level(value)
    if read in (_values.levels, _mappings.silence):
        return {component: _level(level) for component, level in value.items()}
    if name == "overflow" and value.startswith("drop_below="):
        return f"drop_below={_level(int(value.partition('=')[2]))}"
    return _json(value)


def _json(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(inner) for inner in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _level(number: int) -> str | int:
    return Level(number).name if number in set(Level) else number
