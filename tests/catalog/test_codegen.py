"""Generated modules, as their type checker, linter and interpreter see them."""

import os
import re
import subprocess
import sys

import pytest

from treering.catalog import Catalog, module_of

CATALOG = """\
events:
  - id: 013000001
    name: ARRAY_CREATE_FAILED
    message: The array {array_name} could not be created.
    cause: The name contains a special character, which is explained at some length here so that it wraps.
    solution: Choose another.
    variables: {size: int?, array_name: str, ratio: float, force: bool, detail: object}
  - {id: 016000002, name: class, message: "Quotes \\" and \\"\\"\\" and \\\\N{DASH} and \\e[2J."}
  - {id: 016000003, name: "1 to 2 \\n import os", message: '"Quoted."'}
  - {id: 016000004, name: TYPE_CHECKING, message: Same as ours.}
  - {id: 016000005, name: "_", message: "It ends with \\"quotes\\""}
"""  # fmt: skip
USE = """\
import treering
from events import ARRAY_CREATE_FAILED

treering.event(ARRAY_CREATE_FAILED, array_name="a", ratio=0.5, force=True, detail=[1])
ARRAY_CREATE_FAILED(array_name="a", ratio=1, force=True, detail=None, size=3, level="ERROR")
treering.event(ARRAY_CREATE_FAILED, ratio=0.5, force=True, detail=1)  # wrong: array_name
treering.event(ARRAY_CREATE_FAILED, array_name=7, ratio=0.5, force=True, detail=1)  # wrong: "int"
treering.event(ARRAY_CREATE_FAILED, array_name="", ratio=0.5, force=True, detail=1, sise=1)  # wrong: sise
ARRAY_CREATE_FAILED(array_name="a", ratio="1", force=True, detail=1)  # wrong: "str"
ARRAY_CREATE_FAILED("a", ratio=1, force=True, detail=1)  # wrong: positional
treering.event(ARRAY_CREATE_FAILED, array_name="", ratio=1, force=True, detail=1, stacklevel="")  # wrong: stacklevel
"""


@pytest.fixture
def generated(tmp_path):
    source = module_of(Catalog.parse(CATALOG, "events.yaml"))
    (tmp_path / "events.py").write_text(source)
    (tmp_path / "use.py").write_text(USE)
    return tmp_path


def test_a_wrong_variable_is_a_type_error(generated):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            os.devnull,
            "use.py",
            "events.py",
        ],
        cwd=generated,
        capture_output=True,
        text=True,
        check=False,
    )

    errors = re.findall(r"use\.py:(\d+): error: (.*)", done.stdout)
    lines = USE.splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if "# wrong" in line]
    assert sorted({int(line) for line, _ in errors}) == wrong, done.stdout + done.stderr
    assert "events.py:" not in done.stdout
    for number, message in errors:
        word = lines[int(number) - 1].rpartition("# wrong: ")[2]
        assert word in message


def test_names_and_texts_of_any_kind_become_valid_python(generated):
    namespace = {}
    exec(compile((generated / "events.py").read_text(), "events.py", "exec"), namespace)

    names = [name for name in namespace if namespace[name].__class__.__name__ == "Event"]
    assert names == [
        "ARRAY_CREATE_FAILED",
        "class_",
        "EVENT_1_to_2_import_os",
        "TYPE_CHECKING_",
        "EVENT_016000005",
    ]
    assert namespace["class_"].message == 'Quotes " and """ and \\N{DASH} and \x1b[2J.'
    assert namespace["class_"].name == "class"
    assert "\x1b" not in (generated / "events.py").read_text()


def test_the_same_catalog_gives_the_same_module():
    assert module_of(Catalog.parse(CATALOG)) == module_of(Catalog.parse(CATALOG))
