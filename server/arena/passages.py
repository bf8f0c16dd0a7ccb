"""What a judge makes of passages before a round has them: how long they are for it, and how much they surprise it."""

from collections.abc import Sequence
from dataclasses import dataclass

from games.library import Passage, load
from games.preflight import bases
from games.protocol import MAIN, Setup
from judge.profiles import ARENA
from server.arena import callers, games, judges, measurements, round_making
from server.arena.measurements import Question
from server.arena.round_setup import NewRound
from server.arena.unit import Unit
from server.db.models import Judge, Round
from server.db.states import WorkState
from server.errors import RequestError


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as a judge sees it. tokens: of the judge. most: how many it reads at once. bits: what it costs without any
    words before, where that was measured once."""

    tokens: int
    most: int
    bits: float | None

    @property
    def too_long(self) -> bool:
        return self.tokens > self.most


@dataclass(frozen=True, slots=True)
class Offered:
    """A packaged passage."""

    passage: Passage
    seen: Seen


@dataclass(frozen=True, slots=True)
class Looked:
    """The passages of a round that is not made yet. refused: why it could not be made."""

    passages: Sequence[Seen]
    refused: RequestError | None


def offered(unit: Unit, judge: str | None) -> list[Offered]:
    """The packaged passages, for a judge by name; None: the usual one. Hosts only."""
    callers.require_some_host(unit.caller)
    texts = load()
    seen = _seen(
        unit, judges.find(unit.session, judge or unit.workforce.default_judge()), [each.text for each in texts]
    )
    return [Offered(passage, each) for passage, each in zip(texts, seen, strict=True)]


def packaged(unit: Unit, passage_id: str) -> Passage | None:
    """The packaged passage of that id. Hosts only."""
    callers.require_some_host(unit.caller)
    return next((each for each in load() if each.id == passage_id), None)


def look(unit: Unit, new: NewRound) -> Looked:
    """What would become of the round. Hosts only."""
    callers.require_some_host(unit.caller)
    judge = judges.find(unit.session, new.judge or unit.workforce.default_judge())
    refused = None
    try:
        round_making.fill(unit, Round(), new)
    except RequestError as error:
        refused = error
    return Looked(_seen(unit, judge, new.passages, new.profile), refused)


def _seen(unit: Unit, judge: Judge, texts: Sequence[str], profile: str = ARENA) -> list[Seen]:
    before = _bare(unit, judge, profile)
    keys = [Question(judge.identity, profile, before, text).key for text in texts]
    rows = measurements.of_keys(unit.session, keys)
    tokens = judges.tokens(judge)
    known = {key: sum(measurements.bits(row)) for key, row in rows.items() if row.state is WorkState.KNOWN}
    return [Seen(tokens.count(text), judge.context - 1, known.get(key)) for key, text in zip(keys, texts, strict=True)]


def _bare(unit: Unit, judge: Judge, profile: str) -> str:
    """What the usual game puts before a passage to which nobody has said anything yet."""
    program = games.program(games.see(unit, games.DEFAULT))
    setup = Setup((load()[0].text,), "", {MAIN: judges.facts(judge)}, profile)
    return next((each.prefix for each in bases(program, setup)), "")
