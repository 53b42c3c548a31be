"""The report as text, Markdown and HTML, and the commands of the analysis."""

import json
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import recorded

from treering.analysis import report


@pytest.fixture(scope="module")
def lines():
    return recorded.story()


@pytest.fixture(scope="module")
def found(lines):
    return report(lines, title="Shop <b>&</b> \x1b[1m")


class Page(HTMLParser):
    """What a browser would make of a page: its elements, their attributes and the text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.text = set(), set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def test_a_report_says_what_went_wrong(found):
    assert found.performance.records == 4000
    assert found.performance.errors == 400
    assert found.errors[0].template == "Order <*> refused: card expired"
    assert [one.component for one in found.performance.silences] == ["db"]


def test_new_is_what_the_time_before_did_not_have(lines):
    late = report(lines, start=recorded.at(3600), end=recorded.at(7200))
    assert {one.template[:18] for one in late.new} == {"Connection to host"}
    assert late.performance.records == 2000
    assert sum(one.count for one in late.patterns) <= 2000


def test_nothing_in_a_record_becomes_part_of_the_page(found):
    page = Page(found.html())
    assert not page.elements & {"script", "img", "a", "b", "iframe", "link", "object"}
    assert not any(name.startswith("on") or name in {"href", "src"} for name in page.attributes)
    assert "<script>alert(<*>)</script>" in page.text
    assert "\x1b" not in found.html()


def test_a_page_loads_nothing_from_elsewhere(found):
    page = found.html()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") >= 2


def test_nothing_in_a_record_becomes_markup_of_markdown(found):
    text = found.markdown()
    hostile = next(row for row in text.splitlines() if "Connection to host" in row)
    assert "\\<script\\>" in hostile
    assert "[x](" not in hostile
    assert hostile.replace("\\|", "").count("|") == 7
    assert "\x1b" not in text


def test_nothing_in_a_record_is_obeyed_by_a_terminal(found):
    assert "\x1b" not in found.text()
    coloured = found.text(colour=True)
    assert "\x1b[31m |" not in coloured
    assert coloured.startswith("\x1b[1mShop <b>&</b> \\x1b[1m\x1b[0m")


def test_no_line_of_a_terminal_is_wider_than_it(found):
    assert max(map(len, found.text(width=120).splitlines())) <= 120


def test_a_report_of_nothing_is_one():
    nothing = report([])
    assert "No records." in nothing.text()
    assert "No records." in Page(nothing.html()).text
    assert nothing.markdown().startswith("# Log report")


def treering(*arguments):
    command = [sys.executable, "-m", "treering", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def journal(tmp_path_factory, lines):
    place = tmp_path_factory.mktemp("journal")
    (place / "story.jsonl").write_bytes(b"\n".join(lines[::3]) + b"\n")
    assert treering("pipe", "--to", place / "logs", place / "story.jsonl").returncode == 0
    return place / "logs"


def test_patterns_of_a_journal_for_programs(journal):
    done = treering("patterns", journal, "--json", "--limit", "0")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(one["count"] for one in found) == 1334
    assert found[0]["first_seen"].startswith("2026-09-21T14:13")


def test_patterns_that_match_a_query(journal):
    done = treering("patterns", journal, "level:ERROR", "--examples")
    assert done.returncode == 0, done.stderr
    assert "Order <*> refused" in done.stdout
    assert "Request" not in done.stdout
    assert "\x1b" not in done.stdout
    assert treering("patterns", journal, "message:nothing_like_it").returncode == 1


def test_two_times_are_compared(journal):
    before = f"..{recorded.at(3600)}"
    done = treering("diff", journal, "--before", before, "--json")
    assert done.returncode == 0, done.stderr
    changes = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(one["name"].startswith("Connection") and one["is_new"] for one in changes)


def test_two_queries_are_compared(journal):
    done = treering(
        "diff", journal, "--before", "metadata.status:200", "--after", "metadata.status:500"
    )
    assert done.returncode == 0, done.stderr
    assert "metadata.status = 500" in done.stdout


def test_a_range_without_an_end_is_followed_by_nothing(journal):
    done = treering("diff", journal, "--before", "2h..")
    assert done.returncode == 2
    assert "--after is missing" in done.stderr


def test_a_report_is_written_as_its_name_says(journal, tmp_path):
    for name, begin in (("r.html", "<!doctype html>"), ("r.md", "# "), ("r.txt", "Report of logs")):
        assert treering("report", journal, "-o", tmp_path / name).returncode == 0
        assert (tmp_path / name).read_text().startswith(begin)
    assert "Health of the journal" in (tmp_path / "r.txt").read_text()


def test_a_report_is_for_its_owner_only(journal, tmp_path):
    treering("report", journal, "-o", tmp_path / "r.html")

    assert (tmp_path / "r.html").stat().st_mode & 0o777 == 0o600
