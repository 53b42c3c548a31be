"""Short runs of the long campaigns (`make mutate`): mutations, kills, steps of the clock."""

import random
import subprocess

import mutations
import pytest
from programs import run

from treering.seal import pin, verify


def test_no_mutation_passes(tmp_path):
    tried, survivors = mutations.campaign(tmp_path / "corpus", 6000, random.randrange(1 << 32))
    assert tried == 6000
    assert survivors == []


@pytest.mark.timeout(400)
def test_no_flipped_bit_of_a_proof_or_a_checkpoint_passes(tmp_path):
    for case in mutations.corpus(tmp_path / "corpus"):
        if case.name == "witnessed":
            names = [name for name in case.files if "checkpoint" in name or "anchors" in name]
            case.files = {name: case.files[name] for name in names}
        elif case.name != "proof":
            continue
        tried, survivors = mutations.every_bit(case)
        assert tried > 1000
        assert survivors == []


def test_killed_processes_raise_no_false_alarm(tmp_path):
    # In a process of its own: the victims are forked from one that has never logged.
    program = """
        import sys
        sys.path.insert(0, sys.argv[2])
        import kills
        alarms = kills.campaign(sys.argv[1], 150, int(sys.argv[3]))
        assert alarms == [], alarms
    """
    run(program, tmp_path, mutations.__file__.rsplit("/", 1)[0], random.randrange(1 << 32))


CLOCK = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
long long *treering_clock_offset_s;
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && treering_clock_offset_s) time->tv_sec += *treering_clock_offset_s;
    return result;
}
"""


@pytest.fixture(scope="module")
def stepping_clock(tmp_path_factory):
    """A library that moves the wall clock of a process, and nothing else, by what it is told."""
    directory = tmp_path_factory.mktemp("clock")
    (directory / "clock.c").write_text(CLOCK)
    library = directory / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, directory / "clock.c"], check=True)
    return library


def test_a_thousand_steps_of_the_clock_raise_no_alarm(tmp_path, stepping_clock):
    program = """
        import ctypes, random, sys, time, treering
        clock = ctypes.CDLL(sys.argv[2])
        offset = ctypes.c_longlong(0)
        ctypes.c_void_p.in_dll(clock, "treering_clock_offset_s").value = ctypes.addressof(offset)
        true = time.clock_gettime(time.CLOCK_BOOTTIME)
        treering.configure(directory=sys.argv[1], console=False, segment_max_bytes=16384,
                           epoch_max_age_s=0, checkpoint_interval_s=0)
        log = treering.get_logger("a")
        times = set()
        for step in range(1000):
            offset.value = random.choice([0, -1, 1, -3600, 3600, -86400 * 365, 86400 * 365])
            log.info("stepped", step=step)
            if step % 100 == 0:
                assert log.audit("sealed").durable
            times.add(int(time.time()) // 3600)
        assert len(times) > 2, "the clock has stepped"
        treering.shutdown()
    """
    directory = tmp_path / "logs"
    run(program, directory, stepping_clock, env={"LD_PRELOAD": str(stepping_clock)})
    verdict = verify(directory, trust=pin(directory))
    assert verdict.ok, verdict
    assert verdict.details["epoch"] >= 1
