"""What an attacker with keys can do: journals taken apart and put together again, signatures included.

Written with the journal's own primitives, so that a forgery is perfect but for what it cannot have.
"""

import base64
import json
import shutil
from pathlib import Path

from treering import _core


def private_keys(journal):
    """The seeds in `seal/keys`: identity, number of the epoch, epoch."""

    def seed(text):
        return base64.b64decode(text.split()[-1].split("+", 4)[4])[1:]

    keys = Path(journal, "seal", "keys")
    number, epoch, _ = (keys / "epoch").read_text().split(" ", 2)
    return seed((keys / "identity").read_text()), int(number), seed(epoch)


def copy(journal, name="copy"):
    """The journal as it lies there now, beside it."""
    target = Path(journal).with_name(name)
    shutil.copytree(journal, target)
    return target


class Forgery:
    """A journal's files in memory: lines, salts and checkpoints of one open or several segments."""

    def __init__(self, journal):
        self.journal = Path(journal)
        self.identity, self.epoch, self.key = private_keys(journal)
        self.segments = []
        for path in sorted(self.journal.glob("seal/commitments/*.seal")):
            header, _, _ = path.read_bytes().partition(b"\n")
            lines = (self.journal / "active" / f"{path.stem}.jsonl").read_bytes().split(b"\n")[:-1]
            self.segments.append([json.loads(header), lines])
        self.notes = self._notes()
        self.origin = self.notes[0].split("\n", 1)[0]

    def _notes(self):
        notes, note = [], ""
        for line in (self.journal / "seal" / "checkpoints").read_text().splitlines(keepends=True):
            if not line.startswith("\u2014") and note.count("\u2014"):
                notes.append(note)
                note = ""
            note += line
        return [*notes, note]

    @property
    def lines(self):
        """All lines, in order."""
        return [line for _, lines in self.segments for line in lines]

    def sizes(self):
        """Sizes of the checkpoints."""
        return [int(note.split("\n")[1]) for note in self.notes]

    def index_of(self, text):
        """Index of the first record that contains `text`."""
        return next(i for i, line in enumerate(self.lines) if text.encode() in line)

    def replace(self, index, line):
        """Puts another line at an index."""
        for header, lines in self.segments:
            if header["first"] <= index < header["first"] + len(lines):
                lines[index - header["first"]] = line

    def cut(self, size):
        """Leaves the first `size` records, in one open segment at the end."""
        kept = []
        for header, lines in self.segments:
            if header["first"] < size or not kept:
                lines[:] = lines[: size - header["first"]]
                kept.append([header, lines])
        self.segments = kept

    def append(self, line):
        """Puts a line at the end."""
        self.segments[-1][1].append(line)

    def leaves(self):
        """Leaf hashes of all lines, under the salts of their segments."""
        leaves = []
        for header, lines in self.segments:
            salts = _core.seal_salts(bytes.fromhex(header["seed"]), len(lines))
            for salt, line in zip(salts, lines, strict=True):
                leaves.append(_core.leaf_hash(b"\x01\x00" + _core.seal_commitment(salt, line)))
        return leaves

    def sign(self, size, *, identity=None, key=None, root=None):
        """A checkpoint over the first `size` lines, signed by the identity and the given epoch key."""
        root = root or _core.tree_root(self.leaves()[:size])
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        note = text + "\n" + _core.note_sign(text.encode(), self.origin, identity or self.identity)
        return note + (
            "" if key is False else _core.note_sign(text.encode(), self.origin, key or self.key)
        )

    def write(self):
        """Puts everything back, commitments and frontiers made new."""
        for part in ("active", "seal/commitments"):
            for path in (self.journal / part).iterdir():
                path.unlink()
        leaves, commitments = self.leaves(), []
        for position, (header, lines) in enumerate(self.segments):
            first = header["first"]
            salts = _core.seal_salts(bytes.fromhex(header["seed"]), len(lines))
            commitments = [
                _core.seal_commitment(salt, line) for salt, line in zip(salts, lines, strict=True)
            ]
            is_open = position == len(self.segments) - 1
            header["records"] = None if is_open else len(lines)
            header["frontier"] = [root.hex() for root in frontier(leaves[:first])]
            name = f"{first:020}"
            body = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            if not is_open:
                body += b"".join(commitments)
            (self.journal / "seal" / "commitments" / f"{name}.seal").write_bytes(body)
            (self.journal / "active" / f"{name}.jsonl").write_bytes(
                b"".join(line + b"\n" for line in lines)
            )
        (self.journal / "seal" / "checkpoints").write_text("".join(self.notes))
        (self.journal / "seal" / "checkpoint").write_text(self.notes[-1])


def frontier(leaves):
    """Roots of the perfect subtrees over these leaves, largest first."""
    roots, at = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            roots.append(_core.tree_root(leaves[at : at + (1 << bit)]))
            at += 1 << bit
    return roots


def event(message, metadata, time="2026-11-21T10:30:45.123456789Z"):
    """A line as the journal itself writes them."""
    line = {
        "timestamp": time,
        "level": "AUDIT",
        "category": "journal",
        "component": "treering.journal",
        "message": message,
        "process": 1,
        "metadata": metadata,
    }
    return json.dumps(line, separators=(",", ":")).encode()


def sealed_journal(directory, *, records=60, epochs=3, **settings):
    """Logs into a new journal with `epochs` epochs, in small segments, and closes it; gives its pin."""
    import treering
    from treering.seal import pin, rotate_key

    treering.configure(
        directory=directory, console=False, level="TRACE", segment_max_bytes=4096, **settings
    )
    log = treering.get_logger("app")
    for epoch in range(epochs):
        for number in range(records // epochs):
            log.info("record of epoch %d", epoch, number=number)
        treering.flush(10, durable=True)
        if epoch < epochs - 1:
            treering.shutdown()
            rotate_key(directory)
            treering.configure(directory=directory, console=False, level="TRACE")
    log.audit("last of all")
    treering.shutdown()
    return pin(directory)
