"""The seal of a journal: verify it, prove records from it, and change it so that the rest still verifies.

Every journal is sealed unless told otherwise: a salted commitment to every record is a leaf of an RFC
6962 Merkle tree, whose checkpoints are signed in C2SP formats. `docs/sealing.md` says what that protects
from whom; `docs/concepts/seal-files.md` has the formats.
"""

from treering._keys import Keys, keys, pin
from treering.seal._anchor import anchor_with_command, anchor_with_time_stamp, anchor_with_witness
from treering.seal._change import Pruned, erase, prune, rotate_key
from treering.seal._proof import Proven, export_tiles, prove, verify_proof, verify_tiles
from treering.seal._verify import Verdict, verify

__all__ = [
    "Keys",
    "Proven",
    "Pruned",
    "Verdict",
    "anchor_with_command",
    "anchor_with_time_stamp",
    "anchor_with_witness",
    "erase",
    "export_tiles",
    "keys",
    "pin",
    "prove",
    "prune",
    "rotate_key",
    "verify",
    "verify_proof",
    "verify_tiles",
]
