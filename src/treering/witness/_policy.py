"""Which logs are trusted: their public keys, one by one or from a policy file (C2SP tlog-policy)."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import os

_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")
_ED25519 = 1
_KEY_BYTES = 1 + 32
_OTHER_LINES = ("witness", "group", "quorum")


def origin_of(vkey: str) -> str:
    """The origin of the log that signs with `vkey`: by tlog-policy, the name of its key.

    Raises:
        ConfigurationError: It is not the vkey of an Ed25519 note key (C2SP signed-note).
    """
    match = _VKEY.fullmatch(vkey)
    if match is None or not _is_ed25519(*match.groups()):
        raise ConfigurationError(
            f"log key {vkey!r} cannot be used; an Ed25519 key 'name+id+base64' would be right",
            code="vkey_invalid",
            field="log",
        )
    return match[1]


def policy_logs(path: str | os.PathLike[str]) -> list[str]:
    """The vkeys of the `log` lines of a policy file.

    Witnesses, groups and quorum are for who verifies: they may stand there and are not read. One
    key may stand there once, under whatever name: so says tlog-policy.

    Raises:
        ConfigurationError: A line is not one of a policy, a key stands there twice, or there is
            no log.
    """
    vkeys: dict[str, str] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1):
        words = re.findall(r"[^ \t]+", line)
        if not words or words[0].startswith("#") or words[0] in _OTHER_LINES:
            continue
        if words[0] != "log" or len(words) not in {2, 3}:
            raise _wrong(path, f"line {number}: {line!r} found, 'log VKEY [URL]' would be right")
        origin_of(words[1])
        key = words[1].split("+", 2)[2]
        if key in vkeys:
            raise _wrong(path, f"line {number}: the key of {vkeys[key]!r} again")
        vkeys[key] = words[1]
    if not vkeys:
        raise _wrong(path, "no log in it; a line 'log VKEY [URL]' would be right")
    return list(vkeys.values())


def _is_ed25519(name: str, key_id: str, encoded: str) -> bool:
    try:
        key = base64.b64decode(encoded, validate=True)
        digest = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()
    except ValueError:
        return False
    canonical = base64.b64encode(key).decode() == encoded
    return canonical and len(key) == _KEY_BYTES and key[0] == _ED25519 and digest[:8] == key_id


def _wrong(path: str | os.PathLike[str], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"policy '{path}': {what}", code="policy_invalid", path=path, field="policy"
    )
