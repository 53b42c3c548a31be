"""The native module: what happens once per record, and the borders to the journal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Final, Self, final

__version__: Final[str]
fast_frames: Final[bool]
"""Whether call sites are found by reading the interpreter's frames where they lie."""

noop: Final[Any]
"""A native method that does nothing: what stripped logging methods become."""

class Logger:
    """The native half of `treering.Logger`."""

    def __new__(
        cls, name: str = "", category: str | None = None, bound: dict[str, Any] | None = None
    ) -> Self: ...
    @property
    def name(self) -> str:
        """The component."""

    @property
    def category(self) -> str | None:
        """The category of this logger's records."""

    @property
    def context(self) -> dict[str, Any]:
        """The bound fields, as a new dict."""

    @property
    def level(self) -> int:
        """The threshold in force."""

    def enabled_for(self, level: object) -> bool:
        """Whether a record of this level would be kept. Raises `ValueError` for an unknown level."""

    def bind(self, **fields: Any) -> Self:
        """A new logger whose records have these fields in their context, besides those of this one."""

    def unbind(self, *keys: str) -> Self:
        """A new logger without these bound fields."""

    def trace(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def debug(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def info(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def warning(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def warn(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def error(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def critical(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def fatal(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def security(self, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at SECURITY, which no threshold and no overflow policy drops."""

    def audit(self, message: object, /, *args: object, **fields: Any) -> Any:
        """Logs at AUDIT and waits until the record is durable; returns a `treering.Receipt`."""

    def exception(self, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at ERROR with the exception that is being handled."""

    def log(self, level: object, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at any level, given by name or number."""

@final
class Ambient:
    """Immutable ambient fields, encoded once."""

    def __new__(cls, fields: dict[str, Any]) -> Self: ...
    @property
    def fields(self) -> dict[str, Any]: ...

@final
class Filter:
    """Which records a reader wants; all conditions that are given must hold."""

    def __new__(
        cls,
        *,
        level: int | None = None,
        component: str | None = None,
        category: str | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        grep: str | None = None,
        fields: Iterable[tuple[str, str]] = ...,
        journal: bool = False,
        events: tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]] | None = None,
    ) -> Self: ...
    def matches(self, line: bytes) -> bool: ...
    def select(self, first: int, lines: bytes) -> list[tuple[int, bytes]]: ...

@final
class Formatter:
    """How records look at an output: a preset, a shape or a template, read once.

    Raises:
        ValueError: The format, the date format or an option cannot be used; the text says where and
            what would be right.
    """

    def __new__(
        cls,
        spec: str,
        *,
        date_format: str | None = None,
        utc: bool = False,
        options: Mapping[str, str] | None = None,
    ) -> Self: ...
    def lines(self, data: bytes, indexes: int | Sequence[int]) -> list[bytes]:
        """One text for each canonical line in `data`, without line feed; empty for an erased record.

        Args:
            data: Lines, each ended by a line feed.
            indexes: The index of each, or that of the first.
        """

    def text(self, data: bytes, indexes: int | Sequence[int]) -> bytes:
        """The same in one piece, each ended by a line feed, without the erased ones."""

@final
class Reader:
    """Follows a journal from an index on."""

    def __new__(
        cls,
        directory: str | PathLike[str],
        index: int = 0,
        identities: Identities | None = None,
    ) -> Self: ...
    def read(self, max_bytes: int) -> tuple[int, bytes]:
        """Index of the first of the next records, and their lines; empty when nothing is new."""

    def seek(self, index: int) -> None: ...
    @property
    def position(self) -> int: ...
    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...

@final
class Drain:
    """Leads a journal without logging to it, whoever leads it now."""

    def __new__(cls, directory: str | PathLike[str]) -> Self: ...
    @property
    def leads(self) -> bool: ...
    @property
    def last_error(self) -> str | None: ...
    def stop(self) -> None: ...

@final
class Tap:
    """Follows what this process says from now on; of a ring that has no journal, may hold records."""

    def __new__(cls, holds: bool = False) -> Self: ...
    def read(self, max_bytes: int, timeout_s: float) -> tuple[int, bytes, int]:
        """Number of the first of the next records, their lines, how many before them were lost."""

    @property
    def behind_bytes(self) -> int: ...

@final
class Lock:
    """A lock on a file that dies with its process and is not inherited by forked children."""

    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    def acquire(self) -> bool: ...
    def release(self) -> None: ...

@final
class TextFile:
    """A text file that rotates, compresses and cleans up; `treering.outputs.FileOutput` has the words."""

    def __new__(
        cls,
        path: str | PathLike[str],
        *,
        max_bytes: int,
        max_age_s: float | None,
        rotate_at: tuple[int, int] | None,
        utc: bool,
        naming: str,
        backup_count: int | None,
        max_total_bytes: int | None,
        backup_max_age_s: int | None,
        compression: str,
        permissions: int,
        header: bytes,
        sync: bool,
        immutable: bool,
        append_only: bool,
    ) -> Self: ...
    def open(self) -> None: ...
    def write(self, text: bytes, ends: Sequence[int] | None, now_ns: int) -> None:
        """Appends records that end at `ends`, or at every line feed."""

    def rotate(self, now_ns: int) -> bool: ...
    def close(self, timeout_s: float) -> None: ...
    def statistics(self) -> dict[str, Any]: ...

@final
class ActiveBatches:
    """Records of a journal that are not archived yet, as Arrow record batches.

    The columns are those of `docs/concepts/archive-files.md` without promoted ones. The files are
    opened at once, so that archiving takes nothing away; every reading begins anew.
    """

    def __new__(
        cls,
        directory: str | PathLike[str],
        start: int = 0,
        end: int | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word of the field
        columns: Sequence[str] | None = None,
    ) -> Self: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface: a stream of about 8,192 records a batch."""

@final
class LineBatches:
    """Lines in memory as Arrow record batches; what `lines_to_arrow` gives."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface; every reading begins anew."""

@final
class Miner:
    """Finds templates of messages.

    What is added gives ids, little-endian `uint32`, four bytes for each message, which `settle` brings
    to what they became when more was known; 0 is what was forgotten to stay within `templates`.

    Raises:
        ValueError: A limit cannot be used, or a table has not the columns it needs.
    """

    def __new__(
        cls,
        *,
        similarity: float = 0.5,
        site_similarity: float = 0.4,
        variants: int = 5,
        templates: int = 20_000,
    ) -> Self: ...
    def add_lines(self, data: bytes, first: int = 0) -> bytes:
        """Each line is a message."""

    def add_records(self, data: bytes, first: int = 0) -> bytes:
        """Canonical lines; grouped by call site, or component."""

    def add_arrow(self, stream: object) -> bytes:
        """Anything with `__arrow_c_stream__`.

        Columns `message` and, if there, `component`, `module`, `file` (string), `line`, `index`, `timestamp`
        (int64).
        """

    def settle(self, ids: bytes) -> bytes: ...
    def templates(self) -> list[dict[str, Any]]: ...
    def counts(self) -> dict[str, int]: ...

@final
class RecordBuffer:
    """The newest records, within bounds: pairs of index and line, oldest first."""

    def __new__(cls, max_records: int, max_bytes: int, refuse: bool) -> Self: ...
    def append(self, lines: bytes, indexes: Sequence[int]) -> tuple[int, int]:
        """How many need not come again, and how many of these were too large to be kept."""

    def records(
        self,
        newest: int | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word of the field
    ) -> list[tuple[int, bytes]]: ...
    def drain(self) -> list[tuple[int, bytes]]: ...
    def oldest(self, count: int) -> tuple[int, list[tuple[int, bytes]]]:
        """How many have left it before these, and the records."""

    def let_go(self, gone: int) -> None:
        """Removes the oldest until `gone` have left it."""

    def fill(self) -> tuple[int, int, int]:
        """Records, bytes, and how many were dropped."""

    def __len__(self) -> int: ...

@final
class Recogniser:
    """Makes records of foreign lines and logs them."""

    def __new__(cls, component: str, utc: bool = False) -> Self: ...
    def feed(self, data: bytes) -> int: ...
    def finish(self) -> int: ...
    def parse(self, data: bytes) -> bytes:
        """Canonical lines instead of logging them."""

    def parse_rest(self) -> bytes: ...
    def counts(self) -> dict[str, int]: ...

def archive_lines(
    path: str | PathLike[str], index: int = 0, identities: Identities | None = None
) -> list[tuple[int, bytes]]:
    """The lines of a file of the archive from `index` on: index of the first, and lines.

    A missing record is an empty line; where many are missing, another pair begins.
    """

def archive_lines_at(path: str | PathLike[str], indexes: Sequence[int]) -> list[bytes]:
    """The lines of the records with these indexes, which must rise; empty where there is none."""

def archive_list(directory: str | PathLike[str]) -> list[dict[str, Any]]:
    """The files of a journal's archive, in order: their facts, `path`, `is_encrypted`, `bytes`."""

def archive_write(
    inputs: Sequence[tuple[int, str | PathLike[str]]],
    path: str | PathLike[str],
    journal_id: str = "",
) -> dict[str, Any]:
    """Writes JSON Lines (index of the first record, path) into one file and compares it with them.

    Returns its facts.
    """

def archive_now(
    directory: str | PathLike[str],
    all: bool = False,  # noqa: A002 - as the command says it
    progress: Callable[[int, int, int, int], object] | None = None,
) -> tuple[int, int, int, int]:
    """Files, records, bytes of JSON Lines and bytes of the files, so far and in the end."""

def configure(settings: Mapping[str, Any]) -> list[tuple[str, int | None, int | None]]: ...
def configure_levels(
    configured: Sequence[tuple[str, int]], removed: Sequence[tuple[str, int]]
) -> list[tuple[str, int | None, int | None]]: ...
def close(timeout_s: float) -> bool: ...
def close_at_exit() -> None: ...
def flush(timeout_s: float, durable: bool = False) -> bool: ...
def formats() -> tuple[list[tuple[str, str]], list[str]]: ...
def frames_agree() -> bool | None: ...
def get_level(component: str) -> int: ...
def is_started() -> bool: ...
def journal_levels(directory: str | PathLike[str]) -> list[tuple[str, int]]: ...
def journal_status(directory: str | PathLike[str]) -> dict[str, Any]: ...
def journald_fields(data: bytes, indexes: Sequence[int]) -> list[bytes]:
    """For each canonical line the fields of an entry in systemd's journal, without its message."""

def levels() -> list[tuple[str, int]]: ...
def lines_to_arrow(
    first_index: int,
    lines: bytes,
    filter: Filter | None = None,  # noqa: A002 - the word of the field
    columns: Sequence[str] | None = None,
) -> LineBatches:
    """Canonical lines in the columns of the archive; empty ones are left out."""

def log_event(
    logger: Logger,
    level: int,
    message: object,
    event: tuple[str, str, str],
    fields: dict[str, object],
) -> bool: ...
def log_record(
    component: str,
    level: int,
    message: str,
    location: tuple[str | None, str | None, str | None, int],
    metadata: dict[str, Any],
    exc_info: object = None,
    category: str | None = None,
) -> bool: ...
def otlp_logs(data: bytes, resource: bytes, scope: bytes) -> bytes:
    """OpenTelemetry's `ExportLogsServiceRequest` for canonical lines, one scope for each component.

    `resource` and `scope` are JSON objects of attributes; `ValueError` when they are not.
    """

def neutralise(text: str) -> bytes: ...
def parse_level(level: object) -> int: ...
def parse_time(text: str) -> int | None: ...
def pick(filters: Sequence[Filter], first: int, lines: bytes) -> tuple[list[int] | None, bytes]: ...
def recover(directory: str | PathLike[str]) -> bool: ...
def redact(text: str, directory: str | PathLike[str] | None = None) -> str:
    """A text without what the built-in rules, or those of a journal, take for secrets.

    A text that is a JSON object is redacted by key as well.
    """

def redact_arguments(arguments: dict[Any, Any]) -> dict[Any, Any]:
    """The arguments of `%(name)s` in a message, with texts under sensitive keys redacted; a new dict."""

def render(line: bytes, colour: bool = False, sources: bool = False) -> bytes: ...
def set_context_variable(variable: object) -> None: ...
def set_journal_level(
    directory: str | PathLike[str], component: str, level: int | None, persist: bool
) -> bool: ...
def set_level(component: str, level: int | None) -> bool: ...
def set_trace_source(
    read: Callable[[Any], tuple[str, str] | None] | None = None, variable: object = None
) -> None:
    """Whom to ask for the trace and span id of a record: `read(value of the context variable)`.

    Asked once for each value that the variable takes in a thread; without a variable, for every record.
    """

def statistics() -> dict[str, Any] | None: ...
def checkpoint_parse(note: bytes) -> tuple[str, int, bytes]: ...
def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]: ...
def consistency_verify(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool: ...
def cosign(note: bytes, name: str, seed: bytes, time_s: int) -> str: ...
def cosignature_verify(note: bytes, line: str, vkey: str) -> int: ...
def cosignature_vkey(name: str, seed: bytes) -> str: ...
def ed25519_generate() -> bytes: ...
def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]: ...
def inclusion_verify(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool: ...
def leaf_hash(entry: bytes) -> bytes: ...
def note_sign(text: bytes, name: str, seed: bytes) -> str: ...
def note_verify(note: bytes, vkeys: Sequence[str]) -> list[str]: ...
def note_vkey(name: str, seed: bytes) -> str: ...
def personal_open(key: bytes, subject: str, sealed: bytes) -> bytes | None: ...
def personal_seal(key: bytes, subject: str, value: bytes) -> bytes: ...
def retention_apply(directory: str | PathLike[str]) -> str: ...
def retention_hold(
    directory: str | PathLike[str],
    name: str,
    reason: str,
    from_ns: int | None = None,
    to_ns: int | None = None,
) -> None: ...
def retention_holds(directory: str | PathLike[str]) -> str: ...
def retention_plan(directory: str | PathLike[str]) -> str: ...
def retention_release(
    directory: str | PathLike[str], name: str, reason: str | None = None
) -> None: ...
def seal_commitment(salt: bytes, line: bytes) -> bytes: ...
def seal_consistency(directory: str | PathLike[str], old: int, size: int) -> list[bytes]: ...
def seal_declare(directory: str | PathLike[str], message: str, fields: str) -> None: ...
def seal_erase(
    directory: str | PathLike[str], indices: Sequence[int], reason: str, request: str | None = None
) -> None: ...
def seal_export_tiles(directory: str | PathLike[str], target: str | PathLike[str]) -> int: ...
def seal_prove_lines(directory: str, records: list[tuple[int, bytes]]) -> list[str]: ...
def seal_prove(
    directory: str | PathLike[str], index: int, identities: Sequence[str | PathLike[str]] = ...
) -> tuple[str, bytes]: ...
def seal_prune(
    directory: str | PathLike[str],
    before: int,
    keep_level: int | None = None,
    keep_categories: Sequence[str] = ...,
) -> tuple[int, int, int, int, int]: ...
def seal_request(directory: str | PathLike[str], timeout_s: float) -> int | None: ...
def seal_rotate_key(directory: str | PathLike[str]) -> int: ...
def seal_salts(seed: bytes, count: int) -> list[bytes]: ...
def seal_seen(identity: str) -> tuple[str, str] | None: ...
def seal_verify(
    directory: str | PathLike[str],
    trust: str | None = None,
    seen: Sequence[str] = ...,
    until: int | None = None,
    threads: int = 0,
    progress: Callable[[int, int], object] | None = None,
    identities: Sequence[str | PathLike[str]] = ...,
) -> dict[str, Any]: ...
def seal_verify_proof(
    proof: str, line: bytes, trust: str | None = None
) -> tuple[int, str, int, int | None]: ...
def seal_verify_tiles(
    directory: str | PathLike[str], trust: str | None = None
) -> tuple[str, int, int | None]: ...
def tree_root(leaves: Sequence[bytes]) -> bytes: ...
def vkey_name(vkey: str) -> str: ...

@final
class Identities:
    """Secret keys of age; they leave the native module no more."""

    def __new__(cls, files: Sequence[str | PathLike[str]]) -> Self: ...
    @property
    def recipients(self) -> list[str]:
        """The public halves, `age1…`."""

@final
class MemoryFile:
    """A file that only exists in memory, and is gone with this object."""

    @property
    def path(self) -> PathLike[str]:
        """By which this process opens it, while the object lives."""

    def fileno(self) -> int:
        """The descriptor."""

def age_recipients(recipients: Sequence[str]) -> list[str]:
    """The recipients without doubles. Raises `ConfigurationError` for what is none."""

def age_encrypt(
    plain: str | PathLike[str], path: str | PathLike[str], recipients: Sequence[str]
) -> tuple[int, str]:
    """Encrypts a file; returns length and SHA-256 of what was written."""

def age_decrypt(path: str | PathLike[str], identities: Identities) -> MemoryFile:
    """Decrypts a file into memory."""

def archive_recipients(path: str | PathLike[str]) -> list[str]:
    """Whose identities open an encrypted file, as the facts beside it say."""

def archive_rewrap(
    directory: str | PathLike[str], identities: Identities, recipients: Sequence[str]
) -> tuple[int, int, int]:
    """Encrypts a journal's encrypted files anew: files, bytes, files left as they were."""

def token_build(path: str | PathLike[str]) -> None:
    """Makes the index of words beside a Parquet file."""

def token_check(path: str | PathLike[str]) -> tuple[str, int | None]:
    """`complete`, `missing`, `unusable`, or `hides` and from which index on."""

def token_ranges(
    paths: Sequence[str | PathLike[str]], words: Sequence[str]
) -> list[list[tuple[int, int]]]:
    """For each Parquet file, the index ranges (end exclusive) outside of which no record has all words."""

def words(text: str) -> list[str]:
    """The words of a text as searches compare them, lower-cased."""
