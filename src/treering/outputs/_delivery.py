"""Records to a destination that judges them: halves of what it does not read, until the one is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering.errors import OutputError, SetupRefused
from treering.outputs._answer import MISCONFIGURED_RETRY_S, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from treering.outputs._answer import Answer


class Delivery:
    """What a destination has refused so far, and the loop that finds it out.

    Args:
        name: The destination, for messages.

    Attributes:
        last_refusal: Which record was refused last, and what the destination said about it.
    """

    def __init__(self, name: str) -> None:
        self.last_refusal: str | None = None
        self._name = name
        self._has_taken = False
        self._refused = 0

    def refuse(self, count: int, why: str) -> None:
        """Counts records that the destination does not want; the next `deliver` tells."""
        self._refused += count
        self.last_refusal = why

    def deliver(
        self,
        indexes: Sequence[int],
        end_of: Callable[[int], int],
        post: Callable[[int, int], Answer],
    ) -> int:
        """Posts all records, and returns how many were refused for good since the last time.

        Args:
            indexes: Those of the records.
            end_of: Where the request that begins at a place ends.
            post: Sends the records between two places; the answer is about the records.

        Raises:
            OutputError: What `post` raised, `accepted` set; what was refused before is told later.
            SetupRefused: Whatever was sent was refused: then the address may be wrong.
        """
        begin, ends = 0, list[int]()
        try:
            while begin < len(indexes):
                end = ends.pop() if ends else end_of(begin)
                answer = post(begin, end)
                if answer.status in UNREADABLE and end - begin > 1:
                    ends += [end, (begin + end) // 2]
                    continue
                if answer.status in UNREADABLE:
                    self.refuse(1, f"record {indexes[begin]}: {answer}")
                else:
                    self._has_taken = True
                begin = end
            self._check_taken()
        except OutputError as error:
            error.accepted = begin if self._has_taken else 0
            raise
        finally:
            # A destination that has taken nothing is asked about all of them again.
            self._refused = self._refused if self._has_taken else 0
        refused, self._refused = self._refused, 0
        return refused

    def _check_taken(self) -> None:
        if self._refused and not self._has_taken:
            raise SetupRefused(
                f"{self._name} has taken nothing yet and refuses every record, last"
                f" {self.last_refusal}",
                retry_after_s=MISCONFIGURED_RETRY_S,
            )


__all__ = ["Delivery"]
