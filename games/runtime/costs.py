"""What reading a text costs, in units of work: at least what it takes, in the worst case, on the slowest of its parts.

``benchmarks/budget.py`` looks for what costs more than it is charged.
"""

from collections.abc import Sequence

#: Of a text that is searched, the most characters of what is looked for that are compared at one place.
_COMPARED = 100


def copied(*texts: str) -> int:
    """To join texts, to compare them, to look one up."""
    return 20 + (sum(map(len, texts)) >> 2)


def searched(text: str, wanted: str) -> int:
    """To look for a text in another: at worst it nearly stands at every place."""
    return 20 + (len(text) * (2 + min(len(wanted), _COMPARED)) >> 5)


def read(text: str, units: int) -> int:
    """To look at each character. units: of one; other than ASCII characters cost three times as much."""
    return 100 + (units if text.isascii() else 3 * units) * len(text)


#: A value, an item and a token that are shown count as so many characters more: with no text at all they take room too.
_EACH = 10


def shown_size(texts: Sequence[str], tokens: int = 0) -> int:
    """How much room texts take in the events of a play, and that many tokens, in characters."""
    return sum(map(len, texts)) + _EACH * (len(texts) + tokens)
