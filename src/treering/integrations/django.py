"""Django: `"treering.integrations.django.TreeringMiddleware"`, first in `MIDDLEWARE`.

Options stand in the setting `TREERING_REQUESTS`, a dict with the arguments of
`treering.integrations._request.Rules`; `user` and `fields` are asked with Django's request.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.signals import got_request_exception

import treering
from treering.integrations._request import Request, Rules
from treering.integrations.wsgi import Body, Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import Any

_ATTRIBUTE = "treering_request"


class TreeringMiddleware:
    """Gives every request an id and a context, and logs it when its response is out.

    Works with synchronous and asynchronous handlers. Unhandled exceptions are logged when Django turns
    them into a response of status 500.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._rules = Rules(**{"user": _user, **getattr(settings, "TREERING_REQUESTS", {})})
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_failed, dispatch_uid="treering")

    def __call__(self, request: Any) -> Any:
        """Serves one request; an awaitable where Django is asynchronous."""
        begun = self._begin(request)
        return self._serve_async(request, begun) if self._is_async else self._serve(request, begun)

    def _begin(self, request: Any) -> Request:
        begun = self._rules.begin(
            request,
            request.headers.get,
            method=request.method,
            path=request.path,
            query=request.META.get("QUERY_STRING", ""),
            peer=request.META.get("REMOTE_ADDR"),
        )
        setattr(request, _ATTRIBUTE, begun)
        return begun

    def _serve(self, request: Any, begun: Request) -> Any:
        with treering.context(**begun.fields):
            with begun:
                response = self._get_response(request)
            return self._sent(request, begun, response)

    async def _serve_async(self, request: Any, begun: Request) -> Any:
        with treering.context(**begun.fields):
            with begun:
                response = await self._get_response(request)
            return self._sent(request, begun, response)

    def _sent(self, request: Any, begun: Request, response: Any) -> Any:
        response[self._rules.request_id_header] = begun.request_id
        match = request.resolver_match
        begun.route = match.route if match is not None else None
        if not response.streaming:
            begun.response_bytes = len(response.content)
            begun.finish(response.status_code)
        elif response.is_async:
            response.streaming_content = _stream(
                begun, response.status_code, response.streaming_content
            )
        else:
            exchange = Exchange(begun)
            exchange.status = response.status_code
            response.streaming_content = Body(exchange, response.streaming_content)
        return response


async def _stream(begun: Request, status: int, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts of a streaming response, each made in the request's context."""
    with begun:
        while (part := await _next_part(begun, parts)) is not None:
            begun.response_bytes += len(part)
            yield part
    begun.finish(status)


async def _next_part(begun: Request, parts: AsyncIterator[bytes]) -> bytes | None:
    # Entered anew for each part: what a generator sets would stay set in whoever iterates it.
    with treering.context(**begun.fields):
        following: Awaitable[bytes | None] = anext(parts, None)
        return await following


def _failed(sender: object, request: Any = None, **_: object) -> None:  # noqa: ARG001 - Django's names
    begun, error = getattr(request, _ATTRIBUTE, None), sys.exc_info()[1]
    if begun is not None and error is not None:
        begun.failed(error)


def _user(request: Any) -> object:
    # Set once somebody has asked for the user: it must not be us who has the database asked.
    user = getattr(request, "_cached_user", None)
    return user.pk if user is not None and user.is_authenticated else None
