"""Anchors: others confirm a checkpoint, so that cutting off or rewriting it later is seen.

`submit` asks a C2SP witness, `stamp` an RFC 3161 time stamp authority, `run_command` a command of the
user's. Each raises `AnchorError` when there is no confirmation; none changes the journal, and a journal
goes on without them.
"""

from __future__ import annotations

from treering.anchor._command import run_command
from treering.anchor._rfc3161 import stamp, verify_stamp
from treering.anchor._witness import submit

__all__ = ["run_command", "stamp", "submit", "verify_stamp"]
