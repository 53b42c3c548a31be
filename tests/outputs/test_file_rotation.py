"""Text files that are rotated, compressed and cleaned up."""

import gzip
import os
import random
import signal
import time
from pathlib import Path

import pytest
from files import Doubled, backups, batch, contents, everything, numbered, read
from programs import run, wait_for

import treering
from treering.outputs.file import FileOutput

COMPRESSIONS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
any_compression = pytest.mark.parametrize("compression", COMPRESSIONS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.log"


@pytest.fixture
def clock(monkeypatch):
    """The clock that files are written by; `clock(text)` sets it."""

    def set_to(text):
        now_ns = treering._core.parse_time(text)
        monkeypatch.setattr(time, "time_ns", lambda: now_ns)

    return set_to


def write(path, *texts, **options):
    """Writes each text in a batch of its own, and waits for what happens behind it."""
    output = FileOutput(path, **options)
    for text in texts:
        output.write(batch(text))
    output.close()
    return output


def test_a_file_is_rotated_before_it_gets_too_large(path):
    write(path, "one", "two", "three", "four", "five", max_bytes=8, naming="{name}.{n}")

    assert contents(path) == [
        ("app.log.1", "one\ntwo\n"),
        ("app.log.2", "three\n"),
        ("app.log.3", "four\n"),
        ("app.log", "five\n"),
    ]


def test_a_batch_is_cut_between_records_only(path):
    output = FileOutput(path, max_bytes=50, naming="{name}.{n}")
    output.write(batch("a", "b", "c", formatter=Doubled()))
    output.write(batch(*"defghij", formatter=Doubled()))
    output.close()

    assert [text.count("\n  more\n") * 9 for _, text in contents(path)] == [45, 45]
    assert everything(path)[::2] == list("abcdefghij")


def test_a_record_larger_than_a_file_gets_one_of_its_own(path):
    write(path, "a", "x" * 100, "b", max_bytes=10, naming="{name}.{n}")

    assert [text for _, text in contents(path)] == ["a\n", "x" * 100 + "\n", "b\n"]


def test_without_a_limit_a_file_is_not_rotated(path):
    write(path, *["x" * 1000] * 50, max_bytes=0)

    assert [path.stat().st_size] == [50 * 1001]
    assert backups(path) == []


@any_compression
def test_five_backups_are_five_however_they_are_compressed(path, compression):
    """The logger that this one replaces kept one: every new `.1.gz` took the place of the last."""
    output = FileOutput(path, max_bytes=210, compression=compression)
    for line in numbered(0, 200):
        output.write(batch(line))
    output.close()

    found = contents(path)
    assert [text for _, text in found] == [
        "".join(line + "\n" for line in numbered(at, at + 10)) for at in range(140, 200, 10)
    ]
    suffixes = [name.removeprefix(name.split(".log")[0]) for name, _ in found]
    assert suffixes == [".log" + COMPRESSIONS[compression]] * 5 + [".log"]


@any_compression
def test_rotated_files_together_have_every_record_once_and_in_order(path, compression):
    lines = numbered(0, 3000)
    output = FileOutput(path, max_bytes=1000, compression=compression, backup_count=None)
    chance = random.Random(4)
    at = 0
    while at < len(lines):
        end = at + chance.randrange(1, 200)
        output.write(batch(*lines[at:end]))
        at = end
        if chance.random() < 0.2:
            output.close()
    output.close()

    assert everything(path) == lines
    assert all(file.stat().st_size <= 1000 for file in backups(path))


@pytest.mark.parametrize(
    ("naming", "first", "second"),
    [
        ("{stem}.{time}{suffix}", "app.2026-11-20_10-00-00.log", "app.2026-11-20_10-00-00_2.log"),
        ("{stem}-{date}{suffix}", "app-2026-11-20.log", "app-2026-11-20_2.log"),
        ("{name}.{n}", "app.log.1", "app.log.2"),
        ("{stem}.{n}{suffix}", "app.1.log", "app.2.log"),
        ("{date}.{n}.old", "2026-11-20.1.old", "2026-11-20.2.old"),
    ],
)
def test_rotated_files_are_named_as_wished_and_never_alike(path, clock, naming, first, second):
    clock("2026-11-20T10:00:00Z")
    write(path, "a", "b", "c", max_bytes=1, naming=naming, utc=True, compression="gzip")

    names = {file.name: read(file) for file in path.parent.iterdir()}
    assert names == {first + ".gz": "a\n", second + ".gz": "b\n", "app.log": "c\n"}


def test_a_clock_that_goes_back_neither_overwrites_a_file_nor_deletes_a_younger_one(path, clock):
    options = {"max_bytes": 1, "utc": True, "backup_count": 2}
    clock("2026-11-20T10:00:00Z")
    write(path, "a", "b", **options)
    clock("2026-11-20T08:00:00Z")
    output = FileOutput(path, **options)
    output.open()
    os.truncate(path, 0)
    for text in "cde":
        output.write(batch(text))
    output.close()

    assert [text for _, text in contents(path)] == ["c\n", "d\n", "e\n"]


def test_a_day_ends_at_local_midnight():
    program = """
        import sys, time
        sys.path.insert(0, sys.argv[2])
        from files import batch
        from treering import _core
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1], rotate_at="midnight", naming="{stem}.{date}{suffix}")
        for moment in ["2026-11-20T10:00", "2026-11-20T18:29", "2026-11-20T18:30", "2026-11-23T12:00"]:
            time.time_ns = lambda: _core.parse_time(moment + ":00Z")
            output.write(batch(moment))
        output.close()
    """
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "app.log")
        tests = Path(__file__).parent.parent
        # Midnight in India is half past six in the evening, UTC.
        run(program, path, tests, env={"TZ": "Asia/Kolkata"})

        assert contents(path) == [
            ("app.2026-11-20.log", "2026-11-20T10:00\n2026-11-20T18:29\n"),
            ("app.2026-11-21.log", "2026-11-20T18:30\n"),
            ("app.log", "2026-11-23T12:00\n"),
        ]


@pytest.mark.parametrize(
    ("rotate_at", "times", "expected"),
    [
        ("hourly", ["10:05", "10:59", "11:00", "11:01"], [2, 2]),
        ("03:30", ["02:00", "03:29", "03:30", "23:59"], [2, 2]),
        ("midnight", ["00:00", "12:00", "23:59"], [3]),
    ],
)
def test_the_clock_rotates_when_it_was_told_to(path, clock, rotate_at, times, expected):
    output = FileOutput(path, rotate_at=rotate_at, utc=True)
    for moment in times:
        clock(f"2026-11-20T{moment}:00Z")
        output.write(batch(moment))
    output.close()

    assert [len(text.splitlines()) for _, text in contents(path)] == expected


def test_a_file_is_rotated_when_it_is_old_also_after_a_restart(path):
    begin = time.monotonic()
    write(path, "a", max_age_s=0.3)
    output = FileOutput(path, max_age_s=0.3)
    while not backups(path):
        output.write(batch("b"))
    output.close()

    assert time.monotonic() - begin > 0.29
    assert everything(path)[:2] == ["a", "b"]
    assert read(path) == "b\n"


def test_a_file_can_be_rotated_on_demand(path):
    output = FileOutput(path, naming="{name}.{n}", header="# app")
    output.open()
    assert not output.rotate(), "there is nothing in it"
    output.write(batch("a"))
    assert output.rotate()
    output.close()

    assert contents(path) == [("app.log.1", "# app\na\n"), ("app.log", "# app\n")]


@any_compression
def test_all_files_together_stay_within_the_total_size(path, compression):
    chance = random.Random(7)
    lines = [chance.randbytes(250).hex() for _ in range(40)]
    limits = {"max_bytes": 1002, "max_total_bytes": 3600, "backup_count": None}
    output = FileOutput(path, compression=compression, **limits)
    for line in lines:
        output.write(batch(line))
        if compression != "none":
            wait_for(lambda: is_up_to_date(output.statistics()), "compression")
    output.close()

    found = everything(path)
    assert found == lines[-len(found) :]
    room = 3600 - 1002
    sizes = [file.stat().st_size for file in backups(path)]
    assert room - max(sizes) < sum(sizes) <= room


def is_up_to_date(state):
    return state["compressed"] == state["rotations"]


def test_old_files_are_deleted_when_they_are_too_old(path):
    write(path, "a", "b", "c", "d", max_bytes=1, compression="gzip")
    day = 86_400
    for file, age_days in zip(backups(path), [15, 13, 1], strict=True):
        os.utime(file, (0, time.time() - age_days * day))
    output = FileOutput(path, backup_max_age_s=14 * day)
    output.open()
    output.close()

    assert everything(path) == ["b", "c", "d"]


def test_compressing_does_not_make_a_file_younger(path):
    output = FileOutput(path, compression="zstd")
    output.write(batch("a"))
    os.utime(path, (1e9, 1e9))
    output.rotate()
    output.close()

    assert [file.stat().st_mtime for file in backups(path)] == [1e9]


def test_only_files_that_it_has_named_are_deleted(path):
    others = [
        "app.errors.log",
        "app.2026-11-20_10-00-00.log.bak",
        "app.2026-99-20_10-00-00.log",
        "app.txt",
        "app.log.1",
        "xapp.2026-11-20_10-00-00.log",
        ".app.2026-11-20_10-00-00.log.gz.tmp2",
    ]
    for name in others:
        path.with_name(name).write_text("mine")
    write(path, *"abcdef", max_bytes=1, backup_count=1, compression="gzip", max_total_bytes=100)

    assert all(path.with_name(name).read_text() == "mine" for name in others)
    assert len(list(path.parent.iterdir())) == len(others) + 2


def test_files_have_their_permissions_whatever_the_umask(path):
    before = os.umask(0o777)
    try:
        write(path, "a", "b", max_bytes=1, permissions="0640", compression="gzip")
    finally:
        os.umask(before)

    assert [file.stat().st_mode & 0o7777 for file in path.parent.iterdir()] == [0o640] * 2


def test_files_are_private_when_nothing_else_is_said(tmp_path):
    path = tmp_path / "new" / "deep" / "app.log"
    before = os.umask(0)
    try:
        write(path, "a", "b", max_bytes=1)
    finally:
        os.umask(before)

    assert [file.stat().st_mode & 0o7777 for file in path.parent.iterdir()] == [0o600] * 2
    assert [p.stat().st_mode & 0o7777 for p in (path.parent, path.parent.parent)] == [0o700] * 2


def test_stock_programs_read_compressed_files(path):
    import shutil
    import subprocess

    for compression, program in [("gzip", "gzip"), ("zstd", "zstd")]:
        if shutil.which(program) is None:
            continue
        output = write(path.with_name(program + ".log"), "ä" * 50_000, compression=compression)
        output.open()
        output.rotate()
        output.close()
        (file,) = backups(path.with_name(program + ".log"))
        shown = subprocess.run([program, "-dc", file], capture_output=True, check=True).stdout
        assert shown.decode() == "ä" * 50_000 + "\n"
        subprocess.run([program, "-t", "-q", file], check=True)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_death_in_the_middle_of_compression_leaves_no_half_file(path, compression):
    data = random.Random(1).randbytes(24_000_000).hex().encode()
    path.write_bytes(data + b"\n")
    program = """
        import glob, os, signal, sys
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1], compression=sys.argv[2], max_bytes=0)
        output.open()
        output.rotate()
        while not glob.glob(os.path.dirname(sys.argv[1]) + "/.app.*.tmp"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    code, _, err = run(program, path, compression, check=False)
    assert code == -signal.SIGKILL, err
    (left,) = path.parent.glob("app.*-*")
    assert left.read_bytes() == data + b"\n", "the file is there as long as the other is not"
    assert list(path.parent.glob(".app.*.tmp"))

    output = FileOutput(path, compression=compression)
    output.open()
    wait_for(lambda: output.statistics()["compressed"], "what was left to be compressed")
    output.close()
    (file,) = backups(path)
    assert file.suffix == COMPRESSIONS[compression]
    assert read(file) == data.decode() + "\n"
    assert sorted(path.parent.iterdir()) == sorted([path, file])


def test_a_death_after_compression_leaves_one_file(path):
    write(path, "a", "b", max_bytes=1)
    (plain,) = backups(path)
    compressed = plain.with_name(plain.name + ".gz")
    compressed.write_bytes(gzip.compress(plain.read_bytes()))
    output = FileOutput(path, compression="gzip")
    output.open()
    output.close()

    assert backups(path) == [compressed]
    assert everything(path) == ["a", "b"]


def test_a_death_between_the_two_renamings_of_a_rotation_is_put_right(path):
    write(path, "a", naming="{name}.{n}", header="# app")
    path.rename(path.with_name("app.log.1"))
    path.with_name(".app.log.new").write_text("# app\n")
    write(path, "b", naming="{name}.{n}", header="# app")

    assert contents(path) == [("app.log.1", "# app\na\n"), ("app.log", "# app\nb\n")]
    assert not path.with_name(".app.log.new").exists()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_writing_goes_on_while_a_file_is_compressed(path):
    path.write_bytes(random.Random(1).randbytes(8_000_000).hex().encode() + b"\n")
    program = """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from files import batch
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1], compression="gzip", max_bytes=0)
        output.open()
        output.rotate()
        output.write(batch("meanwhile"))
        print(output.statistics()["compressed"])
        task = None
        while task is None:
            for each in Path("/proc/self/task").iterdir():
                if (each / "comm").read_text() == "treering-files\\n":
                    task = each
        print((task / "stat").read_text().rsplit(")", 1)[1].split()[16])
        output.close()
        print(output.statistics()["compressed"])
    """
    _, out, _ = run(program, path, Path(__file__).parent.parent)

    assert out.split() == ["0", "19", "1"], (
        "compressed when writing, niceness, compressed at the end"
    )
    assert read(path) == "meanwhile\n"
