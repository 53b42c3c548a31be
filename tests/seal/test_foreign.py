"""Verifiers that nobody here wrote read what a journal publishes."""

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import aics_tlog
import pymerkle
import pytest

import treering

GO_WITNESS = Path(__file__).parent.parent / "witnesses" / "go"
TILE_WIDTH = 256

# A log that anyone can compute: entry i is "record i", the keys are published test keys.
KNOWN_VKEY = "example.com/logs/app+1608a558+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
KNOWN_WITNESS = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
SUMDB_VKEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
KNOWN_CHECKPOINTS = {
    0: """\
example.com/logs/app
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

— example.com/logs/app FgilWPcV5r+b95OoMzkmCu7FJ1yS2fl7oYgBm2H4XDxi3Ymgz0sPgpND+xhfTudtZpEZAWJmAZ3zjmB5wz0i3m1hGAs=
""",
    300: """\
example.com/logs/app
300
gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=

— example.com/logs/app FgilWM+3aNal8RjRS1Ha6IvnW09K7/5fQNA9SQxb5zsc4W2B+C9ZcQ1DbHikhKaMdIbRGPNVW2C2bdP4q/Si8G4PMQc=
— witness.example/w1 IDJKvgAAAABoTuGA2u9WwRhipCc4wgjlXJ9kMbXmmGb+bYTYT8ny02EFvphrOi0Up4o3EufF3vfnMvwLEjh8JlZo8ENUsqPhPEu4Dg==
""",
    70_000: """\
example.com/logs/app
70000
25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=

— example.com/logs/app FgilWEwaY7X/oBve+HAQJAeQgzR25Hmkg1KrnRBWMr/d6vIAIKfqyP2+cBHHAFBjv+dn9J8vyDkkYyyy3WW5Biz9kwA=
""",
}
KNOWN_FILES = {
    300: {
        "tile/0/001.p/44": "699f078d937f13343d71ad39321757de3ecf391e8d7a1b2015ad38bd36f5d60a",
    },
    70_000: {
        "tile/0/000": "66a1d43136a854a5776d5bce14bf101c925fc7d4b32f1be23b658f636ebfcddb",
        "tile/0/273.p/112": "d7b596fc8bc1b8a73cd40f8e68217aed9222f27740b23ddd836d9057655543a5",
        "tile/1/000": "81b1e4e2904f7c400d4242d3f4e332299c04be267bab7785ffe9fb8d40b60a53",
        "tile/1/001.p/17": "6a6ff5bd52eca63040bcc7d0bbebefa472178c1fc2bafb9230e07ae057ec9d8b",
        "tile/2/000.p/1": "cd52887811b6bf7e8c18f905d19e569a74e7a7d5be6c67daaefe30d303095aa9",
        "tile/entries/000": "985287e65b66e7b12f16d01217b32858b6a0f9dae6d00c0431d0db350087f638",
        "tile/entries/273.p/112": "a9d281e21f092cdd0436133aabe54cd764764c84b30e5af37ab7afaefaf4a377",
    },
}


class Tiles(NamedTuple):
    directory: Path
    vkey: str

    @property
    def text(self):
        return self._parts()[0]

    @property
    def size(self):
        return int(self.text.split("\n")[1])

    @property
    def root(self):
        return base64.b64decode(self.text.split("\n")[2])

    @property
    def signature(self):
        """What the key of `vkey` signed with: four bytes of key ID, then the signature."""
        name, key_id, _ = self.vkey.split("+", 2)
        for line in self._parts()[1].splitlines():
            payload = base64.b64decode(line.split(" ")[2])
            if line.startswith(f"— {name} ") and payload[:4].hex() == key_id:
                return payload
        raise AssertionError(f"{self.vkey} has not signed")

    def _parts(self):
        text, _, signatures = (self.directory / "checkpoint").read_text().rpartition("\n\n")
        return text + "\n", signatures

    def files(self, kind):
        """The paths of the bundles (`entries`) or of the tiles of a level (`0`, …) of this size."""
        count = self.size // TILE_WIDTH ** (0 if kind == "entries" else int(kind))
        names = [f"{number:03}" for number in range(count // TILE_WIDTH)]
        if count % TILE_WIDTH:
            names.append(f"{len(names):03}.p/{count % TILE_WIDTH}")
        return [self.directory / "tile" / kind / name for name in names]


@pytest.fixture
def tiles(journal, tmp_path):
    """What a journal of about 700 records publishes."""
    treering.configure(directory=journal, console=False)
    logger = treering.get_logger("witnessed")
    for number in range(700):
        logger.info("request served", number=number)
    treering.shutdown()

    from treering.seal import export_tiles, pin

    export_tiles(journal, tmp_path / "tiles")
    # The newest checkpoint may be signed by a later epoch; the identity signs every one.
    identity, _first_epoch = pin(journal).split()
    return Tiles(tmp_path / "tiles", identity)


@pytest.fixture
def known(request, tmp_path):
    """The log that anyone can compute, of `request.param` entries."""
    known = Tiles(tmp_path / "known", KNOWN_VKEY)
    known.directory.mkdir()
    (known.directory / "checkpoint").write_text(KNOWN_CHECKPOINTS[request.param])
    publish(known, [b"record %d" % number for number in range(request.param)])
    return known


def publish(tiles, entries):
    write(tiles, "entries", [len(entry).to_bytes(2) + entry for entry in entries])
    hashes, level = [hashlib.sha256(b"\0" + entry).digest() for entry in entries], 0
    while hashes:
        write(tiles, str(level), hashes)
        full = [hashes[at : at + TILE_WIDTH] for at in range(0, len(hashes), TILE_WIDTH)]
        hashes = [subtree(tile) for tile in full if len(tile) == TILE_WIDTH]
        level += 1


def write(tiles, kind, pieces):
    for number, path in enumerate(tiles.files(kind)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(pieces[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]))


def subtree(hashes):
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
    return hashes[0]


def go(*words):
    done = subprocess.run(
        ["go", "run", ".", *map(str, words)],
        cwd=GO_WITNESS,
        capture_output=True,
        text=True,
        check=False,
    )
    # The last line is there if it was the program that said no, and not the compiler.
    refused = done.stderr.endswith("\nexit status 1\n") and "usage:" not in done.stderr
    assert refused == (done.returncode == 1), done.stderr
    return done


def verify_with_go(tiles):
    done = go(tiles.directory, tiles.vkey)
    assert done.stdout in {"", f"ok {tiles.size}\n"}
    return done.returncode == 0


def verify_with_aics_tlog(tiles):
    note = aics_tlog.parse_note((tiles.directory / "checkpoint").read_bytes())
    checkpoint = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(tiles.vkey))
    if not checkpoint.ok:
        return False
    reader = aics_tlog.FileSystemTileReader(tiles.directory)
    try:
        report = aics_tlog.audit_tiles(reader, checkpoint.size, checkpoint.root)
    except aics_tlog.TileVerificationError:
        return False
    return report.bundles == len(tiles.files("entries"))


def verify_with_pymerkle(tiles):
    entries = [entry for path in tiles.files("entries") for entry in entries_of(path.read_bytes())]
    return tree_of(entries).get_root() == tiles.root and all(
        b"".join(path.read_bytes() for path in tiles.files(str(level)))
        == b"".join(roots_of_subtrees(entries, TILE_WIDTH**level))
        for level in range(4)
        if TILE_WIDTH**level <= len(entries)
    )


def entries_of(bundle):
    while bundle:
        end = 2 + int.from_bytes(bundle[:2])
        yield bundle[2:end]
        bundle = bundle[end:]


def tree_of(entries):
    return pymerkle.InmemoryTree.init_from_entries(entries, algorithm="sha256")


def roots_of_subtrees(entries, width):
    whole = len(entries) - len(entries) % width
    return [tree_of(entries[at : at + width]).get_root() for at in range(0, whole, width)]


def verify_with_openssl(tiles):
    algorithm, *key = base64.b64decode(tiles.vkey.split("+", 2)[2])
    assert algorithm == 1
    files = tiles.directory.with_name("openssl")
    files.mkdir()
    # RFC 8410: the SubjectPublicKeyInfo of an Ed25519 key is these twelve bytes and the key.
    (files / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + bytes(key))
    (files / "text").write_text(tiles.text)
    (files / "signature").write_bytes(tiles.signature[4:])
    done = subprocess.run(
        "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key"
        " -in text -sigfile signature".split(),
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search("Signature Verifi(ed|cation Failure)", done.stdout), done.stderr
    return done.returncode == 0


def flip_bit(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def flip_bit_of_checkpoint(tiles, value):
    """Flip the last bit of a value that the checkpoint holds in base64."""
    path = tiles.directory / "checkpoint"
    before, after = (
        base64.b64encode(value[:-1] + bytes([value[-1] ^ bit])).decode() for bit in (0, 1)
    )
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))


MUTATIONS = {
    "root": lambda tiles: flip_bit_of_checkpoint(tiles, tiles.root),
    "signature": lambda tiles: flip_bit_of_checkpoint(tiles, tiles.signature),
    "full tile": lambda tiles: flip_bit(tiles.files("0")[0], 0),
    "partial tile": lambda tiles: flip_bit(tiles.files("0")[-1], -1),
    "upper tile": lambda tiles: flip_bit(tiles.files("1")[-1], 0),
    "first entry": lambda tiles: flip_bit(tiles.files("entries")[0], 2),
    "last entry": lambda tiles: flip_bit(tiles.files("entries")[-1], -1),
}
VERIFIERS = {
    "go": verify_with_go,
    "aics-tlog": verify_with_aics_tlog,
    "pymerkle": verify_with_pymerkle,
    "openssl": verify_with_openssl,
}
# pymerkle knows no signatures, openssl no trees.
CANNOT_SEE = {
    "pymerkle": {"signature"},
    "openssl": MUTATIONS.keys() - {"root", "signature"},
}
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="this machine has no Go")
MARKS = {"go": [needs_go]}
verifiers = [pytest.param(name, marks=MARKS.get(name, ())) for name in VERIFIERS]
each_verifier = pytest.mark.parametrize("name", verifiers)
each_verifier_of_trees = pytest.mark.parametrize("name", verifiers[:-1])
each_verifier_and_mutation = pytest.mark.parametrize(
    ("name", "mutation"),
    [
        pytest.param(name, mutation, marks=MARKS.get(name, ()))
        for name in VERIFIERS
        for mutation in MUTATIONS
        if mutation not in CANNOT_SEE.get(name, ())
    ],
)
small_known_log = pytest.mark.parametrize("known", [300], indirect=True)
each_known_log = pytest.mark.parametrize("known", [300, 70_000], indirect=True)


@each_verifier
def test_foreign_verifier_accepts_a_journal(tiles, name):
    assert tiles.size >= 700
    assert VERIFIERS[name](tiles)


@each_verifier_and_mutation
def test_foreign_verifier_rejects_a_journal_with_one_flipped_bit(tiles, name, mutation):
    MUTATIONS[mutation](tiles)

    assert not VERIFIERS[name](tiles)


@each_known_log
def test_known_log_has_its_known_files(known):
    for name, digest in KNOWN_FILES[known.size].items():
        assert hashlib.sha256((known.directory / name).read_bytes()).hexdigest() == digest, name


@each_known_log
@each_verifier
def test_foreign_verifier_accepts_the_known_log(known, name):
    assert VERIFIERS[name](known)


@small_known_log
@each_verifier_and_mutation
def test_foreign_verifier_rejects_the_known_log_with_one_flipped_bit(known, name, mutation):
    MUTATIONS[mutation](known)

    assert not VERIFIERS[name](known)


@small_known_log
@each_verifier_of_trees
def test_foreign_verifier_rejects_tiles_rebuilt_around_a_changed_entry(known, name):
    publish(known, [b"record %d" % (number + (number == 299)) for number in range(300)])

    assert not VERIFIERS[name](known)


@small_known_log
def test_aics_tlog_counts_the_cosignature_of_the_known_log(known):
    note = aics_tlog.parse_note((known.directory / "checkpoint").read_bytes())
    keys = [aics_tlog.parse_vkey(vkey) for vkey in (KNOWN_VKEY, KNOWN_WITNESS)]

    assert aics_tlog.verify_checkpoint(note, keys[0], keys[1:], quorum=1).ok


@needs_go
def test_go_opens_every_checkpoint_of_a_journal(journal, tiles):
    checkpoints = journal / "seal" / "checkpoints"
    count = checkpoints.read_text().count("\n\n")

    assert go("checkpoints", checkpoints, tiles.vkey).stdout == f"ok {count}\n"


@needs_go
@pytest.mark.parametrize("size", KNOWN_CHECKPOINTS)
def test_go_finds_the_bad_one_among_concatenated_checkpoints(tmp_path, size):
    together = tmp_path / "checkpoints"
    together.write_text("".join(KNOWN_CHECKPOINTS.values()))
    assert go("checkpoints", together, KNOWN_VKEY).stdout == "ok 3\n"

    together.write_text(together.read_text().replace(f"\n{size}\n", f"\n{size + 1}\n"))
    refused = go("checkpoints", together, KNOWN_VKEY)

    assert refused.returncode == 1
    bad = list(KNOWN_CHECKPOINTS).index(size)
    assert refused.stderr.startswith(f"note {bad}: invalid signature for key {KNOWN_VKEY[:29]}")


@needs_go
def test_go_opens_a_single_note(tmp_path):
    note = tmp_path / "note"
    note.write_text(KNOWN_CHECKPOINTS[300])

    assert go("note", note, KNOWN_VKEY).stdout == "ok 1\n"
    assert go("note", note, SUMDB_VKEY).returncode == 1
