"""`${VARIABLE}` and `${VARIABLE:-default}` in the values of a file: how secrets stay out of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from treering.config._secrets import Filled
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLACE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?")

Path = tuple[str, ...]


def expand(
    value: object,
    environment: Mapping[str, str],
    source: Callable[[Path], str],
    problems: list[ConfigurationError],
    path: Path = (),
) -> object:
    """The value with the variables in it replaced; `$${` stands for `${`.

    What cannot be replaced goes to `problems`, with the setting and its place.
    """
    if isinstance(value, dict):
        return {
            key: expand(inner, environment, source, problems, (*path, key))
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [
            expand(inner, environment, source, problems, (*path, str(at)))
            for at, inner in enumerate(value)
        ]
    if not isinstance(value, str) or "${" not in value:
        return value

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        name = found[1]
        text = environment.get(name, found[2]) if name else None
        if text is None:
            problems.append(_missing(".".join(path), source(path), name))
            return found[0]
        return text

    return Filled(_PLACE.sub(replace, value), value)


def _missing(setting: str, source: str, name: str | None) -> ConfigurationError:
    if name is None:
        return ConfigurationError(
            f"setting {setting} from {source} holds '${{' without a name and '}}':"
            " ${NAME} or ${NAME:-default} would be right, $${ for the characters themselves",
            code="variable_malformed",
            field=setting,
        )
    return ConfigurationError(
        f"setting {setting} from {source} wants the environment variable {name}, which is not set:"
        f" setting it, or ${{{name}:-default}}, would be right",
        code="variable_missing",
        field=setting,
    )
