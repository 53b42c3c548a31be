"""A short run of the long campaign (`make mutate`): everything on one journal at once, with kills."""

import random

import together


def test_writers_archiver_retention_and_readers_get_along_while_they_are_killed(tmp_path):
    alarms, counts = together.campaign(tmp_path, 12, random.randrange(1 << 32))
    assert alarms == [], counts
    assert counts["looks"] > 4
    assert counts["prunes"] > 0
