"""Exit codes."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    NO = 1
    """The answer is no: nothing matched, records were lost."""
    USAGE = 2
    """Something has to be changed by who called."""
    INTERRUPTED = 130
