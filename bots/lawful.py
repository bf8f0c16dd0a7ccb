"""A move is looked at before an attempt is spent on it, by the preview of a server or of the rules at home."""

from collections.abc import Callable

from bots.strategy import Strategy, proposed
from xentarena.events import Reveal
from xentarena.models import Preview

TRIES = 100  # proposals in a row that the rules speak against, after which the strategy gets its will


def lawful(strategy: Strategy, faulty: Callable[[str], str | None]) -> str:
    """The next proposal that counts as it stands: no longer than the limit, no word taken out, no condition failed.

    Of others the strategy learns that they earn nothing (or why, where it has a method `refuse`), without an attempt
    being spent. One that insists gets its last one played, so that the game says it. faulty: what is wrong with a move.
    """
    for _ in range(TRIES):
        move = proposed(strategy)
        why = faulty(move)
        if why is None:
            break
        refuse = getattr(strategy, "refuse", None)
        if refuse is None:
            strategy.learn(move, None)
        else:
            refuse(move, why)
    return move


def fault(seen: Preview) -> str | None:
    """Why a move does not count as it stands, in a sentence; None where it does."""
    if seen.reason is not None:
        return seen.reason.detail
    if seen.refused:
        said = [getattr(event, "say", None) or getattr(event, "condition", None) for event in seen.events]
        return f"The game would ask again: {next((each for each in said if each), 'a condition does not hold')}."
    if seen.tokens > seen.limit:
        return f"It has {seen.tokens} tokens, and only {seen.limit} count: {seen.kept!r} would be left."
    for event in seen.events:
        for each in event.values if isinstance(event, Reveal) else ():
            if isinstance(each.value, str) and _lacks(each.value, seen.kept):
                return f"Words are taken out of it that are not allowed: {each.value.strip()!r} would be left."
    return None


def _lacks(shown: str, kept: str) -> bool:
    """Is what is shown the move with something taken out?"""
    left = iter(_plain(kept))
    return _plain(shown) != _plain(kept) and all(character in left for character in _plain(shown))


def _plain(text: str) -> str:
    return " ".join(text.split())
