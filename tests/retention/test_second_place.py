"""Copies in a second place: made once, verified, resumed, and needed before anything goes."""

import json
import os

import boto3
import pytest
from moto.server import ThreadedMotoServer
from programs import wait_for
from retaining import SETTINGS, fill, set_rules

import treering
from treering.archive import archive, copy, retain
from treering.errors import TreeringError


@pytest.fixture
def bucket(monkeypatch):
    """An address on a server that speaks S3, and a client to look at it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="logs")
    yield f"s3://logs/app?endpoint={endpoint}&region=us-east-1", client
    client.close()
    server.stop()


@pytest.fixture
def second(tmp_path):
    """A directory that exists."""
    place = tmp_path / "second"
    place.mkdir()
    return place


def test_nothing_goes_before_the_second_place_has_it(journal, second):
    fill(journal)
    set_rules(journal, retention_max_files=2, retention_keep="", archive_to=second)
    plan = retain(journal)
    assert plan.steps == ()
    assert {one.because for one in plan.spared} == {"not_copied"}
    copied = copy(journal)
    assert copied.files > 2
    before = {p.name: p.read_bytes() for p in (journal / "active").glob("*.jsonl")}
    gone = retain(journal).steps
    assert gone
    for step in gone:
        name = step.file.rpartition("/")[2]
        assert (second / step.file).read_bytes() == before[name]


def test_what_was_copied_is_not_copied_again(journal, second):
    fill(journal)
    assert copy(journal, str(second)).files > 2
    assert copy(journal, str(second)).files == 0


def test_a_torn_note_is_made_good_without_copying_again(journal, second):
    fill(journal)
    copy(journal, str(second))
    notes = journal / "copies.jsonl"
    whole = notes.read_bytes()
    notes.write_bytes(whole[:-20])
    times = {p: p.stat().st_mtime_ns for p in second.rglob("*.jsonl")}
    assert copy(journal, str(second)).files == 1
    assert {p: p.stat().st_mtime_ns for p in second.rglob("*.jsonl")} == times
    assert json.loads(notes.read_bytes().splitlines()[-1])["to"] == str(second)


def test_a_copy_is_never_overwritten_by_what_came_after(journal, second):
    fill(journal)
    copy(journal, str(second))
    segment = min((second / "active").glob("*.jsonl"))
    segment.write_bytes(b"older copy")
    (journal / "copies.jsonl").unlink()
    copy(journal, str(second))
    assert segment.read_bytes() == b"older copy"
    beside = next((second / "active").glob(segment.stem + "-*.jsonl"))
    assert beside.read_bytes() == (journal / "active" / segment.name).read_bytes()


def test_a_directory_that_is_not_mounted_is_not_made(journal, tmp_path):
    fill(journal)
    with pytest.raises(OSError, match="not there"):
        copy(journal, str(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()


def test_files_of_the_archive_lie_in_a_bucket_byte_for_byte(journal, bucket):
    address, client = bucket
    fill(journal)
    archive(journal)
    treering.configure(directory=journal, **{**SETTINGS, "archive": True}, archive_to=address)
    treering.shutdown()
    copied = copy(journal)
    assert copied.files >= 1
    notes = [json.loads(line) for line in (journal / "copies.jsonl").read_bytes().splitlines()]
    for note in notes:
        there = client.get_object(Bucket="logs", Key=f"app/{note['path']}")["Body"].read()
        assert there == (journal / note["path"]).read_bytes()


def test_a_process_copies_in_the_background(journal, bucket):
    address, client = bucket
    fill(journal)
    treering.configure(directory=journal, **SETTINGS, archive_to=address)
    try:
        wait_for(
            lambda: client.list_objects_v2(Bucket="logs", Prefix="app/active/").get("KeyCount", 0),
            "the first copy",
        )
    finally:
        treering.shutdown()


def test_a_bucket_that_is_not_there_is_told(journal, bucket):
    address, _ = bucket
    fill(journal)
    with pytest.raises((TreeringError, OSError)):
        copy(journal, address.replace("logs", "missing", 1))
    assert not (journal / "copies.jsonl").exists()


def test_credentials_in_an_address_are_refused(journal):
    with pytest.raises(TreeringError, match="credentials"):
        treering.configure(directory=journal, archive_to="s3://key:secret@bucket/x")
    assert not os.path.lexists(journal)
