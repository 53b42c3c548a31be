"""What a configuration must not show: values under names of secrets, and passwords in URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

MASK = "********"

_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|authorization|cookie|api_?key|credential|private_?key"
    r"|(^|_)(auth|headers|hmac_?key)$",
    re.IGNORECASE,
)
_URL_PARAMETER = re.compile(r"([?&;#])([^=&;#\s]+)=([^&;#\s]+)")
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s/@]+(@)")
# As parameters of URLs: signatures that are as good as a password, and bare keys.
_KEYS = frozenset({"sig", "signature", "key", "auth"})
_LONGEST = 200


class Filled(str):
    """Text with variables of the environment in it, which are often secrets; shown as it was written.

    Attributes:
        written: The text of the file: `https://host/${KEY}`.
    """

    __slots__ = ("written",)
    written: str

    def __new__(cls, text: str, written: str = MASK) -> Self:
        """Keeps what was written beside the text."""
        made = super().__new__(cls, text)
        made.written = written
        return made


def is_secret(name: str) -> bool:
    """Whether a setting or option of this name holds something that nobody should read."""
    return _NAME.search(name) is not None


def masked(value: object, name: str = "") -> object:
    """The same value with every secret in it covered."""
    if is_secret(name) and value not in (None, "", {}, ()) and not isinstance(value, bool):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner) for inner in value]
    if isinstance(value, Filled):
        return value.written
    if not isinstance(value, str):
        return value
    text = _URL_PASSWORD.sub(rf"\1{MASK}\2", value)
    return _URL_PARAMETER.sub(_masked_parameter, text) if "://" in text else text


def _masked_parameter(found: re.Match[str]) -> str:
    before, name, _ = found.groups()
    return f"{before}{name}={MASK}" if is_secret(name) or name.lower() in _KEYS else found[0]


def shown(value: object, name: str = "") -> str:
    """A value for a message: on one line, not too long, without secrets."""
    try:
        text = repr(masked(value, name))
    except (ValueError, RecursionError):
        # Whole numbers of thousands of digits have no text.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
