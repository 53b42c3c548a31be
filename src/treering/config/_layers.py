"""Settings as one layer after the other gives them; later ones win, and every mistake is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from treering.config._aliases import NETLINK
from treering.config._assemble import Part, Parts, assemble
from treering.config._closest import closest
from treering.config._secrets import Filled, shown
from treering.config._values import Unusable
from treering.config.settings import BY_NAME, SETTINGS, Setting
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from treering.config._foreign import Foreign

ARGUMENT = "argument"

_INSIDE = {"outputs": "a mapping with a type and options"}
"""What is wanted inside a setting that is a mapping; a level where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave.

    Attributes:
        name: The setting, as one word: `console_enabled`.
        value: As it was written.
        source: Where: `file logging.yaml, line 7`.
        spelled: The setting as it was written: `console.enabled`.
        inner: Places of what is inside the value, by dotted name.
    """

    name: str
    value: object
    source: str
    spelled: str = ""
    inner: Mapping[str, str] = field(default_factory=dict)


class Layers:
    """Collects settings.

    Args:
        table: Settings of another system, which alone are understood then.
    """

    def __init__(self, table: Mapping[str, Foreign] | None = None) -> None:
        self.values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
        self.sources: dict[str, str] = dict.fromkeys(self.values, "default")
        self.problems: list[ConfigurationError] = []
        self.notices: list[str] = []
        self._ranks = dict.fromkeys(self.values, 0)
        self._parts: Parts = {}
        self._rank = 0
        self._named: dict[str, Given] = {}
        self._own = BY_NAME if table is None else {}
        self._foreign = NETLINK if table is None else table

    def begin(self) -> None:
        """From here on is another layer, which wins over those before."""
        self._rank += 1
        self._named = {}

    def give(self, given: Given) -> None:
        """Takes one value, or notes what is wrong with it."""
        if isinstance(given.value, Filled):
            # A setting that is one word is no secret, or its name says so: messages show what it is.
            given = replace(given, value=str(given.value))
        foreign = self._foreign.get(given.name)
        if given.name in self._own:
            self._set(given.name, given.value, given)
        elif foreign is None:
            self.problems.append(self._unknown(given))
        elif foreign.to:
            self._move(foreign, given)
        elif not foreign.is_met(given.value):
            self._tell(foreign, given)

    def finish(self) -> None:
        """Puts together what came in parts."""
        whole, notices = assemble(self._parts, self.values, self._ranks, self.sources)
        self.notices += notices
        self._named = {}
        for name, made in whole.items():
            self._set(name, made.value, Given(name, made.value, made.source, name, made.inner))

    def _set(self, name: str, value: object, given: Given) -> None:
        before = self._named.get(name)
        if before is not None:
            self.problems.append(self._twice(name, before, given))
            return
        setting = BY_NAME[name]
        try:
            read = setting.read(value)
        except Unusable as found:
            self.problems.append(self._unusable(setting, value, given, str(found)))
            return
        except (ValueError, TypeError, OverflowError, RecursionError):
            self.problems.append(self._invalid(setting, value, given))
            return
        self._named[name] = given
        self.values[name], self.sources[name] = read, given.source
        self._ranks[name] = self._rank
        for key in [key for key in self.sources if key.startswith(name + ".")]:
            del self.sources[key]
        self.sources |= given.inner

    def _move(self, foreign: Foreign, given: Given) -> None:
        try:
            value = foreign.read(given.value)
        except (ValueError, TypeError, OverflowError):
            self.problems.append(self._bad(given.name, given.value, given, foreign.wanted))
            return
        for target in foreign.to:
            if target in BY_NAME:
                self._set(target, value, given)
            else:
                group, _, key = target.rpartition(".")
                part = Part(value, given.name, given.source, self._rank)
                self._parts.setdefault(group, {})[key] = part

    def _tell(self, foreign: Foreign, given: Given) -> None:
        value = shown(given.value, given.name)
        text = f"setting {given.name} from {given.source} is {value} and has no effect: "
        if given.source != ARGUMENT:
            self.notices.append(text + foreign.because)
            return
        code = "setting_not_yet" if foreign.because.startswith("not yet") else "setting_fixed"
        self.problems.append(
            ConfigurationError(
                text + foreign.because, code=code, field=given.name, hint="leave it out"
            )
        )

    def _invalid(self, setting: Setting, value: object, given: Given) -> ConfigurationError:
        if isinstance(value, Mapping):
            for key, one in value.items():
                if not is_readable(setting, {key: one}):
                    at = f"{setting.name}.{key}"
                    wanted = _INSIDE.get(setting.name, BY_NAME["level"].wanted)
                    place = Given(at, one, given.inner.get(at, given.source))
                    return self._bad(at, one, place, wanted)
        name = setting.name if given.name == setting.name else f"{given.name} ({setting.name})"
        found = self._bad(name, value, given, setting.wanted)
        found.field = setting.name
        return found

    def _unusable(
        self, setting: Setting, value: object, given: Given, reason: str
    ) -> ConfigurationError:
        return ConfigurationError(
            f"setting {setting.name} from {given.source} is {shown(value, setting.name)}: {reason}",
            code="setting_invalid",
            field=setting.name,
        )

    def _bad(self, name: str, value: object, given: Given, wanted: str) -> ConfigurationError:
        return ConfigurationError(
            f"setting {name} from {given.source} is {shown(value, name)}: {wanted} would be right",
            code="setting_invalid",
            field=given.name,
        )

    def _twice(self, name: str, before: Given, given: Given) -> ConfigurationError:
        return ConfigurationError(
            f"setting {name} is given twice: as {before.spelled or before.name} from {before.source}"
            f" and as {given.spelled or given.name} from {given.source}: once would be right",
            code="setting_twice",
            field=name,
        )

    def _unknown(self, given: Given) -> ConfigurationError:
        known = [*self._own, *self._foreign]
        close = closest(given.name, known)
        listed = "one of those that `treering config show` lists"
        wanted = close or (listed if self._own else f"one of {', '.join(self._foreign)}")
        return ConfigurationError(
            f"setting {given.spelled or given.name} from {given.source} is unknown:"
            f" {wanted} would be right",
            code="setting_unknown",
            field=given.name,
            hint=f"did you mean {close}?" if close else None,
        )


def is_readable(setting: Setting, value: object) -> bool:
    """Whether a setting takes this value."""
    try:
        setting.read(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return False
    return True
