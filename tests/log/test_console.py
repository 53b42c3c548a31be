"""The console, and logging without a journal."""

import json
import os
import pty
import re
import subprocess
import sys

from programs import run


def test_without_configuration_records_go_to_standard_error_and_no_file_is_made(tmp_path):
    before = set(os.listdir("/dev/shm"))
    program = """
        import os, sys, treering
        os.chdir(sys.argv[1])
        log = treering.get_logger("auth")
        log.info("User authenticated", user_id=7, method="password")
        log.debug("not shown")
        treering.flush()
        print(os.listdir("."), set(os.listdir("/dev/shm")) - set(sys.argv[2].split(",")))
    """
    _, out, err = run(program, tmp_path, ",".join(before))

    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[INFO    \] auth: User authenticated"
        r"  user_id=7 method=password\n",
        err,
    )
    assert out.startswith("[]")


def test_every_record_is_shown_however_many_and_however_the_program_ends():
    for ending in ("", "raise SystemExit(3)", "raise RuntimeError"):
        _, _, err = run(
            f"""
            import treering
            log = treering.get_logger("many")
            for number in range(20000):
                log.info("line", number=number)
            {ending}
            """,
            check=False,
        )
        numbers = [int(n) for n in re.findall(r"number=(\d+)", err)]
        assert numbers == list(range(20000))


def test_children_of_multiprocessing_show_their_last_records():
    _, _, err = run(
        """
        import multiprocessing, treering
        log = treering.get_logger("app")
        log.info("parent")
        def work(number):
            log.info("child", number=number)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=work, args=(n,)) for n in range(5)]
        for child in children: child.start()
        for child in children: child.join()
        """
    )
    assert sorted(re.findall(r"number=(\d)", err)) == list("01234")
    assert err.count("parent") == 1


def test_colour_on_a_terminal_unless_told_otherwise():
    program = "import treering; treering.get_logger('a').error('boom'); treering.flush()"

    def on_terminal(**env):
        master, slave = pty.openpty()
        subprocess.run(
            [sys.executable, "-c", program],
            stderr=slave,
            env={**os.environ, "TERM": "xterm", **env},
            check=True,
        )
        os.close(slave)
        shown = os.read(master, 10_000).decode()
        os.close(master)
        return shown

    assert "\x1b[31m[ERROR" in on_terminal()
    assert "\x1b" not in on_terminal(NO_COLOR="1")
    assert "\x1b" not in on_terminal(TERM="dumb")
    assert "\x1b" in on_terminal(TREERING_LOG_CONSOLE_COLORS="true", NO_COLOR="1")
    assert "\x1b" not in run(program)[2]


def test_json_when_asked():
    _, _, err = run(
        "import treering; treering.get_logger('a').info('m', x=1)",
        env={"TREERING_LOG_CONSOLE_FORMAT": "json"},
    )
    assert json.loads(err)["metadata"] == {"x": 1}


def test_a_closed_standard_error_does_no_harm():
    _, out, _ = run(
        """
        import os, treering
        os.close(2)
        log = treering.get_logger("a")
        for _ in range(1000): log.info("m")
        print(treering.flush(5))
        """
    )
    assert out == "True\n"
