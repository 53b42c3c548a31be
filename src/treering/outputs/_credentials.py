"""Headers of HTTP requests that say who we are. Nothing here shows up in a message or a `repr`."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from treering.errors import SetupRefused

if TYPE_CHECKING:
    from typing import Any

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_OURS = re.compile(r"content-length|content-encoding|transfer-encoding|treering-.*", re.IGNORECASE)


def headers(value: object) -> dict[str, str]:
    """Header fields: a mapping, or text such as `X-Scope-OrgID=tenant,X-Other=1` (RFC 9110, 5.1)."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): text.strip() for name, _, text in pairs}
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004 - readers have one exception
    found = {str(name): str(text) for name, text in value.items()}
    for name, text in found.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text) or _OURS.fullmatch(name):
            raise ValueError
    return found


def secret(value: object) -> str:
    """A token or a password that may stand in a header."""
    if not isinstance(value, str) or not value or not _VALUE.fullmatch(value):
        raise ValueError
    return value


def authorization(chosen: Mapping[str, Any]) -> dict[str, str]:
    """The header for `token` or `token_file` (RFC 6750), or `username` and `password` (RFC 7617).

    The file is read each time, because whoever gives out tokens replaces it.

    Raises:
        SetupRefused: The file cannot be read, or holds no token.
    """
    token = chosen["token"]
    if chosen["token_file"] is not None:
        token = _token_in(chosen["token_file"])
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if chosen["username"] is None:
        return {}
    pair = f"{chosen['username']}:{chosen['password'] or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _token_in(file: str) -> str:
    try:
        return secret(Path(file).read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        what = str(error) if isinstance(error, OSError) else "it holds no token"
        raise SetupRefused(
            f"option token_file is '{file}': {what}", path=file, field="token_file"
        ) from None
