"""What readers and writers of one journal noted, and whether it fits together."""

import bisect
import hashlib
import itertools
import json
import struct
import time

COUNT = struct.Struct("<Q")


class Notes:
    """What a reader saw, for `account`.

    A look is a time before which it began, one after which it ended, and the indexes it saw, as ranges.
    """

    def __init__(self, base, name):
        self._file = (base / "seen" / name).open("a", buffering=1)
        self._known = set()
        self.base = base

    def record(self, index, line):
        """Notes what a record is, once."""
        if index in self._known:
            return
        self._known.add(index)
        value = json.loads(line)
        fields = value.get("metadata", {})
        digest = hashlib.blake2b(line, digest_size=8).hexdigest()
        if value["component"] == "numbered":
            said = [fields["writer"], fields["number"], value["level"]]
        elif value["component"] == "treering.journal":
            said = [value["message"], value["timestamp"], fields]
        else:
            said = []
        print(json.dumps(["record", index, digest, said]), file=self._file)

    def look(self, began, indexes, *, is_held=False):
        """Notes a look; one at files that were opened earlier is no proof that they are there."""
        ranges = []
        for index in indexes:
            if ranges and index <= ranges[-1][1] - 1:
                raise AssertionError(f"{index} after {ranges[-1][1] - 1}: twice, or out of order")
            if ranges and index == ranges[-1][1]:
                ranges[-1][1] += 1
            else:
                ranges.append([index, index + 1])
        print(json.dumps(["look", began, time.time(), is_held, ranges]), file=self._file)

    def close(self):
        self._file.close()

    @property
    def is_over(self):
        return (self.base / "over").exists()


class Account:
    """All that was noted, and what is there at the end."""

    def __init__(self, base):
        from treering.journal import Journal

        self.base = base
        notes = Notes(base, "final")
        self.left = set()
        for index, line in Journal(base / "logs").records():
            notes.record(index, line)
            self.left.add(index)
        notes.close()
        self.records, self.looks, self.wrong = {}, [], []
        for path in sorted((base / "seen").iterdir()):
            for text in path.read_text().splitlines():
                kind, *of = json.loads(text)
                if kind == "look":
                    self.looks.append((path.name, *of))
                else:
                    self._take(path.name, *of)
        self.end = max(self.records) + 1
        self.pruned = self._pruned()

    def _take(self, reader, index, digest, said):
        known = self.records.setdefault(index, (digest, said))
        if known[0] != digest:
            self.wrong.append(f"{reader} read {index} as {said}, another as {known[1]}")

    def _pruned(self):
        """Ranges of indexes that prunes speak of."""
        firsts = sorted(int(p.stem) for p in (self.base / "logs/seal/commitments").glob("*.seal"))
        pruned = []
        for _, said in self.records.values():
            if said and said[0] == "records pruned":
                fields = said[2]
                gone = [int(first) for first in fields["segments"]]
                gone += [first for first, *_ in fields.get("kept", [])]
                for first in gone:
                    at = bisect.bisect_right(firsts, first)
                    pruned.append((first, firsts[at] if at < len(firsts) else self.end))
        return sorted(set(pruned))

    def is_pruned(self, index):
        at = bisect.bisect_right(self.pruned, (index, float("inf"))) - 1
        return at >= 0 and index < self.pruned[at][1]

    @property
    def counts(self):
        numbered = [s for _, s in self.records.values() if len(s) == 3 and isinstance(s[1], int)]
        return {
            "records": self.end,
            "left": len(self.left),
            "seen": len(self.records),
            "numbered": len(numbered),
            "looks": len(self.looks),
            "prunes": len(self.pruned),
            "archived": len(list((self.base / "logs" / "archive").glob("*/*.parquet"))),
        }

    def mistakes(self):
        """What no reader and no writer may find, in words; at most a few of each kind."""
        found = [*self.wrong[:5], *self._lost()[:5], *self._missed()[:5], *self._numbers()[:5]]
        return found[:12]

    def _lost(self):
        """What is not there at the end, and no prune took it."""
        gone = (index for index in range(self.end) if index not in self.left)
        return [f"{n} is gone, {self.records.get(n)}" for n in gone if not self.is_pruned(n)]

    def _missed(self):
        """What a look did not see although a later one did, or the end."""
        later = dict.fromkeys(self.left, float("inf"))
        for _, began, _, is_held, ranges in self.looks:
            if not is_held:
                for first, end in ranges:
                    for index in range(first, end):
                        later[index] = max(later.get(index, 0), began)
        missed = []
        for reader, _, ended, _, ranges in self.looks:
            for (_, end), (first, _) in itertools.pairwise(ranges):
                inside = [n for n in range(end, first) if later.get(n, 0) > ended]
                if inside:
                    missed.append(f"{reader} missed {inside[:3]}… of [{end}, {first}) at {ended}")
        return missed

    def _numbers(self):
        """Returned calls without record, records out of order or without call."""
        by_writer, wrong, unseen = {}, [], 0
        for index in sorted(self.records):
            said = self.records[index][1]
            if len(said) == 3 and isinstance(said[1], int):
                by_writer.setdefault(said[0], []).append(said[1])
        for path in (self.base / "returned").iterdir():
            packed = path.read_bytes()
            returned = COUNT.unpack(packed)[0] if packed else 0
            numbers = by_writer.pop(path.name, [])
            if numbers != sorted(set(numbers)):
                wrong.append(f"{path.name}: out of order or twice")
            if numbers and numbers[-1] > returned:
                wrong.append(f"{path.name}: {numbers[-1]} of {returned}")
            # The call in which it was killed may have left its record, and nobody can know.
            unseen += len(set(range(returned)) - set(numbers))
        wrong += [f"nobody wrote {name}" for name in by_writer]
        room = sum(1 for n in range(self.end) if n not in self.records and self.is_pruned(n))
        if unseen > room:
            wrong.append(f"{unseen} returned calls nobody saw; {room} pruned unseen")
        return wrong
