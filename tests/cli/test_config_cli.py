"""`treering config`."""

import json

import pytest

from treering.cli import main


@pytest.fixture
def said(capsys):
    def run(*arguments):
        code = main(["config", *map(str, arguments)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "log.toml"


def test_check_of_a_good_file_says_so(said, path):
    path.write_text('level = "DEBUG"\nconsole = false\n')

    assert said("check", "log.toml") == (0, "log.toml can be used: 2 settings are given\n", "")


def test_check_shows_every_mistake_with_its_line_and_remedy(said, path):
    path.write_text('levle = "DEBUG"\nconsole = 3\n[outputs.text]\ntype = "fiel"\n')

    code, out, _ = said("check", "log.toml")

    assert code == 1
    assert out == (
        "error: setting levle from file log.toml, line 1 is unknown: level would be right\n"
        "  hint: did you mean level?\n"
        "error: setting console from file log.toml, line 2 is 3: true or false would be right\n"
        "error: setting outputs.text.type from file log.toml, line 4 is 'fiel': file would be right\n"
    )


def test_check_for_programs_has_code_message_where_and_hint(said, path):
    path.write_text('levle = "DEBUG"\nalert_email = "a@b"\n')

    code, out, _ = said("check", "log.toml", "--json")

    assert code == 1
    assert json.loads(out) == {
        "errors": [
            {
                "code": "setting_unknown",
                "message": "setting levle from file log.toml, line 1 is unknown: level would be right",
                "where": "levle",
                "hint": "did you mean level?",
            }
        ],
        "notices": [
            "setting alert_email from file log.toml, line 2 is 'a@b' and has no effect: not yet: alerts"
        ],
    }


def test_check_looks_at_the_environment_when_asked(said, path, monkeypatch):
    path.write_text("")
    monkeypatch.setenv("TREERING_LOG_LEVEL", "LOUD")

    assert said("check", "log.toml")[0] == 0
    assert said("check", "log.toml", "--env")[0] == 1


def test_check_of_a_file_that_is_not_there_is_for_the_caller_to_change(said, path):
    code, out, err = said("check", "log.toml")

    assert (code, out) == (2, "")
    assert err == "treering: file log.toml: it cannot be read: No such file or directory\n"


def test_check_takes_a_profile(said, path):
    path.write_text('[profiles.night]\nlevel = "ERROR"\n')

    assert said("check", "log.toml", "--profile", "night")[0] == 0
    assert "nigth" in said("check", "log.toml", "--profile", "nigth")[1]


def test_show_has_every_setting_with_its_source(said, path, monkeypatch):
    path.write_text('console = false\noutputs.central = { type = "http", token = "hunter2" }\n')
    monkeypatch.setenv("TREERING_LOG_LEVEL", "ERROR")

    code, out, _ = said("show", "log.toml", "--profile", "debug")

    lines = dict(line.split(" = ", 1) for line in out.splitlines())
    shown = {name.strip(): rest for name, rest in lines.items()}
    assert code == 0
    assert shown["level"] == '"ERROR"  (environment variable TREERING_LOG_LEVEL)'
    assert shown["console"] == "false  (file log.toml, line 1)"
    assert shown["audit_enabled"] == "true  (profile debug)"
    assert shown["durability"] == "null  (default)"
    assert "hunter2" not in out


def test_show_for_programs(said, path):
    path.write_text('level = "DEBUG"\n')

    shown = json.loads(said("show", "log.toml", "--json")[1])

    assert shown["level"] == {"value": "DEBUG", "source": "file log.toml, line 1"}


def test_show_as_yaml_can_be_read_again(said, path, tmp_path):
    path.write_text('level = "DEBUG"\nlevels = { "auth.session" = "ERROR" }\n')
    again = tmp_path / "again.yaml"

    again.write_text(said("show", "log.toml", "--yaml")[1])

    assert said("show", "again.yaml", "--yaml")[1] == again.read_text()
    assert again.read_text() == 'level: "DEBUG"\nlevels:\n  auth.session: "ERROR"\n'


def test_import_writes_another_systems_file_as_ours(said, path, tmp_path):
    theirs = tmp_path / "pos.conf"
    theirs.write_text('{"logger": {"logfile_size_in_mb": 50, "enable_burst_filter": true}}')

    code, out, err = said("import", "pos.conf", "--from", "poseidonos")

    assert (code, err) == (0, "")
    assert out == (
        "# setting enable_burst_filter from file pos.conf, line 1 is True and has no effect:"
        " `treering.catalog.BurstFilter` counts repeats, in code\n"
        "outputs:\n"
        "  file:\n"
        '    type: "file"\n'
        '    path: "logs/treering.log"\n'
        "    max_bytes: 52428800\n"
    )


def test_import_says_what_cannot_be_used(said, path, tmp_path):
    (tmp_path / "pos.conf").write_text('{"logger": {"logfile_rotation_count": 500}}')

    code, _, err = said("import", "pos.conf", "--from", "poseidonos")

    assert code == 1
    assert err == (
        "error: setting logfile_rotation_count from file pos.conf, line 1 is 500:"
        " a whole number from 1 to 100 would be right\n"
    )
