"""What a judge writes in the lab, by several methods from one text and seed: a row for all of them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from games.sentences import say
from judge import methods
from judge.methods import Beam
from judge.samples import SAMPLE, Sample, spell, unpack
from server.arena import judges, lab
from server.arena.unit import Unit
from server.arena.validation import clean
from server.db.lab import Experiment
from server.db.models import Judge
from server.db.states import LabExperiment, WorkState
from server.errors import invalid, not_found

TOKENS = 256  # of a prefix and what is written after it
WRITTEN = 64  # tokens of one sample
METHODS = 8  # side by side
PREDICTIONS = 1_024  # made for one question: a token takes one, and one for each beam


def sample(unit: Unit, judge_name: str | None, prefix: str, said: Sequence[str], tokens: int, seed: int) -> Experiment:
    """Ask a judge to go on with a text by these methods."""
    prefix = clean(prefix, "/prefix", what=say("The text"))
    ways = _methods(said, tokens)
    judge = judges.find(unit.session, unit.workforce.default_judge() if judge_name is None else judge_name)
    lab.refuse(unit, LabExperiment.SAMPLING, judge, (prefix,))
    lab.check_length(judge, prefix, tokens, TOKENS, "/prefix")
    question = {"prefix": prefix, "methods": ways, "tokens": tokens, "seed": seed}
    (row,) = lab.ask(unit, judge, SAMPLE, [question])
    return row


def see(unit: Unit, key: str) -> Experiment:
    """Samples that the caller has asked for."""
    row = unit.session.get(Experiment, key)
    if row is None or row.asker != lab.asker(unit) or row.kind != SAMPLE:
        raise not_found("There are no samples {name}.", key)
    judge = unit.session.get_one(Judge, row.judge)
    lab.refuse(unit, LabExperiment.SAMPLING, judge, (row.question["prefix"],))
    return row


def samples(session: Session, row: Experiment) -> list[tuple[str, Sample]] | None:
    """Each method and what came of it; None while it is on its way, and where it failed."""
    if row.state is not WorkState.KNOWN or row.answer is None:
        return None
    judge, asked = session.get_one(Judge, row.judge), row.question
    tokens = judges.tokens(judge)
    found = [spell(tokens, asked["prefix"], judge.direction, walk) for walk in unpack(row.answer)]
    return list(zip(asked["methods"], found, strict=True))


def _methods(said: Sequence[str], tokens: int) -> list[str]:
    """As they are spelled, each once."""
    if not 1 <= tokens <= WRITTEN:
        raise invalid("/tokens", say("The lab writes 1 to {most} tokens at once.", most=WRITTEN))
    found: dict[str, int] = {}
    for number, each in enumerate(said):
        try:
            method = methods.parse(each)
        except ValueError as error:
            reason = say("This method cannot be used: {reason}.", reason=str(error))
            raise invalid(f"/methods/{number}", reason) from None
        found[methods.spelled(method)] = method.beams if isinstance(method, Beam) else 1
    if not 1 <= len(found) <= METHODS:
        raise invalid("/methods", say("Name 1 to {most} methods.", most=METHODS))
    if tokens * sum(found.values()) > PREDICTIONS:
        told = say(
            "These methods take {number} predictions, {most} are the most: write fewer tokens or keep fewer beams.",
            number=tokens * sum(found.values()),
            most=PREDICTIONS,
        )
        raise invalid("/tokens", told)
    return [*found]
