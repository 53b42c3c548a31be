"""A command of the user's as anchor: whatever can keep a checkpoint somewhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

from treering.errors import AnchorError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPLAINT_BYTES = 200


def run_command(command: Sequence[str], checkpoint: bytes, *, timeout_s: float = 60.0) -> None:
    """Runs `command` with `checkpoint` as standard input; exit code 0 means that it is kept.

    No shell reads the command. What it prints is discarded; the end of what it says on standard
    error is in the error's message. After `timeout_s` it is killed, with all it has started.

    Args:
        command: Program and arguments, one each.
        checkpoint: A signed note, as it stands in `seal/checkpoint`.
        timeout_s: From its start to its end.

    Raises:
        AnchorError: It could not be started, failed, or took too long.
        ConfigurationError: `command` is empty.
    """
    if not command:
        raise ConfigurationError(
            "the anchor command is empty, a program with its arguments would be right",
            code="command_invalid",
            field="command",
        )
    # Files, not pipes: what the command leaves running may keep a pipe open for ever.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaint:
        given.write(checkpoint)
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                list(command),
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=complaint,
                start_new_session=True,
            )
        except OSError as error:
            raise AnchorError(
                f"anchor command '{command[0]}' could not be started: {error.strerror}",
                code="command_unavailable",
            ) from error
        code = _wait(process, timeout_s)
        if code is None:
            raise AnchorError(
                f"anchor command '{command[0]}' did not end within {timeout_s:g} s",
                code="command_timed_out",
            )
        if code != 0:
            said = _end_of(complaint.fileno()).decode(errors="replace")
            raise AnchorError(
                f"anchor command '{command[0]}' ended with {code}, 0 would be right: {said!r}",
                code="command_failed",
            )


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> int | None:
    """The exit code; `None` when the command was killed because the time was over."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _end_of(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, _COMPLAINT_BYTES, max(0, size - _COMPLAINT_BYTES))
