"""The log call."""

import asyncio
import json
import os
import pickle
import sys
import threading

import pytest
from programs import records, run

import treering
from treering import Level, LogCategory, _core


def test_a_record_has_what_the_table_says_in_that_order(logs):
    log = treering.get_logger("auth.session", category=LogCategory.AUTH).bind(request_id="r1")
    log.info("User %s in", "ann", user_id=7, extra={"performance_data": {"duration_ms": 1.5}})
    line = sys._getframe().f_lineno - 1

    record = logs()[0]

    assert list(record) == [
        "timestamp", "level", "category", "component", "message", "module", "function", "file",
        "line", "process", "thread", "context", "metadata", "performance_data",
    ]  # fmt: skip
    assert record["timestamp"].endswith("Z") and len(record["timestamp"]) == 30
    del record["timestamp"]
    assert record == {
        "level": "INFO",
        "category": "auth",
        "component": "auth.session",
        "message": "User ann in",
        "module": __name__,
        "function": "test_a_record_has_what_the_table_says_in_that_order",
        "file": __file__,
        "line": line,
        "process": os.getpid(),
        "thread": threading.get_native_id(),
        "context": {"request_id": "r1"},
        "metadata": {"user_id": 7},
        "performance_data": {"duration_ms": 1.5},
    }


def test_both_roads_write_the_same_line(logs):
    """The first call at a site goes the slow road, the others the fast one."""
    log = treering.get_logger("roads").bind(a=1)
    for _ in range(3):
        log.warning("same", text='q"\n', number=-5, real=0.1, yes=True, no=False, nothing=None)

    first, *others = ({k: v for k, v in r.items() if k != "timestamp"} for r in logs())

    assert others == [first, first]


def test_every_method_has_its_level(logs):
    log = treering.get_logger("levels")
    names = ["trace", "debug", "info", "warning", "warn", "error", "critical", "fatal", "security"]
    for name in names:
        getattr(log, name)(name)
    log.log("NOTICE", "notice")
    log.log(27, "between")
    log.log(logging_level := 40, "number")
    log.logf("INFO", "other", "%d of %d", 1, 2)
    log.log_structured("DEBUG", "other", "fields", {"k": "v"})
    log.audit("audited")

    found = [(r["message"], r["level"]) for r in logs()]

    assert found == [
        ("trace", "TRACE"), ("debug", "DEBUG"), ("info", "INFO"), ("warning", "WARNING"),
        ("warn", "WARNING"), ("error", "ERROR"), ("critical", "CRITICAL"), ("fatal", "CRITICAL"),
        ("security", "SECURITY"), ("notice", "NOTICE"), ("between", "Level 27"), ("number", "ERROR"),
        ("1 of 2", "INFO"), ("fields", "DEBUG"), ("audited", "AUDIT"),
    ]  # fmt: skip
    assert logging_level == Level.ERROR
    assert all(r["function"] == "test_every_method_has_its_level" for r in logs())


def test_thresholds_are_inherited_and_never_hold_security_and_audit_back(logs):
    treering.set_level("shop", "ERROR")
    till = treering.get_logger("shop.till")
    till.warning("dropped")
    till.error("kept")
    till.set_level("OFF")
    till.critical("dropped")
    till.security("kept")
    till.audit("kept")
    till.set_level(None)
    till.error("kept again")
    treering.get_logger("shopping").info("another component")

    assert [r["message"] for r in logs()] == [
        "kept",
        "kept",
        "kept",
        "kept again",
        "another component",
    ]
    assert treering.get_level("shop.till") == Level.ERROR
    treering.set_level("shop", None)


def test_audit_comes_back_when_the_record_is_on_the_device(logs, journal):
    receipt = treering.get_logger("auth").audit("Role granted", actor="a", target="b")

    assert receipt.durable
    assert any(b"Role granted" in p.read_bytes() for p in (journal / "active").iterdir())


def test_extra_means_what_the_users_document_says(logs):
    treering.get_logger("auth").info(
        "User login",
        extra={
            "category": LogCategory.SECURITY,
            "context": {"user_id": 1, "ip_address": "10.0.0.1"},
            "metadata": {"login_method": "password", "success": True},
            "other": 5,
        },
    )

    record = logs()[0]

    assert record["category"] == "security"
    assert record["context"] == {"user_id": 1, "ip_address": "10.0.0.1"}
    assert record["metadata"] == {"login_method": "password", "success": True, "other": 5}


def test_context_nests_follows_tasks_and_yields_to_bound_fields(logs):
    log = treering.get_logger("ctx")

    async def work(name):
        with treering.context(task=name):
            await asyncio.sleep(0.001)
            log.info("inside", name=name)

    async def main():
        with treering.context(tenant="acme", task="outer"):
            await asyncio.gather(*(work(f"t{at}") for at in range(5)))
            log.bind(tenant="bound").info("bound wins")

    asyncio.run(main())
    log.info("outside")

    @treering.context(step="decorated")
    def decorated():
        log.info("decorated")

    decorated()
    found = logs()
    inside = [r for r in found if r["message"] == "inside"]
    assert all(r["context"] == {"tenant": "acme", "task": r["metadata"]["name"]} for r in inside)
    assert len(inside) == 5
    by_message = {r["message"]: r for r in found}
    assert by_message["bound wins"]["context"] == {"tenant": "bound", "task": "outer"}
    assert "context" not in by_message["outside"]
    assert by_message["decorated"]["context"] == {"step": "decorated"}


def test_bind_and_unbind_give_new_loggers(logs):
    log = treering.get_logger("bind")
    bound = log.bind(a=1).bind(b="x")
    for logger in (log, bound, bound.unbind("a"), pickle.loads(pickle.dumps(bound))):
        logger.info("m")

    assert [r.get("context") for r in logs()] == [
        None,
        {"a": 1, "b": "x"},
        {"b": "x"},
        {"a": 1, "b": "x"},
    ]
    assert isinstance(bound, treering.Logger)


def test_one_site_many_loggers_messages_and_threads(logs):
    loggers = [treering.get_logger(f"many.{at}") for at in range(5)]

    def work(thread):
        for number in range(200):
            loggers[number % 5].info(
                f"message {number}" if number % 2 else "constant", thread=thread, n=number
            )

    threads = [threading.Thread(target=work, args=(at,)) for at in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for record in logs():
        number = record["metadata"]["n"]
        assert record["component"] == f"many.{number % 5}"
        assert record["message"] == (f"message {number}" if number % 2 else "constant")


def test_code_made_at_run_time_does_not_confuse_call_sites(logs):
    for number in range(300):
        scope = {"log": treering.get_logger("exec")}
        exec(
            compile(
                f"log.info('message {number}', field_{number % 7}={number})", f"f{number}", "exec"
            ),
            scope,
        )

    for number, record in enumerate(logs()):
        assert record["message"] == f"message {number}"
        assert record["file"] == f"f{number}"
        assert record["metadata"] == {f"field_{number % 7}": number}


def test_generators_lambdas_and_comprehensions_know_where_they_stand(logs):
    log = treering.get_logger("places")

    def generator():
        log.info("generator")
        yield
        log.info("generator")

    for _ in range(3):
        list(generator())
    (lambda: log.info("lambda"))()
    [log.info("comprehension") for _ in range(2)]
    found = [(r["message"], r["function"]) for r in logs()]
    assert found[:6] == [("generator", "generator")] * 6
    assert found[6:] == [("lambda", "<lambda>")] + [("comprehension", "<listcomp>")] * 2


def test_the_fast_way_to_the_callers_frame_agrees_with_the_documented_one():
    def deeper(levels):
        return _core.frames_agree() if levels == 0 else deeper(levels - 1)

    assert _core.frames_agree() in (True, None)
    assert deeper(20) in (True, None)
    assert next(_core.frames_agree() for _ in range(1)) in (True, None)
    if sys.version_info[:2] == (3, 11):
        assert _core.fast_frames


def test_exceptions_are_structured_with_their_chain(logs):
    log = treering.get_logger("exc")

    def fail():
        try:
            raise KeyError("card")
        except KeyError as error:
            wrapped = ValueError("bad\ncard")
            wrapped.add_note("a note")
            raise wrapped from error

    try:
        fail()
    except ValueError:
        log.exception("Payment failed", order=42)
    try:
        raise ExceptionGroup("several", [TypeError("one"), ValueError("two")])
    except ExceptionGroup as group:
        log.error("grouped", exc_info=group)
    log.info("none", exc_info=True)
    log.info("stack", stack_info=True)

    failed, grouped, none, stack = logs()
    assert failed["metadata"] == {"order": 42}
    exception = failed["exception"]
    assert (exception["type"], exception["message"]) == ("ValueError", "bad\ncard")
    assert exception["notes"] == ["a note"]
    functions = [frame["function"] for frame in exception["stack"]]
    assert functions == ["test_exceptions_are_structured_with_their_chain", "fail"]
    assert exception["cause"]["type"] == "KeyError"
    assert [e["type"] for e in grouped["exception"]["exceptions"]] == ["TypeError", "ValueError"]
    assert "exception" not in none
    assert (
        stack["exception"]["stack"][-1]["function"]
        == "test_exceptions_are_structured_with_their_chain"
    )


class Evil:
    def __init__(self, act):
        self.act = act

    def __repr__(self):
        return self.act()

    __str__ = __repr__


def test_values_that_log_raise_or_recurse_do_no_harm(logs):
    log = treering.get_logger("evil")
    log.info("logs", value=Evil(lambda: log.info("from within") or "done"))
    log.info("raises", value=Evil(lambda: 1 / 0))
    log.info("exits", value=Evil(lambda: sys.exit("no")))
    forever = Evil(lambda: str(forever))
    log.info("recurses", value=forever)
    log.info("wrong", value=Evil(lambda: 5))
    log.info("%s", Evil(lambda: 1 / 0))
    log.info("%d items", "no number")
    log.info(Evil(lambda: 1 / 0))
    log.info()
    changing = {}
    changing["a"] = Evil(lambda: changing.update(b=1) or "changed")
    log.info("changes", value=changing)

    found = {r["message"]: r.get("metadata", {}).get("value") for r in logs()}

    assert found["logs"] == "done" and "from within" in found
    for message in ("raises", "exits", "recurses", "wrong"):
        assert found[message] == "<unprintable Evil>"
    assert found["changes"] == {"a": "changed"}
    assert "<unprintable Evil>" in found
    assert "<no message>" in found
    assert any("could not be formatted with" in message for message in found)
    assert treering.statistics()["failed"] >= 2


def test_a_value_that_takes_a_lock_held_elsewhere_blocks_only_itself(logs):
    lock, log = threading.Lock(), treering.get_logger("lock")

    def locked():
        with lock:
            return "got it"

    with lock:
        thread = threading.Thread(target=lambda: log.info("waits", value=Evil(locked)))
        thread.start()
        log.info("goes on")
        treering.flush()
    thread.join(10)

    assert [r["message"] for r in logs()] == ["goes on", "waits"]


def test_signal_handlers_may_log(journal):
    run(
        """
        import signal, sys, treering
        treering.configure(directory=sys.argv[1], console=False, block_timeout_s=30)
        log = treering.get_logger("sig")
        fired = 0
        def handler(*_):
            global fired
            fired += 1
            log.info("signal", number=fired)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for number in range(30000):
            log.info("main", number=number)
        signal.setitimer(signal.ITIMER_REAL, 0)
        log.info("fired", count=fired)
        """,
        journal,
    )
    found = records(journal)
    main = [r["metadata"]["number"] for r in found if r["message"] == "main"]
    signals = [r["metadata"]["number"] for r in found if r["message"] == "signal"]
    assert main == list(range(30000))
    assert len(signals) == next(r["metadata"]["count"] for r in found if r["message"] == "fired")


def test_strip_turns_methods_below_a_level_into_nothing():
    program = """
        import treering
        log = treering.get_logger("s")
        treering.set_level("", "TRACE")
        log.debug("gone"); log.info("here")
    """
    _, _, err = run(program, env={"TREERING_STRIP": "INFO"})
    assert "here" in err and "gone" not in err


def test_security_and_audit_are_turned_off_by_their_own_settings_only(journal):
    treering.configure(directory=journal, console=False, security_enabled=False)
    log = treering.get_logger("a")
    log.security("off")
    log.audit("on")
    treering.shutdown()

    assert [r["message"] for r in records(journal)] == ["on"]


def test_statistics_count(logs):
    before = treering.statistics()["logged"]
    log = treering.get_logger("stat")
    for _ in range(10):
        log.info("m")
    log.debug("m")
    logs()
    counted = treering.statistics()
    assert counted["logged"] == before + 11
    assert counted["dropped_newest"] == counted["dropped_oldest"] == 0
    assert counted["ring_private_because"] is None
    assert json.dumps(counted)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"levle": "INFO"}, ["levle", "unknown", "did you mean level?"]),
        ({"level": "LOUD"}, ["level", "'LOUD'", "argument", "TRACE DEBUG INFO"]),
        ({"ring_bytes": "1KB"}, ["ring_bytes", "'1KB'", "16KB"]),
        ({"overflow": "explode"}, ["overflow", "drop_oldest"]),
        ({"block_timeout_s": -1}, ["block_timeout_s", "seconds"]),
        ({"segment_max_bytes": 10}, ["segment_max_bytes", "4KB"]),
        ({"durability": "always"}, ["durability", "batch"]),
        ({"profile": "fast"}, ["profile 'fast'", "production"]),
        ({"console": "maybe"}, ["console", "true or false"]),
        ({"levels": "auth"}, ["levels", "auth=DEBUG"]),
    ],
)
def test_bad_settings_are_errors_that_name_setting_value_source_and_remedy(settings, words):
    with pytest.raises(treering.ConfigurationError) as caught:
        treering.configure(**settings)

    text = f"{caught.value} {caught.value.hint}"
    assert all(word in text for word in words), text


def test_the_environment_configures_and_is_named_in_errors(journal):
    run(
        "import treering; treering.get_logger('env').debug('hello')",
        env={"TREERING_LOG_DIRECTORY": str(journal), "TREERING_LOG_LEVEL": "DEBUG"},
    )
    assert [r["message"] for r in records(journal)] == ["hello"]
    code, _, err = run(
        "import treering; treering.configure()", env={"TREERING_RING_BYTES": "many"}, check=False
    )
    assert code == 1 and "environment variable TREERING_RING_BYTES is 'many'" in err
