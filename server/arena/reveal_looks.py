"""What a reveal would show, for its host to go through first, and words that are hidden wherever they came in a round.

The same words of several players are one text: nobody reads them twice, and one button hides them all. That takes in
earlier and later attempts with these words, since a player's next best move takes the place of a hidden one.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from games.sentences import say
from server.arena import callers, reveals, rounds, submissions
from server.arena.reveals import Which
from server.arena.seats import lock_plays
from server.arena.unit import Unit
from server.db.models import Play, Player, Round, Submission
from server.errors import invalid, not_found


@dataclass(frozen=True, slots=True)
class Text:
    """Words that would be shown, or are hidden.

    id: by which it is hidden. moves: as the best of them was written. millibits: what that one earned. players: whose
    counting submission it is, or of how many it is hidden. submissions: all of the round with these words, those that
    do not count too, in the order of acceptance.
    """

    id: str
    moves: Sequence[str]
    millibits: int
    players: int
    hidden: bool
    submissions: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Written:
    """A submission with its words."""

    submission: str
    player: str
    millibits: int | None
    hidden: bool
    practice: bool
    moves: Sequence[str]
    text: str


def look(unit: Unit, round_id: str, which: Which = Which.ALL) -> list[Text]:
    """The texts that a reveal would show, best first, and among them those that are hidden. Hosts and observers only.

    `below_own_best` shows each player some of `all`, so it is the same here. Raises `RequestError` (409) until the
    round has ended.
    """
    round_ = rounds.see(unit, round_id)
    callers.require_watcher(unit.caller, round_.competition_id)
    reveals.require_ended(unit, round_)
    written = _written(unit, round_)
    entries = [entry for entry in reveals.entries(unit, round_, which) if entry.submission in written]
    found = _grouped([written[entry.submission or ""] for entry in entries], written)
    hidden = [each for each in written.values() if each.hidden and not each.practice and each.millibits is not None]
    for text in _grouped(sorted(hidden, key=lambda each: -(each.millibits or 0)), written):
        place = next((at for at, other in enumerate(found) if other.millibits < text.millibits), len(found))
        found.insert(place, text)
    return found


def hide_text(unit: Unit, round_id: str, text_id: str, hidden: bool) -> Round:
    """Hide all submissions of a round that have the words of one text, or show them again. Hosts only."""
    return _set_all(unit, round_id, _of_text(text_id), hidden)


def hide_several(unit: Unit, round_id: str, ids: Sequence[str], hidden: bool) -> list[Submission]:
    """Hide submissions of one round, or show them again: all of them or none. Hosts only."""

    def these(written: Mapping[str, _Written]) -> list[str]:
        for at, each in enumerate(ids):
            if each not in written:
                raise invalid(
                    f"/submissions/{at}", say("There is no submission {name} in this round.", name=repr(each))
                )
        return list(dict.fromkeys(ids))

    _set_all(unit, round_id, these, hidden)
    return [submissions.find(unit.session, each) for each in dict.fromkeys(ids)]


def _of_text(text_id: str) -> Callable[[Mapping[str, _Written]], list[str]]:
    def same_words(written: Mapping[str, _Written]) -> list[str]:
        found = [each.submission for each in written.values() if each.text == text_id]
        if not found:
            raise not_found("There is no text {name} in this round.", text_id[:64])
        return found

    return same_words


def _set_all(
    unit: Unit, round_id: str, choose: Callable[[Mapping[str, _Written]], Collection[str]], hidden: bool
) -> Round:
    round_ = rounds.find_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    chosen = choose(_written(unit, round_))
    plays = select(Submission.play_id).where(Submission.round_id == round_id, Submission.id.in_(chosen))
    lock_plays(unit.session, list(set(unit.session.scalars(plays))))  # in one order, whoever else locks several
    for each in chosen:
        submissions.set_hidden(unit, each, hidden)
    return round_


def _written(unit: Unit, round_: Round) -> dict[str, _Written]:
    """All submissions of a round that have words, but those of removed players, in the order of acceptance."""
    query = (
        select(
            Submission.id, Submission.player_id, Submission.millibits, Submission.hidden, Submission.practice,
            Submission.seat, Play.moves,
        )
        .join(Play, Play.id == Submission.play_id)
        .join(Player, Player.id == Submission.player_id)
        .where(Submission.round_id == round_.id, ~Player.removed)
        .order_by(Submission.number)
    )  # fmt: skip
    found = {}
    for submission, player, millibits, hidden, practice, seat, moves in unit.session.execute(query):
        own = [each["text"] for each in moves if each["seat"] == seat]
        if own:
            found[submission] = _Written(submission, player, millibits, hidden, practice, own, _id_of(own))
    return found


def _id_of(moves: Sequence[str]) -> str:
    """The same for words that differ in nothing but capitals and the space between them."""
    plain = "\0".join(" ".join(each.split()).casefold() for each in moves)
    return f"txt_{hashlib.sha256(plain.encode()).hexdigest()[:16]}"


def _grouped(chosen: Sequence[_Written], written: Mapping[str, _Written]) -> list[Text]:
    """In the order of the first of each."""
    groups: dict[str, list[_Written]] = {}
    for each in chosen:
        groups.setdefault(each.text, []).append(each)
    everywhere: dict[str, list[str]] = {}
    for each in written.values():
        everywhere.setdefault(each.text, []).append(each.submission)
    return [
        Text(
            id=text,
            moves=group[0].moves,
            millibits=group[0].millibits or 0,
            players=len({each.player for each in group}),
            hidden=group[0].hidden,
            submissions=everywhere[text],
        )
        for text, group in groups.items()
    ]
