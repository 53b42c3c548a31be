"""Exporting: records that a query finds into a file, with a manifest, and said in the journal."""

from __future__ import annotations

import getpass
import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from treering import _core
from treering.errors import ConfigurationError
from treering.export import _forms
from treering.export._manifest import Manifest, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from treering.store import Record, Records

FORMATS = ("jsonl", "json", "csv", "txt", "parquet")

EXPORTED = "records exported"
"""What the journal says of an export."""

_PROVABLE = ("jsonl", "json")
_BATCH = 4096


class _Written:
    """Records on their way into a file; remembers which they were."""

    def __init__(self, records: Iterable[Record], proofs: _Proofs | None) -> None:
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self._records = records
        self._proofs = proofs

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.count += 1
            index = record.index
            self.first = index if self.first is None else min(self.first, index)
            self.last = index if self.last is None else max(self.last, index)
            if self._proofs is not None:
                self._proofs.take(record)
            yield record


class _Proofs:
    """Proofs of records, made some at a time."""

    def __init__(self, directory: Path, path: Path) -> None:
        self.path = path
        self._directory = directory
        self._file = open(path, "x", encoding="utf-8", opener=_private)  # noqa: SIM115 - see close
        self._waiting: list[tuple[int, bytes]] = []

    def take(self, record: Record) -> None:
        self._waiting.append((record.index, record.line))
        if len(self._waiting) == _BATCH:
            self.write()

    def write(self) -> None:
        if self._waiting:
            self._file.writelines(_core.seal_prove_lines(str(self._directory), self._waiting))
            self._waiting.clear()

    def close(self) -> None:
        self._file.close()


def export(
    directory: str | os.PathLike[str],
    target: str | os.PathLike[str],
    query: str = "",
    *,
    form: str | None = None,
    style: str = "STANDARD",
    proofs: bool = False,
    reason: str | None = None,
    declare: bool = True,
    identities: Sequence[str | os.PathLike[str]] | None = None,
    progress: Callable[[int], object] | None = None,
    **conditions: Any,
) -> Manifest:
    """Writes the records that a query finds into a file, oldest first, and a manifest beside it.

    The journal says that it was done (AUDIT, `records exported`), by whom, what, and how many.

    Args:
        directory: The journal.
        target: The file to make; it must not be there. `target.manifest.json` is made, too.
        query: In the query language, without pipes.
        form: One of `FORMATS`; by default what the target's ending says.
        style: How records look as `txt`: a preset, a shape or a template; times are in UTC.
        proofs: Also make `target.proofs`, a C2SP tlog-proof for each record; for `jsonl` and `json`.
        reason: Why, for manifest and journal.
        declare: Whether the journal says it. Without that nobody can tell later.
        identities: Files with age identities, for archives that are encrypted; by default those that
            the environment variable `TREERING_IDENTITY` names.
        progress: Called with the number of records, now and then.
        conditions: As `Store.search` takes them: level, component, start, end, …

    Raises:
        ConfigurationError: The form is unknown, or has no proofs, or the target is there already.
        QueryError: The query cannot be understood, or has pipes.
        JournalDamaged: A record is not sealed yet, and a proof of it was asked for.
    """
    from treering.store import open_store

    place, journal = Path(target), Path(directory)
    form = _form_of(place, form, proofs=proofs)
    write = _writer(form, style)
    beside = place.with_name(f"{place.name}.manifest.json")
    proven = [place.with_name(f"{place.name}.proofs")] if proofs else []
    _nothing_there(place, beside, *proven)
    with (
        open_store(directory, identities=identities) as store,
        tempfile.TemporaryDirectory(prefix=".export-", dir=place.parent) as drafts,
    ):
        checkpoint = _checkpoint(journal)
        draft = Path(drafts) / place.name
        proving = _Proofs(journal, Path(drafts) / f"{place.name}.proofs") if proofs else None
        found = store.search(query, **conditions, order="oldest", limit=None)
        if found.is_table:
            raise ConfigurationError(
                "an export is of records: a query without pipes would be right",
                code="argument_invalid",
                field="query",
            )
        written = _Written(_told(cast("Records", found).records(), progress), proving)
        write(written, draft)
        if proving is not None:
            proving.write()
            proving.close()
        made = _manifest(
            journal,
            place=place,
            form=form,
            draft=draft,
            written=written,
            proving=proving,
            checkpoint=checkpoint,
            query=_question(query, conditions),
            reason=reason,
        )
        if declare:
            _core.seal_declare(str(journal), EXPORTED, json.dumps(_facts(made)))
        draft.rename(place)
        if proving is not None:
            proving.path.rename(place.with_name(proving.path.name))
    _write_private(beside, made.text().encode())
    return made


def _nothing_there(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise ConfigurationError(
                f"'{path}' is there already: another name would be right",
                code="file_exists",
                path=path,
            )


def _form_of(place: Path, form: str | None, *, proofs: bool) -> str:
    chosen = form or place.suffix.removeprefix(".").lower()
    if chosen not in FORMATS:
        raise ConfigurationError(
            f"export format '{chosen}' is not known: {', '.join(FORMATS)} would be right",
            code="argument_invalid",
            field="form",
        )
    if proofs and chosen not in _PROVABLE:
        raise ConfigurationError(
            f"proofs are about lines as they were sealed, which {chosen} has not:"
            f" {' or '.join(_PROVABLE)} would be right",
            code="argument_invalid",
            field="form",
        )
    return chosen


def _writer(form: str, style: str) -> Callable[[Iterable[Record], Path], None]:
    if form == "parquet":
        return _write_parquet
    pieces = {
        "jsonl": _forms.as_json_lines,
        "json": _forms.as_json,
        "csv": _forms.as_csv,
    }.get(form) or _forms.as_text(style)

    def write(records: Iterable[Record], draft: Path) -> None:
        with open(draft, "xb", opener=_private) as file:
            file.writelines(pieces(records))
            file.flush()
            os.fsync(file.fileno())

    return write


def _write_parquet(records: Iterable[Record], draft: Path) -> None:
    import pyarrow.parquet as pq

    from treering.store import arrow_batches

    with open(draft, "xb", opener=_private) as file:
        batches = arrow_batches(records)
        first = next(batches)
        with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_private(path: Path, data: bytes) -> None:
    with open(path, "xb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _told(records: Iterable[Record], progress: Callable[[int], object] | None) -> Iterator[Record]:
    for count, record in enumerate(records, 1):
        if progress is not None and count % _BATCH == 0:
            progress(count)
        yield record


def _checkpoint(journal: Path) -> str | None:
    try:
        return (journal / "seal" / "checkpoint").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _manifest(
    journal: Path,
    *,
    place: Path,
    form: str,
    draft: Path,
    written: _Written,
    proving: _Proofs | None,
    checkpoint: str | None,
    query: dict[str, Any],
    reason: str | None,
) -> Manifest:
    from treering import __version__

    origin, sealed = _core.journal_status(str(journal))["id"], None
    if checkpoint is not None:
        origin, sealed, _ = _core.checkpoint_parse(checkpoint.encode())
    beyond = 0 if sealed is None or written.last is None else max(0, written.last + 1 - sealed)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Manifest(
        format=1,
        file=place.name,
        form=form,
        bytes=draft.stat().st_size,
        sha256=digest(draft),
        count=written.count,
        first=written.first,
        last=written.last,
        query=query,
        exported_at=now,
        exported_by=f"{_user()}@{platform.node()}",
        reason=reason,
        journal=str(origin),
        checkpoint=checkpoint,
        unsealed=min(beyond, written.count),
        proofs=None if proving is None else proving.path.name,
        proofs_sha256=None if proving is None else digest(proving.path),
        program=f"treering {__version__}",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _question(query: str, conditions: dict[str, Any]) -> dict[str, Any]:
    given = {key: _plain(value) for key, value in conditions.items() if value not in (None, {})}
    return {"query": query, **given}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | dict) else str(value)


def _facts(made: Manifest) -> dict[str, Any]:
    """What the journal says."""
    return {
        "by": made.exported_by,
        "count": made.count,
        "format": made.form,
        "sha256": made.sha256,
        "query": made.query,
        "reason": made.reason,
    }
