"""From specifications by name, as a configuration has them, to outputs."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from treering.config import _values as values
from treering.config._closest import closest
from treering.config._secrets import shown
from treering.errors import ConfigurationError, TreeringError
from treering.outputs._format import formatter
from treering.outputs._output import Output, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from treering.config import LoggingConfig

KINDS: Mapping[str, str] = {
    "console": "treering.outputs.console:ConsoleOutput",
    "file": "treering.outputs.file:FileOutput",
    "memory": "treering.outputs.memory:MemoryOutput",
    "syslog": "treering.outputs.syslog:SyslogOutput",
    "http": "treering.outputs.http:HttpOutput",
    "otlp": "treering.outputs.otlp:OtlpOutput",
    "serial": "treering.outputs.serial:SerialOutput",
    "journald": "treering.outputs.journald:JournaldOutput",
}
"""Outputs by the word for them; imported when one is wanted."""

_LEVEL = "a level name (TRACE DEBUG INFO WARNING ERROR CRITICAL) or a number from 0 to 100"

COMMON = (
    option("level", values.level, 0, _LEVEL, "Least level that it gets."),
    option("categories", values.words, [], "categories, as a list", "Only records of these."),
    option(
        "components",
        values.words,
        [],
        "components, as a list",
        "Only records of these and of what is below them.",
    ),
    option("format", values.text, None, "a preset, a shape or a template", "How records look."),
    option("date_format", values.text, None, "a format as strftime takes it", "For templates."),
    option("fallback", values.text, None, "the name of another output", "Takes over meanwhile."),
    option(
        "fallback_after_s",
        values.seconds(0.0, 86_400.0),
        5.0,
        "seconds from 0 to 86400",
        "How long it must have failed before that.",
    ),
    option(
        "journal",
        values.boolean,
        False,
        "true or false",
        "Also what the journal says about itself.",
    ),
)
"""What every output takes."""

_COMMON = {known.name: known for known in COMMON}
_OURS = ("type", "class", "enabled")


class _Builder:
    """Builds the outputs of one configuration, and knows where everything in it stands."""

    def __init__(
        self, specs: Mapping[str, Mapping[str, Any]], sources: Mapping[str, str] | None = None
    ) -> None:
        self.sources = sources or {}
        self.specs = {name: spec for name, spec in specs.items() if self.is_enabled(name, spec)}
        self.built: dict[str, Output] = {}

    def is_enabled(self, name: str, spec: Mapping[str, Any]) -> bool:
        read = values.boolean
        return bool(self.read(name, "enabled", spec.get("enabled", True), read, "true or false"))

    def source(self, name: str, key: str = "") -> str:
        at = f"outputs.{name}.{key}"
        for known in (at, f"outputs.{name}", "outputs"):
            if known in self.sources:
                return self.sources[known]
        return "argument"

    def error(
        self, name: str, key: str, value: object, wanted: str, code: str = "setting_invalid"
    ) -> ConfigurationError:
        at = f"outputs.{name}.{key}"
        return ConfigurationError(
            f"setting {at} from {self.source(name, key)} is {shown(value, key)}:"
            f" {wanted} would be right",
            code=code,
            field=at,
        )

    def read(
        self, name: str, key: str, value: object, read: Callable[[object], object], wanted: str
    ) -> object:
        try:
            return read(value)
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise self.error(name, key, value, wanted) from None

    def build(self, name: str) -> Output:
        """The output of a name, with its fallbacks, whose names are known to be right."""
        if name not in self.built:
            spec = self.specs[name]
            kind = self.kind(name, spec)
            given = {key: value for key, value in spec.items() if key not in _OURS}
            for mistake in self.mistakes(name, kind, given):
                raise mistake
            if given.get("fallback") is not None:
                given["fallback"] = self.build(given["fallback"])
            self.built[name] = self.make(name, kind, given)
        return self.built[name]

    def all_mistakes(self, name: str) -> list[ConfigurationError]:
        """What keeps an output without fallbacks from being built."""
        spec = self.specs[name]
        given = {key: value for key, value in spec.items() if key not in _OURS}
        found = list(self.mistakes(name, self.kind(name, spec), given))
        if not found:
            self.build(name)
        return found

    def kind(self, name: str, spec: Mapping[str, Any]) -> type[Output]:
        if "class" in spec:
            return self.class_of(name, spec["class"])
        word = spec.get("type")
        if word is None:
            wanted = f"one of {', '.join(KINDS)}"
            raise self.missing(name, "type", wanted)
        if not isinstance(word, str) or word not in KINDS:
            wanted = closest(str(word), KINDS) or f"one of {', '.join(KINDS)}"
            raise self.error(name, "type", word, wanted, "output_type_unknown")
        kind: type[Output] = self.imported(name, "type", KINDS[word])
        return kind

    def class_of(self, name: str, place: object) -> type[Output]:
        wanted = "package.module:Class, with a subclass of treering.outputs.Output,"
        if not isinstance(place, str) or not all(place.partition(":")):
            raise self.error(name, "class", place, wanted)
        found = self.imported(name, "class", place)
        if not (isinstance(found, type) and issubclass(found, Output)):
            raise self.error(name, "class", place, wanted)
        return found

    def imported(self, name: str, key: str, place: str) -> Any:
        module, _, attribute = place.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigurationError(
                f"setting outputs.{name}.{key} from {self.source(name, key)} is {place!r},"
                f" which cannot be imported: {error}",
                code="output_import_failed",
                field=f"outputs.{name}.{key}",
            ) from error

    def missing(self, name: str, key: str, wanted: str) -> ConfigurationError:
        at = f"outputs.{name}.{key}"
        return ConfigurationError(
            f"setting {at} is missing from {self.source(name)}: {wanted} would be right",
            code="setting_missing",
            field=at,
        )

    def mistakes(
        self, name: str, kind: type[Output], given: Mapping[str, Any]
    ) -> Iterator[ConfigurationError]:
        """What is wrong with the options, one by one."""
        own = {known.name: known for known in kind.options}
        known = _COMMON | own
        taken = {**known, **dict.fromkeys(_parameters(kind))}
        for key, value in given.items():
            if key not in taken:
                yield self.unknown(name, key, taken)
            elif value is not None and key in known and not callable(value):
                try:
                    self.read(name, key, value, known[key].read, known[key].wanted)
                except ConfigurationError as mistake:
                    yield mistake
        yield from self.format_mistakes(name, kind, given)
        for key in _required(kind):
            if given.get(key) is None:
                yield self.missing(name, key, own[key].wanted if key in own else "a value")

    def format_mistakes(
        self, name: str, kind: type[Output], given: Mapping[str, Any]
    ) -> Iterator[ConfigurationError]:
        """What is wrong with how records shall look; outputs notice when they start, which is too late."""
        spec, dates = given.get("format"), given.get("date_format")
        if not all(one is None or isinstance(one, str) for one in (spec, dates)) or not (
            spec or dates
        ):
            return
        try:
            formatter(spec or kind.default_format, date_format=dates)
        except ConfigurationError as error:
            key = "date_format" if dates and "date_format has" in str(error) else "format"
            at = f"outputs.{name}.{key}"
            yield ConfigurationError(
                f"setting {at} from {self.source(name, key)}: {error}",
                code=error.code,
                field=at,
                hint=error.hint,
            )

    def unknown(self, name: str, key: str, known: Iterable[str]) -> ConfigurationError:
        names = ["type", *known]
        close = closest(key, names)
        wanted = close or f"one of {', '.join(names)}"
        at = f"outputs.{name}.{key}"
        return ConfigurationError(
            f"setting {at} from {self.source(name, key)} is unknown: {wanted} would be right",
            code="setting_unknown",
            field=at,
            hint=f"did you mean {close}?" if close else None,
        )

    def make(self, name: str, kind: type[Output], given: Mapping[str, Any]) -> Output:
        arguments = {k: v for k, v in given.items() if v is not None or k not in _COMMON}
        for key in ("categories", "components", "fallback_after_s", "journal"):
            if key in arguments:
                arguments[key] = _COMMON[key].read(arguments[key])
        try:
            return kind(name=name, **arguments)
        except TreeringError as error:
            raise self.refused(name, kind, given, error) from error
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"setting outputs.{name} from {self.source(name)} cannot be used: {error}",
                code="setting_invalid",
                field=f"outputs.{name}",
            ) from error

    def refused(
        self, name: str, kind: type[Output], given: Mapping[str, Any], error: TreeringError
    ) -> ConfigurationError:
        """What a constructor said, with the place."""
        at = error.field or ""
        key = at.removeprefix(f"outputs.{name}.")
        if at != key and key not in given:
            wanted = next((one.wanted for one in kind.options if one.name == key), "a value")
            return self.missing(name, key, wanted)
        place = at if at.startswith("outputs.") else f"outputs.{name}"
        return ConfigurationError(
            f"setting {place} from {self.source(name, key)}: {error}",
            code=error.code,
            path=error.path,
            field=place,
            hint=error.hint,
        )

    def check_fallbacks(self) -> None:
        """Every fallback is another output of this configuration, stands in for one, in no circle."""
        users: dict[str, str] = {}
        for name, spec in self.specs.items():
            to = spec.get("fallback")
            if to is None:
                continue
            if to not in self.specs:
                others = [other for other in self.specs if other != name]
                wanted = f"one of {', '.join(others)}" if others else "another output"
                raise self.error(name, "fallback", to, wanted, "fallback_unknown")
            if to in users:
                wanted = f"an output that is not the fallback of {users[to]} already"
                raise self.error(name, "fallback", to, wanted, "fallback_taken")
            users[to] = name
            self.check_circle(name)

    def check_circle(self, name: str) -> None:
        seen, at = [name], self.specs[name].get("fallback")
        while at in self.specs:
            if at in seen:
                wanted = f"an output that does not come back to {name}"
                raise self.error(
                    name, "fallback", self.specs[name]["fallback"], wanted, "fallback_circle"
                )
            seen.append(at)
            at = self.specs[at].get("fallback")


def _parameters(kind: type[Output]) -> list[str]:
    """What a constructor takes by name, besides what all outputs take."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = inspect.signature(kind.__init__).parameters.values()
    return [one.name for one in found if one.kind in kinds and one.name not in {"self", "name"}]


def _required(kind: type[Output]) -> list[str]:
    found = inspect.signature(kind.__init__).parameters
    return [name for name in _parameters(kind) if found[name].default is inspect.Parameter.empty]


def build(name: str, spec: Mapping[str, Any]) -> Output:
    """One output of a specification.

    Args:
        name: What it is called.
        spec: Its `type` (one of `KINDS`) or its `class` (`package.module:Class`), and its options.

    Raises:
        ConfigurationError: Type or option are unknown, one is missing, or a value cannot be used; names
            option, value and remedy.
    """
    builder = _Builder({name: spec})
    builder.check_fallbacks()
    return builder.build(name)


def build_all(
    specs: Mapping[str, Mapping[str, Any]], sources: Mapping[str, str] | None = None
) -> list[Output]:
    """The outputs of a configuration, each with its fallbacks; those are not in the list themselves.

    Args:
        specs: Specifications by name.
        sources: Where each stands, by dotted name, for messages.

    Raises:
        ConfigurationError: As `build`; or a fallback is no output, one of two, or leads in a circle.
    """
    builder = _Builder(specs, sources)
    builder.check_fallbacks()
    fallbacks = {spec.get("fallback") for spec in builder.specs.values()}
    return [builder.build(name) for name in builder.specs if name not in fallbacks]


def problems(config: LoggingConfig) -> list[ConfigurationError]:
    """Everything that is wrong with the outputs of a configuration, and not just the first."""
    specs, sources = config.values["outputs"], config.sources
    found: list[ConfigurationError] = []
    for name, spec in specs.items():
        alone = {key: value for key, value in spec.items() if key != "fallback"}
        try:
            builder = _Builder({name: alone}, sources)
            found += builder.all_mistakes(name) if builder.specs else []
        except ConfigurationError as mistake:
            found.append(mistake)
    try:
        _Builder(specs, sources).check_fallbacks()
    except ConfigurationError as mistake:
        if str(mistake) not in map(str, found):
            found.append(mistake)
    return found


def changed(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Outputs that a change of specifications concerns, with those that use them as a fallback."""
    names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    while True:
        users = {
            name
            for specs in (old, new)
            for name, spec in specs.items()
            if spec.get("fallback") in names
        }
        if users <= names:
            return names
        names |= users
