"""Django, by its WSGI and its ASGI handler."""

import asyncio
import sys
import types

import django
import pytest
from asking import ask_asgi, ask_wsgi
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

import treering

log = treering.get_logger("shop")


def show(request, order):
    log.info("inside")
    return HttpResponse("ok")


async def show_async(request, order):
    await asyncio.sleep(0)
    log.info("inside")
    return HttpResponse("ok")


def broken(request):
    raise ValueError("no such till")


def stream(request):
    def parts():
        for part in (b"a", b"bc"):
            log.info("part")
            yield part

    return StreamingHttpResponse(parts())


async def stream_async(request):
    async def parts():
        for part in (b"a", b"bc"):
            await asyncio.sleep(0)
            log.info("part")
            yield part

    return StreamingHttpResponse(parts())


def me(request):
    request._cached_user = types.SimpleNamespace(pk=42, is_authenticated=True)
    return HttpResponse("ann")


urls = types.ModuleType("shop_urls")
urls.urlpatterns = [
    path("orders/<int:order>", show),
    path("async/<int:order>", show_async),
    path("broken", broken),
    path("stream", stream),
    path("stream-async", stream_async),
    path("me", me),
]


@pytest.fixture(scope="module", autouse=True)
def _django():
    sys.modules["shop_urls"] = urls
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["treering.integrations.django.TreeringMiddleware"],
        ROOT_URLCONF="shop_urls",
        LOGGING_CONFIG=None,
        SECRET_KEY="for tests",
        TREERING_REQUESTS={"skip_paths": ["/health"]},
    )
    django.setup()


def by_wsgi(*args, **request):
    return ask_wsgi(WSGIHandler(), *args, **request)


def by_asgi(*args, **request):
    return ask_asgi(ASGIHandler(), *args, **request)


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def ask(request):
    return request.param


@pytest.mark.parametrize("kind", ["orders", "async"])
def test_a_request_has_id_context_and_access_record(ask, logs, kind):
    body, told = ask(f"/{kind}/7", headers=[("X-Request-ID", "r-7")])

    inside, access = logs()
    assert body == b"ok" and told["headers"]["x-request-id"] == "r-7"
    assert inside["context"]["request_id"] == access["context"]["request_id"] == "r-7"
    assert inside["context"]["ip_address"] == "203.0.113.9"
    assert access["metadata"] == {
        "method": "GET",
        "path": f"/{kind}/7",
        "route": f"{kind}/<int:order>",
        "status": 200,
        "response_bytes": 2,
    }


def test_an_exception_is_logged_once(ask, logs):
    with treering.capture_stdlib():
        _, told = ask("/broken")

    assert told["status"] == 500
    (error,) = [r for r in logs() if "exception" in r]
    assert error["component"] == "http.error" and error["exception"]["type"] == "ValueError"
    (access,) = [r for r in logs() if r["component"] == "http.access"]
    assert access["level"] == "ERROR"
    assert error["context"]["request_id"] == access["context"]["request_id"]
    # Django says it as well; its record stays, without another traceback.
    assert "Internal Server Error: /broken" in [r["message"] for r in logs()]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
@pytest.mark.parametrize("kind", ["stream", "stream-async"])
def test_a_streamed_response_has_the_context(ask, logs, kind):
    body, _ = ask(f"/{kind}")

    *parts, access = logs()
    assert body == b"abc" and [r["message"] for r in parts] == ["part"] * 2
    assert len({r["context"]["request_id"] for r in logs()}) == 1
    assert access["metadata"]["response_bytes"] == 3


def test_a_user_that_the_view_has_asked_for_is_known(ask, logs):
    ask("/me")
    assert logs()[-1]["context"]["user_id"] == 42


def test_options_come_from_the_settings(ask, logs):
    with treering.capture_stdlib(silence={"django": "OFF", "asyncio": "OFF"}):
        ask("/health")
        ask("/nowhere")
    assert [r["metadata"]["path"] for r in logs()] == ["/nowhere"]
