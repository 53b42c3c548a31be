"""One request from its arrival to its access record, whatever the framework.

The middlewares translate their framework's words into these: `Rules.begin` when a request comes in,
`Request.fields` as ambient context while it is served, `Request.finish` when the response is out.
"""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import treering
from treering import Level, LogCategory
from treering.errors import ConfigurationError
from treering.integrations import _traceparent
from treering.integrations._proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self

_ID = re.compile(r"[A-Za-z0-9._~:@/+=-]{1,128}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CORRELATION_ID = "X-Correlation-ID"
# Every record of a request has them: a client must not decide how long.
_MAX_TEXT = 256
_MAX_METHOD, _MAX_FACT = 32, 4096
_SERVER_ERROR, _CLIENT_ERROR = 500, 400


class Rules:
    """How requests are logged: the options of every middleware.

    Args:
        component: Access records are of `<component>.access`, exceptions of `<component>.error`.
        request_id_header: Header that a request's id comes from, when it is 1 to 128 letters, digits or
            `._~:@/+=-`, and goes back in; otherwise the id is a new one.
        trusted_proxies: Addresses, networks or `unix`, whose `X-Forwarded-For` is believed.
        skip_paths: Paths without access record unless they fail with 500 or above; a `*` at the end stands
            for anything.
        log_query: Whether access records have the query string, which often holds secrets.
        user: Gives the user's id of a request, or `None`; asked with what the framework calls a request,
            before it is served and after.
        fields: Gives more context fields of a request, e.g. its tenant; asked before it is served.

    Raises:
        ConfigurationError: An option cannot be used.
    """

    def __init__(
        self,
        *,
        component: str = "http",
        request_id_header: str = "X-Request-ID",
        trusted_proxies: Iterable[str] = (),
        skip_paths: Iterable[str] = (),
        log_query: bool = False,
        user: Callable[[Any], object] | None = None,
        fields: Callable[[Any], Mapping[str, object]] | None = None,
    ) -> None:
        if not _HEADER_NAME.fullmatch(request_id_header):
            raise ConfigurationError(
                f"request_id_header is {request_id_header!r}: a header's name (RFC 9110, 5.1) would be"
                " right",
                code="setting_invalid",
                field="request_id_header",
            )
        self.access = treering.get_logger(f"{component}.access", category=LogCategory.API)
        self.error = treering.get_logger(f"{component}.error", category=LogCategory.API)
        self.request_id_header = request_id_header
        self.log_query = log_query
        self.user = user
        self.fields = fields
        self._proxies = Proxies(trusted_proxies)
        paths = [skip_paths] if isinstance(skip_paths, str) else list(skip_paths)
        self._skipped = frozenset(path for path in paths if not path.endswith("*"))
        self._skipped_below = tuple(path[:-1] for path in paths if path.endswith("*"))

    def begin(
        self,
        subject: object,
        header: Callable[[str], str | None],
        *,
        method: str,
        path: str,
        query: str,
        peer: str | None,
    ) -> Request:
        """Takes a request in.

        Args:
            subject: What the framework calls a request; `user` and `fields` are asked with it.
            header: Gives a header by name; several of a name joined by commas.
            method: GET, POST, …; `WEBSOCKET` for a WebSocket.
            path: Decoded path.
            query: Query string, without question mark.
            peer: Address of whoever is connected, `None` on a Unix socket.
        """
        method = method[:_MAX_METHOD]
        request = Request(self, subject, method, path, query if self.log_query else "")
        fields = request.fields
        fields["request_id"] = _valid_id(header(self.request_id_header)) or uuid.uuid4().hex
        fields["method"], fields["endpoint"] = method, _cut(path)
        fields["ip_address"] = self._proxies.client(peer, header("X-Forwarded-For"))
        fields["user_agent"] = _cut(header("User-Agent") or "")
        fields["correlation_id"] = _valid_id(header(_CORRELATION_ID))
        fields["user_id"] = request.ask_user()
        trace = _traceparent.parse(header("traceparent") or "")
        if trace is not None:
            fields["trace_id"], request.parent_span_id = trace
            fields["span_id"] = _traceparent.new_span_id()
        for name in [name for name, value in fields.items() if value in {None, ""}]:
            del fields[name]
        request_id = fields["request_id"]
        fields.update(self.ask(self._context_of, subject) or {})
        # It goes back in a header, whoever it comes from.
        given = fields["request_id"]
        fields["request_id"] = (_valid_id(given) if isinstance(given, str) else None) or request_id
        return request

    def _context_of(self, subject: object) -> dict[str, object]:
        """What the application adds to a request's context, if those are fields at all."""
        found = dict(self.fields(subject) or {}) if self.fields else {}
        if not all(isinstance(name, str) for name in found):
            raise TypeError("fields gave a name that is no text")
        return found

    def skips(self, path: str) -> bool:
        """Whether this path gets no access record while all is well."""
        return path in self._skipped or path.startswith(self._skipped_below or ("\n",))

    def ask(self, question: Callable[[Any], Any] | None, subject: object) -> Any:
        """An answer of the application's own callable; its failure is a record, never a failed request."""
        if question is None:
            return None
        try:
            return question(subject)
        except Exception:  # noqa: BLE001 - the border to the application: logging must not break it
            self.error.exception("Could not ask the application about a request")
            return None


class Request:
    """A request under way. As a context manager it sees the exception that ends it.

    Attributes:
        fields: Its ambient context.
        route: Pattern of the path, e.g. `/orders/{id}`, once the framework has found it.
        user_id: The user, if known only after `begin`.
        response_bytes: Bytes of the response's body so far.
    """

    def __init__(self, rules: Rules, subject: object, method: str, path: str, query: str) -> None:
        self.fields: dict[str, object] = {}
        self.route: str | None = None
        self.user_id: object = None
        self.response_bytes = 0
        self.parent_span_id: str | None = None
        self._rules, self._subject = rules, subject
        self._method, self._path, self._query = method, path, query
        self._begin_ns = time.perf_counter_ns()
        self._is_finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self.failed(error)
            self.finish(_SERVER_ERROR)
        elif error is not None:
            # The server gave it up: the client has gone or the server is leaving.
            self.finish(None)

    @property
    def request_id(self) -> str:
        """The id that goes back in the response."""
        return str(self.fields["request_id"])

    def ask_user(self) -> object:
        """The user's id, as far as it is known by now; a number or text."""
        return self._rules.ask(self._user_of, self._subject)

    def _user_of(self, subject: object) -> object:
        user = self._rules.user(subject) if self._rules.user else None
        return user if user is None or isinstance(user, int) else str(user)

    def failed(self, error: BaseException) -> None:
        """Logs an exception with its traceback, unless that has been done."""
        if getattr(error, "_treering_logged", False):
            return
        self._rules.error.error(
            "Unhandled exception in %s %s",
            self._method,
            _cut(self._path),
            exc_info=error,
            extra={"context": self.fields},
        )
        # Servers and frameworks log it again, through `logging`: without another traceback then.
        # One that takes no attributes, such as a frozen dataclass, is logged again.
        with suppress(Exception):
            error._treering_logged = True  # type: ignore[attr-defined]  # noqa: SLF001

    def finish(self, status: int | None, **facts: object) -> None:
        """Writes the access record; the second time nothing happens.

        Args:
            status: Status of the response; `None` when there was none: the request was aborted.
            **facts: More metadata; `None` leaves one out.
        """
        if self._is_finished:
            return
        self._is_finished = True
        duration_ms = (time.perf_counter_ns() - self._begin_ns) / 1e6
        if self._rules.skips(self._path) and (status or 0) < _SERVER_ERROR:
            return
        user_id = self.user_id or self.ask_user()
        # The context is given, not relied on: a server may end a request wherever it likes.
        context = self.fields if user_id is None else {**self.fields, "user_id": user_id}
        metadata = {
            "method": self._method,
            "path": _cut(self._path, _MAX_FACT),
            "route": self.route,
            "status": status,
            "aborted": True if status is None else None,
            "query": _cut(self._query, _MAX_FACT) or None,
            "response_bytes": self.response_bytes,
            "parent_span_id": self.parent_span_id,
            **facts,
        }
        self._rules.access.log(
            access_level(status),
            "%s %s %s",
            self._method,
            _cut(self._path),
            "aborted" if status is None else status,
            extra={
                "context": context,
                "metadata": {name: value for name, value in metadata.items() if value is not None},
                "performance_data": {"duration_ms": round(duration_ms, 3)},
            },
        )


def access_level(status: int | None) -> Level:
    """How bad an access record is, by its status; no status stands for an aborted request."""
    if status is None:
        return Level.WARNING
    if status >= _SERVER_ERROR:
        return Level.ERROR
    return Level.WARNING if status >= _CLIENT_ERROR else Level.INFO


def _valid_id(text: str | None) -> str | None:
    return text if text is not None and _ID.fullmatch(text) else None


def _cut(text: str, most: int = _MAX_TEXT) -> str:
    return text if len(text) <= most else text[:most] + "…"
