"""The index of words beside a file of the archive."""

import pytest

from treering import _core

LINE = (
    '{"timestamp":"2026-11-21T10:00:00.%09dZ","level":"INFO","category":"app","component":"shop",'
    '"message":"order %06d paid","context":{"request_id":"r-%06d"}}\n'
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    directory = tmp_path_factory.mktemp("archive")
    lines = "".join(LINE % (number, number, number) for number in range(40_000))
    (directory / "lines.jsonl").write_text(lines)
    path = directory / f"{0:020}.parquet"
    _core.archive_write([(0, directory / "lines.jsonl")], path)
    _core.token_build(path)
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["020000"], [(16_384, 32_768)]),
        (["r-020000"], [(16_384, 32_768)]),
        (["ORDER", "Paid"], [(0, 40_000)]),
        (["nowhere_at_all"], []),
        ([], [(0, 40_000)]),
    ],
    ids=["in a message", "in a field", "everywhere", "nowhere", "no word"],
)
def test_only_blocks_that_can_hold_all_words_are_searched(file, words, expected):
    assert _core.token_ranges([file], words) == [expected]


def test_a_file_without_index_is_searched_as_a_whole(file, tmp_path):
    alone = tmp_path / file.name
    alone.write_bytes(file.read_bytes())

    assert _core.token_ranges([alone], ["nowhere_at_all"]) == [[(0, 2**63 - 1)]]
    assert _core.token_check(alone) == ("missing", None)


def test_an_index_of_another_file_is_not_used(file, tmp_path):
    other = tmp_path / f"{7:020}.parquet"
    (tmp_path / "lines.jsonl").write_text(LINE % (1, 1, 1))
    _core.archive_write([(7, tmp_path / "lines.jsonl")], other)
    other.with_suffix(".tokens").write_bytes(file.with_suffix(".tokens").read_bytes())

    assert _core.token_ranges([other], ["nowhere_at_all"]) == [[(0, 2**63 - 1)]]
    assert _core.token_check(other) == ("unusable", None)


def test_words_are_split_and_lowered_as_the_documentation_says():
    found = _core.words("User_7 ÄRGER-Straße ΟΔΟΣ İ, it's 1.5e3!")

    expected = ["user_7", "ärger", "straße", "οδοσ", "i", "it", "s", "1", "5e3"]
    assert found == expected


def test_every_word_of_a_file_is_in_its_index(file):
    assert _core.token_check(file) == ("complete", None)


def test_words_are_those_of_pythons_regular_expressions():
    import re
    import sys
    import unicodedata

    known = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    text = " x".join(char for char in known if unicodedata.category(char) != "Cn")

    ours = "".join(_core.words(text))
    # The one character of which Python makes two.
    theirs = "".join(re.findall(r"\w", "".join(c.lower() for c in text.replace("\u0130", "i"))))
    assert ours == theirs
