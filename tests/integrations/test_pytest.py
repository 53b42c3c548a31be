"""The pytest plugin, in test runs of their own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# They cost seconds and change nothing here.
OTHERS = ("anyio", "hypothesispytest", "randomly", "timeout")


def without(*plugins):
    return [word for plugin in plugins for word in ("-p", f"no:{plugin}")]


@pytest.fixture
def run_tests(tmp_path):
    """Runs a file of tests; gives what pytest printed."""

    def run(source, *options, ini="", passed=0, failed=0):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{ini}")
        (tmp_path / "test_shop.py").write_text(
            "import logging\nimport pytest\nimport treering\n\nlog = treering.get_logger('shop')\n"
            + textwrap.dedent(source)
        )
        environment = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *without(*OTHERS), *options],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        counts = [f"{failed} failed"] * bool(failed) + [f"{passed} passed"] * bool(passed)
        assert ", ".join(counts) + " in" in done.stdout, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_fixture_has_the_records_of_its_test(run_tests):
    run_tests(
        """
        def test_one(treering_records):
            log.info("User authenticated", user_id=7)
            with treering.context(tenant="acme"):
                treering.get_logger("shop.cart", category="api").debug("Cart %s", "emptied")
            assert treering_records.messages == ["User authenticated", "Cart emptied"]
            assert treering_records.has("authenticated", user_id=7)
            assert not treering_records.has("authenticated", user_id=8)
            assert treering_records.has("emptied", tenant="acme", level="DEBUG", category="api")
            assert len(treering_records.of(component="shop")) == 2
            assert len(treering_records.of(component="shop.cart")) == 1
            assert treering_records.of(component="sho") == []
            assert treering_records[0]["metadata"] == {"user_id": 7}
            assert "tenant=acme" in treering_records.text
            treering_records.clear()
            assert len(treering_records) == 0
            log.error("after")
            assert [r["level"] for r in treering_records] == ["ERROR"]

        def test_two(treering_records):
            assert treering_records.messages == []
            log.info("two")
            assert treering_records.messages == ["two"]
        """,
        passed=2,
    )


def test_the_guide_shows_a_test_that_passes(run_tests):
    guide = Path(__file__).parent.parent.parent / "docs" / "guides" / "pytest.md"
    run_tests(guide.read_text().split("```python\n")[1].split("```")[0], passed=1)


def test_records_of_a_failed_test_are_shown(run_tests):
    out = run_tests(
        """
        def test_bad(treering_records):
            log.info("seen in the report", order=7)
            assert False

        def test_good(treering_records):
            log.info("not seen")

        def test_without():
            log.info("of nobody's concern")
            assert False
        """,
        passed=1,
        failed=2,
    )
    assert out.count("Captured treering records") == 1
    assert "seen in the report" in out and "order=7" in out
    assert "not seen" not in out.split("short test summary")[0].replace("def test_good", "")


def test_every_test_is_captured_when_asked(run_tests):
    out = run_tests(
        """
        def test_bad():
            log.info("seen %s", "in the report")
            assert False
        """,
        ini="treering_capture = true",
        failed=1,
    )
    assert "Captured treering records" in out and "seen in the report" in out


def test_it_works_in_the_processes_of_xdist(run_tests):
    out = run_tests(
        """
        @pytest.mark.parametrize("at", range(12))
        def test_many(treering_records, at):
            log.info("number", at=at)
            assert [r["metadata"]["at"] for r in treering_records] == [at]
            assert at != 5
        """,
        *["-n", "2"],
        passed=11,
        failed=1,
    )
    assert "at=5" in out and "at=4" not in out


def test_what_was_configured_before_is_put_back(run_tests, tmp_path):
    run_tests(
        f"""
        from treering.journal import Journal

        treering.configure(directory={str(tmp_path / "own")!r}, console=False)

        def test_captured(treering_records):
            log.info("captured")
            assert treering_records.messages == ["captured"]

        def test_own():
            log.info("own")
            assert treering.flush()
            assert treering.get_logging_config().directory == {str(tmp_path / "own")!r}
            lines = b"".join(line for _, line in Journal({str(tmp_path / "own")!r}).records())
            assert b'"own"' in lines and b'"captured"' not in lines
        """,
        passed=2,
    )


def test_a_journal_that_the_test_configures_is_read_as_well(run_tests):
    run_tests(
        """
        def test_app(treering_records, tmp_path):
            log.info("before")
            treering.configure(directory=tmp_path / "logs", console=False)
            log.info("after")
            assert treering_records.messages == ["before", "after"]
        """,
        passed=1,
    )


def test_caplog_keeps_what_is_captured_from_the_standard_library(run_tests):
    run_tests(
        """
        def test_both(treering_records, caplog):
            with treering.capture_stdlib():
                logging.getLogger("lib").warning("to both", extra={"a": 1})
            assert caplog.messages == ["to both"]
            assert treering_records.has("to both", a=1)
        """,
        passed=1,
    )


def test_caplog_has_treerings_records_when_asked(run_tests):
    run_tests(
        """
        def test_both(caplog, treering_records):
            caplog.set_level("DEBUG")
            with treering.capture_stdlib():
                log.info("User %s", "ann", user_id=7)
                log.log("DEBUG", "detail")
                try:
                    raise ValueError("no")
                except ValueError:
                    log.exception("failed")
                log.audit("Role granted", actor="a")
            assert caplog.messages == ["User ann", "detail", "failed", "Role granted"]
            first, _, failed, audit = caplog.records
            assert (first.name, first.levelname, first.treering) == ("shop", "INFO", {"user_id": 7})
            assert (first.funcName, first.filename) == ("test_both", "test_shop.py")
            assert failed.exc_info[0] is ValueError
            assert audit.levelname == "AUDIT"
            assert treering_records.messages == caplog.messages
            assert {r["function"] for r in treering_records} == {"test_both"}
            treering.set_level("shop", "ERROR")
            log.info("below the level")
            assert len(caplog.records) == 4
        """,
        ini="treering_caplog = true",
        passed=1,
    )


def test_it_does_nothing_unless_asked(run_tests, tmp_path):
    run_tests(
        """
        from treering import _core

        def test_inert(caplog):
            assert not _core.is_started()
            assert "info" not in vars(treering.Logger)
            logging.getLogger("x").warning("as ever")
            assert caplog.messages == ["as ever"]
        """,
        passed=1,
    )
    assert not list(tmp_path.glob("**/journal.json"))
