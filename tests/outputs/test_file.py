"""Records in a text file: what arrives, and what happens when something is in the way."""

import inspect
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from files import batch, contents, everything, numbered, read
from programs import start

import treering
from treering.errors import ConfigurationError, OutputUnavailable
from treering.outputs.file import FileOutput

TESTS = Path(__file__).parent.parent
needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="mounting a small file system needs privileges",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.log"


def lines_of(path):
    return [line for line in everything(path) if '"component":"app"' in line]


def messages(path):
    import json

    return [json.loads(line)["message"] for line in lines_of(path)]


def test_what_is_logged_is_in_the_file(path, journal):
    treering.configure(directory=journal, console=False)
    treering.add_output(FileOutput(path, format="json", max_bytes="2KB", backup_count=None))
    for number in range(200):
        treering.get_logger("app").info(f"record {number}")
    assert treering.flush(10)

    assert messages(path) == [f"record {number}" for number in range(200)]
    (state,) = treering.list_outputs()
    treering.shutdown()
    assert state["path"] == str(path)
    assert state["rotations"] == len(contents(path)) - 1
    assert state["records"] == state["written"] >= 200
    assert state["bytes"] == sum(len(text.encode()) for _, text in contents(path))


def test_many_processes_share_one_file_and_its_rotation(path, journal):
    program = """
        import sys, treering
        from treering.outputs.file import FileOutput
        journal, path, who = sys.argv[1:]
        treering.configure(directory=journal, console=False)
        treering.add_output(FileOutput(path, format="json", max_bytes=20_000, backup_count=None,
                                       compression="gzip"))
        for number in range(300):
            treering.get_logger("app").info(f"{who} {number}")
        treering.shutdown()
    """
    running = [start(program, journal, path, who) for who in "abc"]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    treering.configure(directory=journal, console=False)
    treering.add_output(FileOutput(path, format="json", max_bytes=20_000, backup_count=None))
    assert treering.flush(20)
    treering.shutdown()

    found = messages(path)
    for who in "abc":
        mine = [message for message in found if message.startswith(who)]
        assert mine == [f"{who} {number}" for number in range(300)]


def test_a_process_that_is_not_alone_is_told_the_files_name(path):
    program = """
        import sys, time
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1])
        output.open()
        print("open", flush=True)
        time.sleep(60)
    """
    process = start(program, path)
    assert process.stdout.readline() == "open\n"
    output = FileOutput(path)
    with pytest.raises(OutputUnavailable, match=r"app\.log.*another process") as raised:
        output.write(batch("mine"))
    assert raised.value.path == path
    process.send_signal(signal.SIGKILL)
    process.communicate()

    output.write(batch("mine"))
    output.close()
    assert read(path) == "mine\n"


def test_a_forked_child_does_not_keep_the_file_locked(path):
    output = FileOutput(path)
    output.write(batch("a"))
    child = os.fork()
    if child == 0:
        signal.pause()
    output.close()
    again = FileOutput(path)
    again.write(batch("b"))
    again.close()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    assert read(path) == "a\nb\n"


def test_a_forked_child_leaves_its_parents_file_alone(path):
    output = FileOutput(path)
    output.write(batch("a"))
    child = os.fork()
    if child == 0:
        try:
            output.write(batch("child"))
        except ValueError:
            output.close()
            del output
            os._exit(7)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    output.write(batch("b"))
    output.close()

    assert os.waitstatus_to_exitcode(status) == 7
    assert read(path) == "a\nb\n"


def test_a_half_line_of_a_dead_process_is_ended(path):
    path.write_text("whole\nhal")
    output = FileOutput(path)
    output.write(batch("next"))
    output.close()

    assert read(path) == "whole\nhal\nnext\n"


def test_a_header_is_the_first_line_of_every_file(path):
    output = FileOutput(path, header="# time level message", max_bytes=30, naming="{name}.{n}")
    for text in ("first", "second", "third"):
        output.write(batch(text))
    output.close()
    output.open()
    output.close()

    assert contents(path) == [
        ("app.log.1", "# time level message\nfirst\n"),
        ("app.log.2", "# time level message\nsecond\n"),
        ("app.log", "# time level message\nthird\n"),
    ]


def test_a_file_that_is_moved_away_is_left_and_a_new_one_made(path):
    output = FileOutput(path)
    output.write(batch("a"))
    subprocess.run(["mv", path, path.with_name("moved")], check=True)
    output.write(batch("b"))
    path.unlink()
    output.write(batch("c"))
    output.close()

    assert path.with_name("moved").read_text() == "a\n"
    assert read(path) == "c\n"
    assert output.statistics()["reopened"] == 2


def test_a_directory_that_is_removed_is_made_again(tmp_path):
    path = tmp_path / "logs" / "app.log"
    output = FileOutput(path)
    output.write(batch("a"))
    shutil.rmtree(path.parent)
    output.write(batch("b"))
    output.close()

    assert read(path) == "b\n"


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not installed")
@pytest.mark.parametrize("way", ["nocreate", "create 0640", "copytruncate"])
def test_logrotate_may_rotate_it_instead(path, way):
    path.parent.chmod(0o700)
    configuration = path.with_name("logrotate.conf")
    configuration.write_text(f'"{path}" {{\n rotate 5\n {way}\n missingok\n}}\n')
    configuration.chmod(0o600)
    output = FileOutput(path, max_bytes=0)
    for text in "abc":
        output.write(batch(text))
        command = ["logrotate", "-f", "-s", path.with_name("state"), configuration]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    output.write(batch("d"))
    output.close()

    texts = [path.with_name(f"app.log.{number}").read_text() for number in (3, 2, 1)]
    assert [*texts, read(path)] == ["a\n", "b\n", "c\n", "d\n"]


def test_a_link_is_not_followed_and_a_pipe_not_written_to(path, tmp_path):
    (tmp_path / "elsewhere").write_text("precious\n")
    path.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in [
        ("app.log", "symbolic link"),
        ("pipe", "no|not a regular"),
        ("", "directory"),
    ]:
        with pytest.raises(OutputUnavailable, match=reason):
            FileOutput(tmp_path / name).open()

    assert (tmp_path / "elsewhere").read_text() == "precious\n"


def test_a_file_that_takes_no_more_has_whole_records_only_and_goes_on_later(path):
    texts = numbered(0, 100)
    program = """
        import resource, sys
        sys.path.insert(0, sys.argv[2])
        from files import batch, numbered
        from treering.errors import FileWriteFailed
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1])
        records = batch(*numbered(0, 100))
        output.write(batch("before"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            output.write(records)
        except FileWriteFailed as error:
            print(error.accepted, error.path, open(sys.argv[1]).read().count(chr(10)))
            records = records.after(error.accepted)
        try:
            output.write(records)
        except FileWriteFailed as error:
            print(error.accepted, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        output.write(records)
        print(output.statistics()["records"])
        output.close()
    """
    process = start(program, path, TESTS)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err

    first, second, third = out.splitlines()
    assert first == f"47 {path} 48"
    assert second.startswith("0 writing failed for") and "too large" in second
    assert third == "101"
    assert read(path).splitlines() == ["before", *texts]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@needs_mount
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_full_disk_loses_and_repeats_nothing(tmp_path, compression):
    """The files lie on a tmpfs of 1 MiB, the journal elsewhere."""
    program = """
        import json, os, subprocess, sys, treering
        sys.path.insert(0, sys.argv[4])
        from files import everything
        from programs import wait_for
        from treering.outputs.file import FileOutput
        disk, journal, compression = sys.argv[1:4]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", disk], check=True)
        treering.configure(directory=journal, console=False, block_timeout_s=60)
        output = FileOutput(disk + "/app.log", format="json", max_bytes=40_000, backup_count=None,
                            compression=compression)
        treering.add_output(output)
        with open(disk + "/ballast", "wb", buffering=0) as ballast:
            while ballast.tell() < 900_000:
                ballast.write(bytes(4096))
        log = treering.get_logger("app")
        for number in range(1500):
            log.info(str(number), noise=os.urandom(60).hex())
        wait_for(lambda: treering.list_outputs()[0]["errors"]["file_write"], "a full disk")
        last = open(disk + "/app.log", "rb").read()[-1:]
        assert last in (b"", b"\\n"), last
        os.remove(disk + "/ballast")
        wait_for(lambda: treering.flush(1), "the rest", timeout=60)
        treering.shutdown()
        lines = [json.loads(line) for line in everything(disk + "/app.log")]
        found = [int(line["message"]) for line in lines if line["component"] == "app"]
        assert found == list(range(1500)), found
        print("ok")
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    arguments = [disk, tmp_path / "logs", compression, TESTS]
    result = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert result.stdout == "ok\n", result.stderr


def test_a_directory_that_takes_no_new_file_leaves_the_old_one_growing():
    program = """
        import os, sys, tempfile
        sys.path.insert(0, sys.argv[1])
        from files import batch, contents
        from treering.outputs.file import FileOutput
        if os.geteuid() == 0:
            os.setgid(65534), os.setuid(65534)
        with tempfile.TemporaryDirectory() as place:
            path = place + "/app.log"
            output = FileOutput(path, max_bytes=4, naming="{name}.{n}")
            output.write(batch("a"))
            os.chmod(place, 0o500)
            output.write(batch("bb", "cc", "dd"))
            output.write(batch("ee"))
            print(contents(path), output.statistics()["rotation_errors"])
            print(output.statistics()["upkeep_error"])
            os.chmod(place, 0o700)
            output.close()
    """
    process = start(program, TESTS)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found, reason = out.splitlines()
    assert found == str([("app.log", "a\nbb\ncc\ndd\nee\n")]) + " 1"
    assert "Permission denied" in reason


APPEND_ONLY, IMMUTABLE = 0x20, 0x10


def flags(path):
    import array
    import fcntl

    found = array.array("i", [0])
    with open(path) as file:
        fcntl.ioctl(file, 0x80086601, found)
    return found[0] & (APPEND_ONLY | IMMUTABLE)


@pytest.mark.parametrize(("compression", "suffix"), [("none", ""), ("gzip", ".gz")])
def test_files_can_be_protected_from_change_or_the_reason_why_not_is_given(
    path, compression, suffix
):
    options = {"append_only": True, "immutable": True, "compression": compression}
    output = FileOutput(path, naming="{name}.{n}", backup_count=1, max_bytes=4, **options)
    try:
        output.open()
    except ConfigurationError as error:
        assert error.code == "file_flag_refused"
        assert error.field in {"append_only", "immutable"}
        assert str(path) in str(error)
        pytest.skip(f"refused here: {error}")
    try:
        for text in ("a", "bb", "cc", "dd"):
            output.write(batch(text))
        output.close()
        rotated = path.with_name("app.log.3" + suffix)
        assert (flags(path), flags(rotated)) == (APPEND_ONLY, IMMUTABLE)
        for change in (lambda: path.write_text("x"), rotated.unlink, path.unlink):
            with pytest.raises(PermissionError):
                change()
        assert contents(path) == [(rotated.name, "cc\n"), ("app.log", "dd\n")]
        assert output.statistics()["deleted"] == 2
    finally:
        subprocess.run(["chattr", "-R", "-a", "-i", path.parent], check=False)


@pytest.mark.parametrize("option", ["append_only", "immutable"])
def test_a_flag_for_which_a_capability_is_missing_is_a_configuration_error(tmp_path, option):
    program = """
        import sys
        from treering.errors import ConfigurationError
        from treering.outputs.file import FileOutput
        try:
            FileOutput(sys.argv[1], **{sys.argv[2]: True}).open()
        except ConfigurationError as error:
            print(error.field, error)
    """
    without = ["setpriv", "--bounding-set", "-linux_immutable", "--inh-caps", "-linux_immutable"]
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        without = []
    command = [*without, sys.executable, "-c", textwrap.dedent(program), tmp_path / "a", option]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout.startswith(f"{option} option {option} cannot be had for"), done.stderr
    assert "CAP_LINUX_IMMUTABLE would be right" in done.stdout


@pytest.mark.skipif(
    shutil.which("strace") is None
    or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode != 0,
    reason="strace is not installed or not permitted",
)
@pytest.mark.parametrize(("sync", "count"), [("True", 3), ("False", 0)])
def test_every_batch_is_synced_when_that_is_asked_for(path, sync, count):
    program = """
        import sys
        sys.path.insert(0, sys.argv[2])
        from files import batch
        from treering.outputs.file import FileOutput
        output = FileOutput(sys.argv[1], sync=sys.argv[3])
        for text in "abc":
            output.write(batch(text, text))
        output.close()
    """
    trace = path.with_name("trace")
    command = ["strace", "-f", "-e", "trace=fdatasync", "-o", trace, sys.executable, "-c"]
    command += [textwrap.dedent(program), path, TESTS, sync]
    subprocess.run(command, check=True)

    assert trace.read_text().count("fdatasync(") == count


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("path", None, "a path"),
        ("path", 7, "a path"),
        ("max_bytes", "much", "a size"),
        ("max_bytes", -1, "a size"),
        ("max_bytes", None, "a size"),
        ("max_age_s", 0, "seconds"),
        ("rotate_at", "24:00", "midnight, hourly"),
        ("rotate_at", "weekly", "midnight, hourly"),
        ("utc", "perhaps", "true or false"),
        ("naming", "{stem}{suffix}", "{time}, {date} or one {n}"),
        ("naming", "{when}.log", "instead of {when} at 0"),
        ("naming", "old/{n}", "rotated files stay where the file is"),
        ("naming", "{n}{time}", "no digit"),
        ("backup_count", 0, "a whole number from 1"),
        ("max_total_bytes", "1MB", "at least max_bytes (10485760)"),
        ("backup_max_age_s", 1.5, "whole seconds"),
        ("compression", "bzip2", "none, gzip or zstd"),
        ("permissions", "0400", "octal digits"),
        ("permissions", "rw", "octal digits"),
        ("permissions", 0o1600, "octal digits"),
        ("permissions", True, "octal digits"),
        ("header", 3, "text"),
        ("sync", "often", "true or false"),
        ("immutable", None, "true or false"),
    ],
)
def test_a_bad_option_is_told_with_what_would_be_right(path, option, value, wanted):
    with pytest.raises(ConfigurationError) as raised:
        FileOutput(**{"path": path, option: value})

    assert str(raised.value).startswith(f"option {option} of output 'file' is {value!r}: ")
    assert wanted in str(raised.value)
    assert raised.value.field == f"outputs.file.{option}"


def test_arguments_and_options_have_the_same_defaults():
    arguments = inspect.signature(FileOutput).parameters

    assert {option.name: option.default for option in FileOutput.options} == {
        option.name: arguments[option.name].default for option in FileOutput.options
    }
