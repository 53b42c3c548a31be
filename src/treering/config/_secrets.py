"""What a configuration must not show: values under names of secrets, and passwords in URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "********"

_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|authorization|cookie|api_?key|credential|private_?key"
    r"|(^|_)(auth|headers|hmac_?key)$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s/@]+(@)")
_LONGEST = 200


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
    return _URL_PASSWORD.sub(rf"\1{MASK}\2", value) if isinstance(value, str) else value


def shown(value: object, name: str = "") -> str:
    """A value for a message: on one line, not too long, without secrets."""
    try:
        text = repr(masked(value, name))
    except (ValueError, RecursionError):
        # Whole numbers of thousands of digits have no text.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
