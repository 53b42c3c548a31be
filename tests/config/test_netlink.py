"""NetLink's names, all of them, and the other systems' files."""

import json
import re
from pathlib import Path

import pytest

from treering.config import PROFILES, SETTINGS, convert, resolve, survey
from treering.config._aliases import NETLINK, POSEIDONOS, SYSTEMS
from treering.outputs import KINDS, problems

DATA = Path(__file__).parent / "data"
FACTS = json.loads((DATA / "netlink.json").read_text())
OURS = {setting.name for setting in SETTINGS}

YAML = """\
# logging_config.yaml
directory: "logs"
level: "INFO"
console_enabled: true
console_colors: true
file_enabled: true
structured_enabled: true
performance_enabled: true
security_enabled: true
audit_enabled: true
alerts_enabled: true
compression_enabled: true
"""

SHELL = """\
# Basic settings
export NETLINK_LOG_LEVEL=INFO
export NETLINK_LOG_DIRECTORY=logs
export NETLINK_LOG_CONSOLE_ENABLED=true
export NETLINK_LOG_FILE_ENABLED=true

# Performance monitoring
export NETLINK_LOG_PERFORMANCE_ENABLED=true
export NETLINK_LOG_PERFORMANCE_INTERVAL=30

# Security logging
export NETLINK_LOG_SECURITY_ENABLED=true
export NETLINK_LOG_AUDIT_ENABLED=true

# Alerts
export NETLINK_LOG_ALERTS_ENABLED=true
export NETLINK_LOG_ALERT_EMAIL=admin@example.com
"""


def prefixed(variable):
    return variable.replace("NETLINK_LOG_", "TREERING_LOG_")


@pytest.mark.parametrize("field", FACTS["config_defaults"])
def test_a_field_has_a_place_or_a_reason(field):
    row = NETLINK[field]

    assert row.to or row.because
    assert all(name in OURS or name.startswith(("outputs.", "silence.")) for name in row.to)


def test_no_field_is_made_up():
    assert set(NETLINK) == set(FACTS["config_defaults"])
    assert len(NETLINK) == 40


@pytest.mark.parametrize("variable", FACTS["env_to_field"])
def test_a_variable_is_understood_with_our_prefix(variable):
    default = FACTS["config_defaults"][FACTS["env_to_field"][variable]]

    found = survey(None, {}, {prefixed(variable): "x@y" if default is None else str(default)})

    assert not found.problems


def test_all_defaults_of_netlink_at_once_can_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "logging_config.json"
    path.write_text(json.dumps(FACTS["config_defaults"]))

    found = survey(None, {}, {}, path)

    assert not found.problems
    assert problems(found.config) == []
    assert [notice.split()[1] for notice in found.config.notices] == [
        "performance_enabled",
        "performance_interval",
        "performance_alerts",
        "security_encryption",
        "streaming_enabled",
        "streaming_buffer_size",
        "alerts_enabled",
        "async_logging",
        "queue_size",
        "flush_interval",
    ]


def test_netlinks_own_file_works_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "logging_config.yaml"
    path.write_text(YAML)

    found = survey(None, {}, {}, path)

    assert not found.problems
    assert problems(found.config) == []
    assert found.config.to_dict(only_given=True) == {
        "directory": str(tmp_path / "logs"),
        "level": "INFO",
        "console": True,
        "console_colors": True,
        "outputs": {
            "file": {
                "type": "file",
                "path": str(tmp_path / "logs" / "treering.log"),
                "enabled": True,
                "compression": "gzip",
            }
        },
        "security_enabled": True,
        "audit_enabled": True,
    }
    assert found.config.notices == (
        (
            f"setting performance_enabled from file {path}, line 8 is True and has no effect:"
            " not yet: system and application metrics"
        ),
        (
            f"setting alerts_enabled from file {path}, line 11 is True and has no effect:"
            " not yet: alerts"
        ),
    )


def test_netlinks_ten_variables_work_with_our_prefix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs = re.findall(r"export (\w+)=(\S+)", prefixed(SHELL))

    found = survey(None, {}, dict(pairs))

    assert len(pairs) == 10
    assert not found.problems
    assert found.config.directory == str(tmp_path / "logs")
    assert found.config.outputs["file"]["type"] == "file"
    assert len(found.config.notices) == 4


def test_the_old_names_make_a_text_file():
    config = resolve(
        None,
        {
            "directory": "logs",
            "file_level": "ERROR",
            "max_file_size": "1MB",
            "backup_count": 3,
            "compression_enabled": False,
        },
        {},
    )

    assert config.outputs["file"] | {"path": ""} == {
        "type": "file",
        "path": "",
        "level": "ERROR",
        "max_bytes": "1MB",
        "backup_count": 3,
        "compression": "none",
    }


def test_compression_alone_makes_no_file_and_says_so():
    found = survey(None, {}, {"TREERING_LOG_COMPRESSION_ENABLED": "true"}).config

    assert found.outputs == {}
    assert found.notices == (
        (
            "setting compression_enabled from environment variable TREERING_LOG_COMPRESSION_ENABLED is"
            " True and has no effect: there is no text file; file_enabled makes one"
        ),
    )


def test_a_text_file_that_is_off_is_not_built():
    config = resolve(None, {"file_enabled": False, "file_level": "INFO"}, {})

    assert problems(config) == []


def test_an_old_name_changes_one_option_of_an_output_that_is_there(tmp_path):
    path = tmp_path / "log.yaml"
    path.write_text("outputs: {file: {type: file, path: app.log, level: INFO, sync: true}}\n")

    config = resolve(None, {}, {"TREERING_LOG_FILE_LEVEL": "ERROR"}, path)

    assert config.outputs["file"]["level"] == "ERROR"
    assert config.outputs["file"]["sync"] is True
    assert config.sources["outputs.file.level"].endswith("TREERING_LOG_FILE_LEVEL")
    assert config.sources["outputs.file.path"] == f"file {path}, line 1"


@pytest.mark.parametrize(
    ("given", "silenced"),
    [
        (
            {"silence_third_party": True},
            dict.fromkeys(FACTS["config_defaults"]["third_party_loggers"], 30),
        ),
        ({"silence_third_party": False}, {}),
        ({"third_party_loggers": ["boto3"], "third_party_level": "ERROR"}, {"boto3": 40}),
        ({"third_party_loggers": "boto3, redis"}, {"boto3": 30, "redis": 30}),
    ],
)
def test_third_party_names_become_silence(given, silenced):
    assert resolve(None, given, {}).silence == silenced


def test_the_four_profiles_are_netlinks_as_far_as_there_is_something_to_set():
    for name, theirs in FACTS["profile_overrides"].items():
        ours = resolve(name, {"directory": "logs"}, {}).to_dict()
        assert set(PROFILES) == set(FACTS["profile_overrides"])
        assert ours["level"] == theirs["level"]
        assert ours["console"] == theirs["console_enabled"]
        assert ours["security_enabled"] == theirs["security_enabled"]
        assert ours["audit_enabled"] == theirs["audit_enabled"]
        if "silence_third_party" in theirs:
            assert bool(ours["silence"]) == theirs["silence_third_party"]


@pytest.mark.parametrize(
    ("system", "name"), [(system, name) for system, rows in SYSTEMS.items() for name in rows]
)
def test_every_foreign_name_leads_to_a_setting_that_exists(system, name):
    row = SYSTEMS[system][name]

    for target in row.to:
        kind, _, option = target.rpartition(".")
        if target in OURS or kind == "silence":
            continue
        group, _, output = kind.partition(".")
        assert group == "outputs"
        assert output in {*KINDS, "network"}
        assert option


def test_poseidonos_own_section_becomes_ours():
    found = convert(DATA / "pos.conf", "poseidonos")

    section = json.loads((DATA / "pos.conf").read_text())["logger"]
    assert set(section) == set(POSEIDONOS)
    assert not found.problems
    assert found.config.to_dict(only_given=True) == {
        "level": "INFO",
        "outputs": {
            "file": {
                "type": "file",
                "path": "logs/treering.log",
                "max_bytes": 50 << 20,
                "backup_count": 20,
                "format": "standard",
            }
        },
    }
    assert len(found.config.notices) == 2


def test_the_level_trace_of_poseidonos_stands_above_info(tmp_path):
    path = tmp_path / "pos.conf"
    path.write_text('{"logger": {"min_allowable_log_level": "trace"}}')

    assert convert(path, "poseidonos").config.to_dict()["level"] == "NOTICE"


def test_a_sensor_hubs_configuration_becomes_ours(tmp_path):
    path = tmp_path / "hub.yaml"
    path.write_text(
        "global_log_level: WARN\n"
        "component_log_levels: {SensorManager: 0}\n"
        "log_file_path: /data/hub.log\n"
        "rotation_config: {max_file_size: 64KB, max_file_count: 4, max_age: 48,"
        " compress_old_files: true}\n"
        "log_server_url: https://logs.example.com/in\n"
        "log_server_port: 8443\n"
        "network_logging_enabled: true\n"
        "max_message_length: 512\n"
        "flush_interval: 1000\n"
        "compile_time_filtering: true\n"
    )

    found = convert(path, "sensor-hub")

    assert not found.problems
    assert found.config.to_dict(only_given=True) == {
        "level": "WARNING",
        "levels": {"SensorManager": "DEBUG"},
        "max_message_bytes": 512,
        "outputs": {
            "file": {
                "type": "file",
                "path": "/data/hub.log",
                "max_bytes": "64KB",
                "backup_count": 4,
                "backup_max_age_s": 172_800,
                "compression": "gzip",
            },
            "network": {
                "type": "http",
                "url": "https://logs.example.com:8443/in",
                "enabled": True,
            },
        },
    }
    assert [notice.split()[1] for notice in found.config.notices] == [
        "flush_interval",
        "compile_time_filtering",
    ]


@pytest.mark.parametrize("url", ["[]", "https://[x", "udp://host:many", [], 7])
def test_an_address_that_is_none_is_told(tmp_path, url):
    path = tmp_path / "hub.json"
    path.write_text(json.dumps({"log_server_url": url}))

    (problem,) = convert(path, "sensor-hub").problems

    assert problem.field == "log_server_url"
    assert "an address such as https://" in str(problem)


def test_a_hypervisors_levels_count_towards_the_worst(tmp_path):
    path = tmp_path / "hypervisor.json"
    path.write_text('{"min_level": 0, "log_file_path": "vm.log", "rotation_count": 5}')

    found = convert(path, "hypervisor")

    assert found.config.to_dict()["level"] == "ERROR"
    assert found.config.outputs["file"]["backup_count"] == 5
