"""Text files as an output leaves them, read with other people's programs."""

import gzip
import re
from pathlib import Path

from treering.outputs import Batch


class Plain:
    """A formatter that shows what it gets."""

    def lines(self, data, indexes):
        return data[:-1].split(b"\n")

    def text(self, data, indexes):
        return data


class Doubled(Plain):
    """A formatter that needs two lines for a record."""

    def lines(self, data, indexes):
        return [line + b"\n  more" for line in super().lines(data, indexes)]

    def text(self, data, indexes):
        return b"".join(line + b"\n" for line in self.lines(data, indexes))


def batch(*texts, formatter=None):
    """Records that look as `texts` do."""
    data = "".join(text + "\n" for text in texts).encode()
    return Batch(data, range(len(texts)), formatter or Plain())


def numbered(begin, end, width=20):
    """Texts of one length that say their number."""
    return [f"{number:0{width}}" for number in range(begin, end)]


def read(path):
    """The text of a file, whether it is compressed or not."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        import zstandard

        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data.decode()


def backups(path):
    """The rotated files of `path`, oldest first, whose names have a time or count up."""
    path = Path(path)
    found = [other for other in path.parent.iterdir() if other != path and is_of(other, path)]
    return sorted(found, key=lambda other: [int(part) for part in re.findall(r"\d+", other.name)])


def is_of(other, path):
    return other.is_file() and other.name.startswith(path.name.split(".")[0])


def contents(path):
    """Name and text of every file, in the order in which they were written."""
    return [(other.name, read(other)) for other in [*backups(path), Path(path)]]


def everything(path):
    """The lines of all files, in order."""
    return "".join(text for _, text in contents(path)).splitlines()
