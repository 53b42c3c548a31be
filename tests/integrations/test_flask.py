"""Flask."""

import flask
import pytest
from asking import ask_wsgi

import treering
from treering.integrations.flask import install

log = treering.get_logger("shop")


@pytest.fixture
def app():
    app = flask.Flask("shop")
    install(app, skip_paths=["/health"])

    @app.get("/orders/<int:order>")
    def show(order):
        log.info("inside")
        return {"order": order}

    @app.get("/broken")
    def broken():
        raise ValueError("no such till")

    @app.get("/stream")
    def stream():
        @flask.stream_with_context
        def parts():
            for part in ("a", "bc"):
                log.info(flask.request.path)
                yield part

        return parts()

    @app.get("/me")
    def me():
        class User:
            is_authenticated = True

            def get_id(self):
                return "u-42"

        flask.g._login_user = User()
        return "ann"

    return app


def test_a_request_has_id_context_and_access_record(app, logs):
    _, told = ask_wsgi(app, "/orders/7", headers=[("X-Request-ID", "r-7")])

    inside, access = logs()
    assert told["headers"]["x-request-id"] == "r-7"
    assert inside["context"]["request_id"] == access["context"]["request_id"] == "r-7"
    assert access["metadata"]["route"] == "/orders/<int:order>"
    assert access["metadata"]["status"] == 200


def test_an_exception_is_logged_once(app, logs, capfd):
    with treering.capture_stdlib():
        _, told = ask_wsgi(app, "/broken")

    assert told["status"] == 500
    error, access = logs()
    assert error["exception"]["type"] == "ValueError"
    assert error["context"]["request_id"] == access["context"]["request_id"]
    assert (access["level"], access["metadata"]["route"]) == ("ERROR", "/broken")
    assert "Traceback" not in capfd.readouterr().err


def test_an_exception_that_flask_raises_on_is_logged_once(app, logs):
    app.testing = True
    with pytest.raises(ValueError, match="no such till"):
        ask_wsgi(app, "/broken")
    assert [r["component"] for r in logs()] == ["http.error", "http.access"]


def test_a_path_that_is_not_found_is_a_warning(app, logs):
    ask_wsgi(app, "/nowhere")
    (access,) = logs()
    assert access["level"] == "WARNING" and "route" not in access["metadata"]


def test_a_streamed_response_has_the_context(app, logs):
    body, _ = ask_wsgi(app, "/stream")
    *parts, access = logs()
    assert body == b"abc" and [r["message"] for r in parts] == ["/stream"] * 2
    assert len({r["context"]["request_id"] for r in logs()}) == 1
    assert access["metadata"]["response_bytes"] == 3


def test_the_user_of_flask_login_is_found(app, logs):
    ask_wsgi(app, "/me")
    assert logs()[0]["context"]["user_id"] == "u-42"


def test_health_checks_are_skipped(app, logs):
    ask_wsgi(app, "/health")
    assert logs() == []
