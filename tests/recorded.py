"""Records with a known story, for the analysis: a service that gets worse after its first hour."""

import json
import random
from datetime import UTC, datetime

BEGIN_S = 1_790_000_000
HOSTILE = (
    "Connection to host db{0} lost: <script>alert(1)</script> \x1b[31m | [x](javascript:x) `y`"
)


def at(seconds):
    """RFC 3339 of so many seconds after the begin."""
    time = datetime.fromtimestamp(BEGIN_S + seconds, UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def line(seconds, level, component, message, place, **objects):
    record = {
        "timestamp": at(seconds),
        "level": level,
        "component": component,
        "message": message,
        "module": "shop",
        "file": "shop.py",
        "line": place,
    }
    return json.dumps({**record, **objects}, separators=(",", ":")).encode()


def story(number=4000, span_s=7200):
    """Half time: statuses become 500, requests ten times slower, another error; `db` is silent once."""
    chance = random.Random(7)
    found = []
    for count in range(number):
        now = count * span_s / number
        late = now >= span_s / 2
        component = "web"
        if count % 4 == 0 and not 0.2 * span_s < now < 0.3 * span_s:
            component = "db"
        if count % 10 < 7:
            took = (100 if late else 10) * (1 + chance.random())
            status = 500 if late and count % 3 == 0 else 200
            found.append(
                line(
                    now,
                    "INFO",
                    component,
                    f"Request {count} served to user u{chance.randint(1, 60)}",
                    10,
                    context={"user_id": chance.randint(1, 5000)},
                    metadata={"status": status},
                    performance_data={"duration_ms": round(took, 3)},
                )
            )
        elif count % 10 < 9:
            found.append(line(now, "DEBUG", component, "Cache hit", 20))
        elif late:
            message = HOSTILE.format(chance.randint(1, 9))
            found.append(line(now, "ERROR", component, message, 40))
        else:
            found.append(line(now, "ERROR", component, f"Order {count} refused: card expired", 30))
    return found
