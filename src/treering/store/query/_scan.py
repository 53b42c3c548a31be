"""Reading a query character by character: words, strings, regular expressions, signs."""

from __future__ import annotations

from dataclasses import dataclass

from treering.store.query._ast import Pattern, Regex
from treering.store.query._explain import refuse
from treering.store.query._names import MAX_LENGTH, MAX_TERMS

TERM_ENDS = frozenset('()|":=<>')
VALUE_ENDS = frozenset('()|"')
LIST_ENDS = frozenset('()|",')
RANGE_ENDS = frozenset('()|"[]{}')
NAME_ENDS = frozenset('()|",=')

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_UNICODE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters, each with whether a backslash stood before it.

    Attributes:
        at: Where it begins, from 0.
    """

    chars: tuple[tuple[str, bool], ...]
    at: int

    @property
    def raw(self) -> str:
        """The word when nothing in it is escaped, which a keyword needs; empty otherwise."""
        return "" if any(escaped for _, escaped in self.chars) else self.text

    @property
    def text(self) -> str:
        """The characters."""
        return "".join(char for char, _ in self.chars)

    def pattern(self) -> Pattern:
        """With its stars as wildcards; neighbouring ones are one."""
        parts = [""]
        starred = False
        for char, escaped in self.chars:
            if char == "*" and not escaped:
                if not starred:
                    parts.append("")
                starred = True
            else:
                parts[-1] += char
                starred = False
        return Pattern(tuple(parts))

    def split(self) -> tuple[Word, Word] | None:
        """Before and after the first `..`."""
        for at in range(len(self.chars) - 1):
            if self.chars[at] == self.chars[at + 1] == (".", False):
                rest = self.chars[at + 2 :]
                return Word(self.chars[:at], self.at), Word(rest, self.at + at + 2)
        return None


class Scanner:
    """A query's text and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._terms = 0
        if len(text) > MAX_LENGTH:
            refuse(text, MAX_LENGTH, f"the query has {len(text)} characters, {MAX_LENGTH} may be")
        for at, char in enumerate(text):
            if "\ud800" <= char <= "\udfff":
                refuse(text, at, "half a surrogate pair is no character")

    def peek(self, length: int = 1) -> str:
        """What comes next; shorter at the end."""
        return self.text[self.at : self.at + length]

    def skip(self) -> None:
        """Goes over white space."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def take(self, sign: str) -> bool:
        """Goes over the sign if it comes next."""
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def count_term(self) -> None:
        """One more value.

        Raises:
            QueryError: There are too many.
        """
        self._terms += 1
        if self._terms > MAX_TERMS:
            refuse(self.text, self.at, f"more than {MAX_TERMS} terms")

    def word(self, ends: frozenset[str]) -> Word:
        """Everything up to white space or one of `ends`; may be empty."""
        begin = self.at
        chars: list[tuple[str, bool]] = []
        while (char := self.peek()) and not char.isspace() and char not in ends:
            if self.peek(2) == "!=" and "=" in ends:
                break
            escaped = char == "\\"
            if escaped:
                self.at += 1
                char = self.peek() or refuse(self.text, self.at - 1, "a backslash escapes nothing")
            chars.append((char, escaped))
            self.at += 1
        return Word(tuple(chars), begin)

    def string(self) -> str:
        """A text in double quotes, of which the first comes next."""
        begin = self.at
        self.at += 1
        found = []
        while (char := self.peek()) != '"':
            if not char:
                refuse(self.text, begin, "this quote is never closed", hint='write \\" for a quote')
            self.at += 1
            found.append(self._escape() if char == "\\" else char)
        self.at += 1
        return "".join(found)

    def _escape(self) -> str:
        begin = self.at - 1
        char = self.peek()
        self.at += 1
        if char == "u":
            digits = self.peek(_UNICODE_DIGITS)
            self.at += _UNICODE_DIGITS
            is_hex = len(digits) == _UNICODE_DIGITS and all(
                digit in "0123456789abcdefABCDEF" for digit in digits
            )
            char = chr(int(digits, 16)) if is_hex else ""
            if not char or "\ud800" <= char <= "\udfff":
                refuse(self.text, begin, "`\\u` takes the four hexadecimal digits of a character")
            return char
        return _ESCAPES.get(char, char)

    def regex(self) -> Regex:
        """A regular expression between slashes, of which the first comes next."""
        begin = self.at
        self.at += 1
        found = []
        while (char := self.peek()) != "/":
            if not char:
                refuse(
                    self.text,
                    begin,
                    "this regular expression is never closed",
                    hint='it ends with a slash; quote what is none: "/var/log"',
                )
            if char == "\\":
                char = self.peek(2)
                self.at += 1
            self.at += 1
            found.append("/" if char == "\\/" else char)
        self.at += 1
        if not found:
            refuse(self.text, begin, "this regular expression is empty", hint="quote slashes")
        return Regex("".join(found), begin + 1)
