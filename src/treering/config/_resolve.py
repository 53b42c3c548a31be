"""From defaults, profile, file, environment and arguments to one configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treering.config import _document, _profiles
from treering.config._aliases import NETLINK
from treering.config._closest import closest
from treering.config._config import LoggingConfig
from treering.config._interpolate import expand
from treering.config._layers import ARGUMENT, Given, Layers, is_readable
from treering.config.settings import BY_NAME, ENVIRONMENT_PREFIX, SETTINGS
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from treering.config._document import Document
    from treering.config._foreign import Foreign

_FOREIGN_PREFIX = ENVIRONMENT_PREFIX + "LOG_"
_OWN_VARIABLES = {setting.variable: setting.name for setting in SETTINGS}
_BY_VARIABLE = _OWN_VARIABLES | {
    variable: name
    for name, row in NETLINK.items()
    for variable in [_FOREIGN_PREFIX + name.upper()]
    # Where both have the variable, NETLINK's name sets what ours sets, and perhaps more.
    if variable not in _OWN_VARIABLES or len(row.to) > 1
}


@dataclass(frozen=True, slots=True)
class Survey:
    """A configuration with everything that is wrong with it: it counts only when nothing is."""

    config: LoggingConfig
    problems: tuple[ConfigurationError, ...]


def resolve(
    profile: str | None,
    arguments: Mapping[str, object],
    environment: Mapping[str, str] | None = None,
    config_file: str | os.PathLike[str] | None = None,
) -> LoggingConfig:
    """Layers the sources: defaults, profile, file, environment, arguments; later ones win.

    Args:
        profile: A name of `PROFILES` or of the file's profiles; without one, `TREERING_PROFILE` and
            then the file's `profile` are asked.
        arguments: What the program sets; `None` counts as not set.
        environment: The environment variables; those of the process when left out.
        config_file: A YAML, TOML or JSON file, or `auto` for the one in the working directory; without
            one, `TREERING_CONFIG` is asked.

    Raises:
        ConfigurationError: A setting is unknown or its value unusable; the error names the setting, the
            value, where it came from and what would be right. When more is wrong, a note says so.
    """
    found = survey(profile, arguments, environment, config_file)
    if found.problems:
        first = found.problems[0]
        if len(found.problems) > 1:
            first.add_note(f"{len(found.problems) - 1} more: `treering config check` shows all")
        raise first
    return found.config


def survey(
    profile: str | None,
    arguments: Mapping[str, object],
    environment: Mapping[str, str] | None = None,
    config_file: str | os.PathLike[str] | None = None,
) -> Survey:
    """As `resolve`, but goes on after mistakes and gives them all.

    Raises:
        ConfigurationError: The file cannot be read at all.
    """
    environment = os.environ if environment is None else environment
    layers = Layers()
    config_file = config_file or environment.get(ENVIRONMENT_PREFIX + "CONFIG") or None
    document = None if config_file is None else _document.read(config_file)
    content: dict[str, Any] = {} if document is None else _expanded(document, environment, layers)
    defined = _defined(content.pop("profiles", None), document, layers)
    name, source = _chosen(profile, environment, content.pop("profile", None), document)
    if name is not None:
        _give_profile(layers, name, defined, document, source)
    _check_profiles(defined, document, layers)
    if document is not None:
        layers.begin()
        for given in flatten(content, document):
            layers.give(given)
    layers.begin()
    for given in _of_environment(environment, layers):
        layers.give(given)
    layers.begin()
    for key, value in arguments.items():
        if value is not None or (key not in BY_NAME and key not in NETLINK):
            layers.give(Given(key, value, ARGUMENT))
    layers.finish()
    _profiles.keep_console(layers.values, layers.sources, layers.notices)
    config = LoggingConfig(
        layers.values,
        layers.sources,
        profile=name,
        file=None if document is None else str(document.path),
        notices=tuple(layers.notices),
    )
    return Survey(config, tuple(layers.problems))


def flatten(
    content: Mapping[str, Any],
    document: Document,
    path: tuple[str, ...] = (),
    hidden: tuple[str, ...] = (),
    table: Mapping[str, Foreign] = NETLINK,
) -> Iterator[Given]:
    """Settings by name; a group's name is put before those in it: `console: {colors: …}`.

    Args:
        content: What the file says.
        document: The file, for the places.
        path: The groups around `content`.
        hidden: Where in the file `content` stands, which is no part of the names.
        table: Settings of another system, some of which are mappings themselves.
    """
    for key, value in content.items():
        here = (*path, key)
        name = "_".join(here)
        at = (*hidden, *here)
        if isinstance(value, dict) and not _is_mapping(name, table):
            yield from flatten(value, document, here, hidden, table)
            continue
        inner = dict(_places(value, document, at, name)) if isinstance(value, dict) else {}
        yield Given(name, value, document.source(*at), ".".join(here), inner)


def _is_mapping(name: str, table: Mapping[str, Foreign]) -> bool:
    """Whether a setting can be a mapping by itself; otherwise one is a group of settings."""
    targets = [name, *(table[name].to if name in table else ())]
    return any(to in BY_NAME and is_readable(BY_NAME[to], {}) for to in targets)


def _places(
    value: Mapping[str, Any], document: Document, path: tuple[str, ...], name: str
) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        dotted = f"{name}.{key}"
        yield dotted, document.source(*path, key)
        if isinstance(one, dict):
            yield from _places(one, document, (*path, key), dotted)


def _expanded(document: Document, environment: Mapping[str, str], layers: Layers) -> dict[str, Any]:
    content = expand(
        document.content, environment, lambda path: document.source(*path), layers.problems
    )
    return dict(content) if isinstance(content, dict) else {}


def _chosen(
    profile: str | None,
    environment: Mapping[str, str],
    of_file: object,
    document: Document | None,
) -> tuple[str | None, str]:
    if profile:
        return profile, ARGUMENT
    variable = ENVIRONMENT_PREFIX + "PROFILE"
    if environment.get(variable):
        return environment[variable], f"environment variable {variable}"
    if of_file is not None and document is not None:
        return str(of_file), document.source("profile")
    return None, ""


def _defined(
    profiles: object, document: Document | None, layers: Layers
) -> dict[str, dict[str, Any]]:
    """The profiles of a file."""
    defined = {}
    for name, settings in profiles.items() if isinstance(profiles, dict) else ():
        if name in _profiles.PROFILES:
            wanted = f"another name with extends: {name} would be right"
            problem = f"profile {name} is there already: {wanted}"
        elif not isinstance(settings, dict):
            problem = f"profile {name} holds no settings by name: they would be right"
        else:
            defined[name] = settings
            continue
        layers.problems.append(_bad_profile(problem, name, document))
    if profiles is not None and not isinstance(profiles, dict):
        problem = "it would be right to have profiles by name, each with its settings"
        layers.problems.append(_bad_profile(problem, "", document))
    return defined


def _bad_profile(problem: str, name: str, document: Document | None) -> ConfigurationError:
    place = document.source("profiles", name) if document else ARGUMENT
    return ConfigurationError(
        f"{place}: {problem}", code="profile_invalid", field=f"profiles.{name}".rstrip(".")
    )


def _give_profile(
    layers: Layers,
    name: str,
    defined: Mapping[str, dict[str, Any]],
    document: Document | None,
    source: str,
) -> None:
    try:
        names = _profiles.chain(name, defined, source)
    except ConfigurationError as problem:
        layers.problems.append(problem)
        return
    for one in names:
        layers.begin()
        for given in _of_profile(one, defined, document):
            layers.give(given)


def _of_profile(
    name: str, defined: Mapping[str, dict[str, Any]], document: Document | None
) -> Iterator[Given]:
    if name in defined and document is not None:
        settings = {key: value for key, value in defined[name].items() if key != "extends"}
        yield from flatten(settings, document, hidden=("profiles", name))
        return
    for key, value in _profiles.PROFILES[name].items():
        yield Given(key, value, f"profile {name}")


def _check_profiles(
    defined: Mapping[str, dict[str, Any]], document: Document | None, layers: Layers
) -> None:
    """Those that nobody chose are looked at as well, so that a mistake shows before it counts."""
    known = {str(problem) for problem in layers.problems}
    for name in defined:
        trial = Layers()
        place = document.source("profiles", name) if document else ARGUMENT
        _give_profile(trial, name, defined, document, place)
        layers.problems += [one for one in trial.problems if str(one) not in known]
        known |= {str(one) for one in trial.problems}


def _of_environment(environment: Mapping[str, str], layers: Layers) -> Iterator[Given]:
    for variable, name in _BY_VARIABLE.items():
        text = environment.get(variable)
        if text is not None:
            given = Given(name, text, f"environment variable {variable}", variable)
            if name == "outputs" and not _is_safe(text):
                layers.problems.append(_unsafe(given))
            else:
                yield given
    for variable in environment:
        if variable.startswith(_FOREIGN_PREFIX) and variable not in _BY_VARIABLE:
            layers.problems.append(_unknown_variable(variable))


def _is_safe(text: str) -> bool:
    """An environment may come from elsewhere than the program: it names no code to be run."""
    try:
        read = BY_NAME["outputs"].read(text)
    except (ValueError, TypeError, RecursionError):
        return True
    return isinstance(read, dict) and not any("class" in spec for spec in read.values())


def _unsafe(given: Given) -> ConfigurationError:
    return ConfigurationError(
        f"setting outputs from {given.source} names a class: a type would be right;"
        " classes are named by a file or by code only",
        code="setting_unsafe",
        field="outputs",
    )


def _unknown_variable(variable: str) -> ConfigurationError:
    close = closest(variable, _BY_VARIABLE)
    wanted = close or "one of those that docs/reference/settings.md lists"
    return ConfigurationError(
        f"environment variable {variable} sets nothing: {wanted} would be right",
        code="setting_unknown",
        field=variable,
        hint=f"did you mean {close}?" if close else None,
    )


__all__ = ["Survey", "flatten", "resolve", "survey"]
