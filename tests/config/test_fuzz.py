"""Whatever a file, a variable or an argument holds: a configuration comes out, or its error."""

import json
import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yaml import safe_load

from treering.config import SETTINGS, convert, resolve, survey
from treering.config._aliases import SYSTEMS
from treering.config._render import yaml
from treering.errors import ConfigurationError
from treering.outputs import problems

NAMES = st.sampled_from(
    [
        *sorted(
            {setting.name for setting in SETTINGS}
            | {name for rows in SYSTEMS.values() for name in rows}
        ),
        "profile",
        "profiles",
        "logging",
        "treering",
        "console",
        "file",
        "extends",
        "type",
        "class",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["INFO", "memory", "file", "${X}", "${", "1MB", "a=b", "off", "'", "\x00", "\ud800"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=6)

quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def judge(path, **more):
    try:
        found = survey(None, {}, more, path)
    except ConfigurationError as error:
        assert error.code
        return
    for one in (*found.problems, *problems(found.config)):
        assert isinstance(one, ConfigurationError)
        assert "would be right" in str(one) or one.code in KNOWN_OTHERWISE, str(one)
    repr(found.config)
    json.dumps(found.config.to_dict())


KNOWN_OTHERWISE = {"output_import_failed", "output_name_invalid", "setting_invalid"}


@quick
@given(DOCUMENTS)
def test_any_json_is_a_configuration_or_its_error(tmp_path, document):
    path = tmp_path / "fuzz.json"
    path.write_text(json.dumps(document), errors="surrogatepass")

    judge(path)


@quick
@given(DOCUMENTS)
def test_any_yaml_is_a_configuration_or_its_error(tmp_path, document):
    path = tmp_path / "fuzz.yaml"
    path.write_text(yaml(document), errors="surrogatepass")

    judge(path)


@quick
@given(st.text(alphabet=string.printable + "&*!<:-[]{}é\x85", max_size=200))
def test_any_text_is_a_configuration_or_its_error(tmp_path, text):
    for suffix in ("yaml", "toml", "json"):
        path = tmp_path / f"fuzz.{suffix}"
        path.write_bytes(text.encode())

        judge(path)


@quick
@given(st.binary(max_size=100))
def test_any_bytes_are_a_configuration_or_its_error(tmp_path, data):
    for suffix in ("yaml", "toml", "json"):
        path = tmp_path / f"fuzz.{suffix}"
        path.write_bytes(data)

        judge(path)


@quick
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.dictionaries(NAMES, st.text(max_size=20)))
def test_any_arguments_and_variables_are_a_configuration_or_its_error(arguments, variables):
    environment = {f"TREERING_LOG_{name.upper()}": text for name, text in variables.items()}
    try:
        resolve(None, arguments, environment)
    except ConfigurationError as error:
        assert error.code


@quick
@given(DOCUMENTS, st.sampled_from(sorted(SYSTEMS)))
def test_any_file_of_another_system_is_taken_over_or_refused(tmp_path, document, system):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(document), errors="surrogatepass")
    try:
        found = convert(path, system)
    except ConfigurationError as error:
        assert error.code
    else:
        json.dumps(found.config.to_dict())


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.dictionaries(st.text(string.ascii_letters, max_size=5), inner, max_size=3)
        | st.lists(st.integers(), max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), PLAIN))
def test_what_we_write_as_yaml_reads_back_the_same(document):
    assert safe_load(yaml(document)) == document
