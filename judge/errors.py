"""What can go wrong when a judge is loaded or asked, and whose fault it is.

JudgeError          the host named a judge that cannot be used: the message says how to mend it
├── TooLong         a pair does not fit the judge's context: the author's or the player's text is too long
├── OutOfMemory     the machine cannot hold what one sequence needs: a larger machine or a smaller judge is needed
└── NotFinite       the judge itself gave no number: its weights or its dtype are at fault
"""

from __future__ import annotations

import textwrap


class JudgeError(Exception):
    """A judge that cannot be used, or cannot be asked this."""


class TooLong(JudgeError):
    """A pair with more tokens than the judge's context holds, or a prompt and what is to be written after it.

    Counts are in tokens, BOS included."""

    def __init__(
        self, *, bos: int, prefix: int, text: int, context: int, index: int = 0, before: str = "prefix"
    ) -> None:
        self.tokens = bos + prefix + text
        self.context = context
        self.index = index
        super().__init__(
            f"{self.tokens} tokens ({bos} to begin, {prefix} of the {before}, {text} of the text) "
            f"do not fit the judge's context of {context}: shorten the {before} or the text"
        )


class OutOfMemory(JudgeError):
    """Too little memory, also for as little at once as there can be."""


class NotFinite(JudgeError):
    """The judge gave a bit count that is no number; `index` says for which pair of the call."""

    def __init__(self, index: int = 0) -> None:
        self.index = index
        super().__init__(
            "the judge gave a bit count that is not a finite number: its weights are damaged, "
            "or they need another dtype (try float32)"
        )


def one_line(error: Exception) -> str:
    """The words of a library's error, which may be many lines, as a part of a sentence."""
    return textwrap.shorten(str(error), 300, placeholder=" …") or type(error).__name__
