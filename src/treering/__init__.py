"""Structured, crash-safe, multi-process logging."""

from treering._core import __version__

__all__ = ["__version__"]
