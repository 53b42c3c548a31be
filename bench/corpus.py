"""A day of a shop's records, the same every time: what questions are asked of in the benchmarks.

About 360 bytes each as JSON Lines; twelve components, levels as services have them, request ids that occur
twice, users of whom few are many, durations with a long tail, and one word that hardly ever occurs.
"""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

RECORDS = 5_000_000
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
DAY_NS = 86_400 * 10**9
RARE_WORD = "quokka"
RARE_EVERY = 1_000_003
COMPONENTS = (
    "shop.web",
    "shop.api",
    "shop.api.orders",
    "shop.api.users",
    "auth",
    "auth.session",
    "payment",
    "payment.gateway",
    "search.index",
    "mail",
    "cache",
    "worker",
)
_MESSAGES = {
    "DEBUG": ("cache miss for key user:{user}", "retry {small} of 3 scheduled in {big} ms"),
    "INFO": (
        "GET /api/v2/orders/{big} finished with {status}",
        "user {user} signed in from {ip}",
        "order {big} of user {user} was paid with {small} items",
        "mail to user {user} was queued",
        "page /products/{big} rendered in {small} ms",
    ),
    "WARNING": (
        "slow query on orders took {big} ms",
        "connection to {ip} timed out after {small} attempts",
    ),
    "ERROR": (
        "payment of order {big} was declined by the gateway",
        "could not reach {ip}: refused",
    ),
}
_FILES = {"DEBUG": "cache.py", "INFO": "views.py", "WARNING": "database.py", "ERROR": "gateway.py"}
_WEIGHED = ("DEBUG",) * 20 + ("INFO",) * 72 + ("WARNING",) * 6 + ("ERROR",) * 2
_CATEGORIES = {"DEBUG": "performance", "INFO": "api", "WARNING": "database", "ERROR": "api"}


def request_id(at):
    """The request id of record `at`; two records share one."""
    return f"{(at // 2 * 0x9E3779B97F4A7C15 + 0x1234567) & (2**64 - 1):016x}"


def lines(records=RECORDS, seed=20261121):
    """Canonical lines with line feeds, oldest first."""
    random_ = random.Random(seed)
    chance, step = random_.random, DAY_NS // records
    second, prefix = -1, ""
    for at in range(records):
        time_ns = at * step
        if time_ns // 10**9 != second:
            second = time_ns // 10**9
            prefix = (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
        level = _WEIGHED[int(chance() * 100)]
        component = COMPONENTS[int(chance() * 12)]
        templates = _MESSAGES[level]
        which = int(chance() * len(templates))
        user = int(chance() ** 3 * 50_000)
        big, small = int(chance() * 1_000_000), int(chance() * 9) + 1
        duration = round(1.5 / (chance() + 0.001), 3)
        status = 200 if level != "ERROR" else 502
        ip = f"10.{int(chance() * 4)}.{int(chance() * 256)}.{int(chance() * 256)}"
        message = templates[which].format(user=user, big=big, small=small, status=status, ip=ip)
        if at % RARE_EVERY == RARE_EVERY // 2:
            message += f", a {RARE_WORD} was seen"
        yield (
            f'{{"timestamp":"{prefix}.{time_ns % 10**9:09d}Z","level":"{level}","category":'
            f'"{_CATEGORIES[level]}","component":"{component}","message":"{message}",'
            f'"module":"shop.{_FILES[level][:-3]}","function":"handle","file":"shop/{_FILES[level]}",'
            f'"line":{40 + which},"process":{4000 + at % 4},"thread":{4000 + at % 4},'
            f'"context":{{"request_id":"{request_id(at)}","user_id":{user},"ip":"{ip}"}},'
            f'"metadata":{{"duration_ms":{duration},"status":{status}}}}}\n'
        )


def write(path, records=RECORDS):
    """Writes the corpus to a file; returns how many bytes it has."""
    with Path(path).open("w") as file:
        batch = []
        for line in lines(records):
            batch.append(line)
            if len(batch) == 10_000:
                file.write("".join(batch))
                batch.clear()
        file.write("".join(batch))
    return Path(path).stat().st_size


def journal(path, text):
    """Puts the lines of a file into a new journal, by the road that users have."""
    subprocess.run(
        [sys.executable, "-m", "treering", "pipe", "--to", path, text],
        check=True,
        capture_output=True,
    )
