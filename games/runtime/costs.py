"""What reading a text costs, in units of work: at least what it takes, in the worst case, on the slowest of its parts.

``benchmarks/budget.py`` looks for what costs more than it is charged.
"""

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
