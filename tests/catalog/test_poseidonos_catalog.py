"""The catalog of PoseidonOS, as it is."""

import os
from pathlib import Path

import pytest

from treering.catalog import Catalog, Variable, module_of, page_of

EXCERPT = Path(__file__).parent / "data" / "pos_event_excerpt.yaml"
DATA = os.environ.get("TREERING_DATA")


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load(EXCERPT)


def line_of(text, nth=1):
    lines = EXCERPT.read_text().splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][nth - 1]


def found(catalog, code):
    return [
        (finding.line, finding.severity) for finding in catalog.findings if finding.code == code
    ]


def test_every_written_entry_is_there_and_of_two_ids_the_first_stays(catalog):
    assert len(catalog.events) == EXCERPT.read_text().count(" Id: ") == 15
    assert len(catalog.by_id) == 14
    assert catalog.by_id["4500"].line == line_of("Id: 4500")


def test_entries_swallowed_by_bad_indentation_are_recovered_and_reported(catalog):
    names = [catalog.by_id[number].name for number in ("4502", "4503", "4504", "4505")]

    assert names == [
        "VOLUME_DELETE_EVENT",
        "VOLUME_DETACH_EVENT",
        "VOLUME_LOAD_EVENT",
        "VOLUME_MOUNT_EVENT",
    ]
    assert found(catalog, "swallowed_entry") == [
        (line_of("Id: 4503"), "error"),
        (line_of("Id: 4504"), "error"),
    ]


@pytest.mark.parametrize(
    ("code", "severity", "text", "nth"),
    [
        ("duplicate_id", "error", "Id: 4500", 2),
        ("duplicate_name", "error", "Id: 4500", 2),
        ("hex_id", "warning", "0x7FFFFFFE", 1),
        ("id_out_of_range", "error", "Id: 5900", 1),
        ("overlapping_ranges", "warning", "# Array Builder", 1),
        ("repeated_section", "warning", "# Volume", 2),
        ("no_capital", "warning", "Id: 1800", 1),
        ("no_full_stop", "warning", "Id: 5900", 1),
        ("missing_solution", "warning", "Id: 1800", 1),
        ("bad_name", "warning", "Id: 0", 1),
    ],
)
def test_its_oddities_are_reported_by_line(catalog, code, severity, text, nth):
    assert (line_of(text, nth), severity) in found(catalog, code)


def test_a_missing_severity_is_reported_where_it_is_missing(catalog):
    lines = EXCERPT.read_text().splitlines()
    empty = [number for number, line in enumerate(lines, 1) if line == "    Severity:"]

    assert found(catalog, "missing_level") == [(line, "warning") for line in empty]


def test_severities_in_any_spelling_are_levels_and_trace_ranks_above_info(catalog):
    levels = {event.id: event.level for event in catalog.events if event.level is not None}

    assert levels == {"900": 25, "1800": 30, "5900": 40}


def test_the_hexadecimal_id_is_read_as_the_number_it_is(catalog):
    assert catalog.by_id["2147483646"].name == "EVENT_ID_MAPPING_WRONG"


def test_sections_in_comments_are_categories(catalog):
    sections = {event.name: event.category for event in catalog.events}

    assert sections["POS_SYSTEM_STOP_EXE"] == "POS Finalize(Terminate)"
    assert sections["ARRAY_BUILDER_SUCCESS"] == "Array Builder"
    assert sections["SMART_COLLECTOR_SET"] == "Smart Collector"
    assert sections["EVENT_ID_MAPPING_WRONG"] == "Exceptions"


def test_an_event_has_what_its_entry_says(catalog):
    event = catalog.by_name["POS_STOP_FAIULRE_MOUNTED_ARRAY_EXISTS"]

    assert (event.id, event.level, event.variables) == ("2", None, ())
    assert event.message == "Failed to terminate PoseidonOS."
    assert event.cause == "An array is mounted."
    assert event.solution == "Please try the command after a while."


@pytest.mark.skipif(not DATA, reason="TREERING_DATA names no directory with the whole catalog")
def test_the_whole_catalog_has_the_oddities_that_are_known_of_it(tmp_path):
    catalog = Catalog.load(Path(DATA) / "poseidonos" / "pos_event.yaml")
    count = {
        code: sum(finding.code == code for finding in catalog.findings)
        for code in {finding.code for finding in catalog.findings}
    }

    assert len(catalog.events) == 1303 and len(catalog.by_id) == 1302
    assert len(catalog.categories) == 39
    assert count["duplicate_id"] == 1 and count["hex_id"] == 1 and count["swallowed_entry"] == 2
    assert count["id_out_of_range"] == 32 and count["missing_level"] == 1252
    assert count["overlapping_ranges"] == 2 and count["repeated_section"] == 1
    assert sum(bool(event.message) for event in catalog.events) == 395
    namespace = {}
    exec(compile(module_of(catalog), "events.py", "exec"), namespace)
    for event in catalog.by_name.values():
        assert namespace[event.name] == event
    assert page_of(catalog).count("\n| ") == 1303 + len({e.category for e in catalog.events})


def test_the_excerpt_becomes_a_module_of_equal_events(catalog):
    namespace = {}
    exec(compile(module_of(catalog), "events.py", "exec"), namespace)

    for event in catalog.by_name.values():
        assert namespace[event.name] == event


def test_a_page_of_documentation_has_every_event(catalog):
    page = page_of(catalog)

    assert "\n## Meta" not in page and "\n## Exceptions\n" in page
    assert page.count("\n| ") == len(catalog.events) + len({e.category for e in catalog.events})
    assert (
        "### POS\\_STOP\\_FAIULRE\\_MOUNTED\\_ARRAY\\_EXISTS\n\n"
        "- Cause: An array is mounted.\n- Solution: Please try the command after a while.\n" in page
    )


def test_a_variable_without_a_type_takes_anything():
    assert Variable("size").type == "object"
