r"""Words: maximal runs of letters, digits and `_`, whatever their case.

Letters and digits are the characters of the Unicode categories L and N, which is what `\\w` means in
Python and `[\\p{L}\\p{N}_]` in RE2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treering.store.query._ast import Pattern

WORD = r"[\p{L}\p{N}_]"
GAP = r"[^\p{L}\p{N}_]"

_DOTTED_I = "\u0130"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other with nothing but other characters between them.

    Attributes:
        words: Each as its pieces between wildcards, lower case.
        literal: What a pattern without any word asks for, as it stands, lower case.
    """

    words: tuple[tuple[str, ...], ...]
    literal: str

    @property
    def regex(self) -> str:
        """For RE2, over a text in lower case."""
        inside = f"{GAP}+".join(_word_regex(word) for word in self.words)
        return f"(?:^|{GAP}){inside}(?:$|{GAP})"

    @property
    def longest(self) -> str:
        """A piece that every match contains; empty if there is none."""
        return max((piece for word in self.words for piece in word), key=len, default="")

    @property
    def whole(self) -> tuple[str, ...]:
        """The words without wildcards."""
        return tuple(word[0] for word in self.words if len(word) == 1)


def phrase(pattern: Pattern) -> Phrase:
    """What a pattern asks of a text that is searched by words."""
    words: list[list[str]] = []
    is_inside = False
    for number, part in enumerate(pattern.parts):
        if number:
            is_inside = _open(words, is_inside=is_inside)
            words[-1].append("")
        for char in lower(part):
            if not is_word_char(char):
                is_inside = False
                continue
            is_inside = _open(words, is_inside=is_inside)
            words[-1][-1] += char
    return Phrase(tuple(tuple(word) for word in words), lower("".join(pattern.parts)))


def lower(text: str) -> str:
    """In lower case, one character for one, as DuckDB and the token index do it."""
    # The only character that Python makes two of.
    return "".join(char.lower() for char in text.replace(_DOTTED_I, "i"))


def is_caseless(text: str) -> bool:
    """Lower case or not is the same for it, and nothing else becomes it."""
    return text.isascii() and not any(map(str.isalpha, text))


def is_word_char(char: str) -> bool:
    """Part of a word."""
    return char == "_" or char.isalnum()


def _open(words: list[list[str]], *, is_inside: bool) -> bool:
    if not is_inside:
        words.append([""])
    return True


def _word_regex(pieces: tuple[str, ...]) -> str:
    # Pieces are made of word characters, none of which means anything to RE2.
    return f"{WORD}*".join(pieces) if any(pieces) else f"{WORD}+"
