"""Benchmarks: one file, one question; every peer in a process of its own, on the same records."""
