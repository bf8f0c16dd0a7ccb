"""Measuring freely, outside any game: for whom it is open, and whose answers are whose.

What somebody asks freely is measured for them alone, under a key that nobody else's question has: whether others asked
the same, and when, a round's hidden second judge among them, is not to be found out by asking.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select

from games.sentences import say
from server.arena import judges, quotas
from server.arena.measurements import Question, Requester, ask, refuse_flood, waiting
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.models import Competition, Judge, Measurement, Round, RoundJudge
from server.db.states import PlayerKind, RoundState, Scope
from server.errors import forbidden, invalid, not_found

EXPLORE_LIMIT = 64  # free measurements of one participant that may wait at once
RUN, STEP = 24, 8  # letters: whoever asks for RUN + STEP - 1 that stand in a round's text asks for that text


def explore(
    unit: Unit,
    judge_name: str | None,
    prefix: str,
    text: str,
    profile: str,
) -> tuple[Measurement, Measurement]:
    """Ask for a text's bits outside any game: after a prefix, and without."""
    prefix = clean(prefix, "/prefix", what=say("The prefix"), empty=True)
    text = clean(text, "/text")
    judge = judges.find(unit.session, unit.workforce.default_judge() if judge_name is None else judge_name)
    refuse_exploring(unit, judge, prefix + text)
    _check_length(judge, prefix, text)
    asker = unit.caller.token
    questions = [Question(judge.identity, profile, each, text, asker) for each in dict.fromkeys((prefix, ""))]
    count = waiting(unit.session, unit.caller.player) if unit.caller.player else 0
    refuse_flood(count, EXPLORE_LIMIT)
    if unit.caller.player:
        quotas.refuse_measuring(unit.session, unit.caller.player)
    rows, new = ask(unit.session, questions, Requester(unit.caller.player, PlayerKind.BOT, count))
    unit.outbox.jobs += new
    return rows[questions[0].key], rows[questions[-1].key]


def see(unit: Unit, key: str) -> tuple[Measurement, Measurement]:
    """A measurement that the caller has asked for, and the one without a prefix. Raises `RequestError`: 404 for what
    others asked for and for what is not there, 403 while it is closed to the caller."""
    _refuse_reader(unit)
    row = unit.session.get(Measurement, key)
    if row is None or _question(unit, row, row.prefix).key != key:
        raise not_found("You have asked for no measurement {name}.", key)
    base = unit.session.get_one(Measurement, _question(unit, row, "").key)
    refuse_exploring(unit, unit.session.get_one(Judge, row.judge), row.prefix + row.text)
    return row, base


def _question(unit: Unit, row: Measurement, prefix: str) -> Question:
    return Question(row.judge, row.profile, prefix, row.text, unit.caller.token)


def _refuse_reader(unit: Unit) -> None:
    if unit.caller.scope is Scope.BOARD:
        raise forbidden("This token only reads boards. To measure, join the competition with its code.")


def refuse_exploring(unit: Unit, judge: Judge, said: str) -> None:
    """Raises `RequestError` where the caller may not measure this freely with this judge."""
    _refuse_reader(unit)
    if judge.name in unit.settings.private_judge:
        raise forbidden(f"The judge {judge.name!r} is private: it scores rounds only.")
    if counted(unit, judge.identity):
        raise forbidden(
            "A round with an attempt limit is open for this judge, so free measurements are closed until it ends."
            " The host can allow them."
        )
    # Whoever has tokens of two competitions may play in one and measure in the other.
    elsewhere = Round.competition_id != (unit.caller.competition or "")
    refuse_texts_of(unit, elsewhere & _judged_by(judge.identity), said)


def refuse_texts_of(unit: Unit, which: ColumnElement[bool], said: str) -> None:
    """Raises `RequestError` where a text of such a round stands in what is said, and the caller does not host it."""
    rounds = unit.session.scalars(_limited(unit).where(which)).unique()
    texts = (
        text
        for round_ in rounds
        if not unit.caller.watches(round_.competition_id)
        for text in (*round_.passages, *round_.generated)
    )
    if any(stands_in(said, text) for text in texts):
        raise forbidden(
            "A round with an attempt limit is open on this text, so nobody measures it freely until it ends."
        )


def counted(unit: Unit, judge: str) -> Sequence[Round]:
    """The rounds going on in the caller's competition that count attempts with this judge; none where its host lets
    players measure freely all the same. In these, measuring for free would be an attempt that does not count."""
    if unit.caller.competition is None:
        return []
    query = _limited(unit).where(Round.competition_id == unit.caller.competition, _judged_by(judge))
    return unit.session.scalars(query).unique().all()


def _judged_by(judge: str) -> ColumnElement[bool]:
    return Round.id.in_(select(RoundJudge.round_id).where(RoundJudge.identity == judge))


def _limited(unit: Unit) -> Select[Round]:
    """The rounds going on that count attempts, where measuring freely is not allowed all the same."""
    at = unit.now
    going_on = Round.state.in_([RoundState.OPEN, RoundState.PAUSED])
    just_begun = (Round.state == RoundState.SCHEDULED) & (Round.opens_at <= at)
    return (
        select(Round)
        .join(Competition, Competition.id == Round.competition_id)
        .where(
            ~Competition.free_measurements,
            ~Round.draft,
            Round.archived_at.is_(None),
            going_on | just_begun,
            Round.attempts.is_not(None),
            (Round.closes_at.is_(None)) | (Round.closes_at > at),
        )
    )


def stands_in(said: str, text: str) -> bool:
    """Does a piece of the text stand in what is said, or what is said in the text? White space and case apart."""
    said, text = _plain(said), _plain(text)
    if len(text) < RUN + STEP or len(said) < RUN:
        return bool(text) and (text in said or (len(said) >= RUN // 2 and said in text))
    runs = {said[start : start + RUN] for start in range(len(said) - RUN + 1)}
    return any(text[start : start + RUN] in runs for start in range(0, len(text) - RUN + 1, STEP))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _check_length(judge: Judge, prefix: str, text: str) -> None:
    tokens = judges.tokens(judge)
    length = 1 + len(tokens.ids(prefix)) + len(tokens.ids(text))
    if length > judge.context:
        raise invalid("/text", f"Prefix and text are {length} tokens long; the judge reads {judge.context} at once.")
