"""Where settings come from, and which wins."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treering.config import PROFILES, resolve, survey
from treering.errors import ConfigurationError
from treering.outputs import problems

LAYERS = ("file", "environment", "argument")
VALUES = {
    "level": st.sampled_from(["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "OFF"]),
    "console": st.booleans(),
    "ring_bytes": st.integers(16 << 10, 1 << 30),
    "block_timeout_s": st.integers(0, 3600),
    "overflow": st.sampled_from(["block", "drop_oldest", "drop_newest", "drop_below=ERROR"]),
    "security_enabled": st.booleans(),
    "checkpoint_interval_s": st.integers(0, 86_400),
}
VARIABLES = {
    "level": "TREERING_LOG_LEVEL",
    "console": "TREERING_LOG_CONSOLE_ENABLED",
    "ring_bytes": "TREERING_RING_BYTES",
    "block_timeout_s": "TREERING_BLOCK_TIMEOUT_S",
    "overflow": "TREERING_OVERFLOW",
    "security_enabled": "TREERING_LOG_SECURITY_ENABLED",
    "checkpoint_interval_s": "TREERING_CHECKPOINT_INTERVAL_S",
}
GIVEN = st.fixed_dictionaries({}, optional=VALUES)


def write(path, text):
    path.write_text(text)
    return path


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([None, *PROFILES]), GIVEN, GIVEN, GIVEN)
def test_the_latest_layer_that_says_something_wins(
    tmp_path_factory, profile, file, environment, arguments
):
    path = write(tmp_path_factory.getbasetemp() / "layers.json", json.dumps(file))
    variables = {VARIABLES[name]: str(value) for name, value in environment.items()}

    found = resolve(profile, arguments, variables, path).to_dict()

    defaults = resolve(None, {}, {}).to_dict()
    of_profile = resolve(None, dict(PROFILES.get(profile, {})), {}).to_dict(only_given=True)
    expected = defaults | of_profile | file | environment | arguments
    said = file | environment | arguments
    if profile == "production" and "console" not in said and not expected["directory"]:
        # Records must not go nowhere because of a profile alone.
        expected["console"] = True
    assert found == expected


def test_every_setting_says_where_it_came_from(tmp_path):
    path = write(tmp_path / "log.yaml", "# ours\nconsole:\n  enabled: false\noverflow: block\n")

    config = resolve("debug", {"ring_bytes": "64KB"}, {"TREERING_OVERFLOW": "drop_newest"}, path)

    assert config.sources["level"] == "profile debug"
    assert config.sources["console"] == f"file {path}, line 3"
    assert config.sources["overflow"] == "environment variable TREERING_OVERFLOW"
    assert config.sources["ring_bytes"] == "argument"
    assert config.sources["durability"] == "default"
    assert (config.profile, config.file) == ("debug", str(path))


SAME = {
    "a.yaml": """
directory: logs
level: debug
levels: {auth.session: ERROR}
console: {enabled: off, colors: yes}
outputs:
  text:
    type: file
    path: app.log
    level: OFF
""",
    "a.toml": """
directory = "logs"
level = "debug"
levels = { "auth.session" = "ERROR" }
[console]
enabled = false
colors = true
[outputs.text]
type = "file"
path = "app.log"
level = "OFF"
""",
    "a.json": """{"directory": "logs", "level": "debug", "levels": {"auth.session": "ERROR"},
        "console": {"enabled": false, "colors": true},
        "outputs": {"text": {"type": "file", "path": "app.log", "level": "OFF"}}}""",
    "pyproject.toml": """
[project]
name = "app"
[tool.treering]
directory = "logs"
level = "debug"
levels = { "auth.session" = "ERROR" }
console_enabled = false
console_colors = true
outputs = { text = { type = "file", path = "app.log", level = "OFF" } }
""",
    "section.yaml": """
database: {url: "postgres://"}
logging:
  directory: logs
  level: debug
  levels: {auth.session: ERROR}
  console: {enabled: false, colors: true}
  outputs: {text: {type: file, path: app.log, level: OFF}}
""",
}


@pytest.mark.parametrize("name", SAME)
def test_every_form_of_a_file_says_the_same(name, tmp_path):
    config = resolve(None, {}, {}, write(tmp_path / name, SAME[name]))

    assert config.to_dict(only_given=True) == {
        "directory": os.path.abspath("logs"),
        "level": "DEBUG",
        "levels": {"auth.session": "ERROR"},
        "console": False,
        "console_colors": True,
        "outputs": {"text": {"type": "file", "path": "app.log", "level": "OFF"}},
    }


@pytest.mark.parametrize("name", [name for name in SAME if name != "section.yaml"])
def test_every_form_of_a_file_names_the_line(name, tmp_path):
    text = SAME[name].replace("debug", "noisy")
    line = next(at for at, one in enumerate(text.splitlines(), 1) if "noisy" in one)

    with pytest.raises(ConfigurationError, match=rf"line {line} is 'noisy'"):
        resolve(None, {}, {}, write(tmp_path / name, text))


def test_a_variable_names_the_file(tmp_path, monkeypatch):
    path = write(tmp_path / "log.toml", 'level = "ERROR"\n')
    monkeypatch.setenv("TREERING_CONFIG", str(path))

    assert resolve(None, {}).to_dict()["level"] == "ERROR"


@pytest.mark.parametrize("name", ["treering.yaml", "treering.toml", "treering.json"])
def test_a_file_is_found_only_when_somebody_asks(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quotes = {"treering.yaml": "level: ERROR", "treering.toml": 'level = "ERROR"'}
    write(tmp_path / name, quotes.get(name, '{"level": "ERROR"}'))

    assert resolve(None, {}, {}).level is None
    assert resolve(None, {}, {}, "auto").to_dict()["level"] == "ERROR"


def test_variables_in_a_file_keep_secrets_out_of_it(tmp_path):
    path = write(
        tmp_path / "log.yaml",
        "directory: ${BASE}/logs\n"
        "origin: ${HOST:-localhost}/app\n"
        "overflow: ${POLICY:-block}\n"
        "ring_bytes: ${RING}\n"
        "outputs: {recent: {type: memory, format: '$${not} %m'}}\n",
    )

    config = resolve(None, {}, {"BASE": "/srv", "RING": "64KB", "POLICY": "drop_newest"}, path)

    assert config.directory == "/srv/logs"
    assert config.origin == "localhost/app"
    assert config.overflow == "drop_newest"
    assert config.ring_bytes == 64 << 10
    assert config.outputs["recent"]["format"] == "${not} %m"


def test_a_file_defines_profiles_that_extend_others(tmp_path):
    path = write(
        tmp_path / "log.yaml",
        "profile: staging\n"
        "console: true\n"
        "profiles:\n"
        "  staging: {extends: production, level: DEBUG, console: {colors: false}}\n"
        "  night: {extends: staging, level: ERROR}\n",
    )

    staging = resolve(None, {}, {}, path)
    night = resolve("night", {}, {}, path)

    assert staging.to_dict()["level"] == "DEBUG"
    assert staging.checkpoint_interval_s == 1
    assert staging.console is True, "the file wins over its profiles"
    assert staging.sources["level"] == f"file {path}, line 4"
    assert (night.to_dict()["level"], night.profile) == ("ERROR", "night")
    assert night.console_colors is False


def test_an_argument_of_nothing_counts_as_not_given():
    config = resolve(None, {"level": None}, {"TREERING_LOG_LEVEL": "ERROR"})

    assert config.to_dict()["level"] == "ERROR"


def test_who_makes_several_mistakes_hears_that_there_are_more():
    with pytest.raises(ConfigurationError) as caught:
        resolve(None, {"level": "LOUD", "console": 7, "overflow": "?"}, {})

    assert caught.value.__notes__ == ["2 more: `treering config check` shows all"]
    assert len(survey(None, {"level": "LOUD", "console": 7}, {}).problems) == 2


def test_merged_keys_of_yaml_are_where_they_are_used(tmp_path):
    path = write(
        tmp_path / "log.yaml",
        "outputs:\n  one: &base {type: memory, level: ERROR}\n  two: {<<: *base, level: DEBUG}\n",
    )

    assert resolve(None, {}, {}, path).outputs["two"] == {"type": "memory", "level": "DEBUG"}


def test_the_file_in_the_guide_can_be_used(tmp_path):
    guide = Path(__file__).parents[2] / "docs" / "guides" / "configuration.md"
    [text] = re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.DOTALL)

    found = survey(None, {}, {}, write(tmp_path / "guide.yaml", text))

    assert [*found.problems, *problems(found.config)] == []
    assert found.config.to_dict()["level"] == "DEBUG"
