"""The log call: message, fields, location, context, levels."""

import asyncio
import threading

import pytest

import treering
from treering import _core

log = treering.get_logger("call")


def test_a_record_says_what_happened_where(logs):
    log.info("User authenticated", user_id=7, method="password")

    (record,) = logs()
    assert list(record) == [
        "timestamp",
        "level",
        "component",
        "message",
        "module",
        "function",
        "file",
        "line",
        "process",
        "thread",
        "metadata",
    ]
    assert record["message"] == "User authenticated"
    assert record["metadata"] == {"user_id": 7, "method": "password"}
    assert record["function"] == "test_a_record_says_what_happened_where"
    assert record["file"] == __file__
    assert record["thread"] == threading.get_native_id()
    assert record["line"] == test_a_record_says_what_happened_where.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("trace", "TRACE"),
        ("debug", "DEBUG"),
        ("info", "INFO"),
        ("warning", "WARNING"),
        ("warn", "WARNING"),
        ("error", "ERROR"),
        ("critical", "CRITICAL"),
        ("fatal", "CRITICAL"),
        ("security", "SECURITY"),
        ("audit", "AUDIT"),
        ("exception", "ERROR"),
    ],
)
def test_a_method_logs_at_its_level(logs, method, level):
    getattr(log, method)("m")

    assert logs()[-1]["level"] == level


@pytest.mark.parametrize(
    ("level", "name"), [(27, "Level 27"), ("notice", "NOTICE"), (treering.Level.ERROR, "ERROR")]
)
def test_log_takes_names_and_numbers(logs, level, name):
    log.log(level, "m %s", 1)

    assert (logs()[-1]["level"], logs()[-1]["message"]) == (name, "m 1")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("%s and %r", "a", "b"), "a and 'b'"),
        (("%(a)s", {"a": 1}), "1"),
        (("100%",), "100%"),
        (("%s", (1, 2)), "(1, 2)"),
        ((3.5,), "3.5"),
        (("grün",), "grün"),
    ],
)
def test_messages_are_formatted_as_in_the_standard_library(logs, args, expected):
    log.info(*args)

    assert logs()[-1]["message"] == expected


def test_extra_goes_to_its_parts(logs):
    log.info(
        "m",
        own=1,
        extra={
            "category": treering.LogCategory.SECURITY,
            "context": {"request": "r"},
            "metadata": {"more": 2},
            "performance_data": {"duration_ms": 3.5},
            "loose": 4,
        },
    )

    (record,) = logs()
    assert record["category"] == "security"
    assert record["context"] == {"request": "r"}
    assert record["metadata"] == {"own": 1, "more": 2, "loose": 4}
    assert record["performance_data"] == {"duration_ms": 3.5}


def test_a_call_site_is_not_mistaken_for_another(logs):
    loggers = [treering.get_logger("one"), treering.get_logger("two"), log.bind(k=1)]
    for turn in range(3):
        for logger in loggers:
            for level in ("info", "error"):
                getattr(logger, level)(f"turn {turn}", turn=turn)
    found = [
        (r["component"], r["level"], r["message"], r["metadata"], r.get("context")) for r in logs()
    ]

    assert found == [
        (name, level, f"turn {turn}", {"turn": turn}, context)
        for turn in range(3)
        for name, context in (("one", None), ("two", None), ("call", {"k": 1}))
        for level in ("INFO", "ERROR")
    ]


def test_keys_may_change_at_a_call_site(logs):
    for fields in ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, {}, {"a": 3}):
        log.info("m", **fields)

    assert [r.get("metadata", {}) for r in logs()] == [
        {"a": 1},
        {"b": 2},
        {"a": 1, "b": 2},
        {},
        {"a": 3},
    ]


def test_code_that_comes_and_goes_is_not_confused(logs):
    for number in range(300):
        code = compile(
            f"\n\ndef f{number}(): log.info('m{number}', n={number})\nf{number}()",
            f"f{number}.py",
            "exec",
        )
        exec(code, {"log": log, "__name__": f"mod{number}"})

    for number, record in enumerate(logs()):
        assert record["message"] == f"m{number}"
        assert (record["file"], record["function"], record["module"], record["line"]) == (
            f"f{number}.py",
            f"f{number}",
            f"mod{number}",
            3,
        )


def test_lambdas_and_generators_have_places(logs):
    (lambda: log.info("lambda"))()
    list(log.info("generator") for _ in range(2))

    assert [r["function"] for r in logs()] == ["<lambda>", "<genexpr>", "<genexpr>"]


def test_stacklevel_names_the_caller(logs):
    def inner():
        log.info("m", stacklevel=2)

    inner()
    assert logs()[-1]["function"] == "test_stacklevel_names_the_caller"


def test_frames_read_fast_agree_with_the_documented_api():
    assert _core.frames_agree()


def test_threads_log_their_own_fields(logs):
    def work(number):
        for turn in range(200):
            log.info("m", number=number, turn=turn)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = [(r["metadata"]["number"], r["metadata"]["turn"]) for r in logs()]
    assert sorted(found) == [(n, t) for n in range(4) for t in range(200)]


def test_bound_wins_over_ambient_and_inner_over_outer(logs):
    bound = log.bind(a="bound")
    with treering.context(a="outer", b="outer", c="outer"), treering.context(b="inner"):
        bound.info("m")
        log.info("m")
    bound.unbind("a").info("m")

    assert [r.get("context") for r in logs()] == [
        {"a": "bound", "b": "inner", "c": "outer"},
        {"a": "outer", "b": "inner", "c": "outer"},
        None,
    ]


def test_context_follows_tasks(logs):
    async def task(number):
        with treering.context(task=number):
            await asyncio.sleep(0)
            log.info("m", number=number)

    async def main():
        await asyncio.gather(*(task(n) for n in range(10)))

    asyncio.run(main())
    assert all(r["context"]["task"] == r["metadata"]["number"] for r in logs())


def test_context_decorates(logs):
    @treering.context(job="j")
    def work():
        log.info("m")

    work()
    assert logs()[-1]["context"] == {"job": "j"}


def test_exceptions_are_chained_and_noted(logs):
    try:
        try:
            raise KeyError("k")
        except KeyError as error:
            raise ValueError("v") from error
    except ValueError as error:
        error.add_note("note")
        log.exception("failed", order=42)

    exception = logs()[-1]["exception"]
    assert (exception["type"], exception["message"], exception["notes"]) == (
        "ValueError",
        "v",
        ["note"],
    )
    assert exception["stack"][-1]["function"] == "test_exceptions_are_chained_and_noted"
    assert (exception["cause"]["type"], exception["cause"]["message"]) == ("KeyError", "'k'")


def test_groups_show_their_members_and_suppressed_contexts_stay_hidden(logs):
    try:
        try:
            raise OSError("hidden")
        except OSError:
            raise ExceptionGroup("g", [ValueError("a"), TypeError("b")]) from None
    except ExceptionGroup:
        log.error("failed", exc_info=True)

    exception = logs()[-1]["exception"]
    assert [e["type"] for e in exception["exceptions"]] == ["ValueError", "TypeError"]
    assert "context" not in exception
    assert "cause" not in exception


def test_levels_are_inherited_down_the_dots(logs):
    treering.set_level("shop", "ERROR")
    treering.set_level("shop.pay", "DEBUG")
    for name in ("shop", "shop.cart", "shop.pay.card", "shopping"):
        treering.get_logger(name).info(name)
    treering.get_logger("shop").audit("always")
    treering.set_level("shop", None)
    treering.get_logger("shop").info("again")

    assert [r["message"] for r in logs()] == ["shop.pay.card", "shopping", "always", "again"]
    assert treering.get_logger("shop.pay").enabled_for("DEBUG")


def test_the_same_name_is_the_same_logger():
    assert treering.get_logger("same") is treering.get_logger("same")


def test_logf_and_log_structured_name_another_component(logs):
    log.logf("INFO", "other", "%s-%d", "a", 1)
    log.log_structured("ERROR", "other", "m", {"k": 1})

    first, second = logs()
    assert (first["component"], first["message"]) == ("other", "a-1")
    assert (second["level"], second["metadata"]) == ("ERROR", {"k": 1})
    assert first["function"] == "test_logf_and_log_structured_name_another_component"


def test_an_audit_receipt_says_that_the_record_is_durable(logs):
    assert log.audit("Role granted", actor="a").durable
