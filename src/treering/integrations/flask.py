"""Flask: `install(app)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask

from treering.integrations.wsgi import REQUEST, TreeringMiddleware

if TYPE_CHECKING:
    from typing import Any

    from flask import Flask, Response


def install(app: Flask, **options: Any) -> None:
    """Gives every request of the application an id and a context, and logs it when its response is out.

    Unhandled exceptions are logged here instead of by Flask, once and with the request's context.

    Args:
        app: The application.
        **options: As `treering.integrations._request.Rules` takes them; `user` and `fields` are asked
            with the WSGI environment. The user of Flask-Login is found without being asked for.

    Raises:
        ConfigurationError: An option cannot be used.
    """
    app.wsgi_app = TreeringMiddleware(app.wsgi_app, **options)  # type: ignore[method-assign]
    app.log_exception = _log_exception  # type: ignore[method-assign]
    app.after_request(_learn)


def _log_exception(exc_info: Any, *_: object) -> None:
    flask.request.environ[REQUEST].failed(exc_info[1])


def _learn(response: Response) -> Response:
    """What only Flask knows of a request."""
    request = flask.request.environ[REQUEST]
    rule = flask.request.url_rule
    request.route = rule.rule if rule is not None else None
    login = flask.g.get("_login_user")
    if login is not None and getattr(login, "is_authenticated", False):
        request.user_id = login.get_id()
    return response
