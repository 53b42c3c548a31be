"""Fixtures of all tests."""

import os

import pytest

import treering


@pytest.fixture(autouse=True, scope="session")
def _state(tmp_path_factory):
    """What this host sees of journals goes elsewhere than into its user's home."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def journal(tmp_path):
    """The directory of a journal to be."""
    return tmp_path / "logs"


@pytest.fixture
def logs(journal):
    """This process logs into `journal`; the value reads it back."""
    from programs import OWN, records

    treering.configure(directory=journal, console=False, level="TRACE")

    def read(*, of_journal=False):
        assert treering.flush(10)
        import json

        from treering.journal import Journal

        found = [json.loads(line) for _, line in Journal(journal).records()]
        return found if of_journal else [r for r in found if r["component"] not in OWN]

    yield read
    treering.shutdown()
    assert records  # the module stays imported for forked children


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in os.environ:
        if name.startswith("TREERING_"):
            monkeypatch.delenv(name)
