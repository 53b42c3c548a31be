"""Records in a text file that is rotated, compressed and cleaned up."""

from __future__ import annotations

import re
import time
from itertools import accumulate
from typing import TYPE_CHECKING

from treering import _core
from treering.outputs._output import Output, option, values

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Any

    from treering.outputs._batch import Batch

CLOSE_TIMEOUT_S = 5.0
_HOUR_S, _DAY_S = 3600, 86_400
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ALL, _OWNER_READS_AND_WRITES = 0o777, 0o600
_MAY_BE_NOTHING = frozenset(
    {"max_age_s", "rotate_at", "backup_count", "max_total_bytes", "backup_max_age_s"}
)


def _moment(value: object) -> tuple[int, int]:
    """Length of a period and where in it to rotate, both in seconds."""
    word = str(value).strip().lower()
    if word == "hourly":
        return _HOUR_S, 0
    match = _TIME_OF_DAY.fullmatch("00:00" if word == "midnight" else word)
    if match is None:
        raise ValueError
    return _DAY_S, int(match[1]) * 3600 + int(match[2]) * 60


def _permissions(value: object) -> int:
    """Permission bits: octal digits as text, or the number they mean."""
    mode = int(value, 8) if isinstance(value, str) else value
    if isinstance(mode, bool) or not isinstance(mode, int):
        raise ValueError  # noqa: TRY004 - readers have one exception
    if not 0 <= mode <= _ALL or mode & _OWNER_READS_AND_WRITES != _OWNER_READS_AND_WRITES:
        raise ValueError
    return mode


def _header(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - readers have one exception
    return value if not value or value.endswith("\n") else value + "\n"


class FileOutput(Output):
    """Appends to a text file; `docs/guides/files.md` shows what can be done with it.

    Records are in the file when `write` returns; after a crash some may be there twice, and a half line
    is ended with a line feed, never cut off. A full disk leaves no half line. One process writes the
    file: it holds a lock (`flock`) on it, and any other is told `OutputUnavailable`.

    Rotation happens between two records. Rotated files are compressed and deleted by a native thread of
    the lowest priority; it only touches names that `naming` can have made.

    Args:
        path: The file. Directories that are missing are made, for the owner only.
        name: As for every output.
        max_bytes: Rotate before the file gets larger; a record that is larger by itself gets a file of
            its own. 0 for no limit.
        max_age_s: Rotate with the first record that comes this long after the file's first one.
        rotate_at: Rotate with the first record after `midnight`, at an `hourly` boundary, or at a time
            of day such as `03:30`.
        utc: Take `rotate_at` and the times in names for UTC; the wall clock of this machine otherwise.
        naming: Names of rotated files, made of `{name}` (`app.log`), `{stem}` (`app`), `{suffix}`
            (`.log`), `{time}` and `{date}` (when the file began), and `{n}`, which counts up. No name is
            used twice: where two would be the same, `_2` follows the time.
        backup_count: So many rotated files are kept, however they are compressed; all when `None`.
        max_total_bytes: The oldest rotated files are deleted until all of them, as large as they are at
            the moment, and one file of `max_bytes` fit.
        backup_max_age_s: Rotated files are deleted this long after they were last written to.
        compression: `none`, `gzip` or `zstd`.
        permissions: Of the file and of rotated ones, whatever the umask.
        header: The first line of every file.
        sync: Wait for the device with every batch.
        immutable: Rotated files get the flag of `chattr +i`, taken off only to delete them.
        append_only: The file gets the flag of `chattr +a`, taken off only to rotate it or to take back
            a half line.
        **common: As for every output; without a `format` DETAILED, with fields and traceback.

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind = "file"
    scope = "journal"
    holds_back = True
    default_format = "[%t] [%l] [%c] [%f:%n] %m  %{fields} %{traceback}"
    options = (
        option("path", values.path_or_none, None, "a path", "The file."),
        option(
            "max_bytes",
            values.bytes_between(0, 1 << 50),
            10 << 20,
            "a size, 0 for no limit",
            "Rotate before the file gets larger.",
        ),
        option(
            "max_age_s",
            values.seconds(0.001, 1e10),
            None,
            "seconds from 0.001, nothing for no limit",
            "Rotate this long after the file's first record.",
        ),
        option(
            "rotate_at",
            _moment,
            None,
            'midnight, hourly, or a time of day in quotes such as "03:30"',
            "Rotate by the clock.",
        ),
        option(
            "utc",
            values.boolean,
            False,
            "true or false",
            "Clock and names in UTC rather than in local time.",
        ),
        option(
            "naming",
            values.text,
            "{stem}.{time}{suffix}",
            "a pattern with {time}, {date} or {n}",
            "Names of rotated files, of {name} {stem} {suffix} {time} {date} {n}.",
        ),
        option(
            "backup_count",
            values.whole(1, 1 << 40),
            5,
            "a whole number from 1, nothing for no limit",
            "Rotated files that are kept.",
        ),
        option(
            "max_total_bytes",
            values.bytes_between(1, 1 << 60),
            None,
            "a size of at least max_bytes, nothing for no limit",
            "Size of all files together.",
        ),
        option(
            "backup_max_age_s",
            values.whole(1, 1 << 40),
            None,
            "whole seconds from 1, nothing for no limit",
            "Rotated files are deleted when they are older.",
        ),
        option(
            "compression",
            values.one_of("none", "gzip", "zstd"),
            "none",
            "none, gzip or zstd",
            "How rotated files are compressed.",
        ),
        option(
            "permissions",
            _permissions,
            0o600,
            'octal digits in quotes from "600" to "777", with reading and writing for the owner',
            "Permissions of all its files.",
        ),
        option("header", _header, "", "text", "The first line of every file."),
        option(
            "sync",
            values.boolean,
            False,
            "true or false",
            "Every batch reaches the device before it counts as written.",
        ),
        option(
            "immutable",
            values.boolean,
            False,
            "true or false",
            "Rotated files cannot be changed, as with chattr +i.",
        ),
        option(
            "append_only",
            values.boolean,
            False,
            "true or false",
            "The file can only grow, as with chattr +a.",
        ),
    )

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        name: str | None = None,
        *,
        max_bytes: int | str = 10 << 20,
        max_age_s: float | None = None,
        rotate_at: str | None = None,
        utc: bool = False,
        naming: str = "{stem}.{time}{suffix}",
        backup_count: int | None = 5,
        max_total_bytes: int | str | None = None,
        backup_max_age_s: int | None = None,
        compression: str = "none",
        permissions: int | str = 0o600,
        header: str = "",
        sync: bool = False,
        immutable: bool = False,
        append_only: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(name, **common)
        given: dict[str, object] = {
            "path": path,
            "max_bytes": max_bytes,
            "max_age_s": max_age_s,
            "rotate_at": rotate_at,
            "utc": utc,
            "naming": naming,
            "backup_count": backup_count,
            "max_total_bytes": max_total_bytes,
            "backup_max_age_s": backup_max_age_s,
            "compression": compression,
            "permissions": permissions,
            "header": header,
            "sync": sync,
            "immutable": immutable,
            "append_only": append_only,
        }
        read = self.read_options(given)
        self._check(given, read)
        self.path: str = read["path"]
        read["header"] = read["header"].encode()
        try:
            self._file = _core.TextFile(**read)
        except ValueError as error:
            raise self.bad_option("naming", naming, str(error)) from None

    def _check(self, given: Mapping[str, object], read: Mapping[str, Any]) -> None:
        for each in self.options:
            if read[each.name] is None and each.name not in _MAY_BE_NOTHING:
                raise self.bad_option(each.name, given[each.name], each.wanted)
        total, one = read["max_total_bytes"], read["max_bytes"]
        if total is not None and total < one:
            wanted = f"at least max_bytes ({one})"
            raise self.bad_option("max_total_bytes", given["max_total_bytes"], wanted)

    def open(self) -> None:
        """Opens the file, anew if it was open.

        Raises:
            OutputUnavailable: It cannot be opened, is no regular file, or another process writes it.
            ConfigurationError: The file system or the kernel refuses `immutable` or `append_only`.
        """
        self._file.open()

    def write(self, batch: Batch) -> None:
        """Appends the batch, rotating where that is due.

        A file that somebody has moved or deleted is left to them, and a new one is made at the path.

        Raises:
            FileWriteFailed: The file did not take all; `accepted` records are in it whole, and no part
                of the next.
            OutputUnavailable: As for `open`.
        """
        text = batch.text()
        ends = None
        if text.count(b"\n") != len(batch):
            # Records of several lines: rotation must know where they end.
            records = [record + b"\n" for record in batch.formatted()]
            text, ends = b"".join(records), list(accumulate(map(len, records)))
        self._file.write(text, ends, time.time_ns())

    def rotate(self) -> bool:
        """Rotates now; False when there is nothing to rotate. May be called by any thread.

        Raises:
            FileWriteFailed: The file cannot be renamed, or the next one not be made.
        """
        return self._file.rotate(time.time_ns())

    def close(self) -> None:
        """Closes the file, after waiting a little for compression that is going on.

        What is not done by then is begun again with the next opening.
        """
        self._file.close(CLOSE_TIMEOUT_S)

    def statistics(self) -> dict[str, Any]:
        """Counts since it was made, shown besides those that all outputs have.

        Keys: `path`; `bytes` and `records` written; `rotations`; `reopened` (how often somebody had moved
        the file away); `compressed` and `deleted` files; `rotation_errors`, `upkeep_errors` (what failed
        in compressing, protecting or deleting) and the last of both, `upkeep_error`.
        """
        return {"path": self.path, **self._file.statistics()}
