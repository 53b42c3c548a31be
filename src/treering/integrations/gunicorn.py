"""Gunicorn: `logger_class = "treering.integrations.gunicorn.Logger"` in `gunicorn.conf.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.glogging import Logger as GunicornLogger

import treering
from treering import LogCategory, StdlibHandler
from treering.integrations._request import access_level
from treering.integrations.wsgi import REQUEST

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import Any


class Logger(GunicornLogger):
    """Gunicorn's error log as records of `gunicorn.error`, its access log as records of `gunicorn.access`.

    Gunicorn's settings for log files and formats have no effect; Treering's levels decide
    (`gunicorn.access=OFF`). Query strings are left out.
    """

    def setup(self, cfg: Any) -> None:
        """Sends both of Gunicorn's loggers to Treering; called again on every reload."""
        super().setup(cfg)
        self._access = treering.get_logger("gunicorn.access", category=LogCategory.API)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers[:]:
                logger.removeHandler(handler)
                handler.close()
            logger.addHandler(StdlibHandler())

    @property
    def access_log_enabled(self) -> bool:
        """True: whether there are access records is a question of levels."""
        return True

    def access(
        self,
        resp: Any,
        req: object,  # noqa: ARG002 - Gunicorn's signature
        environ: dict[str, Any],
        request_time: timedelta,
    ) -> None:
        """Logs one request."""
        status = int(str(resp.status).split(maxsplit=1)[0])
        method, path = environ.get("REQUEST_METHOD", "-"), environ.get("PATH_INFO", "-")
        request = environ.get(REQUEST)
        metadata = {
            "method": method,
            "path": path,
            "status": status,
            "response_bytes": getattr(resp, "sent", None),
            "ip_address": environ.get("REMOTE_ADDR") or None,
            "user_agent": environ.get("HTTP_USER_AGENT"),
            "protocol": environ.get("SERVER_PROTOCOL"),
            "request_id": request.request_id if request is not None else None,
        }
        self._access.log(
            access_level(status),
            f"{method} {path} {status}",
            extra={
                "metadata": {name: value for name, value in metadata.items() if value is not None},
                "performance_data": {"duration_ms": round(request_time.total_seconds() * 1e3, 3)},
            },
        )
