"""Mutations of every file that verifiers read: whatever changes a byte must cost the pass.

`Case` is something that verifies, with its files in memory; `mutants` are endless changed versions.
Not mutated: the epoch key's signature line of a single proof and of exported tiles. Whoever has only
pinned keys cannot know that key, and C2SP says to ignore lines by unknown keys.
"""

import random
import shutil
from pathlib import Path

from archiving import archived_journal
from forging import sealed_journal

import treering
from treering import _core
from treering.seal import (
    anchor_with_witness,
    erase,
    export_tiles,
    pin,
    prove,
    prune,
    verify_proof,
    verify_tiles,
)


class Case:
    """Files that verify together, and the judge over them."""

    def __init__(self, name, base, files, passes, older=None):
        self.name, self.base, self.passes = name, Path(base), passes
        self.files = {path: (self.base / path).read_bytes() for path in files}
        # What an attacker kept of an earlier state, for replays.
        self.older = older or {}
        assert passes(), f"{name} verifies before it is changed"

    def mutant(self, chance):
        """Changed contents by file: one file, or two that are swapped."""
        names = sorted(self.files)
        # Small files matter as much as large ones.
        name = chance.choice(names)
        content = self.files[name]
        kind = chance.randrange(12)
        if kind == 0 and len(names) > 1:
            other = chance.choice(names)
            return {name: self.files[other], other: content}
        if kind == 1 and self.older:
            name = chance.choice(sorted(self.older))
            return {name: self.older[name]}
        if kind == 2:
            return {name: None}
        return {name: changed(content, kind, chance, self.files)}

    def survives(self, mutant):
        """True when the changed files still pass, which they must not."""
        real = {
            name: content
            for name, content in mutant.items()
            if content != self.files.get(name) and self.changes(name, content)
        }
        if not real:
            return None
        try:
            for name, content in real.items():
                if content is None:
                    (self.base / name).unlink()
                else:
                    (self.base / name).write_bytes(content)
            return self.passes()
        finally:
            for name in real:
                if name in self.files:
                    (self.base / name).write_bytes(self.files[name])
                else:
                    (self.base / name).unlink()

    def changes(self, name, content):
        """False when only what verifiers must ignore was changed."""
        if content is None or not self.name.startswith(("proof", "tiles")):
            return True
        return _believed(content, self.files[name]) != _believed(self.files[name], self.files[name])


def _believed(content, original):
    """The lines without signatures by keys that are not pinned: all but the original's first."""
    dash = "\u2014 ".encode()
    identity = next((line for line in original.split(b"\n") if line.startswith(dash)), None)
    lines = content.split(b"\n")
    return [line for line in lines if not line.startswith(dash) or line == identity]


def changed(content, kind, chance, files):
    """One change to some bytes."""
    if not content:
        return chance.randbytes(1 + chance.randrange(40))
    at = chance.randrange(len(content))
    span = 1 + chance.randrange(min(200, len(content)))
    data = bytearray(content)
    if kind in (3, 4, 5, 6):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 7:
        data[at] = chance.randrange(256)
    elif kind == 8:
        del data[at : at + span]
    elif kind == 9:
        source = files[chance.choice(sorted(files))] or b"x"
        begin = chance.randrange(len(source))
        data[at:at] = source[begin : begin + span]
    elif kind == 10:
        del data[at:]
    else:
        other = chance.randrange(len(data))
        first, second = sorted((at, other))
        span = min(span, second - first, len(data) - second)
        left, right = data[first : first + span], data[second : second + span]
        data[first : first + span], data[second : second + span] = right, left
    return bytes(data)


def journal_case(name, journal, trust, *, older=None):
    """A journal: all that its verifier reads."""
    files = [
        path.relative_to(journal).as_posix()
        for pattern in (
            "active/*.jsonl",
            # An index of words that was changed is ignored, unless it is whole and hides a record.
            "archive/*/*.parquet",
            "seal/checkpoint",
            "seal/checkpoints",
            "seal/**/*.seal",
        )
        for path in journal.glob(pattern)
    ]
    last = max(path.stem for path in journal.glob("active/*.jsonl"))
    if (journal / "active" / f"{last}.jsonl").stat().st_size == 0:
        # A segment that has just begun has nothing in it that could be changed.
        files.remove(f"active/{last}.jsonl")
        files.remove(f"seal/commitments/{last}.seal")
    if "witness" in name:
        files += [
            p.relative_to(journal).as_posix() for p in journal.glob("seal/anchors/*.cosigned")
        ]

    def passes():
        return _core.seal_verify(journal, trust, [], None, 1)["verdict"] == "sealed"

    return Case(name, journal, files, passes, older)


def corpus(base):
    """One of everything, small: journals in every state, a proof, a tree of tiles."""
    base = Path(base)
    base.mkdir(parents=True, exist_ok=True)
    plain = base / "plain"
    trust = sealed_journal(plain, records=30, epochs=2)
    older = {p: (plain / p).read_bytes() for p in ("seal/checkpoint", "seal/checkpoints")}
    treering.configure(directory=plain, console=False)
    treering.get_logger("app").audit("after the copy")
    treering.shutdown()
    yield journal_case("plain", plain, trust, older=older)

    changed_journal = base / "changed"
    trust = sealed_journal(changed_journal, records=45, epochs=3)
    erase(changed_journal, [5, 7, 30], reason="asked for")
    prune(changed_journal, 20)
    yield journal_case("erased and pruned", changed_journal, trust)

    yield from archived(base)
    yield from witnessed(base)

    target = base / "tiles"
    export_tiles(plain, target)
    files = [path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()]
    trust = pin(plain)

    def tiles_pass():
        try:
            return bool(verify_tiles(target, trust=trust))
        except treering.VerificationFailed:
            return False

    yield Case("tiles", target, files, tiles_pass)

    place = base / "proof"
    place.mkdir()
    proof, line = prove(plain, 9)
    (place / "record").write_bytes(line)
    (place / "proof").write_text(proof)

    def proof_passes():
        try:
            # Not read_text, for which a carriage return is a line feed.
            text = (place / "proof").read_bytes().decode()
            return bool(verify_proof(text, (place / "record").read_bytes(), trust=trust))
        except (treering.VerificationFailed, UnicodeDecodeError, FileNotFoundError):
            return False

    yield Case("proof", place, ["proof", "record"], proof_passes)


def archived(base):
    """Journals whose segments are files of the archive: as they were made, and thinned and erased since."""
    plain = base / "archived"
    trust = archived_journal(plain, records=30, epochs=2)
    yield journal_case("archived", plain, trust)

    thinned = base / "thinned"
    trust = sealed_journal(thinned, records=45, epochs=3)
    treering.configure(directory=thinned, console=False)
    for number in range(40):
        treering.get_logger("app").log(
            "ERROR" if number % 9 == 0 else "INFO", "more", number=number
        )
    treering.shutdown()
    _core.archive_now(thinned)
    older = {
        path.relative_to(thinned).as_posix(): path.read_bytes()
        for path in thinned.glob("archive/*/*.parquet")
    }
    prune(thinned, 75, keep_level="ERROR")
    erase(
        thinned,
        [max(_core.archive_list(thinned), key=lambda file: file["first"])["first"] + 1],
        reason="asked",
    )
    yield journal_case("archived and thinned", thinned, trust, older=older)


def witnessed(base):
    """A journal whose newest checkpoint a witness cosigned, under a policy that demands it."""
    from treering.witness import Witness, WitnessServer

    journal = base / "witnessed"
    trust = sealed_journal(journal, records=10, epochs=1)
    identity, epoch_0 = trust.split()
    witness = Witness(base / "witness", "witness.test/w", logs=[identity])
    with WitnessServer(witness) as server:
        anchor_with_witness(journal, server.url, witness.vkey)
    policy = f"log {identity}\nlog {epoch_0}\nwitness w {witness.vkey}\nquorum w\n"
    yield journal_case("witnessed", journal, policy)


def campaign(base, count, seed, tell=lambda done: None):
    """Makes `count` mutants of the corpus; gives how many there were and the descriptions of survivors."""
    chance = random.Random(seed)
    cases = list(corpus(base))
    tried, survivors = 0, []
    while tried < count:
        case = chance.choice(cases)
        mutant = case.mutant(chance)
        survived = case.survives(mutant)
        if survived is None:
            continue
        tried += 1
        if survived:
            survivors.append((case.name, mutant))
        if tried % 1000 == 0:
            tell(tried)
    shutil.rmtree(base)
    return tried, survivors


def every_bit(case):
    """Flips every bit of a case's files, one after the other; gives how many, and the survivors."""
    tried, survivors = 0, []
    for name, content in case.files.items():
        for at in range(8 * len(content)):
            data = bytearray(content)
            data[at // 8] ^= 1 << at % 8
            survived = case.survives({name: bytes(data)})
            if survived is None:
                continue
            tried += 1
            if survived:
                survivors.append((case.name, name, at))
    return tried, survivors
