"""Ambient context: fields that hold for a block, in the task or thread that entered it."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps

from treering import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import ParamSpec, Self, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

_ambient: ContextVar[_core.Ambient | None] = ContextVar("treering_context", default=None)


class context:  # noqa: N801 - reads as a statement: `with context(user=7):`
    """Adds fields to the `context` of every record logged in a `with` block or a decorated function.

    Follows asyncio tasks, as context variables do. Blocks nest; the inner one wins, and fields bound to
    a logger win over both.
    """

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._tokens: list[Token[_core.Ambient | None]] = []

    def __enter__(self) -> Self:
        outer = _ambient.get()
        fields = {**outer.fields, **self._fields} if outer is not None else self._fields
        self._tokens.append(_ambient.set(_core.Ambient(fields)))
        _core.set_context_variable(_ambient)
        return self

    def __exit__(self, *_: object) -> None:
        _ambient.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with context(**self._fields):
                return function(*args, **kwargs)

        return wrapped


def current_context() -> dict[str, object]:
    """The ambient fields of the running task, as a new dict."""
    ambient = _ambient.get()
    return {} if ambient is None else ambient.fields
