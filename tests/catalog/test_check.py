"""What a catalog of our own may and may not say."""

import subprocess
import sys
import textwrap

import pytest

from treering import ConfigurationError
from treering.catalog import Catalog, Variable

GOOD = """\
catalog: Storage
categories:
  01: array
  03: allocator
events:
  - id: 013000001
    name: ARRAY_CREATE_FAILED
    message: The array {array_name} could not be created.
    cause: The name contains a special character.
    solution: Choose a name of letters and digits.
    variables:
      array_name: str
      size: int?
      detail:
  - id: 036000034
    name: JOURNAL_CHECKPOINT_COMPLETED
    level: INFO
    message: Journal checkpoint has been completed.
"""


def test_a_good_catalog_has_no_findings():
    catalog = Catalog.parse(GOOD)

    assert catalog.findings == ()
    assert catalog.title == "Storage" and catalog.id_scheme == "cee9"
    failed, completed = catalog.events
    assert (failed.id, failed.level, failed.category) == ("013000001", 40, "array")
    assert failed.variables == (
        Variable("array_name", "str"),
        Variable("size", "int | None"),
        Variable("detail", "object"),
    )
    assert (completed.level, completed.category) == (20, "allocator")


CASES = [
    # What is replaced in GOOD, by what, and what is found then: line, severity, code, words of it.
    ("level: INFO", "level: ERROR", 15, "error", "level_disagrees", "level INFO or id 033000034"),
    ("036000034", "032000034", 15, "error", "level_disagrees", "says CRITICAL, the level INFO"),
    ("036000034", "10005328", 15, "error", "id_digits", "has 8 digits"),
    ("036000034", "10005328", 15, "error", "undefined_level_digit", "id 010005328 is 0"),
    ("036000034", "10005328", 15, "warning", "reserved_digits", "are 005"),
    ("036000034", "035000034", 15, "error", "undefined_level_digit", "is 5"),
    ("036000034", "0x22", 15, "warning", "hex_id", "34 would be right"),
    ("036000034", "thirty-four", 15, "error", "bad_id", "'thirty-four' is no number"),
    ("036000034", "", 15, "error", "bad_id", "digits would be right"),
    ("036000034", "[1]", 15, "error", "bad_id", "digits would be right"),
    ("036000034", "1" * 5000, 15, "error", "bad_id", "is no number"),
    ("036000034", "056000034", 15, "error", "undeclared_category", "in no declared category"),
    ("036000034", "013000001", 15, "error", "duplicate_id", "in line 6: the first stays"),
    (
        "JOURNAL_CHECKPOINT_COMPLETED",
        "ARRAY_CREATE_FAILED",
        15,
        "error",
        "duplicate_name",
        "line 6",
    ),
    ("JOURNAL_CHECKPOINT_COMPLETED", "completed", 15, "warning", "bad_name", "CATEGORY_EVENT"),
    ("JOURNAL_CHECKPOINT_COMPLETED", "", 15, "error", "missing_name", "has no name"),
    ("level: INFO", "level: LOUD", 17, "error", "unknown_level", "'LOUD'"),
    ("level: INFO", 'level: "\\e[2J"', 17, "error", "unknown_level", r"'\x1b[2J'"),
    ("level: INFO", "cause: It is.", 15, "warning", "cause_of_success", "is no error"),
    ("level: INFO", "Level: INFO", 17, "error", "unknown_key", "did you mean 'level'?"),
    ("level: INFO", "name: TWICE_NAMED", 17, "error", "repeated_key", "the first counts"),
    ("level: INFO", "id: 036000035", 17, "error", "swallowed_entry", "the one in line 15"),
    ("Journal checkpoint", "journal checkpoint", 15, "warning", "no_capital", "capital letter"),
    ("completed.", "completed", 15, "warning", "no_full_stop", "full stop"),
    (
        "message: Journal checkpoint has been completed.",
        "",
        15,
        "error",
        "missing_message",
        "no mess",
    ),
    ("message: Journal", "message: [7]\n    cause: J", 18, "error", "bad_value", "no text"),
    (
        "    cause: The name contains a special character.\n",
        "",
        6,
        "warning",
        "missing_cause",
        "no cause",
    ),
    (
        "    solution: Choose a name of letters and digits.\n",
        "",
        6,
        "warning",
        "missing_solution",
        "no so",
    ),
    ("{array_name}", "{name}", 8, "error", "undeclared_variable", "'{name}' is not among"),
    ("size: int?", "size: decimal", 13, "error", "unknown_type", "str, int, float, bool, object"),
    (
        "size: int?",
        "level: int",
        13,
        "error",
        "bad_variable",
        "exc_info, level, logger, stacklevel",
    ),
    ("size: int?", "class: int", 13, "error", "bad_variable", "a Python name"),
    ("size: int?", "a-b: int", 13, "error", "bad_variable", "a Python name"),
    ("  03: allocator", "  3 to 4: allocator", 4, "error", "bad_category", "'3000-3099: name'"),
    ("  03: allocator", "  03: array", 4, "warning", "repeated_section", "in line 3"),
    ("  03: allocator", "  10000000-10000001: x", 4, "warning", "overlapping_ranges", "in line 3"),
    ("  03: allocator", "  9-3: x", 4, "error", "bad_range", "9 is more than 3"),
    ("catalog: Storage", "id_scheme: ten", 1, "error", "unknown_id_scheme", "'cee9' or 'plain'"),
    ("catalog: Storage", "title: Storage", 1, "error", "unknown_key", "'title' is unknown"),
    ("events:\n", "events:\n  - nothing\n", 6, "error", "not_an_entry", "an entry with 'id'"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "severity", "code", "words"), CASES, ids=lambda value: str(value)[:30]
)
def test_a_fault_is_found_where_it_is(old, new, line, severity, code, words):
    assert GOOD.count(old) >= 1
    findings = Catalog.parse(GOOD.replace(old, new)).findings

    same = [finding for finding in findings if finding.code == code]
    assert [(finding.line, finding.severity) for finding in same] == [(line, severity)], findings
    assert words in same[0].message


def test_the_numbers_of_a_plain_catalog_mean_nothing():
    catalog = Catalog.parse(
        "id_scheme: plain\ncategories:\n  3000-3099: Journal\nevents:\n"
        "  - {id: 3034, name: JOURNAL_CHECKPOINT_COMPLETED, level: info, message: It is done.}\n"
    )

    assert catalog.findings == ()
    assert (catalog.by_id["3034"].category, catalog.by_id["3034"].level) == ("Journal", 20)


@pytest.mark.parametrize(("level", "digit"), [("TRACE", 7), ("SECURITY", 4), ("AUDIT", 5)])
def test_levels_that_syslog_has_not_share_its_digits(level, digit):
    catalog = Catalog.parse(
        f"events:\n  - {{id: 01{digit}000001, name: ROLE_GRANTED, level: {level}, message: So it is.}}\n"
    )

    assert catalog.findings == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no list of events"),
        ("- 1\n", "no list of events"),
        ("a: b: c", "f.yaml:1 is not usable YAML"),
        ("events: []\n--- 2\n", "f.yaml:2 is not usable YAML"),
        ("\0", "f.yaml is not usable YAML"),
        ("x: " + "[" * 100_000, "nested more than 32 deep"),
        ("!!python/object/apply:os.system [ls]", "no list of events"),
    ],
    ids=["empty", "list", "syntax", "two documents", "null byte", "deep", "object"],
)
def test_what_is_no_catalog_is_refused(tmp_path, text, words):
    path = tmp_path / "f.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=words) as refused:
        Catalog.load(path)

    assert refused.value.code == "catalog_unreadable"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "f.yaml").write_bytes(b"\xff")

    with pytest.raises(ConfigurationError, match=r"f\.yaml is not UTF-8 at byte 0"):
        Catalog.load(tmp_path / "f.yaml")
    with pytest.raises(ConfigurationError, match=r"none\.yaml cannot be read: No such file"):
        Catalog.load(tmp_path / "none.yaml")


def test_an_alias_to_itself_is_no_endless_work():
    text = "events:\n  - &a {id: 1, message: &b [*b], variables: *a, cause: *a}\n"

    assert "bad_value" in {finding.code for finding in Catalog.parse(text).findings}


def test_without_pyyaml_the_error_names_the_extra():
    program = textwrap.dedent(
        """
        import sys
        sys.modules["yaml"] = None
        from treering import ConfigurationError
        from treering.catalog import Catalog
        try:
            Catalog.parse("events: []")
        except ConfigurationError as error:
            print(error.code, error.hint)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "package_missing pip install 'treering[yaml]'\n"
