"""FastAPI and whatever else speaks ASGI."""

import asyncio
import threading

import pytest
from asking import ask_asgi, asking_asgi
from fastapi import BackgroundTasks, FastAPI, WebSocket
from starlette.responses import StreamingResponse

import treering
from treering.integrations.asgi import TreeringMiddleware, install

log = treering.get_logger("shop")


@pytest.fixture
def app(shop):
    install(shop)
    return shop


@pytest.fixture
def shop():
    app = FastAPI()

    @app.get("/sync/{order}")
    def sync(order: int, background: BackgroundTasks):
        log.info("sync endpoint", order=order, thread=threading.current_thread().name)
        background.add_task(log.info, "sync background", order=order)
        return {"order": order}

    @app.get("/async/{order}")
    async def asynchronous(order: int, background: BackgroundTasks):
        async def later():
            log.info("async background", order=order)

        await asyncio.sleep(0.001)
        log.info("async endpoint", order=order)
        background.add_task(later)
        return {"order": order}

    @app.get("/stream")
    def stream():
        def parts():
            for part in ("a", "bc"):
                log.info("part")
                yield part

        return StreamingResponse(parts())

    @app.get("/broken/{order}")
    async def broken(order: int):
        raise ValueError("no such till")

    @app.websocket("/socket")
    async def socket(websocket: WebSocket):
        await websocket.accept()
        log.info(await websocket.receive_text())
        await websocket.close(4000)

    return app


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_endpoint_and_background_task_have_the_context(app, logs, kind):
    _, told = ask_asgi(app, f"/{kind}/7", headers=[("X-Request-ID", "r-7")])

    by_message = {r["message"]: r for r in logs()}
    access = by_message.pop(f"GET /{kind}/7 200")
    assert sorted(by_message) == [f"{kind} background", f"{kind} endpoint"]
    assert all(r["context"]["request_id"] == "r-7" for r in by_message.values())
    assert told["headers"]["x-request-id"] == "r-7"
    assert access["metadata"]["route"] == f"/{kind}/{{order}}"
    assert access["metadata"]["response_bytes"] == len('{"order":7}')


def test_the_access_record_does_not_wait_for_background_tasks(app, logs):
    ask_asgi(app, "/async/1")
    assert [r["message"] for r in logs()] == [
        "async endpoint",
        "GET /async/1 200",
        "async background",
    ]


def test_the_contexts_of_concurrent_requests_do_not_mix(app, logs):
    async def many():
        async def one(at):
            await asking_asgi(
                app, f"/{('sync', 'async')[at % 2]}/{at}", headers=[("X-Request-ID", f"r-{at}")]
            )

        await asyncio.gather(*(one(at) for at in range(60)))

    asyncio.run(many())
    found = [r for r in logs() if r["component"] == "shop"]
    assert len(found) == 120
    assert all(r["context"]["request_id"] == f"r-{r['metadata']['order']}" for r in found)


def test_a_streamed_response_has_the_context(app, logs):
    body, _ = ask_asgi(app, "/stream")

    *parts, access = logs()
    assert body == b"abc" and len(parts) == 2
    assert len({r["context"]["request_id"] for r in logs()}) == 1
    assert access["metadata"]["response_bytes"] == 3


def outside(app):
    install(app)


def inside(app):
    app.add_middleware(TreeringMiddleware)


def both(app):
    outside(app)
    inside(app)


@pytest.mark.parametrize("add", [outside, inside, both])
def test_an_exception_is_logged_once_with_its_request(shop, logs, add):
    add(shop)
    with pytest.raises(ValueError, match="no such till"):
        ask_asgi(shop, "/broken/1")

    (error,) = [r for r in logs() if "exception" in r]
    assert error["component"] == "http.error" and error["exception"]["type"] == "ValueError"
    access = [r for r in logs() if r["component"] == "http.access"]
    assert [(r["level"], r["metadata"]["status"]) for r in access] == [("ERROR", 500)] * len(access)
    assert access[0]["metadata"]["route"] == "/broken/{order}"
    assert access[0]["context"]["request_id"] == error["context"]["request_id"]


def test_the_response_to_an_exception_has_the_request_id(app, logs):
    told = {}

    async def ask():
        with pytest.raises(ValueError, match="no such till"):
            await asking_asgi(app, "/broken/1", told=told)

    asyncio.run(ask())
    assert told["status"] == 500
    assert told["headers"]["x-request-id"] == logs()[0]["context"]["request_id"]


@pytest.mark.parametrize("option", [{"trusted_proxies": ["nginx"]}, {}])
def test_what_cannot_be_installed_is_refused_at_once(app, shop, option):
    if not option:
        ask_asgi(shop, "/sync/1")
    with pytest.raises(treering.ConfigurationError):
        install(shop, **option)


def test_an_error_of_the_client_is_a_warning(app, logs):
    _, told = ask_asgi(app, "/sync/seven")

    (access,) = logs()
    assert told["status"] == 422 and access["level"] == "WARNING"


def test_a_request_that_is_given_up_leaves_a_record(logs):
    async def hangs(scope, receive, send):
        await asyncio.Event().wait()

    async def give_up():
        task = asyncio.create_task(asking_asgi(TreeringMiddleware(hangs), "/slow"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(give_up())
    (access,) = logs()
    assert access["message"] == "GET /slow aborted" and access["metadata"]["aborted"] is True


def test_a_websocket_is_a_request(app, logs):
    told = []
    messages = [{"type": "websocket.receive", "text": "hello"}, {"type": "websocket.connect"}]

    async def receive():
        return messages.pop()

    async def send(message):
        told.append(message)

    scope = {"type": "websocket", "path": "/socket", "headers": [], "query_string": b""}
    asyncio.run(app({**scope, "root_path": "", "subprotocols": []}, receive, send))

    said, access = logs()
    assert (said["message"], said["context"]["method"]) == ("hello", "WEBSOCKET")
    assert access["message"] == "WEBSOCKET /socket 101"
    assert access["metadata"]["close_code"] == 4000
    header = (b"x-request-id", access["context"]["request_id"].encode())
    assert header in list(told[0]["headers"])


def test_the_user_of_an_authentication_middleware_is_found(app, logs):
    class User:
        is_authenticated = True
        id = 42

    ask_asgi(app, "/sync/1", user=User())
    assert {r["context"]["user_id"] for r in logs()} == {42}


def test_the_lifespan_is_passed_on(logs):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(TreeringMiddleware(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"] and logs() == []


@pytest.mark.parametrize(
    "answer", [5, [1], {5: 6}, {"request_id": None}, {"request_id": "a\r\nSet-Cookie: b"}]
)
def test_whatever_the_application_says_of_a_request_it_is_served(logs, answer):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    served = TreeringMiddleware(app, fields=lambda _: answer)
    _, told = ask_asgi(served, "/", headers=[("X-Request-ID", "r-1")])

    assert told["headers"]["x-request-id"] == "r-1"
    assert [r["context"]["request_id"] for r in logs() if r["message"] == "GET / 204"] == ["r-1"]


def test_a_user_without_text_does_not_fail_the_request(logs):
    class Unspeakable:
        def __str__(self):
            raise RuntimeError("no text")

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    ask_asgi(TreeringMiddleware(app, user=lambda _: Unspeakable()), "/")

    assert "GET / 204" in [r["message"] for r in logs()]


def test_an_exception_that_takes_no_attributes_comes_out_as_it_is(logs):
    class Frozen(Exception):
        def __setattr__(self, name, value):
            if name.startswith("_treering"):
                raise AttributeError(name)
            super().__setattr__(name, value)

    async def app(scope, receive, send):
        raise Frozen("sold out")

    with pytest.raises(Frozen, match="sold out"):
        ask_asgi(TreeringMiddleware(app), "/")

    assert [r["message"] for r in logs()] == ["Unhandled exception in GET /", "GET / 500"]


def test_a_client_does_not_decide_how_long_records_are(logs):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    ask_asgi(TreeringMiddleware(app), "/" + "x" * 60_000)

    [access] = logs()
    assert len(str(access)) < 8_000
