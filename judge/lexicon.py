"""The words that are one token each behind a space: what a search that works token by token may put into a move, and
finds again when the move is read anew.

Needs no PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from judge.loading.tokenizer import Tokens


@dataclass(frozen=True, slots=True)
class Lexicon:
    """spelled[i]: a word of letters. inner[i]: its token behind a space. bare[i]: its tokens where nothing stands
    before it."""

    spelled: tuple[str, ...]
    inner: tuple[int, ...]
    bare: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, tokens: Tokens) -> Lexicon:
        """All of a tokenizer's, in the order of their ids."""
        anchor = tokens.ids("a")
        found: list[tuple[str, int, tuple[int, ...]]] = []
        for token in range(tokens.size):
            text = "" if token in tokens.special else tokens.spelling(token)
            word = text[1:]
            if text.startswith(" ") and word.isalpha() and tokens.ids(f"a {word}") == [*anchor, token]:
                found.append((word, token, tuple(tokens.ids(word))))
        return cls(*(tuple(each) for each in zip(*found, strict=True))) if found else cls((), (), ())

    def only(self, allowed: Callable[[str], bool]) -> Lexicon:
        """The words among them that are allowed."""
        kept = [index for index, word in enumerate(self.spelled) if allowed(word)]
        return Lexicon(
            tuple(self.spelled[index] for index in kept),
            tuple(self.inner[index] for index in kept),
            tuple(self.bare[index] for index in kept),
        )

    def first(self, head: str) -> list[int | None]:
        """The token of each word where it follows `head`; None where it would be several."""
        if head.endswith(" "):
            return list(self.inner)
        return [ids[0] if len(ids) == 1 else None for ids in self.bare]
