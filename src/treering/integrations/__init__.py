"""Treering in other people's houses: one module for each framework, imported by whoever uses it.

Servers of requests: `asgi` (FastAPI, Starlette), `wsgi`, `flask`, `django`. Task queues: `celery`. Servers'
own logs: `gunicorn`, `uvicorn`. Tracing: `opentelemetry`. Tests: `pytest`. Moving in: `loguru`,
`structlog`. None of the frameworks is a dependency; a module needs the one it is named after.
"""
