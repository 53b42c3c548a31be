"""The thread that feeds an output and those that stand in for it."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from treering import _core
from treering._levels import Level
from treering.errors import TreeringError
from treering.outputs._batch import Batch
from treering.outputs._lane import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from treering.outputs._output import Output
    from treering.outputs._source import Source

STANDBY_S = 0.5
HELD_RECORDS = 1000
COMPONENT = "treering.outputs"
_LONGEST_PAUSE_S = 0.25
_GRACE_S = 0.5
_OUT_OF_REACH = 1 << 62


class Runner:
    """Delivers a source's records, in order, to the first of a chain of outputs that takes them.

    Args:
        chain: The output and its fallbacks, first choice first.
        source: Where records come from.
    """

    def __init__(self, chain: Sequence[Output], source: Source) -> None:
        self.source = source
        self.lanes = [Lane(output, self._tell) for output in chain]
        self._failures = self._told_lost = 0
        self._trouble: str | None = None
        self._stopping = threading.Event()
        self._deadline, self._target = 0.0, 0
        self._thread = threading.Thread(
            target=self._run, name=f"treering-{chain[0].name}", daemon=True
        )

    @property
    def output(self) -> Output:
        """The output of first choice."""
        return self.lanes[0].output

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    @property
    def is_ours(self) -> bool:
        """Whether its delivery is for this process to wait for, or would be if nothing were wrong."""
        return self._trouble is not None or bool(self.source.statistics()["running"])

    @property
    def is_this_thread(self) -> bool:
        """Whether the caller is the output itself, which cannot wait for its own delivery."""
        return threading.current_thread() is self._thread

    def stop(self, timeout_s: float) -> bool:
        """Delivers what is there as long as that works, then ends. False when something is left."""
        self.ask_to_stop(timeout_s)
        return self.has_stopped()

    def ask_to_stop(self, timeout_s: float) -> None:
        """Has it end when what was logged by now is delivered, nothing can be, or time is over."""
        self._target = self.goal()
        self._deadline = time.monotonic() + timeout_s
        self._stopping.set()

    def has_stopped(self) -> bool:
        """Waits for the end it was asked for, until then and a little longer. False as for `stop`."""
        if not self.is_this_thread:
            self._thread.join(max(0.0, self._deadline + _GRACE_S - time.monotonic()))
        return not self._thread.is_alive() and self._is_done(self._target)

    def goal(self) -> int:
        """What to deliver before the end; out of reach while nobody can tell."""
        try:
            return self.source.target()
        except (OSError, TreeringError):
            return _OUT_OF_REACH

    def wait(self, target: int, deadline: float) -> bool:
        """Waits until everything below `target` is delivered; gives up while nobody takes it."""
        while not self._is_done(target):
            now = time.monotonic()
            if now >= deadline or not self._thread.is_alive() or self._is_stuck(now):
                return False
            time.sleep(0.002)
        return True

    def _is_done(self, target: int) -> bool:
        return self.source.is_past(target)

    def _is_stuck(self, now: float) -> bool:
        if self._trouble is not None:
            return True
        return self._choice(now) is None and self.lanes[0].down_s(now) > 0

    def _run(self) -> None:
        while True:
            try:
                self._turns()
            except Exception as error:  # noqa: BLE001 - the border: a mistake must not end delivery
                self._stumble(error)
                if not self._stopping.wait(STANDBY_S):
                    continue
            break
        for lane in self.lanes:
            lane.close()
        self.source.release()

    def _stumble(self, error: Exception) -> None:
        """Nothing of what was read is skipped; the same trouble is told once."""
        self.source.rewind()
        self._failures += 1
        told, self._trouble = self._trouble, repr(error)
        if told != self._trouble and sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                print(f"treering: output '{self.output.name}': {error!r}", file=sys.stderr)  # noqa: T201

    def _turns(self) -> None:
        while not self._is_over():
            if not self.source.acquire():
                if self._stopping.wait(STANDBY_S):
                    return
                continue
            self._tell_lost()
            if not self._turn():
                return
            self._trouble = None

    def _tell_lost(self) -> None:
        count = self.source.lost - self._told_lost
        if count > 0 and self.source.scope == "journal":
            self._told_lost += count
            facts: dict[str, Any] = {"output": self.output.name, "lost": count}
            log(
                Level.ERROR,
                f"output {self.output.name}: records were pruned before it got them",
                facts,
            )

    def _turn(self) -> bool:
        """One look at the source; False when it was the last."""
        if self._stopping.is_set() and self._is_done(self._target):
            return False
        piece = self.source.read()
        if piece is not None:
            return self._deliver(Batch(*piece, self.lanes[0].formatter))
        for lane in self.lanes:
            lane.flush()
        if not self._is_for_good() and self.lanes[0].is_ready(time.monotonic()):
            self.source.finish(0, for_good=self._hand_back())
        return True

    def _is_over(self) -> bool:
        return self._stopping.is_set() and time.monotonic() >= self._deadline

    def _deliver(self, batch: Batch) -> bool:
        """Delivers all of it; False when this process will not."""
        if not len(batch):
            # Nobody will confirm what nobody wants.
            self.source.finish(0, for_good=self._is_for_good())
        while len(batch):
            lane = self._choice(time.monotonic())
            if lane is None:
                if not self._pause():
                    return False
                continue
            if lane is self.lanes[0] and not self._hand_back():
                continue
            taken = lane.deliver(batch)
            if taken:
                self._settle(batch, taken)
                batch = batch.after(taken)
        return True

    def _choice(self, now: float) -> Lane | None:
        """The first output that is up or due, as long as those before it have failed long enough."""
        for lane in self.lanes:
            if lane.is_ready(now):
                return lane
            if lane.down_s(now) < lane.output.fallback_after_s and not self._stopping.is_set():
                return None
        return None

    def _pause(self) -> bool:
        """Waits until somebody can be tried again; False when there is no time for that."""
        if self._stopping.is_set():
            # What a journal keeps is delivered by whoever comes next.
            return False
        self.source.stash()
        now = time.monotonic()
        pause = min(*(lane.wait_s(now) for lane in self.lanes), _LONGEST_PAUSE_S)
        self._stopping.wait(max(pause, 0.005))
        return True

    def _settle(self, batch: Batch, taken: int) -> None:
        """Moves the source on; its cursor stays behind what only memory holds."""
        for_good = self._is_for_good()
        if taken == len(batch):
            self.source.finish(taken, for_good=for_good)
        else:
            last = taken - 1
            index = batch.indexes[last] + 1
            self.source.commit(index, batch.lines[last], taken, for_good=for_good)

    def _is_for_good(self) -> bool:
        return not any(lane.output.held(1) for lane in self.lanes[1:])

    def _hand_back(self) -> bool:
        """Gives the first choice what a fallback keeps for it. False when it does not take it."""
        for lane in self.lanes[1:]:
            while held := lane.output.held(HELD_RECORDS):
                data = b"".join(record.line + b"\n" for record in held)
                indexes = [record.index for record in held]
                taken = self.lanes[0].deliver(Batch(data, indexes, self.lanes[0].formatter))
                lane.output.let_go(taken)
                if taken < len(held):
                    return False
        return True

    def _tell(self, lane: Lane, is_up: bool) -> None:  # noqa: FBT001 - up or down
        """Says in the log that an output went away or came back."""
        if lane is self.lanes[0]:
            self.source.note(None if is_up else lane.last_error)
        facts: dict[str, Any] = {"output": lane.output.name, "kind": lane.output.kind}
        if is_up:
            facts["down_s"] = round(lane.down_s(time.monotonic()), 3)
            log(Level.INFO, f"output {lane.output.name} is back", facts)
        else:
            facts["error"] = lane.last_error
            log(Level.WARNING, f"output {lane.output.name} cannot write", facts)

    def statistics(self) -> dict[str, Any]:
        """Where it stands; the keys are those of `treering.list_outputs`."""
        head, *others = (lane.statistics() for lane in self.lanes)
        active = self._choice(time.monotonic())
        head["failures"] += self._failures
        if self._trouble is not None:
            head |= {"up": False, "last_error": self._trouble}
        return {
            **head,
            "scope": self.source.scope,
            **self.source.statistics(),
            "active": None if active is None else active.output.name,
            "fallbacks": others,
        }


def log(level: int, message: str, facts: dict[str, Any]) -> None:
    """Logs what outputs have to say about themselves."""
    _core.log_record(COMPONENT, int(level), message, (None, None, None, 0), facts)
