"""The configuration as an object."""

import ast
import inspect
import pickle
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treering.config import SETTINGS, LoggingConfig, resolve
from treering.errors import ConfigurationError


def test_every_setting_is_an_attribute_with_a_type():
    [definition] = ast.parse(inspect.getsource(LoggingConfig)).body
    [block] = [node for node in definition.body if isinstance(node, ast.If)]
    annotated = [ast.unparse(node.target) for node in block.body]

    assert sorted(annotated) == sorted(setting.name for setting in SETTINGS)
    assert all(hasattr(resolve(None, {}, {}), name) for name in annotated)


def test_a_configuration_does_not_change():
    config = resolve(None, {}, {})

    with pytest.raises(AttributeError, match=r"treering.configure\(level=…\)"):
        config.level = 10
    with pytest.raises(TypeError):
        config.values["level"] = 10


def test_a_setting_that_does_not_exist_is_no_attribute():
    with pytest.raises(AttributeError, match="there is no setting colour"):
        _ = resolve(None, {}, {}).colour


def test_a_configuration_is_pickled_whole():
    config = resolve("debug", {"levels": {"auth": "ERROR"}}, {"TREERING_LOG_ALERT_EMAIL": "a@b"})

    copy = pickle.loads(pickle.dumps(config))

    assert copy == config
    assert (copy.sources, copy.profile, copy.notices) == (
        config.sources,
        config.profile,
        config.notices,
    )


SECRET = {
    "central": {
        "type": "http",
        "url": "https://me:hunter2@example.com/in",
        "token": "hunter2",
        "headers": {"Authorization": "Bearer hunter2"},
    }
}


def test_nothing_that_shows_a_configuration_shows_a_secret():
    config = resolve(None, {"outputs": SECRET}, {})

    for text in (repr(config), config.describe(), str(config.to_dict(hide_secrets=True))):
        assert "hunter2" not in text
        assert "https://me:********@example.com/in" in text
    assert config.outputs["central"]["token"] == "hunter2"


@pytest.mark.parametrize("name", ["saved.yaml", "saved.json"])
def test_what_is_saved_says_the_same_when_it_is_read(name, tmp_path):
    config = resolve(
        "production",
        {
            "directory": tmp_path / "logs",
            "levels": {"auth.session": "DEBUG", "": "TRACE"},
            "overflow": "drop_below=WARNING",
            "outputs": SECRET,
            "ring_bytes": "64KB",
        },
        {},
    )

    config.save(tmp_path / name)

    assert resolve(None, {}, {}, tmp_path / name) == config
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_configuration_is_not_saved_as_something_unknown(tmp_path):
    with pytest.raises(ConfigurationError, match=r"has the suffix '.txt'"):
        resolve(None, {}, {}).save(tmp_path / "saved.txt")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["block", "drop_below=27"]))
def test_a_configuration_given_back_is_the_same(level, other, overflow):
    config = resolve(None, {"level": level, "levels": {"a": other}, "overflow": overflow}, {})

    assert resolve(None, config.to_dict(), {}) == config
