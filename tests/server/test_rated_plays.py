"""Ratings as rows: after whatever happened, in whatever order, the table is what rating all plays that count gives."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from games.program import parse
from server.arena import judges, leaderboards, rated_plays
from server.arena.board_rows import LIVE
from server.arena.outbox import Outbox
from server.arena.ratings import Outcome, rate
from server.db.boards import RatingAfter, Unrated
from server.db.models import Competition, FeedEvent, Game, Play, Player, Round, RoundJudge, Submission
from server.db.session import Database, now
from server.db.states import BotPolicy, PlayerKind, RoundState, SubmissionState
from tests.support.duels import DUEL
from tests.support.workers import PLAIN

NAMES = ["Ada", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus"]
STATES = [SubmissionState.SCORED, SubmissionState.REJECTED, SubmissionState.VOID, SubmissionState.FAILED]


@pytest.fixture
def duels(database: Database) -> Database:
    """A database with a round of two against each other, called "round", and its players, called by their names."""
    program = parse(DUEL)

    def work(session: Session) -> None:
        at = now(session)
        judges.remember(session, [PLAIN.info()])
        session.add(
            Competition(id="class", name="c", code="C", bots=BotPolicy.MIXED, free_measurements=True, created_at=at)
        )
        text = {"source": program.source, "title": program.title, "description": program.description}
        session.add(Game(digest=program.digest, name="duel", version=1, packaged=False, created_at=at, **text))
        session.flush()
        when = {"opens_at": at, "created_at": at, "state": RoundState.OPEN}
        fixed = {"passages": ["The tide came in."], "seed": "s", "profile": "arena", "generated": []}
        session.add(
            Round(id="round", competition_id="class", number=1, game="duel", digest=program.digest, **when, **fixed)
        )
        for name in NAMES:
            kind = PlayerKind.PERSON
            session.add(Player(id=name, competition_id="class", name=name, name_key=name, kind=kind, joined_at=at))
        session.flush()
        session.add(RoundJudge(round_id="round", slot="main", identity=PLAIN.identity))

    database.write(work)
    return database


@dataclass(frozen=True)
class Duel:
    """A play as a test makes it up: who has which seat, and what black was given; None: black left."""

    black: str
    white: str
    bits: int | None
    state: SubmissionState = SubmissionState.SCORED


def accept(session: Session, number: int, duel: Duel) -> None:
    """A play and its seats, not over yet. What its name says is the order of acceptance."""
    play = Play(id=f"{number:05}", round_id="round", moves=[], events=[], waiting=False)
    session.add(play)
    session.flush()
    for seat, player in (("black", duel.black), ("white", duel.white)):
        more = {"state": SubmissionState.QUEUED, "engine": "e", "hidden": False, "accepted_at": now(session)}
        session.add(
            Submission(id=play.id + seat, play_id=play.id, seat=seat, round_id="round", player_id=player, **more)
        )
        session.flush()


def finish(session: Session, number: int, duel: Duel) -> None:
    left = {"black": duel.bits is None and duel.state is SubmissionState.SCORED, "white": False}
    signs = {"black": 1, "white": -1}
    for row in session.scalars(select(Submission).where(Submission.play_id == f"{number:05}")):
        row.state = SubmissionState.REJECTED if left[row.seat] else duel.state
        row.millibits = signs[row.seat] * (duel.bits or 0) if row.state is SubmissionState.SCORED else None
    if duel.state is SubmissionState.SCORED:
        mark(session, number)


def mark(session: Session, number: int) -> None:
    rated_plays.mark(session, session.get_one(Round, "round"), session.get_one(Play, f"{number:05}"))


def tell(session: Session) -> None:
    leaderboards.tell(session, "class", [])


def random_duels(count: int, seed: int) -> list[Duel]:
    chance = random.Random(seed)
    states = chance.choices(STATES, weights=[9, 0, 1, 1], k=count)
    bits = chance.choices([None, -1, 0, 1], k=count)
    return [Duel(*pair(chance), bits[each], states[each]) for each in range(count)]


def pair(chance: random.Random) -> tuple[str, str]:
    black, white = chance.sample(NAMES, 2)
    return black, white


def outcomes(duels: Sequence[Duel], gone: set[int | str]) -> list[Outcome]:
    """What counts, by hand. gone: numbers of hidden plays, and names of removed players."""
    found = []
    for number, duel in enumerate(duels):
        if duel.state is not SubmissionState.SCORED or gone & {number, duel.black, duel.white}:
            continue
        lost = duel.bits is None or duel.bits < 0
        winner, loser = (duel.white, duel.black) if lost else (duel.black, duel.white)
        found.append(Outcome(winner, loser, drawn=duel.bits == 0))
    return found


def board(database: Database) -> dict[str, tuple[float, float, int, int]]:
    """Name → mu, sigma, plays, points, from the rows that have points."""
    columns = (RatingAfter.player_id, RatingAfter.mu, RatingAfter.sigma, RatingAfter.plays, RatingAfter.points)
    query = select(*columns).where(RatingAfter.points.is_not(None))
    found = database.read(lambda session: session.execute(query).all())
    assert len(found) == len({row.player_id for row in found}), "one row of each player has points"
    return {row.player_id: (row.mu, row.sigma, row.plays, row.points) for row in found}


def by_hand(duels: Sequence[Duel], gone: set[int | str] | None = None) -> dict[str, tuple[float, float, int, int]]:
    table = rate(outcomes(duels, gone or set()))
    return {name: (each.mu, each.sigma, each.plays, each.points) for name, each in table.items()}


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_ends_gives_the_table_of_the_order_of_acceptance(duels: Database, seed: int) -> None:
    """Some transactions end one play, some several."""
    made, chance = random_duels(40, seed), random.Random(seed)

    def begin(session: Session) -> None:
        for number, each in enumerate(made):
            accept(session, number, each)

    duels.write(begin)
    order = chance.sample(range(40), 40)
    while order:
        some = [order.pop() for _ in range(min(len(order), chance.choice([1, 1, 2, 5])))]

        def end(session: Session, some: Sequence[int] = tuple(some)) -> None:
            for number in some:
                finish(session, number, made[number])
            tell(session)

        duels.write(end)
        over = [
            each if number not in order else Duel("", "", None, SubmissionState.QUEUED)
            for number, each in enumerate(made)
        ]
        assert board(duels) == by_hand(over)
    rows = duels.read(lambda session: session.scalar(select(func.count()).select_from(RatingAfter)))
    assert rows == 2 * len(outcomes(made, set()))


@pytest.mark.parametrize("seed", range(3))
def test_hiding_and_removing_and_undoing_it_leave_what_counts(duels: Database, seed: int) -> None:
    made, chance = random_duels(25, seed), random.Random(seed)

    def whole(session: Session) -> None:
        for number, each in enumerate(made):
            accept(session, number, each)
            finish(session, number, each)
        tell(session)

    duels.write(whole)
    gone: set[int | str] = set()
    for _ in range(20):
        what: int | str = chance.randrange(25) if chance.random() < 0.5 else chance.choice(NAMES)
        gone ^= {what}

        def change(session: Session, what: int | str = what, out: bool = what in gone) -> None:
            if isinstance(what, str):
                session.get_one(Player, what).removed = out
                rated_plays.mark_player(session, what)
            else:
                query = select(Submission).where(Submission.play_id == f"{what:05}").order_by(Submission.id)
                session.scalars(query.limit(1)).one().hidden = out
                mark(session, what)
            tell(session)

        duels.write(change)
        assert board(duels) == by_hand(made, gone)


def test_a_transaction_rates_no_more_than_it_may_and_the_sweeper_does_the_rest(duels: Database) -> None:
    count = 2 * rated_plays.AT_ONCE + 10
    made = [Duel(*pair(random.Random(each)), each % 3 - 1) for each in range(count)]

    def whole(session: Session) -> None:
        for number, each in enumerate(made):
            accept(session, number, each)
            finish(session, number, each)

    duels.write(whole)
    rated = select(func.count()).select_from(RatingAfter)
    duels.write(tell)
    assert duels.read(lambda session: session.scalar(rated)) == 2 * rated_plays.AT_ONCE
    outboxes: list[Outbox] = []
    while True:
        outbox = Outbox()
        if not duels.write(partial(leaderboards.rate_on, outbox=outbox)):
            break
        outboxes.append(outbox)
    assert [outbox.competitions for outbox in outboxes] == [{"class"}, {"class"}], "who looks at the board is told"
    assert board(duels) == by_hand(made)
    assert duels.read(lambda session: session.scalars(select(Unrated)).all()) == []


def test_where_the_newest_play_ends_no_other_is_rated_again_and_the_feed_tells_of_its_two(duels: Database) -> None:
    made = [*random_duels(12, 5), Duel("Ada", "Bob", 1), Duel("Ada", "Bob", 1)]

    def one(session: Session, number: int) -> None:
        accept(session, number, made[number])
        finish(session, number, made[number])
        tell(session)

    for number in range(13):
        duels.write(partial(one, number=number))
    assert board(duels) == by_hand(made[:-1])
    told = feed(duels)
    assert len(told) == 2 * len(outcomes(made[:-1], set()))
    duels.write(lambda session: session.execute(update(RatingAfter).where(RatingAfter.points.is_(None)).values(mu=99)))
    duels.write(partial(one, number=13))
    assert board(duels) == by_hand(made)
    old = select(RatingAfter.mu).where(RatingAfter.points.is_(None)).order_by(RatingAfter.first)
    mus = duels.read(lambda session: session.scalars(old).all())
    assert set(mus[:-2]) == {99.0}
    assert 99.0 not in mus[-2:], "those of the two who were newest until now"
    ranks = leaderboard(duels)
    assert [(each["player"], each["rank"]) for each in feed(duels)[len(told) :]] == [
        (name, ranks[name]) for name in ("Ada", "Bob")
    ]


def feed(database: Database) -> list[dict[str, Any]]:
    events = database.read(lambda session: session.scalars(select(FeedEvent).order_by(FeedEvent.number)).all())
    return [event.data for event in events if event.type == "standing.changed"]


def leaderboard(database: Database) -> dict[str, int]:
    found = database.read(lambda session: leaderboards.of_round(session, session.get_one(Round, "round"), LIVE))
    return {entry.player.id: entry.rank for entry in found}
