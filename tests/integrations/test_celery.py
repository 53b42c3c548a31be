"""Celery with real worker processes, fed through files."""

from programs import records, run, start, wait_for

import treering
from treering.integrations._traceparent import parse

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

SHOP = """
import pathlib, sys
import celery, treering
from treering.integrations.celery import install

place = pathlib.Path(__file__).parent
for name in ("queue", "control"):
    (place / name).mkdir(exist_ok=True)
treering.configure(directory=place / "logs", console=False)
install()
app = celery.Celery("shop", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(place / "queue"),
        "data_folder_out": str(place / "queue"),
        "control_folder": str(place / "control"),
        "polling_interval": 0.02,
    },
    worker_prefetch_multiplier=1,
)
log = treering.get_logger("shop")

@app.task(name="shop.pay")
def pay(order):
    log.info("paying", order=order)
    ship.delay(order)

@app.task(name="shop.ship")
def ship(order):
    log.info("shipping", order=order)

@app.task(name="shop.refuse")
def refuse(order):
    raise ValueError("card refused")

@app.task(name="shop.retry", bind=True, max_retries=1, default_retry_delay=0)
def retry(self, order):
    if not self.request.retries:
        raise self.retry()
    log.info("second try", order=order)
"""


def what_is_logged(place):
    """By a caller and a worker of two processes with thirteen orders."""
    (place / "shop.py").write_text(SHOP)
    run(
        f"""
        import sys
        sys.path.insert(0, {str(place)!r})
        import shop, treering
        for order in range(10):
            with treering.context(request_id=f"r-{{order}}", trace_id={TRACE!r}):
                shop.pay.delay(order)
        with treering.context(request_id="r-refuse"):
            shop.refuse.delay(10)
        with treering.context(request_id="r-retry"):
            shop.retry.delay(11)
        shop.pay.delay(12)
        """
    )
    worker = start(
        f"""
        import sys
        sys.path.insert(0, {str(place)!r})
        import shop
        shop.app.worker_main(
            ["worker", "-c", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        )
        """
    )
    try:
        # Eleven payments with a shipment each, a refusal, a retry with its second try.
        wait_for(lambda: len(ended(records_so_far(place))) == 25, "the tasks", 60)
    finally:
        worker.terminate()
        worker.communicate(timeout=30)
    return records(place / "logs")


def records_so_far(place):
    import json

    from treering.journal import Journal

    return [json.loads(line) for _, line in Journal(place / "logs").records()]


def ended(found):
    return [r for r in found if r["component"] == "celery.task" and "metadata" in r]


def of(found, message):
    return {r["metadata"]["order"]: r for r in found if r["message"] == message}


def test_tasks_go_on_with_the_request_of_their_sender(tmp_path):
    """One run, which takes seconds, shows it all."""
    found = what_is_logged(tmp_path)

    assert_tasks_have_the_request_id_of_their_sender(found)
    assert_tasks_of_tasks_have_it_too(found)
    assert_every_task_says_once_how_it_ended(found)
    assert_a_failed_task_is_logged_with_one_traceback(found)
    assert_a_retry_keeps_the_request_and_counts(found)
    assert_celerys_own_logs_are_records(found)


def assert_tasks_have_the_request_id_of_their_sender(found):
    paying = of(found, "paying")
    assert sorted(paying) == [*range(10), 12]
    for order in range(10):
        assert paying[order]["context"]["request_id"] == f"r-{order}"
        assert paying[order]["trace_id"] == TRACE
        assert parse(f"00-{TRACE}-{paying[order]['span_id']}-01")
    assert "request_id" not in paying[12]["context"]


def assert_tasks_of_tasks_have_it_too(found):
    shipping = of(found, "shipping")
    assert [shipping[order]["context"]["request_id"] for order in range(10)] == [
        f"r-{order}" for order in range(10)
    ]
    assert shipping[0]["context"]["task"] == "shop.ship"
    assert shipping[0]["process"] in {r["process"] for r in of(found, "paying").values()}


def assert_every_task_says_once_how_it_ended(found):
    ends = ended(found)
    assert len({(r["context"]["task_id"], r["metadata"]["retries"]) for r in ends}) == len(ends)
    assert sum(r["metadata"]["state"] == "SUCCESS" for r in ends) == 23
    assert all(r["performance_data"]["duration_ms"] > 0 for r in ends)
    assert all(r["level"] == "INFO" for r in ends if r["metadata"]["state"] == "SUCCESS")


def assert_a_failed_task_is_logged_with_one_traceback(found):
    (error,) = [r for r in found if "exception" in r and r["exception"]["type"] == "ValueError"]
    assert error["message"] == "Task shop.refuse raised"
    assert error["context"]["request_id"] == "r-refuse"
    (end,) = [r for r in ended(found) if r["context"]["task"] == "shop.refuse"]
    assert (end["level"], end["metadata"]["state"]) == ("ERROR", "FAILURE")


def assert_a_retry_keeps_the_request_and_counts(found):
    ends = [r for r in ended(found) if r["context"]["task"] == "shop.retry"]
    assert [(r["metadata"]["state"], r["metadata"]["retries"]) for r in ends] == [
        ("RETRY", 0),
        ("SUCCESS", 1),
    ]
    assert of(found, "second try")[11]["context"]["request_id"] == "r-retry"


def assert_celerys_own_logs_are_records(found):
    messages = [r["message"] for r in found if r["component"].startswith("celery.")]
    assert any("ready" in message for message in messages)
    assert any("shop.refuse" in message and "raised" in message for message in messages)


def test_a_task_in_its_callers_place_leaves_the_callers_context(logs):
    import celery

    from treering.integrations.celery import install

    install(capture_logs=False)
    app = celery.Celery("eager", set_as_current=False)
    app.conf.task_always_eager = True

    @app.task(name="eager.inner")
    def inner():
        treering.get_logger("eager").info("inner")

    @app.task(name="eager.outer")
    def outer():
        inner.delay()
        treering.get_logger("eager").info("outer")

    with treering.context(request_id="r"):
        outer.delay()
        assert treering.current_context() == {"request_id": "r"}

    said = [r for r in logs() if r["component"] == "eager"]
    assert [(r["message"], r["context"]["task"]) for r in said] == [
        ("inner", "eager.inner"),
        ("outer", "eager.outer"),
    ]
    assert {r["context"]["request_id"] for r in said} == {"r"}
