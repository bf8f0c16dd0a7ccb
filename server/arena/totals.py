"""What a player's best in a round adds to the board of the competition: a choice of the host.

bits      the best as it is, also below zero
floored   the best, at least 0: taking part never lowers a total
points    one for the player, and one for each who has less or as much: n - rank + 1 among n who stand in the round,
          where equal ones share the rank
percent   of the bits that the passage costs without the player's words, what the best saves; 0 where the game is about
          something else, and at least 0
"""

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any, cast

from sqlalchemy import ColumnElement, case, func

from games.values.bits import millibits
from server.db.models import Submission
from server.db.states import Total

Event = Mapping[str, Any]


def worth(total: Total, standing: Any) -> ColumnElement[int]:
    """In thousandths, of a row that joins a standing, or columns of that name, with its submission."""
    best = cast(ColumnElement[int], standing.millibits)
    floored = case((best > 0, best), else_=0)
    match total:
        case Total.BITS:
            return best
        case Total.FLOORED:
            return floored
        case Total.POINTS:
            behind = func.rank().over(partition_by=standing.round_id, order_by=best.desc())
            return (func.count().over(partition_by=standing.round_id) - behind + 1) * 1000
        case Total.PERCENT:
            passage = Submission.passage_millibits
            return case((passage > 0, floored * 100_000 // passage), else_=0)


def percent(best: int | None, passage: int | None) -> float | None:
    """Of the passage's bits, what a score saves; None where that is no question. Both in millibits."""
    return None if best is None or not passage else round(100 * best / passage, 3)


def passage_millibits(events: Sequence[Event], seat: str, passages: Sequence[str]) -> int | None:
    """What a passage costs without the player's words, where the score of `seat` is what they save of just that."""
    rewards = [event for event in events if event["type"] == "reward" and event["seat"] == seat]
    if len(rewards) != 1:
        return None
    found = _saved(rewards[0].get("terms", []))
    if found is None:
        return None
    text, alone, after = found
    of_passage = _plain(text) in {_plain(passage) for passage in passages}
    whole = isclose(alone - after, rewards[0]["bits"], abs_tol=1e-3)  # else a plain number came in by min or max
    return millibits(alone) if of_passage and whole and alone > 0 else None


def _saved(terms: Sequence[Event]) -> tuple[str, float, float] | None:
    """The text of a reward that is what words save on it, and its bits without them and with them."""
    match terms:
        case [{"function": "xed", "factor": 1.0, "prefix_before": ""} as one]:
            return one["text"], _sum(one, "before"), _sum(one, "after")
        case [{"function": "xent", "factor": 1.0} as alone, {"function": "xent", "factor": -1.0} as after]:
            same = (alone["text"], alone["judge"]) == (after["text"], after["judge"])
            # A frame with nothing in it is shorter than with somebody's words; without any words both are the same.
            if same and len(alone["prefix_after"]) <= len(after["prefix_after"]):
                return alone["text"], _sum(alone, "after"), _sum(after, "after")
    return None


def _sum(term: Event, side: str) -> float:
    return sum((token[side] or 0.0 for token in term["tokens"]), 0.0)


def _plain(text: str) -> str:
    return " ".join(text.split())
