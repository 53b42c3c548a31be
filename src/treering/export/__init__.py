"""Taking records out of a journal for other people, with a manifest that says what was taken and proofs.

`docs/guides/export.md` shows how it is used.
"""

from treering.export._export import FORMATS, export
from treering.export._forms import cell
from treering.export._manifest import Manifest, check

__all__ = ["FORMATS", "Manifest", "cell", "check", "export"]
