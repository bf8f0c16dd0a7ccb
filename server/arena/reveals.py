"""What players of a closed round are shown of the others' moves, once its host reveals them.

Of each player it is the submission that counts. What the host has hidden stays hidden: a play is left out in which a
seat is hidden, or is one of a player who was removed, since the moves of all its seats can be read in it.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import audit, callers, competitions, feed, leaderboards, places, rounds
from server.arena.board_rows import BoardRows, event_of, shown_to
from server.arena.leaderboards import Entry, Named
from server.arena.unit import Unit
from server.caches import SizedCache
from server.db.models import Competition, Play, Player, Round, Submission
from server.db.states import PlayerKind, RoundState, Scope
from server.errors import conflict, not_found

TOP = 3  # ranks that `top` shows


class Which(StrEnum):
    """Whose moves a player is shown.

    top: of the best three ranks. below_own_best: of those who have no more bits than the player's own best.
    """

    ALL = "all"
    TOP = "top"
    BELOW_OWN_BEST = "below_own_best"


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a player wrote, as others may see it.

    id: by which it is opened; it leads to nobody. rank: on the board of the player's kind. moves: the texts that the
    seat gave. player: None where the host reveals no names.
    """

    id: str
    rank: int
    kind: PlayerKind
    millibits: int
    moves: Sequence[str]
    submission: Submission
    player: Named | None


def reveal(unit: Unit, round_id: str, which: Which, names: bool) -> Round:
    """Show players of a closed round what others wrote; again with other values shows that instead."""
    round_ = rounds.lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    require_ended(unit, round_)
    if competitions.find(unit.session, round_.competition_id).frozen_at is not None:
        detail = say("The boards are frozen: unfreeze them before you reveal who wrote what.")
        raise conflict("boards-frozen", "Boards frozen", detail)
    told = round_.revealed or {}
    if (told.get("which"), told.get("names")) != (which, names):
        before = _in_words(round_)
        round_.revealed = {"which": which, "names": names, "salt": secrets.token_hex(8)}
        after = _in_words(round_)
        audit.record(unit, "round.reveal", round_id, before=before, after=after, which=which, names=names)
        _tell(unit, round_, ("round.revealed", {"round": round_id, "which": which, "names": names}))
    return round_


def require_ended(unit: Unit, round_: Round) -> None:
    """Raises `RequestError` (409) while moves of the round are not to be revealed yet."""
    state = rounds.state_of(round_, unit.now)
    if state is not RoundState.CLOSED:
        detail = say("Moves are revealed once a round has ended; this one is {state}.", state=say(state))
        raise conflict(f"round-{state}", f"Round {state}", detail)


def conceal(unit: Unit, round_id: str) -> Round:
    """Take the reveal back. Who has read the moves has read them."""
    round_ = rounds.lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    if round_.revealed is not None:
        audit.record(unit, "round.conceal", round_id, before=_in_words(round_), after=None)
        round_.revealed = None
        _tell(unit, round_, ("round.concealed", {"round": round_id}))
    return round_


def _in_words(round_: Round) -> str | None:
    """What is revealed, as the audit has it."""
    how = round_.revealed
    return None if how is None else f"{how['which']}, {'with' if how['names'] else 'without'} names"


def _tell(unit: Unit, round_: Round, entry: feed.Entry) -> None:
    unit.session.flush()
    unit.outbox.competitions.add(round_.competition_id)
    feed.append(unit.session, round_.competition_id, [entry])


@dataclass(frozen=True, slots=True)
class Moves:
    """What is revealed of a round, best first. A move is read when it is asked for."""

    session: Session
    how: Mapping[str, Any]
    entries: Sequence[Entry]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, part: slice, /) -> list[Revealed]:
        shown = self.entries[part]
        query = select(Submission, Play).join(Play, Play.id == Submission.play_id)
        found = self.session.execute(query.where(Submission.id.in_([each.submission for each in shown])))
        by_id = {submission.id: (submission, play) for submission, play in found}
        return [_revealed(self.how, entry, *by_id[entry.submission or ""]) for entry in shown]


def moves(unit: Unit, round_id: str) -> Moves:
    """What is revealed to the caller of a round, best first; all that is revealed to anybody for a host.

    Raises `RequestError` (409) while nothing is.
    """
    round_ = rounds.see(unit, round_id)
    how = round_.revealed
    if how is None:
        raise conflict("round-not-revealed", "Round not revealed", "Moves stay hidden until the host reveals them.")
    return Moves(unit.session, how, [each for each in entries(unit, round_, how["which"]) if each.submission])


def move(unit: Unit, round_id: str, move_id: str) -> Revealed:
    """One of them."""
    found = moves(unit, round_id)
    place = next((i for i, each in enumerate(found.entries) if _alias(found.how, each.submission) == move_id), None)
    if place is None:
        raise not_found("There is no revealed move {name}.", move_id)
    return found[place : place + 1][0]


def shows(unit: Unit, submission: Submission) -> bool:
    """Is this submission of somebody else's revealed to the caller as that player's?"""
    round_ = unit.session.get_one(Round, submission.round_id)
    member = unit.caller.competition == round_.competition_id
    how = round_.revealed
    if not member or how is None or not how["names"]:
        return False
    return any(entry.submission == submission.id for entry in entries(unit, round_, how["which"]))


def hides_nothing(session: Session, round_: Round, submission: Submission) -> bool:
    """Are everybody's moves revealed, and nothing hidden in this submission's play?"""
    how = round_.revealed
    return how is not None and how["which"] == Which.ALL and submission.id not in _out_of_sight(session, round_)


def entries(unit: Unit, round_: Round, which: str) -> list[Entry]:
    """The lines of the board whose submissions such a reveal shows the caller, best first; all it shows, to a host."""
    competition = competitions.find(unit.session, round_.competition_id)
    rows = shown_to(unit.caller, competition)
    boards = _boards(unit.session, competition, round_, rows)
    unseen = _out_of_sight(unit.session, round_)
    found = [entry for board in boards for entry in board if entry.submission not in unseen]
    if which == Which.TOP:
        found = [entry for entry in found if entry.rank <= TOP]
    if unit.caller.scope is Scope.BOARD and which == Which.BELOW_OWN_BEST:
        return []  # what each player may see is another thing, and all of them look at a wall
    if unit.caller.player is not None:
        found = [entry for entry in found if entry.player.id != unit.caller.player]
        if which == Which.BELOW_OWN_BEST:
            own = places.best(unit.session, round_, unit.caller.player, rows)
            found = [entry for entry in found if own is not None and entry.millibits <= own.millibits]
    return sorted(found, key=lambda entry: (-entry.ranks, entry.number))


def _boards(session: Session, competition: Competition, round_: Round, rows: BoardRows) -> Sequence[Sequence[Entry]]:
    """Kept until the next event."""
    read, event = partial(leaderboards.boards_of_round, session, round_, rows), event_of(competition, rows)
    return read() if event is None else _kept_boards.get((round_.id, event), read, lambda made: sum(map(len, made)))


#: Sizes in lines.
_kept_boards: SizedCache[tuple[str, int], Sequence[Sequence[Entry]]] = SizedCache(100_000)


def _out_of_sight(session: Session, round_: Round) -> set[str]:
    """The submissions of a round in whose plays something is hidden."""
    hidden = (
        select(Submission.play_id)
        .join(Player, Player.id == Submission.player_id)
        .where(Submission.round_id == round_.id, Submission.hidden | Player.removed)
    )
    return set(session.scalars(select(Submission.id).where(Submission.play_id.in_(hidden))))


def _revealed(how: Mapping[str, Any], entry: Entry, submission: Submission, play: Play) -> Revealed:
    return Revealed(
        id=_alias(how, submission.id),
        rank=entry.rank,
        kind=entry.player.kind,
        millibits=entry.millibits,
        moves=[each["text"] for each in play.moves if each["seat"] == submission.seat],
        submission=submission,
        player=entry.player if how["names"] else None,
    )


def _alias(how: Mapping[str, Any], submission: str | None) -> str:
    """By what a revealed move is called: nothing leads from it to its submission."""
    told = f"{how['salt']} {submission}"
    return f"mov_{hashlib.sha256(told.encode()).hexdigest()[:16]}"
