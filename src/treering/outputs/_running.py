"""The outputs that this process runs."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from treering._levels import Level
from treering.errors import ConfigurationError, TreeringError
from treering.outputs._output import Output
from treering.outputs._runner import Runner, log
from treering.outputs._source import JournalSource, ProcessSource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class RunningOutputs:
    """Outputs by name, each with its thread.

    Args:
        directory: The journal that this process logs into; `None` when there is none.
    """

    def __init__(self, directory: str | None) -> None:
        self.directory = directory
        self._runners: dict[str, Runner] = {}
        self._changing = threading.RLock()
        self._process = os.getpid()

    def add(self, output: Output, *, tell: bool = False) -> None:
        """Starts an output, which gets what is logged from now on, or goes on where it stopped.

        Args:
            output: What to start, with its fallbacks.
            tell: Leave an AUDIT record even when the journal has seen this output before.

        Raises:
            ConfigurationError: One of its names is taken, or a fallback is no output.
        """
        with self._changing:
            chain = list(self._chain(output))
            runner = Runner(chain, self._source(chain, tell=tell))
            runner.start()
            self._runners[output.name] = runner

    def _chain(self, output: Output) -> Iterable[Output]:
        taken = {lane.output.name for runner in self._runners.values() for lane in runner.lanes}
        link: Output | str | None = output
        while link is not None:
            if not isinstance(link, Output):
                raise ConfigurationError(
                    f"fallback {link!r} of output '{output.name}' is no output: give the output itself",
                    code="fallback_unknown",
                    field=f"outputs.{output.name}.fallback",
                )
            if link.name in taken:
                raise ConfigurationError(
                    f"there is an output '{link.name}' already: another name would be right",
                    code="output_name_taken",
                    field="name",
                )
            taken.add(link.name)
            yield link
            link = link.fallback

    def _source(self, chain: list[Output], *, tell: bool) -> JournalSource | ProcessSource:
        output = chain[0]
        if self.directory is None or output.scope == "process":
            if tell:
                log(Level.AUDIT, f"output {output.name} added", {"output": output.describe()})
            return ProcessSource(output, holds=output.holds_back and self.directory is None)
        description = output.describe()
        source = JournalSource(self.directory, output, description)
        for link in chain:
            link.follows(source.identity())
        try:
            before = source.found()
            # At once, so that a flush that follows knows that it is for this process to wait.
            source.acquire()
        except (OSError, TreeringError):
            # Its thread tries again, and tells.
            before = None
        if before is None or tell:
            log(Level.AUDIT, f"output {output.name} added", {"output": description})
        elif before != description:
            facts = {"output": description, "before": before}
            log(Level.AUDIT, f"output {output.name} changed", facts)
        return source

    def remove(self, name: str, timeout_s: float) -> bool:
        """Ends an output after what was logged before; its cursor is forgotten.

        Returns:
            False when something was left undelivered.

        Raises:
            ConfigurationError: There is no output of this name.
        """
        runner = self._runners.pop(name, None)
        if runner is None:
            known = ", ".join(self._runners) or "none"
            raise ConfigurationError(
                f"there is no output '{name}': one of {known} would be right",
                code="output_unknown",
                field="name",
            )
        is_done = runner.stop(timeout_s)
        if isinstance(runner.source, JournalSource):
            runner.source.remove()
        log(Level.AUDIT, f"output {name} removed", {"output": runner.output.describe()})
        return is_done

    def replace(self, output: Output, timeout_s: float) -> None:
        """Starts an output in the place of the one with its name, which goes on where that stopped."""
        runner = self._runners.pop(output.name, None)
        if runner is not None:
            runner.stop(timeout_s)
        self.add(output)

    def names(self) -> list[str]:
        """The names of the outputs, without fallbacks."""
        return list(self._runners)

    def outputs(self) -> list[Output]:
        """The outputs, without fallbacks."""
        return [runner.output for runner in self._runners.values()]

    def statistics(self) -> list[dict[str, Any]]:
        """One mapping for each output."""
        return [runner.statistics() for runner in list(self._runners.values())]

    def flush(self, timeout_s: float) -> bool:
        """Waits until what was logged before is delivered by those outputs that this process runs.

        Returns:
            False when one could not, in time or at all.
        """
        deadline = time.monotonic() + timeout_s
        runners = list(self._runners.values())
        if any(runner.is_this_thread for runner in runners):
            # An output that waited for outputs would wait for itself.
            return False
        here = [runner for runner in runners if runner.is_ours]
        targets = [runner.goal() for runner in here]
        waits = [
            runner.wait(target, deadline) for runner, target in zip(here, targets, strict=True)
        ]
        return all(waits)

    def close(self, timeout_s: float) -> None:
        """Ends all at the same time, after what they can deliver in time."""
        runners = list(self._runners.values())
        self._runners.clear()
        if self._process != os.getpid():
            # A forked child that has not logged: they are its parent's.
            return
        for runner in runners:
            runner.ask_to_stop(timeout_s)
        for runner in runners:
            runner.has_stopped()

    def in_child(self) -> RunningOutputs:
        """The same outputs for a forked child, in which the parent's threads do not run."""
        child = RunningOutputs(self.directory)
        for output in self.outputs():
            child.add(_chain_in_child(output))
        return child


def _chain_in_child(output: Output) -> Output:
    fresh = output.in_child()
    if isinstance(output.fallback, Output):
        fresh.fallback = _chain_in_child(output.fallback)
    return fresh
