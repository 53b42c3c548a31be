"""A Flask application whose every record knows its request.

Run `TREERING_LOG_DIRECTORY=logs gunicorn --chdir examples --workers 4 --logger-class
treering.integrations.gunicorn.Logger flask_app:app`, then `curl -i localhost:8000/orders/7` and
`treering tail logs`. Four worker processes and their master log into one journal.
"""

from __future__ import annotations

import flask

import treering
from treering.integrations.flask import install

treering.configure()  # from the environment: the master of the workers reads it as well
log = treering.get_logger("shop.orders")

app = flask.Flask(__name__)
install(app, skip_paths=["/health"])


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/orders/<int:order>")
def show(order: int) -> flask.Response:
    log.info("Order shown", order=order)
    return flask.Response(parts(order), mimetype="text/plain")


def parts(order: int):
    """A streamed response; the request's id is there, too."""
    yield f"order {order}\n"
    log.info("Order sent", order=order)


@app.get("/broken")
def broken() -> str:
    raise ValueError("no such till")
