"""What settings do once they are in force."""

import json
import logging

import pytest
from programs import records, run

import treering
from treering.config import resolve
from treering.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _ended():
    yield
    treering.configure(console=False)
    treering.shutdown()


def test_outputs_of_a_configuration_get_records_and_their_fallbacks_stand_by(journal, tmp_path):
    treering.configure(
        directory=journal,
        console=False,
        outputs={
            "text": {
                "type": "file",
                "path": str(tmp_path / "errors.log"),
                "level": "ERROR",
                "format": "json",
                "components": ["shop"],
                "fallback": "recent",
            },
            "recent": {"type": "memory", "max_records": 10},
            "off": {"type": "file", "path": str(tmp_path / "off.log"), "enabled": False},
        },
    )
    log = treering.get_logger("shop")
    log.info("quiet")
    log.error("loud")

    assert treering.flush(10)
    lines = (tmp_path / "errors.log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["loud"]
    [running] = treering.list_outputs()
    assert [one["name"] for one in (running, *running["fallbacks"])] == ["text", "recent"]
    assert not (tmp_path / "off.log").exists()


def test_outputs_come_from_the_environment_as_json(journal, tmp_path):
    path = str(tmp_path / "app.log")
    outputs = {"text": {"type": "file", "path": path, "format": "json", "components": "shop"}}
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("shop").info("here")
        treering.flush()
        """,
        journal,
        env={"TREERING_OUTPUTS": json.dumps(outputs)},
    )

    assert json.loads((tmp_path / "app.log").read_text())["message"] == "here"


def test_a_class_of_the_users_is_named_by_a_file(journal, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from treering.outputs import Output\n"
        "class Mine(Output):\n"
        "    def __init__(self, name=None, *, prefix, **common):\n"
        "        super().__init__(name, **common)\n"
        "        self.prefix = prefix\n"
        "    def write(self, batch):\n"
        "        for record in batch:\n"
        "            print(self.prefix, record['message'], flush=True)\n"
    )
    config = tmp_path / "log.toml"
    config.write_text('console = false\n[outputs.mine]\nclass = "mine:Mine"\nprefix = ">"\n')

    _, out, _ = run(
        """
        import sys, treering
        treering.configure(config_file=sys.argv[1], directory=sys.argv[2])
        treering.get_logger("shop").info("here")
        treering.flush()
        """,
        config,
        journal,
        env={"PYTHONPATH": str(tmp_path)},
    )

    assert out == "> here\n"


def test_a_class_of_the_users_must_get_what_it_asks_for(tmp_path, monkeypatch):
    (tmp_path / "needy.py").write_text(
        "from treering.outputs import Output\n"
        "class Needy(Output):\n"
        "    def __init__(self, name=None, *, prefix, **common):\n"
        "        super().__init__(name, **common)\n"
        "    def write(self, batch): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ConfigurationError, match=r"setting outputs\.mine\.prefix is missing"):
        treering.configure(console=False, outputs={"mine": {"class": "needy:Needy"}})


def test_outputs_that_cannot_be_used_leave_the_old_configuration_in_force(journal):
    treering.configure(directory=journal, console=False)

    with pytest.raises(ConfigurationError):
        treering.configure(directory=journal, console=False, outputs={"x": {"type": "fax"}})

    treering.get_logger("shop").info("still here")
    treering.shutdown()
    assert [record["message"] for record in records(journal)] == ["still here"]


def test_a_file_can_have_the_standard_library_captured_and_its_noise_silenced(journal, tmp_path):
    config = tmp_path / "log.toml"
    config.write_text('console = false\ncapture_stdlib = true\nsilence = ["noisy"]\n')
    before = logging.getLogger("noisy").level
    treering.configure(config_file=config, directory=journal)

    logging.getLogger("noisy.part").info("chatter")
    logging.getLogger("noisy.part").warning("trouble")
    logging.getLogger("other").info("news")
    assert logging.getLogger("noisy").level == logging.WARNING
    treering.configure(directory=journal, console=False)
    logging.getLogger("noisy").info("uncaptured")
    treering.shutdown()

    assert [record["message"] for record in records(journal)] == ["trouble", "news"]
    assert logging.getLogger("noisy").level == before


def test_silence_holds_for_treerings_own_loggers_and_never_makes_them_louder(journal):
    treering.configure(
        directory=journal,
        console=False,
        level="ERROR",
        levels={"loud.kept": "TRACE"},
        silence="quiet,loud=CRITICAL",
    )

    assert treering.get_level("quiet.part") == 40
    assert treering.get_level("loud.part") == 50
    assert treering.get_level("loud.kept") == 5


def test_production_silences_the_libraries_that_talk_most(journal):
    treering.configure("production", directory=journal)

    assert treering.get_level("urllib3.connectionpool") == 30
    assert treering.get_level("shop") == 20


def test_what_has_no_effect_is_a_warning_in_the_journal(journal):
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        treering.get_logger("shop").info("here")
        """,
        journal,
        env={"TREERING_LOG_ALERT_EMAIL": "admin@example.com"},
    )

    [warning] = [
        record
        for record in records(journal, journal=True)
        if record["component"] == "treering.config"
    ]
    assert warning["level"] == "WARNING"
    assert warning["message"] == (
        "setting alert_email from environment variable TREERING_LOG_ALERT_EMAIL is"
        " 'admin@example.com' and has no effect: not yet: alerts"
    )


@pytest.mark.parametrize("profile", ["development", "testing", "production", "debug"])
def test_a_profile_is_in_force(profile, journal):
    treering.configure(profile, directory=journal, console=False)
    log = treering.get_logger("shop")
    for level in ("TRACE", "DEBUG", "INFO", "WARNING", "SECURITY", "AUDIT"):
        log.log(level, level)
    treering.shutdown()

    kept = {
        "development": ["DEBUG", "INFO", "WARNING"],
        "testing": ["WARNING"],
        "production": ["INFO", "WARNING", "SECURITY", "AUDIT"],
        "debug": ["TRACE", "DEBUG", "INFO", "WARNING", "SECURITY", "AUDIT"],
    }
    assert [record["message"] for record in records(journal)] == kept[profile]


def test_without_pyyaml_the_error_says_what_to_install(tmp_path):
    path = tmp_path / "log.yaml"
    path.write_text("level: INFO\n")
    _, out, _ = run(
        """
        import sys
        sys.modules["yaml"] = None
        import treering
        try:
            treering.configure(config_file=sys.argv[1])
        except treering.ConfigurationError as error:
            print(error, "|", error.hint)
        """,
        path,
    )

    assert out == (
        "YAML files are read with PyYAML, which is not installed |"
        " pip install treering[yaml], or write TOML or JSON\n"
    )


def test_configuring_without_a_file_imports_no_parser_and_no_output():
    _, out, _ = run(
        """
        import sys, treering
        treering.configure(console=False)
        print([name for name in ("yaml", "tomllib", "treering.outputs") if name in sys.modules])
        """
    )
    assert out == "[]\n"


@pytest.mark.parametrize(("settings", "is_shown"), [("", True), (", console=False", False)])
def test_production_without_anywhere_to_write_keeps_the_console_and_says_so_once(
    settings, is_shown
):
    _, _, said = run(
        f"""
        import treering
        treering.configure("production"{settings})
        treering.get_logger("shop").error("where am I")
        """
    )

    assert ("where am I" in said) is is_shown
    assert said.count("neither a journal nor an output") == is_shown


def test_a_format_that_cannot_be_used_leaves_the_outputs_as_they_were():
    before = treering.configure(console=False, outputs={"recent": {"type": "memory"}})

    with pytest.raises(ConfigurationError, match=r"outputs\.recent\.format from argument.*nope"):
        treering.configure(
            console=False, outputs={"recent": {"type": "memory", "format": "{nope}"}}
        )

    assert treering.get_logging_config() is before
    assert [output["name"] for output in treering.list_outputs()] == ["recent"]


@pytest.mark.parametrize("name", ["logs\0", "logs\ud800"])
def test_a_directory_that_no_file_system_has_is_a_mistake(name):
    with pytest.raises(ConfigurationError, match="setting directory from argument"):
        treering.configure(directory=name)


def test_a_secret_of_the_environment_is_shown_nowhere(journal, tmp_path):
    path = tmp_path / "log.json"
    spec = {"type": "http", "url": "http://127.0.0.1:1/hooks/${HOOK}?x=1"}
    path.write_text(json.dumps({"console": False, "outputs": {"hook": spec}}))
    _, out, err = run(
        """
        import sys, treering
        config = treering.configure(config_file=sys.argv[1], directory=sys.argv[2])
        print(config, config.describe())
        assert "hush7" in config.to_dict()["outputs"]["hook"]["url"]
        treering.get_logger("shop").info("here")
        treering.flush(0.5)
        print(treering.list_outputs())
        treering.shutdown(0.5)
        """,
        path,
        journal,
        env={"HOOK": "hush7"},
    )

    assert "${HOOK}" in out
    assert "hush7" not in out + err
    files = [file for file in journal.rglob("*") if file.is_file()]
    assert any(file.name == "hook.json" for file in files)
    assert not [file for file in files if b"hush7" in file.read_bytes()]


def test_secrets_in_the_query_of_a_url_are_covered():
    url = "https://127.0.0.1:1/?page=2&api_key=hush7&sig=hush8"
    config = resolve(None, {"outputs": {"hook": {"type": "http", "url": url}}}, environment={})

    assert "hush" not in f"{config!r} {config.describe()}"
    assert "page=2" in config.describe()


def test_a_message_about_a_hostile_key_is_one_short_line(tmp_path):
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"\x1b[31m\nERROR forged" + "x" * 9000: 1}))

    with pytest.raises(ConfigurationError) as caught:
        resolve(None, {}, environment={}, config_file=path)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000
