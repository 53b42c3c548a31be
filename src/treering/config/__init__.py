"""How Treering is set up: the table of settings and the layers that fill it."""

from treering.config._config import LoggingConfig
from treering.config._convert import as_yaml, convert
from treering.config._profiles import PROFILES
from treering.config._resolve import Survey, resolve, survey
from treering.config.settings import SETTINGS, Setting

__all__ = [
    "PROFILES",
    "SETTINGS",
    "LoggingConfig",
    "Setting",
    "Survey",
    "as_yaml",
    "convert",
    "resolve",
    "survey",
]
