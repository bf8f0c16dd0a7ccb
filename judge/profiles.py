"""How a judge is asked: the profiles, and which tokens of a text each of them scores."""

from __future__ import annotations

from typing import Literal

ARENA: Literal["arena"] = "arena"
XENT_05: Literal["xent-0.5"] = "xent-0.5"
Profile = Literal["arena", "xent-0.5"]
PROFILES: tuple[Profile, ...] = (ARENA, XENT_05)


def begins_with_bos(profile: str) -> bool:
    """Does BOS stand before everything? Only then has every token of a text something before it."""
    return profile == ARENA


def scored_tokens(count: int, profile: str, direction: str) -> slice:
    """Which of a text's `count` tokens have bits, in reading order.

    Without BOS the token that the judge reads first is never scored: the text's first one, or its last one where
    `direction` is "backward".
    """
    if begins_with_bos(profile) or count == 0:
        return slice(0, count)
    return slice(0, count - 1) if direction == "backward" else slice(1, count)


def scored_count(count: int, profile: str) -> int:
    """How many of a text's `count` tokens have bits: as many in either direction."""
    return len(range(count)[scored_tokens(count, profile, "forward")])
