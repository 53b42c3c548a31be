"""How Treering is set up: the table of settings and the layers that fill it."""

from treering.config._resolve import PROFILES, LoggingConfig, resolve
from treering.config.settings import SETTINGS, Setting

__all__ = ["PROFILES", "SETTINGS", "LoggingConfig", "Setting", "resolve"]
