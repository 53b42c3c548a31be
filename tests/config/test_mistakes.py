"""Every mistake gets a message that says what, where, found, wanted."""

import os
import tomllib
from pathlib import Path

import pytest

from treering.config import survey
from treering.errors import ConfigurationError
from treering.outputs import problems

MISTAKES = tomllib.loads((Path(__file__).parent / "mistakes.toml").read_text())["mistake"]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_gets_its_messages(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = mistake.get("files", {})
    for name, text in files.items():
        Path(name).write_text(text)

    assert [line.replace(os.fspath(tmp_path), "HERE") for line in messages(mistake, files)] == (
        mistake["messages"]
    )


def messages(mistake, files):
    try:
        found = survey(
            mistake.get("profile"),
            mistake.get("arguments", {}),
            mistake.get("environment", {}),
            mistake.get("config_file") or next(iter(files), None),
        )
    except ConfigurationError as error:
        return [told(error)]
    return [told(error) for error in (*found.problems, *problems(found.config))]


def told(error):
    return f"{error.code}: {error}" + (f" ({error.hint})" if error.hint else "")


def test_the_table_has_at_least_forty_mistakes_and_each_gets_a_message():
    assert len(MISTAKES) >= 40
    assert all(mistake["messages"] for mistake in MISTAKES)
