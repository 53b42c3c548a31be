"""WSGI (PEP 3333): any application with that interface."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

import treering
from treering.integrations._request import Request, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Environ = dict[str, Any]
    StartResponse = Callable[..., Any]
    Application = Callable[[Environ, StartResponse], Iterable[bytes]]

REQUEST = "treering.request"
"""Key of the `Request` in the environment, for those who know more about it."""


class TreeringMiddleware:
    """Gives every request an id and a context, and logs it when its response is out.

    The context holds while the application is called and while its response is iterated.

    Args:
        app: The application.
        **options: As `treering.integrations._request.Rules` takes them; `user` and `fields` are asked
            with the WSGI environment. By default the user is `REMOTE_USER`.

    Raises:
        ConfigurationError: An option cannot be used.
    """

    def __init__(self, app: Application, **options: Any) -> None:
        self._app = app
        self._rules = Rules(**{"user": _user, **options})

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        request = self._rules.begin(
            environ,
            lambda name: environ.get("HTTP_" + name.upper().replace("-", "_")),
            method=environ["REQUEST_METHOD"],
            path=_path(environ),
            query=environ.get("QUERY_STRING", ""),
            peer=environ.get("REMOTE_ADDR"),
        )
        environ[REQUEST] = request
        exchange = Exchange(request)
        body: Iterable[bytes] = exchange.run(self._serve, environ, start_response, exchange)
        is_file = isinstance(body, environ.get("wsgi.file_wrapper") or ())
        if is_file:
            # The server sends the file by itself, and only if it finds its own wrapper.
            exchange.finish()
            return body
        return Body(exchange, body)

    def _serve(
        self, environ: Environ, start_response: StartResponse, exchange: Exchange
    ) -> Iterable[bytes]:
        header = self._rules.request_id_header, exchange.request.request_id

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            exchange.status = int(status[:3])
            kept = [pair for pair in headers if pair[0].lower() != header[0].lower()]
            return start_response(status, [*kept, header], *exc_info)

        with exchange.request:
            return self._app(environ, start)


class Exchange:
    """A request with the context variables in which it is served.

    A copy of its own: the server may iterate the response in another thread, and nothing stays behind.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.status: int | None = None
        self._context = contextvars.copy_context()
        self._context.run(treering.context(**request.fields).__enter__)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function in the request's context."""
        return self._context.run(function, *args)

    def finish(self) -> None:
        """Writes the access record."""
        self.request.finish(self.status)


class Body:
    """A response's body, iterated in the request's context; the request ends with it."""

    def __init__(self, exchange: Exchange, body: Iterable[bytes]) -> None:
        self._exchange, self._body = exchange, body
        self._parts: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part: bytes | None = self._exchange.run(self._next)
        if part is None:
            raise StopIteration
        return part

    def _next(self) -> bytes | None:
        with self._exchange.request as request:
            if self._parts is None:
                self._parts = iter(self._body)
            part = next(self._parts, None)
        if part is None:
            self._exchange.finish()
        else:
            request.response_bytes += len(part)
        return part

    def close(self) -> None:
        """Closes the body, as PEP 3333 has the server do however the request ends."""
        try:
            if hasattr(self._body, "close"):
                self._exchange.run(self._body.close)
        finally:
            self._exchange.finish()


def _path(environ: Environ) -> str:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # PEP 3333: bytes in the disguise of latin-1.
    return path.encode("latin-1", "replace").decode("utf-8", "replace") or "/"


def _user(environ: Environ) -> object:
    return environ.get("REMOTE_USER")
