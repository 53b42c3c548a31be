"""Public keys of a journal: the line to pin."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import JournalDamaged, JournalUnavailable, TreeringError

if TYPE_CHECKING:
    import os

_FIRST = "0" * 20
_MAX_LINE_BYTES = 1 << 20
PIN_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys that record 0 of a journal names."""

    origin: str
    identity: str
    """The vkey that signs every checkpoint of the journal."""
    epoch_0: str
    """The vkey of the first epoch; every later one is named in the journal."""

    @property
    def pin(self) -> str:
        """The line to keep somewhere else: both vkeys."""
        return f"{self.identity} {self.epoch_0}"

    @property
    def policy(self) -> str:
        """The same as a C2SP tlog-policy without witnesses."""
        return f"log {self.identity}\nlog {self.epoch_0}\nquorum none\n"


def keys(directory: str | os.PathLike[str]) -> Keys:
    """The keys that a journal's first record names. Whether they are to be trusted is another question.

    Raises:
        JournalUnavailable: There is no sealed journal in `directory`.
        JournalDamaged: Its first record is not what it should be.
    """
    place = Path(directory)
    try:
        fields = json.loads(_first_line(place))["metadata"]
        found = Keys(fields["origin"], fields["identity"], fields["key"])
        for vkey in (found.identity, found.epoch_0):
            _core.vkey_name(vkey)
    except OSError as error:
        raise JournalUnavailable(
            f"'{place}' has no readable first record: {error.strerror}",
            code="journal_unavailable",
            path=place,
        ) from None
    except (KeyError, TypeError, ValueError):
        raise JournalDamaged(
            f"record 0 of '{place}' does not name the keys of a sealed journal",
            code="journal_not_sealed",
            path=place,
            hint="journals are sealed unless they were made with seal=False",
        ) from None
    return found


def _first_line(directory: Path) -> bytes:
    segment = directory / "active" / f"{_FIRST}.jsonl"
    try:
        with segment.open("rb") as file:
            return file.readline(_MAX_LINE_BYTES)
    except FileNotFoundError:
        # Pruned: the first record is kept with the commitments.
        with (directory / "seal" / "commitments" / f"{_FIRST}.seal").open("rb") as file:
            kept = json.loads(file.readline(64 * _MAX_LINE_BYTES))["kept"]
            return str(kept[0][2]).encode() if kept and kept[0][0] == 0 else b""


def pin(directory: str | os.PathLike[str]) -> str:
    """The line to keep somewhere else, to verify the journal with: two vkeys.

    Raises:
        JournalUnavailable: There is no sealed journal in `directory`.
        JournalDamaged: Its first record is not what it should be.
    """
    return keys(directory).pin


def tell_pin(directory: str) -> None:
    """Shows the line to pin, once, to whoever made the journal."""
    deadline = time.monotonic() + PIN_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            line = pin(directory)
        except TreeringError:
            # The leader is just making it.
            time.sleep(0.005)
            continue
        print(  # noqa: T201
            f"treering: new journal '{directory}'. To verify it anywhere, keep this line elsewhere:\n"
            f"  {line}",
            file=sys.stderr,
        )
        return
