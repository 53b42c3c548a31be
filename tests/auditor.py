"""A second verifier of sealed journals, written from the documents alone.

It shares no code with Treering's own: its sources are docs/concepts/seal-files.md, RFC 6962 (tree),
RFC 8439 (ChaCha20), C2SP signed-note and tlog-checkpoint; files of the archive are read by pyarrow, after
docs/concepts/archive-files.md and record.md. Where the two disagree, one is wrong.
Use: python auditor.py DIRECTORY [--pin "IDENTITY_VKEY EPOCH_0_VKEY"]
Exit 0: all is sealed and verifies. 1: something is wrong. 2: nothing sealed is wrong, but it is no
pass: an unsealed tail, torn bytes, work that a crash cut short, or no pin.
"""

import argparse
import base64
import json
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from auditor_archive import Archive, content, hashed, need, reading
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FILE = re.compile(r"seal/commitments/[0-9]{20}\.seal|active/[0-9]{20}\.jsonl")
NOTE = re.compile(rb"(([^\n]+)\n(0|[1-9]\d{0,19})\n([^\n]{44})\n)\n([^\n]+)\n([^\n]+)\n")
ABOUT_JOURNAL = re.compile(
    rb'\{"timestamp":"[^"]{30}","level":"AUDIT","category":"journal",'
    rb'"component":"treering\.journal","message":"'
)


TOLD = {f"journal {word}" for word in ("created", "closed")} | {"epoch opened", "segments archived"}
TOLD |= {"records erased", "records pruned"}


@dataclass
class Verdict:
    code: int  # 0 ok, 1 fail, 2 not a pass
    sealed: int = 0  # records under the last checkpoint
    tail: int = 0  # complete lines after them
    torn: int = 0  # bytes after the last complete line and after the last complete checkpoint
    epoch: int = 0
    erased: int = 0  # records that sealed `records erased` name
    pruned_below: int = 0
    unpinned: bool = False
    reason: str = ""


def number(value):
    need(type(value) is int and 0 <= value < 2**64, "not an index or a count")
    return value


def unhex(text, size):
    need(re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text), "bad hex digits")
    return bytes.fromhex(text)


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data) == text, "base64 in another spelling")
    return data


def chacha20_block(key, counter):
    """Block `counter` of the key stream, 64 bytes, nonce 0 (RFC 8439, section 2.3)."""
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I12x", counter))
    x = list(start)
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in 10 * (columns + diagonals):
        for i, j, k, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[i] = (x[i] + x[j]) & 0xFFFFFFFF
            x[k] ^= x[i]
            x[k] = (x[k] << by | x[k] >> (32 - by)) & 0xFFFFFFFF
    return struct.pack("<16I", *((i + j) & 0xFFFFFFFF for i, j in zip(x, start, strict=True)))


def salts_from(seed):
    for counter in range(2**32):
        block = chacha20_block(seed, counter)
        yield from (block[at : at + 16] for at in range(0, 64, 16))


class Tree:  # the roots of the perfect subtrees over all entries, largest first (RFC 6962)
    def __init__(self):
        self.size, self.frontier = 0, []

    def append(self, entry):
        self.frontier.append(hashed(b"\0", entry))
        self.size = pairs = self.size + 1
        while pairs % 2 == 0:
            self.frontier[-2:] = [hashed(b"\1", *self.frontier[-2:])]
            pairs //= 2

    def root(self):
        *larger, root = self.frontier or [hashed()]
        for left in reversed(larger):
            root = hashed(b"\1", left, root)
        return root


class Key:  # an Ed25519 public key, from its text `name+id+base64(0x01 || key)`
    def __init__(self, vkey):
        self.vkey, (self.name, identifier, data) = vkey, vkey.split("+", 2)
        typed = unbase64(data.encode())
        self.id = hashed(self.name.encode(), b"\n", typed)[:4]
        need(re.fullmatch(r"[^\s\0-\x1f]+", self.name), "bad name in a vkey")
        need(typed[:1] == b"\1", "a vkey of another kind than Ed25519")
        need(identifier == self.id.hex(), "a vkey with another key's id")
        self.public = Ed25519PublicKey.from_public_bytes(typed[1:])

    def check(self, text, signature_line):
        start = f"\N{EM DASH} {self.name} ".encode()
        data = unbase64(signature_line[len(start) :])
        need(signature_line.startswith(start) and data[:4] == self.id, "another key's name or id")
        self.public.verify(data[4:], text)


class Segment:
    """A segment's seal file and its lines, from itself or the archive, or what was kept of them."""

    def __init__(self, seal, lines, tree, archive):
        line, newline, rest = content(seal).partition(b"\n")
        header = json.loads(line.decode())
        records, salts, seed = header["records"], header["salts"], header["seed"]
        self.first, self.open = tree.size, records is None
        need(salts == "seed" or (salts in ("table", "none") and not self.open), "bad salts")
        need((salts == "seed") == (seed is not None), "seed does not fit salts")
        archived, encrypted = False, False
        if not self.open:
            archived, encrypted = archive.covering(tree.size, tree.size + number(records))
        self.none = salts == "none"
        self.unread = encrypted and not lines.exists() and not self.none
        self.half_pruned = self.none and (lines.exists() or archived)
        there = self.open or self.none or archived or lines.exists()
        need(there, "lines are missing", tree.size)
        *complete, torn = (b"" if self.none else content(lines)).split(b"\n")
        if archived and not lines.exists() and not self.none:
            complete = [archive.lines.get(tree.size + at, b"") for at in range(records)]
        count = len(complete) if self.open else records
        surplus = 0 if self.open or not torn else 1
        self.torn, self.end = len(torn), tree.size + max(count, len(complete) + surplus)
        kept = {number(i): (unhex(salt, 16), text.encode()) for i, salt, text in header["kept"]}
        for index, (_, kept_line) in kept.items():
            here = not self.open and tree.size <= index < self.end
            need(here and ABOUT_JOURNAL.match(kept_line), "this is not to be kept here", index)
        # What the header must be, down to the byte: this refuses every other spelling of it.
        wanted = {"format": 1, "first": tree.size, "records": records, "salts": salts, "seed": seed}
        wanted["frontier"] = [root.hex() for root in tree.frontier]
        wanted["kept"] = [[i, kept[i][0].hex(), kept[i][1].decode()] for i in sorted(kept)]
        text = json.dumps(wanted, separators=(",", ":"), ensure_ascii=False).encode()
        need(int(seal.stem) == tree.size, "not where the segment before it ends", tree.size)
        need(line + newline == text + b"\n", f"not the header {text!a:.99}", tree.size)
        size = 0 if self.open else count * (48 if salts == "table" else 32)
        need(len(rest) == size, f"not {size} bytes of commitments and salts", tree.size)
        self.commitments, table = rest[: 32 * count], rest[32 * count :]
        in_table = (table[at : at + 16] for at in range(0, len(table), 16))
        salt_of = in_table if seed is None else salts_from(unhex(seed, 32))
        here = range(tree.size, self.end)
        if self.unread:
            gone = {here[at] for at, salt in enumerate(in_table) if salt == bytes(16)}
            self.unread, self.unknown = count - len(gone), {*here} - gone - {*kept}
            self.records = [kept.get(i, (bytes(16), b"")) for i in here]
            return
        self.unknown = set()
        pruned = (kept.get(i, (None, None)) for i in here)
        self.records = list(pruned if self.none else zip(salt_of, complete[:count], strict=False))
        if kept and not self.none:
            told = {
                i: record
                for i, record in enumerate(self.records, tree.size)
                if ABOUT_JOURNAL.match(record[1]) and json.loads(record[1])["message"] in TOLD
            }
            need(told == kept, "not all that it says about the journal is kept apart", tree.size)


class Story:  # what the sealed records about the journal tell
    def __init__(self):
        self.created, self.opened, self.erased = None, [], {}
        self.prunes, self.announced = [], {}

    def read(self, index, line, sizes):
        record = json.loads(line.decode())
        metadata = record.get("metadata", {})
        need((record["message"] == "journal created") == (index == 0), "a second beginning")
        match record["message"]:
            case "journal created":
                self.created = metadata
            case "epoch opened":
                self.opened.append((index, number(metadata["epoch"]), Key(metadata["key"])))
            case "records erased" | "records pruned" | "segments archived" if (
                index + 1 not in sizes
            ):
                pass  # not a leader's: whoever can write the files may have put it there
            case "records erased":
                indices = metadata["indices"]
                need(indices == sorted({i for i in indices if number(i) < index}), "bad indices")
                self.erased.update(dict.fromkeys(indices, index))
            case "segments archived":
                for file in metadata["files"]:
                    self.announced.setdefault(file["path"], set()).add(file["sha256"])
                    beside = file["path"].removesuffix(".parquet.age") + ".json"
                    self.announced.setdefault(beside, set()).add(file.get("facts_sha256"))
            case "records pruned":
                age = datetime.fromisoformat(record["timestamp"])
                age -= datetime.fromisoformat(metadata["newest"])
                least = self.created["policy"]["retention_min_age_s"]
                need(age.total_seconds() >= least, f"pruned after {age}, not {least} s")
                need(number(metadata["min_index"]) <= index, "prunes what comes after it")
                names = None
                if "kept" in metadata:
                    names = {int(name): (0, "") for name in metadata["segments"]}
                    names |= {number(first): (n, digest) for first, n, digest in metadata["kept"]}
                self.prunes.append((index, metadata["min_index"], names))

    def said(self, segment):
        """The last word of the prunes about a segment: who said it, how many records stay, which."""
        for index, below, names in reversed(self.prunes):
            if segment.end <= below and (names is None or segment.first in names):
                return index, *((0, "") if names is None else names[segment.first])
        return None

    def settle(self, segment, absent):
        """Checks that what is gone of a segment went as was said; true when not all of it has gone."""
        here = range(segment.first, segment.end)
        gone = [i for i in here if segment.none or i in absent]
        loose = [i for i in gone if segment.none or i not in self.erased]
        there = [i for i in here if not segment.none and absent.get(i, True)]
        said = self.said(segment)
        if said is None:
            need(not loose, "absent, and no sealed record says why", (loose or [0])[0])
            return False
        by, count, digest = said
        if count == 0:
            return bool(there) and not segment.none
        kept = [i for i in here if i not in gone or self.erased.get(i, 0) > by]
        text = "".join(f"{i}\n" for i in kept).encode()
        if (len(kept), hashed(text).hex()) == (count, digest):
            return any(absent.get(i) for i in gone)
        need(not loose, "a record that was to be kept is absent", (loose or [0])[0])
        return True


def follow_keys(checkpoints, roots, identity, key, opened):
    """Checks roots and signatures in order; gives the epoch that is in force at the end."""
    epoch, sealed, opened = 0, -1, opened[::-1]
    for text, origin, size, root, *signatures in checkpoints:
        need(int(size) > sealed, f"a checkpoint at {int(size)} after one at {sealed}")
        signed_root, before, sealed = unbase64(root), sealed, int(size)
        need(roots.get(sealed) == signed_root, f"not the root that was signed at {sealed}", before)
        for signer, signature in zip((identity, key), signatures, strict=True):
            with reading(f"checkpoint {sealed}, to be signed by {signer.vkey}"):
                need(origin.decode() == signer.name, "another origin")
                signer.check(text, signature)
        while opened and opened[-1][0] < sealed:
            index, following, key = opened.pop()
            need(index == sealed - 1, "an epoch opens where no checkpoint ends", index)
            need((following, key.name) == (epoch + 1, identity.name), "not the next epoch", index)
            epoch = following
    return epoch


def examine(directory, pin):
    seal, active = directory / "seal", directory / "active"
    pinned = [] if pin is None else [Key(vkey).vkey for vkey in pin.split()]
    need(pin is None or len(pinned) in (1, 2), "a pin is one or two vkeys")
    lines = content(seal / "checkpoints").split(b"\n")
    notes = [b"\n".join([*lines[at : at + 6], b""]) for at in range(0, len(lines) - 6, 6)]
    torn = len(b"\n".join(lines[6 * len(notes) :]))
    need(notes, "unsealed: no checkpoint")
    parsed = [NOTE.fullmatch(note) for note in notes]
    need(all(parsed), "a checkpoint is not three lines of text and two signatures")
    checkpoints = [found.groups() for found in parsed]
    sealed, sizes = int(checkpoints[-1][2]), {int(size) for _, _, size, *_ in checkpoints}
    seals = sorted(seal.rglob("*.seal"))
    for path in [*seals, *active.glob("*")]:
        name = path.relative_to(directory).as_posix()
        need(path.is_file() and FILE.fullmatch(name), f"unknown file {name!a}")

    archive = Archive(directory)
    tree, story, absent, roots, segments = Tree(), Story(), {}, {0: hashed()}, []
    for path in seals:
        with reading(path.name):
            segment = Segment(path, active / f"{path.stem}.jsonl", tree, archive)
            need(path == seals[-1] or not segment.open, "open, but not the last", tree.size)
        for at, (salt, line) in enumerate(segment.records):
            index, stored = tree.size, segment.commitments[32 * at : 32 * at + 32]
            gone = line is None or salt == bytes(16)
            unknown = index in segment.unknown
            commitment = stored if gone else hashed(b"\0", salt, line)
            need(stored in (b"", commitment), "not the record that was committed to", index)
            if gone and not unknown:
                absent[index] = line
            elif not gone and index < sealed and ABOUT_JOURNAL.match(line):
                with reading(f"index {index}"):
                    story.read(index, line, sizes)
            tree.append(b"\1\0" + commitment)
            if tree.size in sizes:
                roots[tree.size] = tree.root()
        need(tree.size == segment.end, "its lines end too soon or too late", tree.size)
        torn += segment.torn
        segment.records = None
        segments.append(segment)
    end = tree.size
    for path in sorted({*active.glob("*")} - {active / f"{path.stem}.jsonl" for path in seals}):
        need(int(path.stem) == end, "a segment that does not follow the others", end)
        end += content(path).count(b"\n")

    need(tree.size >= sealed, "sealed records are missing", tree.size)
    need(story.created, "not `journal created`, or not sealed", 0)
    identity, key = Key(story.created["identity"]), Key(story.created["key"])
    need([identity.vkey, key.vkey][: len(pinned)] == pinned, "not the keys of the pin", 0)
    need(story.created["origin"] == identity.name, "origin is not the identity's name", 0)
    need(number(story.created["epoch"]) == 0, "the first epoch is not 0", 0)
    epoch = follow_keys(checkpoints, roots, identity, key, story.opened)
    half = sum(segment.half_pruned for segment in segments)
    half += sum(story.settle(segment, absent) for segment in segments if not segment.open)
    for name, digest in archive.digests.items():
        need(digest in story.announced.get(name, ()), f"{name!a} is not as it was announced")
    current = content(seal / "checkpoint")
    need(current in notes, "seal/checkpoint is none of seal/checkpoints")
    remarks = {
        "no pin": pin is None,
        "unsealed tail": end > sealed,
        "torn bytes": torn,
        "pruning not finished": half,
        "seal/checkpoint is behind": current != notes[-1],
        "erasure not finished": any(absent.get(index, True) for index in story.erased),
        "encrypted, not read": sum(segment.unread for segment in segments),
    }
    reason = "; ".join(remark for remark, found in remarks.items() if found)
    below = max((part.end for part in segments if story.said(part)), default=0)
    counts = (sealed, end - sealed, torn, epoch, len(story.erased), below)
    return Verdict(2 if reason else 0, *counts, pin is None, reason)


def verify(directory, pin=None):
    """The verdict. Whatever hostile bytes provoke is a failure, never an exception."""
    try:
        return examine(Path(directory), pin)
    except Exception as problem:
        return Verdict(1, unpinned=pin is None, reason=str(problem) or repr(problem))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verifies a sealed journal.")
    parser.add_argument("directory")
    parser.add_argument("--pin", help="the line that was printed when the journal was created")
    print(json.dumps(vars(verdict := verify(**vars(parser.parse_args())))))
    raise SystemExit(verdict.code)
