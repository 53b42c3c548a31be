"""Asking questions of a journal: search, SQL, histograms, over the archive and what is being written."""
