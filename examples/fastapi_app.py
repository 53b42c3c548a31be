"""A FastAPI application whose every record knows its request.

Run `python examples/fastapi_app.py 8000`, then `curl -i localhost:8000/orders/7` and
`treering tail logs`. Four worker processes log into one journal.
"""

from __future__ import annotations

import os
import sys

import uvicorn
from fastapi import BackgroundTasks, FastAPI, HTTPException

import treering
from treering.integrations.asgi import install
from treering.integrations.uvicorn import log_config

treering.configure(directory=os.environ.get("TREERING_LOG_DIRECTORY", "logs"))
log = treering.get_logger("shop.orders")

app = FastAPI()
install(app, skip_paths=["/health"])


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/orders/{order}")
def show(order: int, background: BackgroundTasks) -> dict[str, int]:
    """Runs in a thread; the request's id is there, too."""
    if order < 0:
        log.warning("No such order", order=order)
        raise HTTPException(404)
    log.info("Order shown", order=order)
    background.add_task(recommend, order)
    return {"order": order}


async def recommend(order: int) -> None:
    log.info("Recommendations made", order=order)


if __name__ == "__main__":
    uvicorn.run(
        "fastapi_app:app",
        app_dir=os.path.dirname(__file__),
        port=int(sys.argv[1]),
        workers=4,
        log_config=log_config(),
    )
