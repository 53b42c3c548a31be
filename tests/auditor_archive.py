"""The auditor's reader of the archive: Parquet by pyarrow, lines rebuilt as the documents say.

Its sources are docs/concepts/archive-files.md and record.md; it shares no code with Treering.
"""

import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256

import pyarrow.parquet

ARCHIVE = re.compile(r"archive/date=\d{4}-\d\d-\d\d/[0-9]{20}\.(parquet|parquet\.age|json)")
TEXTS = "category component message event_id event_name cause module function file"
KEYS = ["timestamp", "level", *TEXTS.split(), "line", "process", "thread", "host", "trace_id"]
KEYS += ["span_id", "context", "metadata", "performance_data", "exception"]
GROUPS = ["context", "metadata", "performance_data"]


def need(condition, reason, index=None):
    if not condition:
        raise ValueError(reason if index is None else f"index {index}: {reason}")


@contextmanager
def reading(what):
    try:
        yield
    except Exception as problem:
        raise ValueError(f"{what}: {str(problem) or repr(problem)}") from problem


def content(path):
    return path.read_bytes() if path.is_file() else b""


def hashed(*parts):
    return sha256(b"".join(parts)).digest()


def spelled(value):
    """A value as a canonical line has it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def members(text):
    """Keys and values of a JSON object as they are spelled there."""
    decoder, at, found = json.JSONDecoder(), 1, []
    while text[at] != "}":
        at += text[at] == ","
        middle = decoder.raw_decode(text, at)[1]
        end = decoder.raw_decode(text, middle + 1)[1]
        found.append(text[at:end])
        at = end
    return found


def group(name, row, promoted, layout):
    """One of the objects with fields: promoted members and the others, in their order."""
    here = {
        number: spelled(column.partition(".")[2]) + ":" + spelled(row[column])
        for number, column in enumerate(promoted)
        if column.startswith(f"{name}.") and row[column] is not None
    }
    if not here:
        return row[name]
    others, placed = members(row[name] or "{}"), []
    for place in layout.split(",") if layout else [str(number) for number in here]:
        placed.append(others.pop(0) if place == "-" else here.pop(int(place)))
    need(not here, "a promoted field has no place")
    return "{" + ",".join(placed + others) + "}"


def rebuilt(row, promoted):
    """The canonical line of a row."""
    if row["verbatim"] is not None:
        return row["verbatim"]
    layouts = ((row["layout"] or "") + ";;").split(";")
    parts = []
    for key in KEYS:
        value = row[key]
        if key in GROUPS:
            value = group(key, row, promoted, layouts[GROUPS.index(key)])
        elif key == "timestamp" and value is not None:
            whole = datetime.fromtimestamp(value // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            value = f'"{whole}.{value % 10**9:09}Z"'
        elif key != "exception" and value is not None:
            value = spelled(value)
        if value is not None:
            parts.append(f'"{key}":{value}')
    return ("{" + ",".join(parts) + "}").encode()


class Archive:
    """The files that stand for segments: their digests, what they cover, and the lines in them."""

    def __init__(self, directory):
        self.digests, self.files, self.lines = {}, [], {}
        for path in sorted(directory.glob("archive/**/*")):
            name = path.relative_to(directory).as_posix()
            if (
                path.is_dir()
                or path.suffix == ".tokens"
                or "draft" in path.suffix
                or name.startswith("archive/.draft/")
            ):
                continue
            need(path.is_file() and ARCHIVE.fullmatch(name), f"unknown file {name!a}")
            self.digests[name] = hashed(content(path)).hex()
            if path.suffix == ".json":
                continue
            with reading(name):
                facts, rows = self.read(path)
                need(facts["first"] == int(path.name[:20]), "its name is not its first index")
                self.files.append((facts["first"], facts["end"], path.suffix == ".age", rows))
        self.files.sort(key=lambda file: (file[0], -file[1]))
        reach, counting = 0, []
        for first, end, encrypted, rows in self.files:
            if first >= reach:
                counting.append((first, end, encrypted))
                self.lines |= rows
            reach = max(reach, end)
        self.files = counting

    def read(self, path):
        if path.suffix == ".age":
            return json.loads(content(path.with_suffix("").with_suffix(".json"))), {}
        file = pyarrow.parquet.ParquetFile(path)
        facts = json.loads(file.schema_arrow.metadata[b"treering"])
        table = file.read()
        at = table.schema.get_field_index("timestamp")
        table = table.set_column(at, "timestamp", table["timestamp"].cast("int64"))
        promoted = [field["column"] for field in facts["promoted"]]
        return facts, {row["index"]: rebuilt(row, promoted) for row in table.to_pylist()}

    def covering(self, first, end):
        """Whether a file stands for the segment, and whether it is encrypted."""
        for begin, stop, encrypted in self.files:
            if begin <= first < stop:
                need(end <= stop, "a file stands for a part of the segment", first)
                return True, encrypted
        return False, False
