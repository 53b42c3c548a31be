"""OpenTelemetry: records have the trace and span id of the span they were logged in."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

import opentelemetry.context
from opentelemetry import trace

from treering import _core

if TYPE_CHECKING:
    from opentelemetry.context import Context


def install() -> None:
    """Puts `trace_id` and `span_id` of the current span into every record of this process.

    Whoever starts and ends spans need not know of it. Outside of spans, ids from the context count,
    such as those of a `traceparent` header.
    """
    _core.set_trace_source(_ids, _variable())


def uninstall() -> None:
    """Undoes `install`."""
    _core.set_trace_source()


def _variable() -> ContextVar[Context] | None:
    """The context variable that says which span is current.

    With it, the native side asks once for each span and not for each record. An implementation of
    OpenTelemetry's context that is not based on context variables has none.
    """
    variable = getattr(
        getattr(opentelemetry.context, "_RUNTIME_CONTEXT", None), "_current_context", None
    )
    return variable if isinstance(variable, ContextVar) else None


def _ids(context: Context | None) -> tuple[str, str] | None:
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return None
    return trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)
