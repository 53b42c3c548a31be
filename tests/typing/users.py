"""What users write, as their strict type checker sees it."""

import treering
from treering import Level, LogCategory, Logger, Receipt, StdlibHandler
from treering.catalog import BurstFilter, Catalog, EventFilter, declare
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


@declare(id="036000002", message="Volume {name} has been created.")
def volume_created(*, name: str) -> None:
    """Events can be declared in code, too."""


treering.event(volume_created, name="v")
volume_created(name="v")
catalog = Catalog.load("storage.yaml")
treering.event(catalog.by_name["ARRAY_CREATE_FAILED"], array_name="a", level="ERROR")
findings: list[str] = [f"{finding.line}: {finding.code}" for finding in catalog.findings]
passes: bool = EventFilter.load("filter").passes({"event_id": "036000002"})
told = BurstFilter(window=10).write([{"message": "m"}])
