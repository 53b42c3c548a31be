"""Celery: `install()`, in the module that both callers and workers import.

A task's records have the `request_id` (and the other names of `CARRIED`) of whoever sent it, and one
record says how it ended. Celery's own logs become records too.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from celery import signals

import treering
from treering import Level, LogCategory
from treering.integrations import _traceparent

CARRIED = ("request_id", "correlation_id", "user_id", "session_id", "trace_id")
"""Context fields that go with a task from its sender to its worker."""

HEADER = "treering"
_COMPONENT = "celery.task"
_LEVELS = {"SUCCESS": Level.INFO, "FAILURE": Level.ERROR}
_running: dict[str, tuple[treering.context, int]] = {}


def install(*, capture_logs: bool = True) -> None:
    """Logs tasks, for all Celery applications of this process.

    Args:
        capture_logs: Send what Celery's workers log through `logging` to Treering, instead of having
            Celery set `logging` up.
    """
    signals.before_task_publish.connect(_publish, weak=False, dispatch_uid=HEADER)
    signals.task_prerun.connect(_begin, weak=False, dispatch_uid=HEADER)
    signals.task_failure.connect(_failed, weak=False, dispatch_uid=HEADER)
    signals.task_postrun.connect(_end, weak=False, dispatch_uid=HEADER)
    signals.worker_process_shutdown.connect(_flush, weak=False, dispatch_uid=HEADER)
    if capture_logs:
        signals.setup_logging.connect(_capture, weak=False, dispatch_uid=HEADER)


def _publish(headers: dict[str, Any] | None = None, **_: object) -> None:
    context = treering.current_context()
    carried = {name: context[name] for name in CARRIED if name in context}
    if carried and headers is not None:
        headers[HEADER] = carried


def _begin(task_id: str, task: Any, **_: object) -> None:
    # A task that runs in its caller's place inherits the context anyway.
    carried = getattr(task.request, HEADER, None)
    fields = {name: carried[name] for name in CARRIED if name in carried} if carried else {}
    if "trace_id" in fields:
        fields["span_id"] = _traceparent.new_span_id()
    context = treering.context(**fields, task=task.name, task_id=task_id)
    context.__enter__()  # left in `_end`
    _running[task_id] = context, time.perf_counter_ns()


def _failed(exception: BaseException, sender: Any, **_: object) -> None:
    log = treering.get_logger(_COMPONENT, category=LogCategory.APPLICATION)
    log.error("Task %s raised", sender.name, exc_info=exception)
    # Celery logs it again, through `logging`: without another traceback then.
    with suppress(Exception):
        exception._treering_logged = True  # type: ignore[attr-defined]  # noqa: SLF001


def _end(task_id: str, task: Any, state: str | None = None, **_: object) -> None:
    context, begin_ns = _running.pop(task_id)
    duration_ms = (time.perf_counter_ns() - begin_ns) / 1e6
    metadata = {"state": state, "retries": task.request.retries, "worker": task.request.hostname}
    treering.get_logger(_COMPONENT, category=LogCategory.APPLICATION).log(
        _LEVELS.get(state or "", Level.WARNING),
        "Task %s: %s",
        task.name,
        state,
        extra={
            "metadata": {name: value for name, value in metadata.items() if value is not None},
            "performance_data": {"duration_ms": round(duration_ms, 3)},
        },
    )
    context.__exit__()


def _flush(**_: object) -> None:
    # Worker processes end without `atexit`; what stayed in the ring would wait for another process.
    treering.flush(5)


def _capture(loglevel: object = None, **_: object) -> None:
    treering.capture_stdlib(level=loglevel or "INFO")
