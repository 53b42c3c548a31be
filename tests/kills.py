"""Processes killed at random points of logging, sealing, rotating and turning epochs."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import treering
from treering.journal import Journal
from treering.seal import pin, verify


def log_for_ever(directory, seed):
    """What the victim does until it is killed."""
    chance = random.Random(seed)
    treering.configure(
        directory=directory,
        console=False,
        segment_max_bytes=4096,
        epoch_max_age_s=chance.choice([0, 0, 60]),
        checkpoint_interval_s=chance.choice([0, 10]),
    )
    log = treering.get_logger("victim")
    number = 0
    while True:
        number += 1
        if chance.random() < 0.05:
            log.audit("audited", number=number)
        else:
            log.info("logged", number=number)
        if chance.random() < 0.2:
            time.sleep(0.0003)


def campaign(base, count, seed, tell=lambda done: None):
    """Kills `count` victims; gives false alarms: verdicts of failure on journals that only died.

    Call it in a process that has not configured logging: the victims are forked.
    """
    chance = random.Random(seed)
    alarms = []
    journal, trust, left = None, None, 0
    for done in range(count):
        if left == 0:
            if journal is not None:
                shutil.rmtree(journal, ignore_errors=True)
            journal, trust, left = Path(base) / f"killed-{done}", None, chance.randrange(5, 40)
        left -= 1
        child = os.fork()
        if child == 0:
            try:
                log_for_ever(journal, chance.random())
            finally:
                os._exit(1)
        time.sleep(0.0005 + chance.random() * chance.choice([0.004, 0.02, 0.06]))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the victim lived until it was killed"
        if trust is not None:
            before = verify(journal, trust=trust)
            if before.code == 1:
                alarms.append((done, "before recovery", str(before)))
        if (journal / "journal.json").exists() and chance.random() < 0.7:
            Journal(journal).recover()
            if trust is None and (journal / "active" / f"{0:020}.jsonl").exists():
                trust = pin(journal)
            after = verify(journal, trust=trust)
            if after.code != 0:
                alarms.append((done, "after recovery", str(after)))
            if (journal / "ended").exists():
                alarms.append((done, "after recovery", "the generation ended"))
                left = 0
        if alarms:
            break
        tell(done + 1)
    if journal is not None and not alarms:
        shutil.rmtree(journal, ignore_errors=True)
    return alarms
