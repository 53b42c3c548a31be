"""Levels and categories: the words for how bad and what about."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from treering import _core


class Level(IntEnum):
    """How bad a record is: the standard library's numbers, TRACE below, two kinds above.

    SECURITY and AUDIT are kinds as much as levels: no threshold and no overflow policy drops them.
    """

    TRACE = 5
    DEBUG = 10
    INFO = 20
    NOTICE = 25
    WARNING = 30
    ERROR = 40
    CRITICAL = 50
    SECURITY = 60
    AUDIT = 70
    OFF = 100


class LogCategory(StrEnum):
    """What a record is about. An open set: any other word is a category too."""

    SYSTEM = "system"
    SECURITY = "security"
    PERFORMANCE = "performance"
    API = "api"
    DATABASE = "database"
    NETWORK = "network"
    AUDIT = "audit"
    APPLICATION = "application"
    BACKUP = "backup"
    AUTH = "auth"
    MESSAGING = "messaging"
    PLUGIN = "plugin"
    ERROR = "error"
    DEBUG = "debug"


def level_number(level: object) -> int:
    """The number of a level: a name in any case (`WARN` and `FATAL` too), or a number from 0 to 100.

    Raises:
        ValueError: There is no such level.
    """
    return _core.parse_level(level)


def level_name(number: int) -> str:
    """The name of a level, `Level 27` for a number without one."""
    try:
        return Level(number).name
    except ValueError:
        return f"Level {number}"
