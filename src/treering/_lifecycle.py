"""Starting and ending: `configure`, `flush`, `shutdown`, and what happens without being asked."""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import time

from treering import _core
from treering._border import attempt
from treering._flat import flat, gone, levels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from treering.config import LoggingConfig
    from treering.outputs import Output
    from treering.outputs._running import RunningOutputs

EXIT_TIMEOUT_S = 5.0

# Settings whose change needs no new ring.
_CHANGES_ALIVE = frozenset(
    {
        "capture_stdlib",
        "level",
        "levels",
        "outputs",
        "reload_interval_s",
        "reload_on_hangup",
        "silence",
    }
)

_config: LoggingConfig | None = None
_request: tuple[str | None, str | os.PathLike[str] | None, dict[str, object]] = (None, None, {})
_outputs: RunningOutputs | None = None
_captured: Any = None
_reloading = _thread.allocate_lock()
# Taken again by a signal handler that logs while its thread is starting.
_starting = _thread.RLock()
_refusal = ""


def configure(
    profile: str | None = None,
    *,
    config_file: str | os.PathLike[str] | None = None,
    **settings: object,
) -> LoggingConfig:
    """Sets logging up for this process. Without it, the first record does so from the environment.

    Calling it again replaces the configuration: what was logged before is flushed first. With the same
    journal, an AUDIT record says what has changed.

    Args:
        profile: `development`, `testing`, `production`, `debug`, or one that the file defines; settings
            win over it.
        config_file: A YAML, TOML or JSON file; `auto` for `treering.yaml`, `.yml`, `.toml`, `.json` or
            `pyproject.toml` in the working directory. Without it, `TREERING_CONFIG` names one.
        **settings: Any setting of `treering.config.SETTINGS`, e.g. `directory="logs"`, `level="DEBUG"`.

    Raises:
        ConfigurationError: A setting is unknown or its value cannot be used.
        JournalUnavailable: The journal's directory cannot be made, read or written, or others can
            write to it.
    """
    global _request  # noqa: PLW0603 - the process has one configuration
    from treering.config import resolve

    config = resolve(profile, settings, config_file=config_file)
    _begin(config)
    _request = profile, config_file, settings
    return config


def set_logging_profile(profile: str) -> LoggingConfig:
    """Configures again as the last time, with another profile.

    Raises:
        ConfigurationError: There is no such profile.
    """
    start()
    _, config_file, settings = _request
    return configure(profile, config_file=config_file, **settings)


def reload() -> LoggingConfig:
    """Reads file and environment again, as the last `configure` did, and puts into force what changed.

    Levels and outputs change while everything goes on; for other settings what was logged before is
    flushed first. An AUDIT record says what changed.

    Raises:
        ConfigurationError: What is there now cannot be used; the old configuration stays in force.
        JournalUnavailable: As `configure`; the old configuration stays in force.
    """
    from treering.config import resolve

    start()
    profile, config_file, settings = _request
    with _reloading:
        config, old = resolve(profile, settings, config_file=config_file), _config
        if old is None or any(
            config.values[name] != old.values[name]
            for name in config.values
            if name not in _CHANGES_ALIVE
        ):
            _begin(config, _added_by_hand(old))
        elif config != old:
            _change(config, old)
    return config


def _added_by_hand(config: LoggingConfig | None) -> list[Output]:
    """Outputs that `add_output` started: a file that changes does not end them."""
    if _outputs is None or config is None:
        return []
    return [output for output in _outputs.outputs() if output.name not in config.outputs]


def _begin(config: LoggingConfig, kept: Iterable[Output] = ()) -> None:
    """Puts a configuration into force from the ground up, and goes on with the outputs in `kept`."""
    global _config  # noqa: PLW0603 - the process has one configuration
    from treering import _changes

    outputs = _built(config)
    directory, old = config.directory, _config
    is_new = (
        directory is not None
        and config.seal is not False
        and not os.access(f"{directory}/journal.json", os.F_OK)
    )
    _end_outputs(EXIT_TIMEOUT_S)
    changes = None
    try:
        changes = _core.configure(flat(config))
    finally:
        if changes is None and old is not None:
            _start_outputs([*_built(old), *kept])
    _config = config
    if old is not None and directory is not None and old.directory == directory:
        changes += _core.configure_levels(levels(config), gone(old, config))
        _changes.tell_difference(_changes.difference(old, config))
    _changes.tell_levels(changes, "configuration")
    _start_outputs([*outputs, *kept])
    _go_on(config)
    _changes.tell_notices(config)
    # A profile that has no console, such as production's, still shows it.
    if is_new and (config.console or config.sources["console"] == "profile production"):
        from treering._keys import tell_pin

        tell_pin(str(directory))


def _change(config: LoggingConfig, old: LoggingConfig) -> None:
    """Puts a configuration into force that differs only in what can change while everything goes on."""
    global _config  # noqa: PLW0603 - the process has one configuration
    from treering import _changes

    outputs = _built(config)
    changes = _core.configure_levels(levels(config), gone(old, config))
    _config = config
    if config.outputs != old.outputs:
        _exchange(outputs, config, old)
    _go_on(config)
    if config.directory is not None:
        _changes.tell_difference(_changes.difference(old, config))
        _changes.tell_levels(changes, "configuration")
    _changes.tell_notices(config)


def _built(config: LoggingConfig) -> list[Output]:
    if not config.outputs:
        return []
    from treering.outputs._build import build_all

    return build_all(config.outputs, config.sources)


def _start_outputs(outputs: list[Output]) -> None:
    for output in outputs:
        _running_outputs().add(output)


def _exchange(outputs: list[Output], config: LoggingConfig, old: LoggingConfig) -> None:
    """Ends, starts and replaces outputs where the configuration has changed."""
    from treering.outputs._build import changed

    concerned = changed(old.outputs, config.outputs)
    running = _running_outputs()
    kept = {output.name for output in outputs}
    for name in running.names():
        if name in concerned and name not in kept:
            running.remove(name, EXIT_TIMEOUT_S)
    for output in outputs:
        if output.name in concerned:
            running.replace(output, EXIT_TIMEOUT_S)


def _go_on(config: LoggingConfig) -> None:
    """What a configuration has going on beside the records: the bridge, and the watch over its file."""
    _bridge(config)
    _watch_file(config)
    _copy_archive(config.directory, config.archive_to)


def _copy_archive(directory: str | None, to: str | None) -> None:
    """Has the archive copied to its second place, or no longer."""
    if to or "treering.archive._copying" in sys.modules:
        from treering.archive import _copying

        _copying.follow(directory, to, EXIT_TIMEOUT_S)


def _watch_file(config: LoggingConfig) -> None:
    is_wanted = bool(config.reload_interval_s or config.reload_on_hangup)
    if config.file is None or not is_wanted:
        watch = sys.modules.get("treering._watch")
        if watch is not None:
            watch.stop()
        return
    from treering import _watch

    _watch.start(config.file, config.reload_interval_s, _look_again)
    if config.reload_on_hangup:
        _watch.on_hangup()


def _look_again() -> None:
    global _refusal  # noqa: PLW0603 - the last one, so that it is told once
    from treering import _changes

    # A class that the file names may raise anything.
    _, error = attempt(reload)
    if error is not None and str(error) != _refusal:
        _changes.tell_refusal(error)
    _refusal = "" if error is None else str(error)


def _bridge(config: LoggingConfig) -> None:
    global _captured  # noqa: PLW0603 - the process has one bridge of its configuration's
    if _captured is not None:
        _captured.release()
        _captured = None
    if config.capture_stdlib:
        import treering

        _captured = treering.capture_stdlib(silence=config.silence)


def get_logging_config() -> LoggingConfig:
    """The configuration in force."""
    start()
    return _config or configure()


def logs_to(directory: str) -> bool:
    """Whether this process logs into the journal in this directory."""
    return _core.is_started() and _config is not None and _config.directory == directory


def start() -> None:
    """Makes sure that logging is set up; does nothing when it is.

    A log call may be what starts it, and that never raises: an environment that cannot be used is
    reported once on standard error, and the console shows the records.
    """
    with _starting:
        if not _core.is_started():
            _start()


def _start() -> None:
    from treering.config import resolve

    _, error = attempt(configure)
    if error is not None:
        print(f"treering: {error}; logging to the console only", file=sys.stderr)  # noqa: T201
        _begin(resolve(None, {}, environment={}))


def _after_fork() -> None:
    """The parent's locks may be held by a thread that does not run here."""
    global _reloading, _starting  # noqa: PLW0603 - the process has one of each
    _reloading = _thread.allocate_lock()
    _starting = _thread.RLock()


os.register_at_fork(after_in_child=_after_fork)


def flush(timeout_s: float = 30.0, *, durable: bool = False) -> bool:
    """Waits until everything logged before is in the journal, on the console, and at the outputs.

    Outputs that another process of the journal runs are not waited for, nor those that cannot write at
    the moment: the journal keeps what they miss.

    Args:
        timeout_s: Seconds to wait.
        durable: Wait until it is on the device as well.

    Returns:
        False when that took longer than `timeout_s`, or an output could not write.
    """
    deadline = time.monotonic() + timeout_s
    is_flushed = _core.flush(timeout_s, durable=durable)
    if _outputs is None:
        return is_flushed
    return _outputs.flush(max(0.0, deadline - time.monotonic())) and is_flushed


def shutdown(timeout_s: float = EXIT_TIMEOUT_S) -> bool:
    """Flushes and ends this process's logging. A later record starts it again.

    Returns:
        False when records were still waiting after `timeout_s`; a journal gets them from the next
        process that opens it.
    """
    _core.flush(timeout_s)
    _end_outputs(timeout_s)
    _copy_archive(None, None)
    return _core.close(timeout_s)


def _end_outputs(timeout_s: float) -> None:
    global _outputs
    ended, _outputs = _outputs, None
    if ended is not None:
        _core.flush(timeout_s)
        ended.close(timeout_s)


def _running_outputs() -> RunningOutputs:
    global _outputs  # noqa: PLW0603 - the process has one set of outputs
    start()
    from treering.outputs._running import RunningOutputs

    with _starting:
        if _outputs is None:
            directory = get_logging_config().directory
            _outputs = RunningOutputs(None if directory is None else str(directory))
        return _outputs


def add_output(output: Output) -> None:
    """Starts an output while the program runs: it gets what is logged from now on.

    An output that the journal knows by its name goes on where it stopped.

    Raises:
        ConfigurationError: There is an output of this name, or its fallback is no output.
    """
    _running_outputs().add(output, tell=True)


def remove_output(name: str, timeout_s: float = EXIT_TIMEOUT_S) -> bool:
    """Ends an output after what was logged before.

    Returns:
        False when something was left undelivered after `timeout_s`.

    Raises:
        ConfigurationError: There is no output of this name.
    """
    outputs = _running_outputs()
    _core.flush(timeout_s)
    return outputs.remove(name, timeout_s)


def list_outputs() -> list[dict[str, Any]]:
    """The outputs of this process, and how each is doing.

    Keys: `name`, `kind`, `scope`, `up`, `running` (false while another process of the journal runs it),
    `index` (the next record to be delivered), `behind` (records still to come), `lost` (records that
    never will: without a journal, or pruned before), `own` (left out because outputs logged them while
    they wrote), `cursor_error` (why the cursor's file is behind), `written`, `refused`, `failures`,
    `errors` by kind,
    `last_error`, `active` (which of it and its fallbacks is written to), `fallbacks`.
    """
    return [] if _outputs is None else _outputs.statistics()


def statistics() -> dict[str, Any]:
    """Counts of what was logged, dropped, cut and written; empty before the first record.

    Keys beginning with `journal_` are those of all processes of the journal together, since the first
    of them started. `ring_private_because` says why records would die with this process, `last_error`
    what keeps the journal from being written at the moment.
    """
    counts = _core.statistics() or {}
    if _outputs is not None:
        counts["outputs"] = list_outputs()
    return counts


def in_child() -> None:
    """Called once in a forked child, at its first record."""
    global _outputs  # noqa: PLW0603 - the process has one set of outputs
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        # Children of multiprocessing end without `atexit`, but with these.
        util.Finalize(None, _flush_at_exit, exitpriority=-100)
    if _outputs is not None:
        _outputs = _outputs.in_child()
    if _config is not None:
        _watch_file(_config)


def _flush_at_exit() -> None:
    _core.flush(EXIT_TIMEOUT_S)
    _end_outputs(EXIT_TIMEOUT_S)


@atexit.register
def _at_exit() -> None:
    try:
        _flush_at_exit()
    finally:
        _core.close_at_exit()
