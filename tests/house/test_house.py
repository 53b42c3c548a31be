"""Rules about ourselves."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import treering
from treering.config import SETTINGS

ROOT = Path(__file__).parent.parent.parent


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_public_names_are_the_ones_that_are_listed():
    listed = (Path(__file__).parent / "api.txt").read_text().split()

    assert sorted(treering.__all__) == listed
    assert all(hasattr(treering, name) for name in listed)


def test_no_class_is_named_for_not_having_found_a_name():
    words = re.compile(r"Manager|Helper|Util|Service|Processor|Wrapper|Impl(?![a-z])|Misc")
    for path in tracked("src/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                assert not words.search(node.name), f"{path}: {node.name}"
                if "Handler" in node.name:
                    bases = {ast.unparse(base) for base in node.bases}
                    assert "logging.Handler" in bases, f"{path}: {node.name}"


def test_the_core_knows_no_python():
    for path in tracked("rust/core/*"):
        assert not re.search(r"\bpyo3\b", path.read_text(), re.IGNORECASE) or path.name == "lib.rs"


def test_every_unsafe_block_says_why_it_is_safe():
    for path in tracked("rust/*.rs"):
        assert_says_why(path, r"\bunsafe (\{|impl\b)")


def test_every_unsafe_function_of_the_core_says_what_it_asks_for():
    for path in tracked("rust/core/*.rs"):
        assert_says_why(path, r"\bunsafe (extern \"C\" )?fn \w")


def assert_says_why(path, unsafe):
    lines = path.read_text().splitlines()
    for at, line in enumerate(lines):
        if re.search(unsafe, line) and not line.lstrip().startswith("//"):
            above = "\n".join(lines[max(0, at - 12) : at + 2])
            assert "SAFETY" in above or "# Safety" in above, f"{path}:{at + 1}"


def test_nothing_names_a_machine():
    machine = re.compile(r"(?<![\w.])/(work|root|home/\w+)/")
    for path in tracked():
        if path.suffix in {".lock", ".png"} or path == Path(__file__):
            continue
        found = machine.search(path.read_text(errors="replace"))
        assert not found, f"{path}: {found}"


def test_the_reference_is_current():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert all(setting.variable in settings for setting in SETTINGS)


def documents():
    return [path for path in tracked("README.md", "docs/*.md") if "```python" in path.read_text()]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_examples_of_the_documentation_run(path, tmp_path):
    blocks = re.findall(
        r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", path.read_text(), re.DOTALL
    )
    for code, output in blocks:
        (tmp_path / "app.py").write_text(code)
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        if output:
            assert plain(done.stderr) == plain(output)


def plain(text):
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"treering: new journal .*\n  .*\n", "", text)
    text = re.sub(r"\b(process|pid)([ =:\"]+)\d+", r"\1\2PID", text)
    return re.sub(r'File ".*?", line \d+', "File", text).strip()


def test_make_says_what_it_can_do():
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target in ("demo", "test", "check", "fix", "bench", "docs", "clean"):
        assert f"make {target}" in shown


def test_the_demo_proves_what_it_shows(tmp_path):
    log = tmp_path / "some.log"
    log.write_text("2020-01-01T00:00:00Z ERROR: from the input\n")
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "demo.py", log],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing lost, nothing twice" in done.stdout
