"""What a player may be told of a move before it is made. Nothing is written, and no judge is asked."""

from functools import partial

from games.preview import NotAsked, Preview
from games.preview import preview as engine_preview
from games.protocol import Log, Move
from games.sentences import say
from server.arena import admission, measurements, round_setup, submissions
from server.arena.round_setup import RoundSetup
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.models import Play, Submission
from server.errors import conflict


def preview(unit: Unit, round_id: str, move: str, submission_id: str | None, practice: bool) -> Preview:
    """Of the first move of a new play, of practice where it is said so, or of the next one in the caller's own
    submission."""
    move = clean(move, "/move", what=say("The move"))
    submission = submissions.own(unit, submission_id, round_id) if submission_id is not None else None
    round_ = admission.playable(unit, round_id, practice=submission.practice if submission else practice)
    setup = round_setup.setup_of(unit.session, round_)
    seat, moves = _so_far(unit, setup, submission)
    known = partial(measurements.known, unit.session, setup.identities)
    try:
        return engine_preview(setup.program, setup.setup, Log(moves), known, seat, move)
    except NotAsked:
        raise conflict(
            "not-awaiting-move", "No move awaited", "The game does not wait for a move of yours there, or not yet."
        ) from None


def _so_far(unit: Unit, setup: RoundSetup, submission: Submission | None) -> tuple[str, tuple[Move, ...]]:
    if submission is None:
        if len(setup.seats) > 1:
            raise conflict("several-seats", "Several seats", "Take a seat first: name your submission in a play.")
        return setup.seats[0], ()
    play = unit.session.get_one(Play, submission.play_id)
    return submission.seat, tuple(Move(each["seat"], each["text"]) for each in play.moves)
