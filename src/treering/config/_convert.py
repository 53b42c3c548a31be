"""Configurations of other systems, as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.config import _document
from treering.config._aliases import SYSTEMS
from treering.config._config import LoggingConfig
from treering.config._layers import Layers
from treering.config._render import yaml
from treering.config._resolve import Survey, flatten
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import os

# PoseidonOS's file holds more than its logger.
_SECTIONS = {"poseidonos": "logger", "sensor-hub": "LoggerConfig", "hypervisor": "logger_config"}


def convert(path: str | os.PathLike[str], system: str) -> Survey:
    """Reads a file of another system.

    Args:
        path: The file; one of another suffix than `.yaml`, `.yml` or `.toml` is read as JSON.
        system: `netlink`, `poseidonos`, `sensor-hub` or `hypervisor`.

    Raises:
        ConfigurationError: The system is unknown, or the file cannot be read.
    """
    if system not in SYSTEMS:
        raise ConfigurationError(
            f"system '{system}' is unknown: one of {', '.join(SYSTEMS)} would be right",
            code="system_unknown",
            field="from",
        )
    known = str(path).lower().endswith((".yaml", ".yml", ".toml", ".json"))
    document = _document.read(path, None if known else ".json")
    section, content = _SECTIONS.get(system), document.content
    root: tuple[str, ...] = ()
    if section is not None and isinstance(content.get(section), dict):
        root, content = (section,), content[section]
    table = SYSTEMS[system]
    layers = Layers(table)
    layers.begin()
    for given in flatten(content, document, hidden=root, table=table):
        layers.give(given)
    layers.finish()
    config = LoggingConfig(layers.values, layers.sources, notices=tuple(layers.notices))
    return Survey(config, tuple(layers.problems))


def as_yaml(config: LoggingConfig) -> str:
    """A configuration as a file to begin with: what it sets, and what it could not, as comments."""
    text = yaml(config.to_dict(only_given=True))
    return "".join(f"# {notice}\n" for notice in config.notices) + text
