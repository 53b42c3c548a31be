"""Verifying a journal, and saying what was found."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering.errors import ConfigurationError, JournalUnavailable, TreeringError
from treering._keys import keys

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found.

    Attributes:
        code: 0 sealed by pinned keys and not stale; 1 failed; 2 not proven: something that a pass needs
            is missing, and nothing contradicts the seal.
        words: The parts of the verdict, e.g. `SEALED to record 12,344`, `UNSEALED tail 3`.
        reason: What failed, or what is missing; empty when nothing is.
        index: The first bad record, when the failure is about one.
        details: Every figure of the report, by name, fit for JSON.
    """

    code: int
    words: tuple[str, ...]
    reason: str
    index: int | None
    details: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """True when `code` is 0."""
        return self.code == 0

    def __str__(self) -> str:
        return " · ".join(self.words)


def verify(
    directory: str | os.PathLike[str],
    *,
    trust: str | None = None,
    state: str | os.PathLike[str] | None = None,
    max_age_s: float | None = None,
    threads: int = 0,
    wait_s: float = 5.0,
    progress: Callable[[int, int], object] | None = None,
) -> Verdict:
    """Verifies every record of a journal against its signed checkpoints, and those against pinned keys.

    Nothing in `directory` is believed. A journal that is being written is asked for a checkpoint over
    what is there now.

    Args:
        directory: The journal.
        trust: The pinned line (two vkeys) or the text of a C2SP tlog-policy. Without it, what this
            host saw when it wrote the journal is used; if it never did, the verdict has code 2.
        state: File with the newest checkpoint that this verifier has seen; written after a verdict
            that is no failure.
        max_age_s: The last sealed record may be this old; older is STALE.
        threads: How many; 0 for as many as there are cores.
        wait_s: How long a living leader may take for its checkpoint.
        progress: Called with bytes hashed and bytes in all.

    Raises:
        ConfigurationError: `trust` or `state` cannot be read as what they should be.
        JournalUnavailable: `directory` holds no journal.
    """
    if not Path(directory, "active").is_dir():
        raise JournalUnavailable(
            f"there is no journal in '{directory}'", code="journal_missing", path=directory
        )
    until = _core.seal_request(directory, wait_s)
    seen = [] if state is None else _seen(Path(state))
    from_host = _of_this_host(directory) if trust is None else None
    source = "given"
    if from_host is not None:
        trust, checkpoint = from_host
        seen.append(checkpoint)
        source = "this host"
    try:
        report = _core.seal_verify(directory, trust, seen, until, threads, progress)
        if report["verdict"] == "failed" and until is not None:
            # Erasing and pruning rewrite files; a second look sees them whole.
            report = _core.seal_verify(directory, trust, seen, until, threads, progress)
    except ValueError as error:
        raise ConfigurationError(
            f"{error}", code="trust_invalid", field="trust", hint="`treering keys show` prints it"
        ) from None
    report["live"] = until is not None
    report["trust"] = source if trust else "missing"
    verdict = _judge(report, max_age_s)
    if state is not None and verdict.code != 1 and report["pinned"]:
        _store(Path(state), report["checkpoint"])
    return verdict


def _of_this_host(directory: str | os.PathLike[str]) -> tuple[str, str] | None:
    try:
        return _core.seal_seen(keys(directory).identity)
    except (TreeringError, ValueError):
        # What is wrong with record 0 is for the verifier to say.
        return None


def _seen(path: Path) -> list[str]:
    try:
        return [path.read_text(encoding="utf-8")] if path.exists() else []
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"state '{path}' cannot be read: {error}", code="state_invalid", field="state"
        ) from None


def _store(path: Path, checkpoint: str) -> None:
    draft = path.with_name(path.name + ".draft")
    draft.write_text(checkpoint, encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def _judge(report: dict[str, Any], max_age_s: float | None) -> Verdict:
    words, missing = [], []
    if report["verdict"] == "failed":
        where = "" if report["index"] is None else f" at record {report['index']:,}"
        words.append(f"FAIL{where}: {report['reason']}")
        return Verdict(1, tuple(words), report["reason"], report["index"], report)
    sealed, tail = report["sealed"], report["tail"]
    words.append(f"SEALED to record {sealed - 1:,}" if sealed else "SEALED, no record yet")
    words[0] += f" (epoch {report['epoch']})"
    if report["anchored"]:
        size, time_s = report["anchored"]
        stamp = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
        words.append(f"ANCHORED to record {size - 1:,} at {stamp:%Y-%m-%dT%H:%M:%SZ}")
    if report["erased"]:
        words.append(f"ERASED {report['erased']:,}")
    if report["pruned_below"]:
        words.append(f"PRUNED below {report['pruned_below']:,}")
    if not (report["closed"] and tail == 0) and not report["live"] and sealed:
        words.append("ENDED WITHOUT CLOSE")
    if tail or report["torn_bytes"]:
        torn = f" and {report['torn_bytes']:,} torn bytes" if report["torn_bytes"] else ""
        words.append(f"UNSEALED tail {tail:,}{torn}")
        missing.append(
            f"the last {tail:,} record{'s' * (tail != 1)}{torn} are not sealed: look at them, since"
            " whoever opens the journal next seals what is there"
        )
    if report["torn_checkpoint_bytes"] or report["lags"]:
        words.append("CHECKPOINT INTERRUPTED")
        missing.append("a checkpoint was interrupted; opening the journal mends it")
    if report["erasing"] or report["pruning"]:
        words.append("ERASURE INTERRUPTED")
        missing.append("an erasure was interrupted; running it again finishes it")
    if report["previous"]:
        words.append("NEW GENERATION")
        if report["trust"] != "given":
            missing.append(
                f"the generation before it ended ({report['previous']}): look at ended/ first, then"
                " give this one's own line"
            )
    if report["unanchored"]:
        words.append("NOT ANCHORED")
        missing.append("the policy's witnesses have cosigned no checkpoint of it")
    if report["pinned"] == 0:
        words.append("KEYS NOT PINNED")
        missing.append(
            "nobody vouches for the keys: give the line printed when the journal was made"
        )
    age_s = _age_s(report["last_time"])
    if max_age_s is not None and (age_s is None or age_s > max_age_s):
        words.append("STALE")
        missing.append(f"the last sealed record is older than {max_age_s:g} s")
    code = 2 if missing else 0
    return Verdict(code, tuple(words), "; ".join(missing), None, report)


def _age_s(time: str) -> float | None:
    nanoseconds = _core.parse_time(time) if time else None
    if nanoseconds is None:
        return None
    return datetime.datetime.now(datetime.UTC).timestamp() - nanoseconds / 1e9
