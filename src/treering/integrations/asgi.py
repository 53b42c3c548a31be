"""ASGI: FastAPI, Starlette and every other application with that interface, WebSockets included.

Source: https://asgi.readthedocs.io/en/latest/specs/www.html, HTTP and WebSocket, version 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import treering
from treering.errors import ConfigurationError
from treering.integrations._request import Request, Rules

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

_SWITCHING_PROTOCOLS, _FORBIDDEN = 101, 403


def install(app: Any, **options: Any) -> None:
    """Puts the middleware around a FastAPI or Starlette application, outside of all others.

    There it sees the response to an unhandled exception, which those added with `add_middleware` do not.

    Args:
        app: The application, which has not served a request yet.
        **options: As `TreeringMiddleware` takes them.

    Raises:
        ConfigurationError: An option cannot be used, or the application has started.
    """
    if app.middleware_stack is not None:
        raise ConfigurationError(
            "install() was called on an application that has started: before its first request would"
            " be right",
            code="application_started",
        )
    build = app.build_middleware_stack
    Rules(**options)
    app.build_middleware_stack = lambda: TreeringMiddleware(build(), **options)


class TreeringMiddleware:
    """Gives every request an id and a context, and logs it when its response is out.

    What runs for the request has the context: endpoints, also those that run in threads, background
    tasks, streaming responses.

    Args:
        app: The application.
        **options: As `treering.integrations._request.Rules` takes them; `user` and `fields` are asked
            with the ASGI scope. By default the user is the one that Starlette's
            `AuthenticationMiddleware` has put there.

    Raises:
        ConfigurationError: An option cannot be used.
    """

    def __init__(self, app: Application, **options: Any) -> None:
        self._app = app
        self._rules = Rules(**{"user": _user, **options})

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        client = scope.get("client")
        request = self._rules.begin(
            scope,
            lambda name: headers.get(name.lower()),
            method=scope.get("method", "WEBSOCKET"),
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            peer=client[0] if client else None,
        )
        exchange = _Exchange(scope, send, request, self._rules.request_id_header)
        with treering.context(**request.fields):
            with request:
                try:
                    await self._app(scope, receive, exchange.send)
                finally:
                    exchange.learn()
            exchange.finish()


class _Exchange:
    """The messages of one connection on their way to the client."""

    def __init__(self, scope: Message, send: Send, request: Request, header: str) -> None:
        self._scope, self._send, self._request = scope, send, request
        self._header = header.lower().encode(), request.request_id.encode()
        self._status: int | None = None
        self._close_code: int | None = None

    async def send(self, message: Message) -> None:
        """Passes a message on; the request's id goes with the first one."""
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start", "websocket.accept"}:
            self._status = message.get("status", _SWITCHING_PROTOCOLS)
            name = self._header[0]
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != name]
            message = {**message, "headers": [*kept, self._header]}
        elif kind == "websocket.close":
            self._status = self._status or _FORBIDDEN
            self._close_code = message.get("code", 1000)
        await self._send(message)
        if kind in {"http.response.body", "websocket.http.response.body"}:
            self._request.response_bytes += len(message.get("body", b""))
            if not message.get("more_body", False):
                # Now, and not when the application returns: background tasks may go on for long.
                self.finish()

    def learn(self) -> None:
        """What only the framework knows of a request: Starlette and FastAPI note the route."""
        self._request.route = getattr(self._scope.get("route"), "path", None)

    def finish(self) -> None:
        """Writes the access record."""
        self.learn()
        self._request.finish(self._status, close_code=self._close_code)


def _headers(scope: Message) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _user(scope: Message) -> object:
    user = scope.get("user")
    if not getattr(user, "is_authenticated", False):
        return None
    return getattr(user, "id", None) or getattr(user, "username", None)
