"""The receipt of a scored submission: what its score can be computed again from, as far as the caller may see it.

A seat that sees every register has seen its whole play when that is over; only what draws from the round's seed waits
until the round has ended, since it decides about other attempts. A seat from which something is hidden gets the rest
once the host has revealed everybody's moves: a round that is merely closed could be opened again.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from games.protocol import Measurement as Asked
from games.protocol import Move
from games.visibility import sees_everything
from server.arena import competitions, replays, reveals, round_setup, rounds, second_judges, signing_keys, submissions
from server.arena.round_setup import RoundSetup
from server.arena.unit import Unit
from server.db.models import Judge, Measurement, Play, Player, Round, Submission
from server.db.rescorings import RescoredPlay
from server.db.states import RoundState, SubmissionState
from server.errors import conflict
from xentarena.receipts import (
    KIND,
    VERSION,
    Document,
    NotComputable,
    Receipt,
    computed,
    packed,
    read_document,
    signed,
    under_second,
)

#: The parts of a play that a receipt lacks where it is not complete.
PARTS = ("passages", "seed", "generated", "moves", "tokens", "measurements")


def receipt(unit: Unit, submission_id: str) -> Document:
    """Signed. Raises `RequestError` for a submission without a score, or one that is not the caller's to see."""
    submission = submissions.see(unit, submission_id)
    if submission.state is not SubmissionState.SCORED:
        raise conflict("not-scored", "Not scored", "Only a submission with a score has a receipt; this one has none.")
    round_ = unit.session.get_one(Round, submission.round_id)
    play = unit.session.get_one(Play, submission.play_id)
    setup = round_setup.setup_of_score(unit.session, round_, submission)
    key = signing_keys.private(signing_keys.current(unit.session))
    frame = _frame(unit.session, submission, round_, setup)
    because = "hidden"
    if _may_see_all(unit, submission, round_, setup):
        moves = _moves(play, submission, everything=unit.caller.watches(round_.competition_id))
        told = _whole(replays.replayed(unit.session, setup, moves), round_, play, submission)
        whole = frame | {"complete": True, "missing": [], "because": None, "play": told}
        if _leads_to(read_document(signed(whole, key))):
            both = signed(whole | _second(unit, round_, play, submission), key)
            second = under_second(read_document(both))
            return both if second is None or _leads_to(second) else signed(whole, key)
        because = "lost"  # deleted with a player, or of an earlier engine
    return signed(frame | _lacking(play, submission.seat, because), key)


def _may_see_all(unit: Unit, submission: Submission, round_: Round, setup: RoundSetup) -> bool:
    if unit.caller.watches(round_.competition_id):
        return True
    if not sees_everything([submission.seat]):
        return reveals.hides_nothing(unit.session, round_, submission)
    return not setup.program.draws or rounds.state_of(round_, unit.now) is RoundState.CLOSED


def _frame(session: Session, submission: Submission, round_: Round, setup: RoundSetup) -> Document:
    """What of a receipt anybody may read who may see the submission."""
    player = session.get_one(Player, submission.player_id)
    rewards = submission.rewards or {}
    return {
        "type": KIND,
        "version": 1 if submission.rescoring_id is None else 2,
        "submission": submission.id,
        "seat": submission.seat,
        "practice": submission.practice,
        "player": {"id": player.id, "name": player.name, "kind": str(player.kind)},
        "round": {
            "id": round_.id,
            "competition": round_.competition_id,
            "number": round_.number,
            "profile": setup.setup.profile,
        },
        "program": {"name": round_.game, "digest": round_.digest, "source": setup.program.source},
        "judges": {slot: _judge(session.get_one(Judge, each)) for slot, each in setup.identities.items()},
        "millibits": submission.millibits,
        "rewards": {seat: round(bits * 1000) for seat, bits in rewards.items()},
        "engine": submission.engine,
        "build": submission.build,
        "accepted_at": _moment(submission.accepted_at),
        "finished_at": _moment(submission.finished_at),
    }


def _judge(row: Judge) -> Document:
    return {name: getattr(row, name) for name in ("name", "identity", "context", "direction", "dtype", "build")}


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else ""


def _lacking(play: Play, seat: str, because: str) -> Document:
    """A play of which only the seat's own moves are told."""
    own = [{"seat": seat, "text": move["text"]} for move in play.moves if move["seat"] == seat]
    told: Document = {name: [] for name in PARTS} | {"id": play.id, "seed": None, "moves": own, "left_after": None}
    return {"complete": False, "missing": list(PARTS), "because": because, "play": told}


def _moves(play: Play, submission: Submission, *, everything: bool) -> list[Move]:
    """The moves as they may be read: the seat's own as they were sent, others' as they counted; everything as sent for
    who sees all. Where another judge than that of the round gave the score, all are as they counted."""
    counted = replays.counted(play)
    if submission.rescoring_id is not None:
        return list(counted)
    sent = [Move(move["seat"], move["text"]) for move in play.moves]
    if everything:
        return sent
    both = zip(sent, counted, strict=False)
    return [mine if mine.seat == submission.seat else replace(mine, text=other.text) for mine, other in both]


def _whole(noted: replays.Replayed, round_: Round, play: Play, submission: Submission) -> Document:
    left = (submission.reason or {}).get("type") == "opponent_left"
    return {
        "id": play.id,
        "passages": round_.passages,
        "seed": round_.seed if noted.draws else None,
        "generated": round_.generated,
        **_replayed(noted),
        "left_after": len(play.events) if left else None,
    }


def _second(unit: Unit, round_: Round, play: Play, submission: Submission) -> Document:
    """What the round's second judge gave this play, once everybody may see that: a receipt is handed on."""
    frozen = competitions.find(unit.session, round_.competition_id).frozen_at is not None
    found = second_judges.score_of(unit.session, round_, submission)
    if found is None or (frozen and not unit.caller.watches(round_.competition_id)):
        return {}
    rescoring, score = found
    rescored = unit.session.get_one(RescoredPlay, (rescoring.id, play.id))
    setup = round_setup.setup_under(unit.session, round_, rescoring.judges, rescoring.profile)
    noted = replays.replayed(unit.session, setup, replays.counted(play))
    left = (submission.reason or {}).get("type") == "opponent_left"
    second = {
        "judges": {slot: _judge(unit.session.get_one(Judge, each)) for slot, each in setup.identities.items()},
        "profile": rescoring.profile,
        **_replayed(noted),
        "left_after": len(rescored.events) if left else None,
        "millibits": score.millibits,
        "rewards": {seat: round(bits * 1000) for seat, bits in score.rewards.items()},
        "build": rescored.build,
    }
    return {"version": VERSION, "second": second}


def _replayed(noted: replays.Replayed) -> Document:
    return {
        "moves": [_move(move) for move in noted.moves],
        "tokens": [{"judge": slot, "text": text, "ends": ends} for (slot, text), ends in noted.ends.items()],
        "measurements": [_measurement(asked, row) for asked, row in noted.rows.items()],
    }


def _move(move: Move) -> Document:
    told = {"seat": move.seat, "text": move.text}
    return told if move.cut is None else {**told, "cut": move.cut}


def _measurement(asked: Asked, row: Measurement) -> dict[str, Any]:
    named = {name: getattr(asked, name) for name in ("judge", "profile", "prefix", "text")}
    return named | {"bits": packed(row.bits or b""), "build": row.build}


def _leads_to(told: Receipt) -> bool:
    """Does the play that is told end with the score that was given?"""
    try:
        return computed(told) == told.rewards and told.rewards.get(told.seat) == told.millibits
    except NotComputable:
        return False
