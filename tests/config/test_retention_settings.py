"""The settings of retention as people write them."""

import pytest

from treering.config import resolve
from treering.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 2_592_000),
        ("2h", 7_200),
        ("7y", 220_752_000),
        ("90", 90),
        (60, 60),
        ("1.5d", 129_600),
    ],
)
def test_times_are_read_as_people_write_them(text, seconds):
    assert resolve(None, {"retention_max_age_s": text}).retention_max_age_s == seconds


def test_what_is_kept_is_read_from_text():
    found = resolve(None, {"retention_keep": "error=4x, category:security=7y, AUDIT=365d"})
    assert found.retention_keep == {
        "ERROR": "4x",
        "category:security": "220752000s",
        "AUDIT": "31536000s",
    }


@pytest.mark.parametrize("value", ["5%", "0.5%", "1GB", 0])
def test_free_space_is_a_share_or_a_size(value):
    assert resolve(None, {"retention_min_free": value}).retention_min_free in {
        "5%",
        "0.5%",
        str(1 << 30),
        "0",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention_max_age_s", "soon"),
        ("retention_max_age_s", True),
        ("retention_min_free", "95%"),
        ("retention_keep", "ERROR"),
        ("retention_keep", "LOUD=4x"),
        ("retention_keep", "ERROR=0.5x"),
        ("retention_keep", "kind:x=4x"),
        ("archive_to", "ftp://host/x"),
        ("archive_to", "s3://"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        resolve(None, {name: value})


def test_netlinks_audit_retention_keeps_audit_records_as_long():
    found = resolve(None, {"audit_retention_days": 365})
    assert found.retention_keep == {"ERROR": "4x", "AUDIT": "31536000s"}
