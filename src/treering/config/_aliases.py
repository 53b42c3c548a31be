"""The settings of four other systems, one by one, with their place here or the reason for none.

The page `docs/reference/mapping.md` is generated from these tables. NetLink's names are understood in
files, in arguments and with the prefix `TREERING_LOG_`; all four by `treering config import`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from treering.config import _values as values
from treering.config._foreign import Foreign, absent, by_name, fixed, later, moved, named, turned
from treering.config._foreign import times as times_
from treering.config._retention import audit_days as kept_audit

_METRICS = "system and application metrics"
_ALERTS = "alerts"
_JOURNAL = (
    "the journal is always structured: one JSON object a line, whatever else shows it as text"
)
_ASYNC = "a call never waits for a device: it writes to shared memory, and a native thread goes on"
_SYNC = "the journal is synced within a second, or with every batch: durability=batch"
_FILE = "the journal in `directory` is written anyway; this is a text file besides"

NETLINK = by_name(
    moved("directory", "directory", because="without one, no file is made; there it is `logs`"),
    moved("level", "level"),
    moved(
        "buffer_size",
        "outputs.memory.max_records",
        because="an output `memory` with the newest records; queries read the journal instead",
    ),
    moved("console_enabled", "console"),
    moved("console_level", "console_level"),
    moved("console_colors", "console_colors"),
    moved("console_format", "console_format"),
    moved("file_enabled", "outputs.file.enabled", because=_FILE),
    moved("file_level", "outputs.file.level"),
    moved("file_format", "outputs.file.format"),
    moved("max_file_size", "outputs.file.max_bytes"),
    moved("backup_count", "outputs.file.backup_count"),
    fixed("structured_enabled", always=True, because=_JOURNAL),
    fixed("structured_format", "json", _JOURNAL, values.one_of("json")),
    fixed("include_context", always=True, because="context is a part of the record"),
    moved("date_format", "console_date_format", "outputs.file.date_format"),
    later("performance_enabled", _METRICS),
    later("performance_interval", _METRICS),
    later("performance_alerts", _ALERTS),
    moved("security_enabled", "security_enabled"),
    moved("security_tamper_resistant", "seal", because="decided when the journal is made"),
    absent(
        "security_encryption",
        "`archive_recipients` names the age keys that files of the archive are encrypted to",
    ),
    moved("audit_enabled", "audit_enabled"),
    turned(
        "audit_retention_days",
        "retention_keep",
        read=kept_audit,
        wanted="a whole number of days from 1 to 36500",
        because="records of level AUDIT; what goes otherwise is for `retention_max_age_s` to say",
    ),
    later("streaming_enabled", "streaming to browsers; `treering tail -f` follows a journal"),
    later("streaming_buffer_size", "streaming to browsers"),
    later("alerts_enabled", _ALERTS),
    later("alert_email", _ALERTS),
    later("alert_webhook", _ALERTS),
    later("alert_slack", _ALERTS),
    turned(
        "compression_enabled",
        "outputs.file.compression_enabled",
        read=values.boolean,
        wanted="true or false",
        because="of the text file's old files",
    ),
    moved("compression_algorithm", "outputs.file.compression"),
    moved("archive_enabled", "archive"),
    turned(
        "archive_after_days",
        "archive_after_s",
        read=times_(86_400, 0, 36_500),
        wanted="a number of days from 0 to 36500",
    ),
    turned("silence_third_party", "silence.enabled", read=values.boolean, wanted="true or false"),
    turned(
        "third_party_level",
        "silence.level",
        read=values.level,
        wanted="a level name or a number from 0 to 100",
    ),
    turned(
        "third_party_loggers",
        "silence.loggers",
        read=values.words,
        wanted="logger names, as a list or separated by commas",
    ),
    fixed("async_logging", always=True, because=_ASYNC),
    absent("queue_size", "the ring is measured in bytes: ring_bytes"),
    absent("flush_interval", _SYNC),
)
"""NetLink's 40 fields; a variable `NETLINK_LOG_X` is `TREERING_LOG_X` here."""

_BURST = "`treering.catalog.BurstFilter` counts repeats, in code"
_POSEIDONOS_LEVELS = {
    "debug": "DEBUG",
    "info": "INFO",
    "trace": "NOTICE",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "off": "OFF",
}

POSEIDONOS = by_name(
    turned(
        "logfile_size_in_mb",
        "outputs.file.max_bytes",
        read=times_(1 << 20, 1, 2000),
        wanted="a number from 1 to 2000",
    ),
    turned(
        "logfile_rotation_count",
        "outputs.file.backup_count",
        read=values.whole(1, 100),
        wanted="a whole number from 1 to 100",
    ),
    turned(
        "min_allowable_log_level",
        "level",
        read=named(_POSEIDONOS_LEVELS),
        wanted=f"one of {', '.join(_POSEIDONOS_LEVELS)}",
        because="their `trace` stands between info and warning: NOTICE",
    ),
    turned(
        "enable_structured_logging",
        "outputs.file.format",
        read=lambda value: "poseidonos" if values.boolean(value) else "standard",
        wanted="true or false",
        because="the journal is structured in any case",
    ),
    absent("enable_burst_filter", _BURST),
    absent("burst_filter_window_size", _BURST),
)
"""The section `logger` of PoseidonOS's `pos.conf`."""

_SENSOR_LEVELS = {
    "0": "DEBUG",
    "1": "INFO",
    "2": "WARNING",
    "3": "ERROR",
    "4": "CRITICAL",
    "5": "OFF",
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARNING",
    "error": "ERROR",
    "fatal": "CRITICAL",
    "off": "OFF",
}
_SENSOR_LEVEL = named(_SENSOR_LEVELS)


def _sensor_levels(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004 - readers have one exception
    return {str(component): _SENSOR_LEVEL(level) for component, level in value.items()}


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - readers have one exception
    _ = urlsplit(value if "://" in value else f"udp://{value}").port
    return value


SENSOR_HUB = by_name(
    turned(
        "global_log_level",
        "level",
        read=_SENSOR_LEVEL,
        wanted="DEBUG, INFO, WARN, ERROR, FATAL, OFF or their numbers 0 to 5",
    ),
    turned(
        "component_log_levels",
        "levels",
        read=_sensor_levels,
        wanted="levels by component",
    ),
    moved("log_format", "console_format", "outputs.file.format"),
    moved("outputs", "outputs"),
    fixed("async_logging_enabled", always=True, because=_ASYNC),
    moved("async_buffer_size", "ring_bytes"),
    moved("log_file_path", "outputs.file.path"),
    moved("rotation_config_max_file_size", "outputs.file.max_bytes"),
    moved("rotation_config_max_file_count", "outputs.file.backup_count"),
    turned(
        "rotation_config_max_age",
        "outputs.file.backup_max_age_s",
        read=times_(3600, 1, 1 << 20),
        wanted="hours",
        because="hours there, seconds here",
    ),
    turned(
        "rotation_config_compress_old_files",
        "outputs.file.compression_enabled",
        read=values.boolean,
        wanted="true or false",
    ),
    moved(
        "rotation_config_rotation_pattern",
        "outputs.file.naming",
        because="the places in a name are called {stem}, {time}, {n}, …",
    ),
    turned(
        "log_server_url",
        "outputs.network.url",
        read=_address,
        wanted="an address such as https://logs.example.com/in or udp://logs.example.com:514",
        because="http, https, udp, tcp or tls",
    ),
    moved("log_server_port", "outputs.network.port"),
    moved("network_logging_enabled", "outputs.network.enabled"),
    moved("max_message_length", "max_message_bytes"),
    absent("flush_interval", _SYNC),
    absent(
        "compile_time_filtering",
        "TREERING_STRIP=INFO, or treering.strip, turns calls below a level into no-ops",
    ),
)
"""`LoggerConfig` and `LogRotationConfig` of the ASF Sensor Hub."""

_HYPERVISOR_LEVELS = {
    "0": "ERROR",
    "1": "WARNING",
    "2": "INFO",
    "3": "DEBUG",
    "4": "TRACE",
    "error": "ERROR",
    "warn": "WARNING",
    "warning": "WARNING",
    "info": "INFO",
    "debug": "DEBUG",
    "trace": "TRACE",
}
_HYPERVISOR_WANTED = "ERROR, WARNING, INFO, DEBUG or their numbers 0 to 3, where 0 is the worst"

HYPERVISOR = by_name(
    turned("min_level", "level", read=named(_HYPERVISOR_LEVELS), wanted=_HYPERVISOR_WANTED),
    absent("flags", "no flag has a name there; what flags could switch is a setting of its own"),
    moved("log_file_path", "outputs.file.path"),
    moved("max_file_size", "outputs.file.max_bytes"),
    moved("rotation_count", "outputs.file.backup_count"),
    turned("log_level", "level", read=named(_HYPERVISOR_LEVELS), wanted=_HYPERVISOR_WANTED),
    moved("log_file", "outputs.file.path"),
    moved("max_size", "outputs.file.max_bytes"),
    moved("max_files", "outputs.file.backup_count"),
    fixed("timestamps", always=True, because="every record has its time"),
    moved("console_output", "console"),
)
"""`struct logger_config` of the Virtual Machine System Management, as documented and as in the header."""

SYSTEMS: Mapping[str, Mapping[str, Foreign]] = MappingProxyType(
    {
        "netlink": NETLINK,
        "poseidonos": POSEIDONOS,
        "sensor-hub": SENSOR_HUB,
        "hypervisor": HYPERVISOR,
    }
)
