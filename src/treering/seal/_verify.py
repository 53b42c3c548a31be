"""Verifying a journal, and saying what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from treering import _core
from treering._keys import keys
from treering.errors import ConfigurationError, JournalUnavailable, TreeringError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
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
    identities: Iterable[str | os.PathLike[str]] = (),
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
        identities: Files with age identities, for an archive that is encrypted. What none of them opens
            is no pass: of those records only the stored commitments are checked.

    Raises:
        ConfigurationError: `trust` or `state` cannot be read as what they should be.
        JournalUnavailable: `directory` holds no journal.
    """
    if not Path(directory, "active").is_dir():
        raise JournalUnavailable(
            f"there is no journal in '{directory}'", code="journal_missing", path=directory
        )
    keys_of = list(identities)
    until = _core.seal_request(directory, wait_s)
    seen = [] if state is None else _seen(Path(state))
    from_host = _of_this_host(directory) if trust is None else None
    source = "given"
    if from_host is not None:
        trust, checkpoint = from_host
        seen.append(checkpoint)
        source = "this host"
    try:
        report = _core.seal_verify(directory, trust, seen, until, threads, progress, keys_of)
        if report["verdict"] == "failed" and until is not None:
            # Erasing and pruning rewrite files; a second look sees them whole.
            report = _core.seal_verify(directory, trust, seen, until, threads, progress, keys_of)
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
        return [path.read_bytes().decode()] if path.exists() else []
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
    if report["verdict"] == "failed":
        where = "" if report["index"] is None else f" at record {report['index']:,}"
        word = f"FAIL{where}: {report['reason']}"
        return Verdict(1, (word,), report["reason"], report["index"], report)
    missing = dict(_missing(report, max_age_s))
    words = (*_found(report), *missing)
    return Verdict(
        2 if any(missing.values()) else 0,
        words,
        "; ".join(filter(None, missing.values())),
        None,
        report,
    )


def _found(report: dict[str, Any]) -> Iterator[str]:
    """What there is: the words that take nothing from a pass."""
    sealed = report["sealed"]
    upto = f"SEALED to record {sealed - 1:,}" if sealed else "SEALED, no record yet"
    yield f"{upto} (epoch {report['epoch']})"
    if report["anchored"]:
        size, time_s = report["anchored"]
        yield f"ANCHORED to record {size - 1:,} at {datetime.fromtimestamp(time_s, UTC):%FT%TZ}"
    if report["erased"]:
        yield f"ERASED {report['erased']:,}"
    if report["pruned_below"]:
        kept = f", {report['kept']:,} kept" if report["kept"] else ""
        yield f"PRUNED below {report['pruned_below']:,}{kept}"
    closed = report["closed"] and report["tail"] == 0
    if sealed and not closed and not report["live"]:
        yield "ENDED WITHOUT CLOSE"


def _missing(report: dict[str, Any], max_age_s: float | None) -> Iterator[tuple[str, str]]:
    """What a pass needs and is not there: a word, and what to do about it."""
    tail, torn = report["tail"], report["torn_bytes"]
    if tail or torn:
        torn_text = f" and {torn:,} torn bytes" if torn else ""
        records = f"{tail:,} record{'' if tail == 1 else 's'}{torn_text}"
        yield (
            f"UNSEALED tail {tail:,}{torn_text}",
            (
                f"{records} at the end are not sealed: look at them, since whoever opens the journal"
                " next seals what is there"
            ),
        )
    if report["torn_checkpoint_bytes"] or report["lags"]:
        yield "CHECKPOINT INTERRUPTED", "a checkpoint was interrupted: opening the journal mends it"
    if report["erasing"] or report["pruning"]:
        yield "ERASURE INTERRUPTED", "an erasure was interrupted: running it again finishes it"
    if report["unread"]:
        yield (
            f"UNREAD {report['unread']:,}",
            f"{report['unread']:,} records are encrypted: give the identities that open them",
        )
    if report["previous"]:
        why = f"the generation before it ended ({report['previous']}): look into ended/ first"
        yield "NEW GENERATION", "" if report["trust"] == "given" else f"{why}, then give its line"
    if report["unanchored"]:
        yield "NOT ANCHORED", "the policy's witnesses have cosigned no checkpoint of it"
    if report["pinned"] == 0:
        yield (
            "KEYS NOT PINNED",
            "nobody vouches for the keys: give the line printed when the journal was made",
        )
    age_s = _age_s(report["last_time"])
    if max_age_s is not None and (age_s is None or age_s > max_age_s):
        yield "STALE", f"the last sealed record is older than {max_age_s:g} s"


def _age_s(time: str) -> float | None:
    nanoseconds = _core.parse_time(time) if time else None
    if nanoseconds is None:
        return None
    return datetime.now(UTC).timestamp() - nanoseconds / 1e9
