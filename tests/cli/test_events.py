"""`treering events`, and events in what other commands show."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "treering"]
EXCERPT = Path(__file__).parent.parent / "catalog" / "data" / "pos_event_excerpt.yaml"
DATA = os.environ.get("TREERING_DATA")
LINES = """\
[2022-10-19 19:09:02.029184126][15539][15579][87149155][1201][ info  ]  CLI_SERVER_INITIALIZED - The CLI server has been initialized successfully. (cause: NONE, solution: NONE, variables: max_cli_count:5), source: cli_server.cpp:424 CLIServer(), pos_version: v0.12.0-rc0
{"instanceId": 1638929401,"eventId": 10005328,"datetime": "2021-12-09 03:00:93.999","level": "info","description":{"eventName":"ARRAY_CREATE_FAILURE","message":"Failed to create an array","cause": "Array name has a special character","trace":"","variables":[{"arrayName": "array1"},{"volumeName": "volum@1"}]},"source": "array_name_policy.cpp:80","posVersion":"pos-v0.10.0"},
no event at all
"""


def treering(*words, data=None):
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        input=data,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TZ": "UTC"},
    )


def test_check_fails_for_errors_and_names_file_line_and_code():
    done = treering("events", "check", EXCERPT)

    assert done.returncode == 1
    assert done.stderr == "15 events, 5 errors, 31 warnings\n"
    assert f"{EXCERPT}:90: error swallowed_entry entry '4503' is part of" in done.stdout


def test_check_is_content_with_warnings(tmp_path):
    catalog = tmp_path / "c.yaml"
    catalog.write_text("events: [{id: 016000001, name: ARRAY_CREATED, message: created}]\n")

    done = treering("events", "check", catalog)
    assert done.returncode == 0
    assert done.stdout.count("warning") == 2

    done = treering("events", "check", catalog, "--ignore", "no_capital")
    assert done.stdout.count("warning") == 1


def test_check_speaks_json():
    found = json.loads(treering("events", "check", EXCERPT, "--json").stdout)

    assert (found["events"], found["errors"]) == (15, 5)
    assert {"path", "line", "code", "severity", "message"} == set(found["findings"][0])


def test_hostile_text_in_a_catalog_reaches_no_terminal(tmp_path):
    catalog = tmp_path / "c.yaml"
    catalog.write_text('events: [{id: 016000001, name: "\\e]0;x\\a", message: "\\e[2J \\u202e"}]\n')

    for action in ("check", "docs", "codegen"):
        shown = treering("events", action, catalog).stdout
        assert not any(not char.isprintable() and char != "\n" for char in shown), action


def test_what_cannot_be_read_is_an_error_of_the_caller(tmp_path):
    done = treering("events", "check", tmp_path / "none.yaml")

    assert (done.returncode, done.stdout) == (2, "")
    assert "none.yaml cannot be read: No such file or directory" in done.stderr


def test_a_file_that_is_not_current_is_found_out(tmp_path):
    target = tmp_path / "events.py"

    assert treering("events", "codegen", EXCERPT, "--check").returncode == 2
    assert treering("events", "codegen", EXCERPT, "-o", target, "--check").returncode == 1
    assert not target.exists()
    assert treering("events", "codegen", EXCERPT, "-o", target).returncode == 0
    assert treering("events", "codegen", EXCERPT, "-o", target, "--check").returncode == 0
    assert target.read_text() == treering("events", "codegen", EXCERPT).stdout


@pytest.fixture
def piped(journal):
    done = treering("pipe", "--utc", "--to", journal, data=LINES)
    assert done.returncode == 0, done.stderr
    return journal


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ("include: 1200-1599", ["CLI_SERVER_INITIALIZED"]),
        ("exclude: 1200-1599", ["ARRAY_CREATE_FAILURE", None]),
        ("include: 1201\nexclude: 1201", ["CLI_SERVER_INITIALIZED"]),
        ("# none: of both", ["CLI_SERVER_INITIALIZED", "ARRAY_CREATE_FAILURE", None]),
    ],
)
def test_an_event_filter_chooses_what_is_shown(piped, tmp_path, policy, names):
    (tmp_path / "filter").write_text(policy)

    for command in (["cat"], ["tail", "-n", "9"]):
        done = treering(*command, piped, "--json", "--event-filter", tmp_path / "filter")
        assert [json.loads(line).get("event_name") for line in done.stdout.splitlines()] == names


def test_an_unusable_event_filter_is_refused(piped, tmp_path):
    (tmp_path / "filter").write_text("include: 1\ninclude: x")

    done = treering("cat", piped, "--event-filter", tmp_path / "filter")

    assert done.returncode == 2
    assert "filter:2: 'x' is not usable: a number or a range such as 2000-3000" in done.stderr


@pytest.mark.skipif(not DATA, reason="TREERING_DATA names no directory with the samples")
def test_every_sample_line_of_poseidonos_and_netlink_is_read(journal):
    samples = [*Path(DATA).glob("poseidonos/sample_*.txt"), Path(DATA) / "netlink/backup_node.log"]
    assert treering("pipe", "--utc", "--to", journal, *samples).returncode == 0

    records = [json.loads(line) for line in treering("cat", journal, "--json").stdout.splitlines()]
    lines = sum(len(sample.read_text().splitlines()) for sample in samples)
    assert len(records) == lines
    poseidonos = [record for record in records if record["component"] != "backup_node"]
    assert all(record["event_name"] and record["file"] and record["line"] for record in poseidonos)
    assert all(record["metadata"]["pos_version"] for record in poseidonos)
    assert sum("event_id" not in record for record in poseidonos) == 1
    (backup,) = (record for record in records if record["component"] == "backup_node")
    assert (backup["level"], backup["timestamp"]) == ("ERROR", "2025-07-03T21:16:08.765000000Z")
