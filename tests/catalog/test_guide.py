"""The guide does what it says, block by block."""

import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guides" / "events.md"
PROGRAMS = {
    "treering": [sys.executable, "-m", "treering"],
    "mypy": [sys.executable, "-m", "mypy", "--cache-dir", os.devnull],
    "python": [sys.executable],
}


def test_the_guide_shows_what_happens(tmp_path):
    for kind, text in re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        if kind == "console":
            for command, shown in re.findall(r"\$ (.*)\n((?:[^$].*\n)*)", text):
                assert run(command.split(), tmp_path) == shown
        elif text.startswith("# "):
            (tmp_path / text[2 : text.index("\n")]).write_text(text)


def run(words, directory):
    done = subprocess.run(
        [*PROGRAMS[words[0]], *words[1:]],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TZ": "UTC"},
    )
    # Notes of type checkers differ with what they have cached.
    shown = re.sub(r".*: note: .*\n", "", done.stdout + done.stderr)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", shown)
