"""Templates: which messages are the same but for their values."""

import random
from array import array

import pytest

from treering import _core

FORMATS = [
    ("Accepted connection from {ip}:{port}", "Accepted connection from <*>:<*>"),
    ("Job {uuid} finished in {ms} ms", "Job <*> finished in <*> ms"),
    ("Worker {name} is ready", "Worker <*> is ready"),
    ("All workers are ready", "All workers are ready"),
    ("Wrote {path} ({kb} KB)", "Wrote <*> (<*> KB)"),
    ("state changed from IDLE to BUSY", "state changed from IDLE to BUSY"),
    ("state changed from BUSY to IDLE", "state changed from BUSY to IDLE"),
    ("user={user} action=login result=ok", "user=<*> action=login result=ok"),
    ("checksum {hex} of block blk_{number}", "checksum <*> of block blk_<*>"),
    ("Cannot open: no such file", "Cannot open: no such file"),
]


def corpus(number=3000):
    """Messages with the number of their format, as a generator made them."""
    chance = random.Random(11)
    names = [
        f"{a}{b}" for a in ("ash", "elm", "oak", "fir") for b in ("wood", "leaf", "root", "bark")
    ]
    for _ in range(number):
        which = chance.randrange(len(FORMATS))
        number = chance.randint(10, 10**9)
        values = {
            "ip": f"10.{chance.randint(0, 255)}.0.{chance.randint(1, 254)}",
            "port": chance.randint(1024, 65535),
            "uuid": f"{number:08x}-1111-4111-8111-{number:012x}",
            "ms": chance.randint(1, 900),
            "name": chance.choice(names),
            "path": f"/var/lib/{chance.choice(names)}/part",
            "kb": chance.randint(1, 99),
            "user": chance.choice(names),
            "hex": f"0x{number:x}",
            "number": number,
        }
        yield which, FORMATS[which][0].format(**values)


def mined(miner, messages):
    ids = miner.add_lines("".join(f"{message}\n" for message in messages).encode())
    templates = {found["id"]: found["template"] for found in miner.templates()}
    return [templates.get(one) for one in array("I", miner.settle(ids))]


def test_generated_messages_get_the_templates_they_were_made_of():
    known = list(corpus())
    found = mined(_core.Miner(), [message for _, message in known])
    wrong = {
        (message, template)
        for (which, message), template in zip(known, found, strict=True)
        if template != FORMATS[which][1]
    }
    assert not wrong


def test_a_call_site_that_never_varies_is_given_exactly():
    line = b'{"timestamp":"2026-01-01T00:00:00Z","component":"a","message":"try 3 of 3","file":"a.py","line":7}\n'
    miner = _core.Miner()
    miner.add_records(line * 5)
    assert [found["template"] for found in miner.templates()] == ["try 3 of 3"]


def test_call_sites_keep_their_templates_apart():
    lines = [
        f'{{"component":"a","message":"done in {at} ms","file":"a.py","line":{at % 2 + 1}}}\n'
        for at in range(10)
    ]
    miner = _core.Miner()
    miner.add_records("".join(lines).encode())
    assert sorted(found["count"] for found in miner.templates()) == [5, 5]


def test_unlimited_templates_do_not_take_unlimited_memory():
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    messages = [
        " ".join("".join(chance.choices(letters, k=6)) for _ in range(1 + at % 40))
        for at in range(4000)
    ]
    miner = _core.Miner(templates=100)
    found = mined(miner, messages)
    counts = miner.counts()
    assert counts["templates"] <= 100
    assert counts["forgotten_messages"] == found.count(None) > 0
    kept = sum(found["count"] for found in miner.templates())
    assert kept + counts["forgotten_messages"] == len(messages)


def test_limits_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="similarities from 0 to 1"):
        _core.Miner(similarity=1.5)


def test_a_table_of_the_wrong_kind_is_refused():
    import pyarrow as pa

    with pytest.raises(ValueError, match="no column 'message'"):
        _core.Miner().add_arrow(pa.table({"text": ["a"]}))
    with pytest.raises(ValueError, match="column 'message' is Int64, not string"):
        _core.Miner().add_arrow(pa.table({"message": [1]}))


def test_tables_and_lines_give_the_same_templates():
    import pyarrow as pa

    messages = [message for _, message in corpus(500)]
    lines, table = _core.Miner(), _core.Miner()
    mined(lines, messages)
    table.add_arrow(pa.table({"message": messages}))
    texts = [[found["template"] for found in miner.templates()] for miner in (lines, table)]
    assert texts[0] == texts[1]
