"""A witness: it has seen a log grow, says so, and never says otherwise.

`Witness` decides and remembers, `WitnessServer` speaks HTTP for it. The protocol is C2SP's
tlog-witness, so logs that are not Treering's can use it, too.
"""

from __future__ import annotations

from treering.witness._server import WitnessServer
from treering.witness._witness import Witness

__all__ = ["Witness", "WitnessServer"]
