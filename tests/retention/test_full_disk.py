"""A disk that fills up, on a small file system of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="mounting a small file system needs privileges",
)


def run_on_a_disk(tmp_path, source):
    """Runs a program in a mount namespace of its own; its argument is an empty directory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(source))
    found = subprocess.run(
        ["unshare", "-m", sys.executable, script, disk],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert found.returncode == 0, found.stderr


@needs_mount
def test_a_disk_that_fills_up_is_cleaned_up_in_an_emergency_but_for_what_is_held(tmp_path):
    source = """
        import json, shutil, subprocess, sys, treering
        from pathlib import Path
        disk = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", disk], check=True)
        logs = Path(disk, "logs")
        from treering.archive import hold, release, retain
        settings = dict(directory=logs, console=False, segment_max_bytes="64KB", archive=False)
        treering.configure(**settings, retention_min_free="25%")
        log = treering.get_logger("app")
        for number in range(3000):
            log.info("done", number=number, text="x" * 300)
            if number % 100 == 0:
                treering.flush(10)
        treering.shutdown()
        free = shutil.disk_usage(disk).free
        Path(disk, "ballast").write_bytes(bytes(free - 500_000))
        hold(logs, "all", reason="r")
        first = retain(logs)
        assert first.steps == () and first.missed == ("free_space",), first
        assert first.free < first.wanted
        release(logs, "all")
        second = retain(logs)
        assert {step.why for step in second.steps} == {"free_space"}, second
        assert retain(logs, dry_run=True).free is None
        from treering.journal import Journal
        lines = [json.loads(line) for _, line in Journal(logs).records() if line]
        told = [r for r in lines if r["message"] == "emergency clean-up"]
        assert told[0]["metadata"]["held"] == ["all"], told
        assert max(r["metadata"]["number"] for r in lines if r["component"] == "app") == 2999
    """
    run_on_a_disk(tmp_path, source)


@needs_mount
def test_an_emergency_frees_space_while_logging_goes_on(tmp_path):
    source = """
        import subprocess, sys, treering
        from pathlib import Path
        disk = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", disk], check=True)
        logs = Path(disk, "logs")
        treering.configure(
            directory=logs, console=False, segment_max_bytes="128KB", archive=False,
            retention_min_free="50%", retention_keep="",
        )
        log = treering.get_logger("app")
        import time
        for number in range(13_000):
            log.info("done", number=number, text="x" * 300)
            if number % 200 == 199:
                assert treering.flush(30)
                time.sleep(0.2)
        found = treering.statistics()
        treering.shutdown()
        assert found["journal_emergencies"] >= 1, found
        assert found["journal_pruned_records"] > 2000, found
        assert found["journal_write_errors"] == 0, found
        assert found["journal_retention_errors"] == 0, found
        from treering.seal import pin, verify
        assert verify(logs, trust=pin(logs)).code == 0
        import json
        from treering.journal import Journal
        lines = [json.loads(line) for _, line in Journal(logs).records() if line]
        numbers = [r["metadata"]["number"] for r in lines if r["component"] == "app"]
        assert numbers == list(range(numbers[0], 13_000)), numbers
    """
    run_on_a_disk(tmp_path, source)
