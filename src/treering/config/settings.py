"""The table of settings: every option of Treering, once.

Keyword arguments of `treering.configure`, environment variables, error messages and the reference page
are derived from `SETTINGS`; a setting is added here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

from treering.config import _mappings as mappings
from treering.config import _retention as retention
from treering.config import _values as values

ENVIRONMENT_PREFIX = "TREERING_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One option: its name, how it is read, what it is without being set, and what it is for."""

    name: str
    read: Callable[[object], object]
    default: object
    wanted: str
    help: str
    scope: str
    """`process`, or `journal` for what concerns all writers of a journal and is kept with it."""

    variable_name: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + (self.variable_name or self.name.upper())


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "directory",
        values.path_or_none,
        None,
        "a path, or nothing for no journal",
        "Directory of the journal. Without one, records go to the console only and no file is made.",
        "process",
        "LOG_DIRECTORY",
    ),
    Setting(
        "level",
        values.level_or_none,
        None,
        "a level name (TRACE DEBUG INFO WARNING ERROR CRITICAL OFF) or a number from 0 to 100",
        "Threshold of all components without one of their own. Default: INFO, or the journal's.",
        "process",
        "LOG_LEVEL",
    ),
    Setting(
        "levels",
        values.levels,
        {},
        "component=LEVEL pairs, e.g. auth=DEBUG,auth.session=ERROR",
        "Thresholds by component, inherited down the dots.",
        "process",
        "LOG_LEVELS",
    ),
    Setting(
        "console",
        values.boolean,
        True,
        "true or false",
        "Show this process's records on standard error.",
        "process",
        "LOG_CONSOLE_ENABLED",
    ),
    Setting(
        "console_format",
        values.record_format,
        "text",
        "text, json, a preset such as STANDARD, a shape such as ecs, or a template",
        "text: one readable line for each record; json: the record itself; or any format of the guide"
        " to formats.",
        "process",
        "LOG_CONSOLE_FORMAT",
    ),
    Setting(
        "console_date_format",
        values.optional(values.date_format),
        None,
        "as strftime takes it, e.g. %H:%M:%S",
        "Times on the console. Default: %Y-%m-%d %H:%M:%S, or what the format has.",
        "process",
        "LOG_DATE_FORMAT",
    ),
    Setting(
        "console_level",
        values.level,
        0,
        "a level name or a number from 0 to 100",
        "Least level on the console, where fewer records shall be shown than kept. SECURITY and AUDIT"
        " are shown whatever it is.",
        "process",
        "LOG_CONSOLE_LEVEL",
    ),
    Setting(
        "console_colors",
        values.tristate,
        None,
        "true, false or auto",
        "Colour by level. auto: when standard error is a terminal and NO_COLOR is not set.",
        "process",
        "LOG_CONSOLE_COLORS",
    ),
    Setting(
        "silence",
        mappings.silence,
        {},
        "logger=LEVEL pairs or logger names, e.g. urllib3,asyncio=ERROR",
        "Noisy components, which log from WARNING up, or from the level given. Default: none; in the"
        " production profile urllib3, requests, asyncio, websockets, sqlalchemy.",
        "process",
        "LOG_SILENCE",
    ),
    Setting(
        "capture_stdlib",
        values.boolean,
        False,
        "true or false",
        "Send everything that the standard library's logging gets into Treering, as"
        " treering.capture_stdlib() does.",
        "process",
        "LOG_CAPTURE_STDLIB",
    ),
    Setting(
        "outputs",
        mappings.outputs,
        {},
        "outputs by name, each with a type and its options; JSON in the environment",
        "Where records go besides the journal and the console.",
        "process",
    ),
    Setting(
        "reload_interval_s",
        values.seconds(0.0, 86_400.0),
        0.0,
        "seconds from 0 to 86400",
        "How often the configuration file is looked at; what has changed comes into force. 0: never.",
        "process",
    ),
    Setting(
        "reload_on_hangup",
        values.boolean,
        False,
        "true or false",
        "Read the configuration file again on SIGHUP.",
        "process",
    ),
    Setting(
        "ring_bytes",
        values.bytes_between(16 << 10, 1 << 30),
        1 << 20,
        "a size from 16KB to 1GB",
        "Size of this process's ring; rounded up to a power of two.",
        "process",
    ),
    Setting(
        "overflow",
        values.overflow,
        "block",
        "block, drop_oldest, drop_newest or drop_below=LEVEL",
        "What happens to a record when the ring is full. Every drop is counted and journalled.",
        "process",
    ),
    Setting(
        "block_timeout_s",
        values.seconds(0.0, 3600.0),
        1.0,
        "seconds from 0 to 3600",
        "How long a call may wait for room in the ring before its record is dropped.",
        "process",
    ),
    Setting(
        "max_message_bytes",
        values.bytes_between(64, 16 << 20),
        64 << 10,
        "a size from 64 bytes to 16MB",
        "Longer messages are cut, visibly, and counted.",
        "process",
    ),
    Setting(
        "security_enabled",
        values.boolean,
        True,
        "true or false",
        "Keep records of level SECURITY, which no threshold drops.",
        "process",
        "LOG_SECURITY_ENABLED",
    ),
    Setting(
        "audit_enabled",
        values.boolean,
        True,
        "true or false",
        "Keep records of level AUDIT, which no threshold drops.",
        "process",
        "LOG_AUDIT_ENABLED",
    ),
    Setting(
        "segment_max_bytes",
        values.optional(values.bytes_between(4096, 1 << 40)),
        None,
        "a size of 4KB or more",
        "Rotate the active segment at this size. Default: 64MB.",
        "journal",
    ),
    Setting(
        "segment_max_age_s",
        values.optional(values.whole(0, 1 << 40)),
        None,
        "whole seconds, 0 for no limit",
        "Rotate the active segment this long after its first record. Default: no limit.",
        "journal",
    ),
    Setting(
        "durability",
        values.optional(values.one_of("process", "batch")),
        None,
        "process or batch",
        "process: records survive any death of processes and reach the device within a second;"
        " batch: every batch is synced. Default: process.",
        "journal",
    ),
    Setting(
        "seal",
        values.optional(values.boolean),
        None,
        "true or false",
        "Seal the journal: commit to every record in a signed Merkle tree. Decided when the journal is"
        " made. Default: true.",
        "journal",
    ),
    Setting(
        "origin",
        values.optional(values.text),
        None,
        "a URL without scheme, without spaces and plus signs",
        "Name of the journal in its signatures. Decided when the journal is made. Default: host name"
        " and a random number.",
        "journal",
        "SEAL_ORIGIN",
    ),
    Setting(
        "seal_keys",
        values.path_or_none,
        None,
        "a path, or nothing for the journal's own directory",
        "Directory for the private keys, e.g. on a tmpfs. Decided when the journal is made.",
        "journal",
    ),
    Setting(
        "checkpoint_interval_s",
        values.optional(values.whole(0, 86_400)),
        None,
        "whole seconds from 0 to 86400",
        "A checkpoint is signed at most this long after a record arrived. Default: 10; 1 in the"
        " production profile.",
        "journal",
    ),
    Setting(
        "epoch_max_age_s",
        values.optional(values.whole(0, 86_400)),
        None,
        "whole seconds from 0 to 86400",
        "The signing key is replaced, and the old one destroyed, after this long with records."
        " Default: 60. 0: with every batch.",
        "journal",
    ),
    Setting(
        "retention_min_age_s",
        values.optional(values.whole(0, 1 << 40)),
        None,
        "whole seconds, 0 for no promise",
        "Records are pruned only when they are older than this: the journal's first record promises"
        " it. Decided when the journal is made. Default: 0.",
        "journal",
    ),
    Setting(
        "archive",
        values.optional(values.boolean),
        None,
        "true or false",
        "Turn closed segments into Parquet files in the background; the JSON Lines are removed once every"
        " line rebuilt from the file was found to be the same. Default: true.",
        "journal",
    ),
    Setting(
        "archive_after_s",
        values.optional(values.whole(0, 1 << 40)),
        None,
        "whole seconds, 0 for at once",
        "A closed segment is archived this long after its last record. Default: 3600: the last hour"
        " stays plain text.",
        "journal",
    ),
    Setting(
        "archive_cpu",
        values.optional(values.seconds(0.01, 1.0)),
        None,
        "a share of one core from 0.01 to 1",
        "How much of one core archiving may use. Default: 0.25.",
        "journal",
    ),
    Setting(
        "archive_recipients",
        values.optional(values.words),
        None,
        "age recipients, e.g. age1...",
        "Who can read the files of the archive: age public keys that they are encrypted to. Default:"
        " none, the files are not encrypted.",
        "journal",
    ),
    Setting(
        "retention_max_age_s",
        values.optional(retention.duration),
        None,
        "seconds, or a time such as 30d; 0 for no limit",
        "Records older than this go, but for what `retention_keep` keeps. Default: no limit.",
        "journal",
    ),
    Setting(
        "retention_max_bytes",
        values.optional(values.bytes_between(0, 1 << 60)),
        None,
        "a size such as 20GB; 0 for no limit",
        "The oldest records go when segments and archive are larger than this. Default: no limit.",
        "journal",
    ),
    Setting(
        "retention_max_files",
        values.optional(values.whole(0, 1 << 40)),
        None,
        "a whole number; 0 for no limit",
        "The oldest records go when there are more segments and files of the archive than this."
        " Default: no limit.",
        "journal",
    ),
    Setting(
        "retention_min_free",
        values.optional(retention.min_free),
        None,
        "a size such as 1GB or a share of the file system such as 5%; 0 for none",
        "When less of the journal's file system is free, an emergency clean-up takes the oldest records"
        " that no rule keeps. Default: none, a full disk deletes nothing.",
        "journal",
    ),
    Setting(
        "retention_keep",
        values.optional(retention.keep),
        None,
        "LEVEL=TIME or category:NAME=TIME pairs, where a time is 365d or 4x, e.g."
        " ERROR=4x,category:security=7y",
        "What is kept longer: a level and those above it, or a category, so many times as long as the"
        " rest or for a time of its own. Default: ERROR=4x.",
        "journal",
    ),
    Setting(
        "archive_to",
        values.optional(retention.place),
        None,
        "a directory, s3://BUCKET/PREFIX or nothing",
        "Second place: files of the archive are copied there, and retention removes none that is not"
        " there yet. Options follow a question mark: ?endpoint=https://…&region=…",
        "journal",
    ),
    Setting(
        "redaction",
        values.optional(values.boolean),
        None,
        "true or false",
        "Take secrets out of records before they leave the process's memory: by key and by form."
        " Default: true.",
        "journal",
    ),
    Setting(
        "redaction_keys",
        values.optional(values.words),
        None,
        "key names, e.g. tax_id,iban",
        "Keys whose values are secret, besides the built-in ones; they match as the last words of a key.",
        "journal",
    ),
    Setting(
        "redaction_allow_keys",
        values.optional(values.words),
        None,
        "key names, e.g. csrf_token",
        "Keys whose values are not secret although they look it.",
        "journal",
    ),
    Setting(
        "redaction_patterns",
        values.optional(values.patterns),
        None,
        "regular expressions by name, or names of built-in patterns to switch on",
        "More secrets by form: regular expressions by name (of a group named secret, only that), and"
        " built-in rules by name with true or false. As text: names, or JSON.",
        "journal",
    ),
    Setting(
        "redaction_action",
        values.optional(values.actions),
        None,
        "mask, hash or drop, or rule=ACTION pairs, e.g. card=hash,keys=drop",
        "What happens to a secret: a fixed text takes its place, a pseudonym, or nothing. Default: mask.",
        "journal",
    ),
    Setting(
        "redaction_text",
        values.optional(values.text),
        None,
        "at most 64 bytes of plain text",
        "What masked secrets are replaced by. Default: [REDACTED].",
        "journal",
    ),
    Setting(
        "redaction_key_file",
        values.path_or_none,
        None,
        "a path, or nothing for the journal's own directory",
        "File with the key for pseudonyms, 16 bytes or more; made when there is none.",
        "journal",
    ),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
