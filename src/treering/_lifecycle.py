"""Starting and ending: `configure`, `flush`, `shutdown`, and what happens without being asked."""

from __future__ import annotations

import atexit
import os
import sys
import time

from treering import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from treering.config import LoggingConfig
    from treering.outputs import Output
    from treering.outputs._running import RunningOutputs

EXIT_TIMEOUT_S = 5.0
PIN_TIMEOUT_S = 5.0

_config: LoggingConfig | None = None
_outputs: RunningOutputs | None = None


def configure(profile: str | None = None, **settings: object) -> LoggingConfig:
    """Sets logging up for this process. Without it, the first record does so from the environment.

    Calling it again replaces the configuration: what was logged before is flushed first.

    Args:
        profile: `development`, `testing`, `production` or `debug`; settings win over it.
        **settings: Any setting of `treering.config.SETTINGS`, e.g. `directory="logs"`, `level="DEBUG"`.

    Raises:
        ConfigurationError: A setting is unknown or its value cannot be used.
        JournalUnavailable: The journal's directory cannot be made, read or written, or others can
            write to it.
    """
    global _config  # noqa: PLW0603 - the process has one configuration
    from treering.config import resolve

    config = resolve(profile, settings)
    directory = config.values["directory"]
    is_new = (
        directory is not None
        and config.values["seal"] is not False
        and not os.access(f"{directory}/journal.json", os.F_OK)
    )
    _end_outputs(EXIT_TIMEOUT_S)
    _core.configure(_flat(config))
    _config = config
    # A profile that has no console, such as production's, still shows it.
    if is_new and (config.values["console"] or config.sources["console"] == "profile production"):
        _tell_pin(str(directory))
    return config


def _tell_pin(directory: str) -> None:
    """Shows the line to pin, once, to whoever made the journal."""
    from treering._keys import pin
    from treering.errors import TreeringError

    deadline = time.monotonic() + PIN_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            line = pin(directory)
        except TreeringError:
            # The leader is just making it.
            time.sleep(0.005)
            continue
        print(  # noqa: T201
            f"treering: new journal '{directory}'. To verify it anywhere, keep this line elsewhere:\n"
            f"  {line}",
            file=sys.stderr,
        )
        return


def get_logging_config() -> LoggingConfig:
    """The configuration in force."""
    start()
    return _config or configure()


def start() -> None:
    """Makes sure that logging is set up; does nothing when it is.

    A log call may be what starts it, and that never raises: an environment that cannot be used is
    reported once on standard error, and the console shows the records.
    """
    global _config  # noqa: PLW0603 - the process has one configuration
    if _core.is_started():
        return
    from treering.config import resolve
    from treering.errors import TreeringError

    try:
        configure()
    except TreeringError as error:
        print(f"treering: {error}; logging to the console only", file=sys.stderr)  # noqa: T201
        _config = resolve(None, {}, environment={})
        _core.configure(_flat(_config))


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
    if _outputs is None:
        from treering.outputs._running import RunningOutputs

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
    never will, only without a journal), `written`, `refused`, `failures`, `errors` by kind,
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


def _flat(config: LoggingConfig) -> dict[str, object]:
    values = dict(config.values)
    levels = dict(values.pop("levels"))  # type: ignore[call-overload]
    level = values.pop("level")
    if level is not None:
        levels[""] = level
    values["levels"] = list(levels.items())
    colors = values.pop("console_colors")
    values["console_colour"] = _is_colourful() if colors is None else colors
    return values


def _is_colourful() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return os.isatty(2)
    except OSError:
        return False


def in_child() -> None:
    """Called once in a forked child, at its first record."""
    global _outputs  # noqa: PLW0603 - the process has one set of outputs
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        # Children of multiprocessing end without `atexit`, but with these.
        util.Finalize(None, _flush_at_exit, exitpriority=-100)
    if _outputs is not None:
        _outputs = _outputs.in_child()


def _flush_at_exit() -> None:
    _core.flush(EXIT_TIMEOUT_S)
    _end_outputs(EXIT_TIMEOUT_S)


@atexit.register
def _at_exit() -> None:
    _flush_at_exit()
    _core.close_at_exit()
