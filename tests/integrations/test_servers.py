"""Applications under real servers with worker processes: the examples, run."""

import json
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from asking import get
from programs import records, wait_for

from treering.journal import Journal

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
UVICORN = [sys.executable, str(EXAMPLES / "fastapi_app.py"), "0"]
GUNICORN = [
    *[sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "4"],
    *["--logger-class", "treering.integrations.gunicorn.Logger", "flask_app:app"],
]


@contextmanager
def serving(command, journal):
    """A server that logs into `journal`; gives process and port, which is read from its own records."""
    before = len(so_far(journal))
    server = subprocess.Popen(
        command,
        cwd=EXAMPLES,
        env={
            "PATH": "",
            "TREERING_LOG_DIRECTORY": str(journal),
            "TREERING_LOG_CONSOLE_ENABLED": "false",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        port = wait_for(lambda: port_in(so_far(journal)[before:]), "the server", 60)
        wait_for(lambda: answers(port), "the server", 60)
        yield server, port
    finally:
        server.terminate()
        _, err = server.communicate(timeout=30)
    assert "Traceback" not in err, err


def answers(port):
    try:
        return get(port, "/health")[0] == 200
    except ConnectionError:
        return False


def so_far(journal):
    if not (journal / "journal.json").exists():
        return []
    return [json.loads(line) for _, line in Journal(journal).records()]


def port_in(found):
    said = re.compile(r"(?:running on|Listening at:) http://127.0.0.1:(\d+)")
    return next((int(m[1]) for m in (said.search(r["message"]) for r in found) if m), None)


def ask_many(port, name, count):
    """Many requests at once, each with an id; gives the ids."""

    def ask(at):
        status, headers, _ = get(port, f"/orders/{at}", {"X-Request-ID": f"{name}-{at}"})
        assert (status, headers["X-Request-ID"]) == (200, f"{name}-{at}")
        return f"{name}-{at}"

    with ThreadPoolExecutor(25) as pool:
        return list(pool.map(ask, range(count)))


def assert_each_request_is_there_once(found, ids, said):
    for message in said:
        of = [r for r in found if r["message"] == message]
        assert sorted(r["context"]["request_id"] for r in of) == sorted(ids), message
        for record in of:
            assert record["context"]["request_id"].endswith(f"-{record['metadata']['order']}")
    access = [r for r in found if r["component"] == "http.access"]
    assert sorted(r["context"]["request_id"] for r in access) == sorted(ids)


def test_uvicorn_and_gunicorn_workers_log_every_request_once_into_one_journal(journal):
    with serving(UVICORN, journal) as (_, port):
        fastapi = ask_many(port, "fastapi", 300)
    with serving(GUNICORN, journal) as (_, port):
        flask = ask_many(port, "flask", 300)
        status, _, _ = get(port, "/broken?token=secret")

    found = records(journal)
    of_uvicorn = [r for r in found if r.get("context", {}).get("request_id", "f").startswith("fas")]
    assert_each_request_is_there_once(
        [r for r in of_uvicorn if r["component"] != "uvicorn.access"],
        fastapi,
        ["Order shown", "Recommendations made"],
    )
    of_gunicorn = [
        r for r in found if r.get("context", {}).get("request_id", "-").startswith("fla")
    ]
    assert_each_request_is_there_once(of_gunicorn, flask, ["Order shown", "Order sent"])
    assert (
        len({r["process"] for r in of_uvicorn}) > 1 and len({r["process"] for r in of_gunicorn}) > 1
    )

    of_server = [r for r in found if r["component"] == "uvicorn.access"]
    assert sum("/orders/" in r["message"] for r in of_server) == 300
    assert of_server[0]["metadata"]["status"] == 200
    assert of_server[0]["category"] == "api"
    of_server = [r for r in found if r["component"] == "gunicorn.access"]
    assert sorted(r["metadata"]["request_id"] for r in of_server if "flask" in str(r)) == sorted(
        flask
    )
    assert of_server[0]["performance_data"]["duration_ms"] > 0
    assert any(r["component"] == "uvicorn.error" and "Started" in r["message"] for r in found)
    assert any(r["component"] == "gunicorn.error" and "Booting" in r["message"] for r in found)
    assert status == 500 and [r["component"] for r in found if "exception" in r] == ["http.error"]
    assert "secret" not in str(found)


def test_a_graceful_reload_of_gunicorn_loses_nothing(journal):
    ids, stop = [], threading.Event()

    def keep_asking(name):
        while not stop.is_set():
            ids.extend(ask_many(port, f"{name}{len(ids)}", 10))

    with serving(GUNICORN, journal) as (server, port):
        asking = threading.Thread(target=keep_asking, args=("r",))
        asking.start()
        for reloads in (1, 2):
            workers = booted(journal)
            server.send_signal(signal.SIGHUP)
            wait_for(lambda seen=workers: booted(journal) >= seen + 4, f"reload {reloads}")
            answered = len(ids)
            wait_for(lambda seen=answered: len(ids) >= seen + 50, "requests after it")
        stop.set()
        asking.join()

    found = records(journal)
    assert_each_request_is_there_once(found, ids, ["Order shown", "Order sent"])
    assert sum("Handling signal: hup" in r["message"] for r in found) == 2
    assert len({r["process"] for r in found if r["message"].startswith("Booting")}) == 12


def booted(journal):
    return sum(r["message"].startswith("Booting") for r in so_far(journal))
