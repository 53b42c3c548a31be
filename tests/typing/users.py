"""What users write, as their strict type checker sees it."""

import treering
from treering import Level, LogCategory, Logger, Receipt, StdlibHandler
from treering.journal import Journal

config = treering.configure("production", directory="logs", level=Level.DEBUG)
log: Logger = treering.get_logger("auth", category=LogCategory.AUTH)
log.info("User authenticated", user_id=7, method="password")
log.warning("Slow query: %s ms", 340)
log.log("NOTICE", "named", extra={"context": {"a": 1}})
bound: Logger = log.bind(request_id="r1")
with treering.context(tenant="acme"):
    bound.exception("failed", order=42)
receipt: Receipt = log.audit("Role granted", actor="a")
durable: bool = receipt.durable
enabled: bool = log.enabled_for("DEBUG")
counts: dict[str, object] = treering.statistics()
handler = StdlibHandler()
with treering.capture_stdlib(silence={"urllib3": "ERROR"}):
    pass


@treering.context(step="import")
def work(number: int) -> str:
    """Keeps its signature under the decorator."""
    return str(number)


text: str = work(3)
for index, line in Journal("logs").records(10, follow=False):
    first: int = index
    raw: bytes = line
