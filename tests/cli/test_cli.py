"""The command line as a whole program."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest
from programs import records, run, start, wait_for

COMMAND = [sys.executable, "-m", "treering"]
TEXT = """\
2020-11-21T10:00:00Z ERROR: disk is full
{"time":"2020-11-21T10:00:01Z","level":"info","logger":"web.api","msg":"served","user":{"id":7}}
level=warn msg="slow query" ms=340 logger=db
2020-11-21 10:00:03,000 - app - ERROR - failed
Traceback (most recent call last):
  File "x.py", line 1, in f
ValueError: bad
plain words
"""


def treering(*words, data=None, env=None, **options):
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        input=data,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TZ": "UTC", **(env or {})},
        **options,
    )


@pytest.fixture
def piped(journal):
    done = treering("pipe", "--to", journal, "--component", "test", data=TEXT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        f"5 records into {journal} (5 records, 1 json, 1 logfmt, 2 prefixed, 1 plain, 3 joined)\n"
    )
    return journal


def messages(output):
    return [json.loads(line)["message"] for line in output.splitlines()]


def test_cat_shows_records_for_people(piped):
    done = treering("cat", piped, "--until", "2020-11-21T10:00:04Z")

    assert done.stdout == textwrap.dedent(
        """\
        [2020-11-21 10:00:00] [ERROR   ] test: disk is full
        [2020-11-21 10:00:01] [INFO    ] web.api: served  user={"id":7}
        [2020-11-21 10:00:03] [ERROR   ] app: failed  stack="Traceback (most recent call last):\\\\n  File \\\\"x.py\\\\", line 1, in f\\\\nValueError: bad"
        """
    ).replace("\\\\", "\\")  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], ["disk is full", "served", "slow query", "failed", "plain words"]),
        (["--level", "WARNING"], ["disk is full", "slow query", "failed"]),
        (["--component", "web"], ["served"]),
        (["--component", "te*"], ["disk is full", "plain words"]),
        (["--grep", "SLOW"], ["slow query"]),
        (["--grep", "ValueError"], ["failed"]),
        (["--field", "ms=340"], ["slow query"]),
        (["--field", "metadata.user.id=7"], ["served"]),
        (["--since", "2020-11-21T10:00:01Z", "--until", "2020-11-21T10:00:03Z"], ["served"]),
        (["--start", "2", "--stop", "3"], ["served"]),
        (["--level", "error", "--component", "app"], ["failed"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_conditions_choose(piped, conditions, expected):
    assert messages(treering("cat", piped, "--json", *conditions).stdout) == expected


def test_nothing_found_is_exit_code_1_and_the_journals_own_records_are_hidden(piped):
    assert treering("cat", piped, "--grep", "no such text").returncode == 1
    assert "journal created" not in treering("cat", piped).stdout
    assert "journal created" in treering("cat", piped, "--journal").stdout
    assert "journal created" in treering("cat", piped, "--component", "treering").stdout


def test_tail_shows_the_newest(piped):
    assert messages(treering("tail", piped, "-n", "2", "--json").stdout) == [
        "failed",
        "plain words",
    ]
    assert messages(treering("tail", piped, "-n", "9", "--json", "--level", "ERROR").stdout) == [
        "disk is full",
        "failed",
    ]


def test_tail_follows_other_processes(piped):
    tail = subprocess.Popen(
        [*COMMAND, "tail", "-f", "-n", "1", "--json", str(piped)],
        stdout=subprocess.PIPE,
        text=True,
        # What was started in the background inherits that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert json.loads(tail.stdout.readline())["message"] == "plain words"
    run(
        "import sys, treering; treering.configure(directory=sys.argv[1], console=False);"
        "treering.get_logger('new').info('arrived')",
        piped,
    )
    assert json.loads(tail.stdout.readline())["message"] == "arrived"
    tail.send_signal(signal.SIGINT)
    assert tail.wait(10) == 130
    tail.stdout.close()


def test_output_into_a_closed_pipe_is_no_error(journal):
    treering("pipe", "--to", journal, data="line\n" * 50_000)
    shell = f"{' '.join(COMMAND)} cat {journal} | head -n 1"

    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)

    assert done.stderr == "" and done.stdout.count("\n") == 1


def test_colour_only_when_asked_for_or_on_a_terminal(piped):
    assert "\x1b" not in treering("cat", piped).stdout
    assert "\x1b[31m[ERROR" in treering("cat", piped, "--color", "always").stdout
    assert "\x1b" not in treering("cat", piped, "--color", "always", "--json").stdout


def test_hostile_text_reaches_no_terminal(journal):
    treering("pipe", "--to", journal, data="evil \x1b]0;title\x07 \x1b[2J \u202e text\n")

    shown = treering("cat", journal).stdout

    assert not any(char < " " and char != "\n" for char in shown) and "\u202e" not in shown
    assert "evil \\x1b]0;title\\x07" in shown


def test_stats_count(piped):
    found = json.loads(treering("stats", piped, "--json").stdout)

    assert found["records"] == 5
    assert found["levels"] == {"ERROR": 2, "INFO": 2, "WARNING": 1}
    assert found["first"].startswith("2020-11-21T10:00:00")
    shown = treering("stats", piped).stdout
    assert "5 records in 1 segments" in shown and re.search(r"level +ERROR +2 █", shown)


def test_levels_are_shown_and_changed_in_running_processes(journal):
    program = start(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("auth.session")
        print("ready", flush=True)
        sys.stdin.readline()
        print(log.enabled_for("DEBUG"), flush=True)
        """,
        journal,
        stdin=subprocess.PIPE,
    )
    assert program.stdout.readline() == "ready\n"
    assert treering("level", "set", journal, "auth", "debug", "--persist").returncode == 0
    assert treering("level", "show", journal).stdout == "INFO     (root)\nDEBUG    auth\n"
    assert program.communicate("\n")[0] == "True\n"
    # Stored: a later process begins with it.
    _, out, _ = run(
        "import sys, treering; treering.configure(directory=sys.argv[1], console=False);"
        "print(treering.get_logger('auth').enabled_for(10))",
        journal,
    )
    assert out == "True\n"
    alone = treering("level", "set", journal, "auth", "inherit")
    assert alone.returncode == 1 and "--persist" in alone.stderr


def test_drain_takes_the_lead_until_it_is_told_to_stop(piped):
    drain = subprocess.Popen([*COMMAND, "drain", str(piped)], stderr=subprocess.PIPE, text=True)
    assert drain.stderr.readline() == f"leading {piped}\n"
    _, out, _ = run(
        "import sys, treering; treering.configure(directory=sys.argv[1], console=False);"
        "treering.get_logger('a').info('m'); treering.flush();"
        "print(treering.statistics()['leader'])",
        piped,
    )
    assert int(out) == drain.pid
    drain.terminate()
    assert drain.wait(10) == 0
    drain.stderr.close()


def test_a_killed_writers_records_are_seen_by_the_next_look(journal):
    program = start(
        """
        import os, sys, time, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("a").info("last words")
        os.kill(os.getpid(), 9)
        """,
        journal,
    )
    program.communicate()
    assert "last words" in treering("tail", journal).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cat", "/no/such/journal"], ["/no/such/journal", "No such file"]),
        (["cat", "DIR", "--level", "LOUD"], ["invalid", "LOUD"]),
        (["cat", "DIR", "--since", "yesterday"], ["--since", "yesterday"]),
        (["cat", "DIR", "--field", "novalue"], ["--field", "novalue"]),
        (["pipe", "--to", "DIR", "/no/such/file"], ["/no/such/file"]),
        (["level", "set", "DIR", "auth", "loud"], ["level 'loud' is unknown"]),
        (["explode"], ["explode"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_one_clear_line_and_exit_code_2(piped, words, says):
    done = treering(*[str(piped) if word == "DIR" else word for word in words])

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in says), done.stderr


def test_a_damaged_journal_file_is_named(piped):
    (piped / "journal.json").write_text("{")
    done = treering("cat", piped)
    assert done.returncode == 2 and "journal.json' is damaged" in done.stderr


def test_help_fits_the_screen():
    for words in ([], ["cat"], ["tail"], ["pipe"], ["stats"], ["level"], ["drain"]):
        shown = treering(*words, "--help", env={"COLUMNS": "80"}).stdout
        assert shown and max(map(len, shown.splitlines())) <= 79


def test_piped_lines_arrive_while_the_pipe_is_open(journal):
    pipe = subprocess.Popen(
        [*COMMAND, "pipe", "--to", str(journal)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pipe.stdin.write("first\nsecond\n")
    pipe.stdin.flush()
    wait_for(
        lambda: (journal / "active").exists() and len(treering("cat", journal).stdout) > 0, "lines"
    )
    pipe.communicate()
    assert [r["message"] for r in records(journal)] == ["first", "second"]
