"""Rounds of two against each other: who beat whom decides, in the order in which the plays were accepted."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from alembic import command
from openskill.models import PlackettLuce
from sqlalchemy import select

from server.arena import ratings
from server.arena.ratings import Outcome, Rating, rate
from server.db.boards import RatingAfter
from server.db.migrate import config, migrate
from tests.support.duels import begin, challenge, class_of, duel, end, move, now, set_back
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, all_at_once
from tests.support.services import Postgres, eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, at_work
from xentarena import Client

Three = tuple[Caller, Caller, Caller]

# --- The function -----------------------------------------------------------------------------------------------------


def test_a_win_a_loss_and_a_draw_are_what_openskill_makes_of_them() -> None:
    model = PlackettLuce()
    [[ada], [bob]] = model.rate([[model.rating()], [model.rating()]], ranks=[1, 2])
    [[cyd], [bob]] = model.rate([[model.rating()], [bob]], ranks=[1, 1])
    [[cyd], [ada]] = model.rate([[cyd], [ada]], ranks=[1, 2])
    found = rate([Outcome("Ada", "Bob"), Outcome("Cyd", "Bob", drawn=True), Outcome("Cyd", "Ada")])
    assert found == {
        "Ada": Rating(ada.mu, ada.sigma, 2),
        "Bob": Rating(bob.mu, bob.sigma, 2),
        "Cyd": Rating(cyd.mu, cyd.sigma, 2),
    }
    assert [found[name].value for name in found] == pytest.approx(
        [each.ordinal() for each in (ada, bob, cyd)], abs=0.000501
    )


def test_a_draw_is_the_same_from_either_side_and_of_equals_moves_nobody() -> None:
    one, other = (rate([Outcome("a", "b"), Outcome(*pair, drawn=True)]) for pair in (("a", "b"), ("b", "a")))
    assert one == other
    drawn = rate([Outcome("a", "b", drawn=True)])
    assert drawn["a"] == drawn["b"]
    assert drawn["a"].mu == ratings.NEW.mu
    assert drawn["a"].sigma < ratings.NEW.sigma


def test_who_loses_never_gains_and_who_wins_never_loses_whoever_it_was_against() -> None:
    chance = random.Random(3)
    table: dict[str, Rating] = {}
    for _ in range(3_000):
        winner, loser = chance.sample("abcdefghijkl", 2) if chance.random() < 0.5 else ("a", "l")
        before = table.get(winner, ratings.NEW).points, table.get(loser, ratings.NEW).points
        next(ratings.follow([Outcome(winner, loser)], table))
        assert table[winner].points >= before[0]
        assert table[loser].points <= before[1]


# --- The board --------------------------------------------------------------------------------------------------------


@pytest.fixture
def class_(house: RunningApp) -> Class:
    return class_of(house)


@pytest.fixture
def three(class_: Class) -> Three:
    return class_.join("Ada"), class_.join("Bob"), class_.join("Cyd")


def shown(class_: Class) -> dict[str, tuple[int, float, int]]:
    """Name → (rank, rating, plays)."""
    return {
        entry["player"]["name"]: (entry["rank"], entry["rating"]["value"], entry["rating"]["plays"])
        for entry in class_.board()
    }


def by_hand(*outcomes: Outcome) -> dict[str, tuple[int, float, int]]:
    """The same, from the outcomes alone."""
    table = rate(outcomes)
    ranks = {name: 1 + sum(other.points > each.points for other in table.values()) for name, each in table.items()}
    return {name: (ranks[name], each.value, each.plays) for name, each in table.items()}


def test_who_beats_the_others_leads_and_not_who_wins_by_most(class_: Class, three: Three) -> None:
    ada, bob, cyd = three
    duel(class_, ada, cyd, 2)
    duel(class_, bob, cyd, 40)
    best = duel(class_, ada, bob, 1)
    board = class_.board()
    assert [entry["player"]["name"] for entry in board] == ["Ada", "Bob", "Cyd"]
    assert shown(class_) == by_hand(Outcome("Ada", "Cyd"), Outcome("Bob", "Cyd"), Outcome("Ada", "Bob"))
    assert [entry["bits"] for entry in board] == [2.0, 40.0, -2.0], "the best of each stands beside the rating"
    assert best["id"] not in [entry["submission"] for entry in board]
    for entry in board:
        rating = entry["rating"]
        assert rating["value"] == pytest.approx(rating["mu"] - 3 * rating["sigma"], abs=0.000501)


def test_equal_ratings_share_a_rank_and_a_draw_is_one(class_: Class, three: Three) -> None:
    ada, bob, cyd = three
    duel(class_, ada, bob, 0)
    assert [(entry["rank"], entry["player"]["name"]) for entry in class_.board()] == [(1, "Ada"), (1, "Bob")]
    assert shown(class_) == by_hand(Outcome("Ada", "Bob", drawn=True))
    duel(class_, cyd, ada, -3)
    assert shown(class_) == by_hand(Outcome("Bob", "Ada", drawn=True), Outcome("Ada", "Cyd"))


def test_nobody_is_on_the_board_before_a_play_is_over(class_: Class, three: Three) -> None:
    ada, bob, _ = three
    begun = begin(class_, ada, bob)
    assert class_.board() == []
    end(ada, bob, begun, 5)
    assert len(class_.board()) == 2


def test_pages_of_any_size_are_the_whole_board(class_: Class) -> None:
    players = [class_.join() for _ in range(6)]
    for number in range(0, 6, 2):
        duel(class_, players[number], players[number + 1], 3)
    path, cursor, found = f"/rounds/{class_.round_id}/leaderboard", None, []
    while True:
        page = answer(players[0].get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})}))
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == class_.board()
    assert [entry["rank"] for entry in found] == [1, 1, 1, 4, 4, 4]


def test_other_games_have_no_ratings(lesson: Class) -> None:
    lesson.join().score(lesson.round_id, "5")
    assert [entry["rating"] for entry in lesson.board()] == [None]
    assert lesson.events()[-1]["data"]["rating"] is None


def test_a_round_with_ratings_adds_nothing_to_the_board_of_all_rounds(class_: Class, three: Three) -> None:
    ada, bob, _ = three
    duel(class_, ada, bob, 40)
    total = f"/competitions/{class_.id}/leaderboard"
    assert answer(ada.get(total))["items"] == []
    alone = class_.another_round()
    bob.score(str(alone["id"]), "3")
    assert [(entry["bits"], entry["rating"]) for entry in answer(ada.get(total))["items"]] == [(3.0, None)]


# --- Who leaves -------------------------------------------------------------------------------------------------------


def test_who_gives_up_or_lets_the_clock_run_out_or_does_not_move_before_the_end_has_lost(
    class_: Class, three: Three
) -> None:
    ada, bob, cyd = three
    first, _ = begin(class_, ada, bob)
    answer(ada.post(f"/submissions/{first['id']}:resign"))
    assert shown(class_) == by_hand(Outcome("Bob", "Ada"))
    assert {entry["player"]["name"]: (entry["bits"], entry["submission"]) for entry in class_.board()}["Ada"] == (
        0,
        None,
    )
    second, stays = begin(class_, bob, cyd)
    set_back(class_.house, second, 1_000)
    eventually(lambda: now(cyd, stays)["state"] == "scored", what="the end of the move clock")
    begun = begin(class_, cyd, ada)
    move(cyd, begun[0], "7")
    answer(class_.house.host.post(f"/rounds/{class_.round_id}:close"))
    assert shown(class_) == by_hand(Outcome("Bob", "Ada"), Outcome("Cyd", "Bob"), Outcome("Cyd", "Ada"))


def test_a_challenge_taken_back_and_a_play_that_breaks_off_count_nothing(house: RunningApp) -> None:
    void = 'elicit(black, x, 8)\nelicit(white, y, 8)\nassign(l=["a"])\nassign(s=l[len(x)])\nreward(black, xent(x))\n'
    class_ = class_of(house, void, passages=[])
    ada, bob = class_.join("Ada"), class_.join("Bob")
    answer(ada.post(f"/submissions/{challenge(ada, class_)['id']}:resign"))
    begun = begin(class_, ada, bob)
    assert end(ada, bob, begun, 25)["state"] == "void"
    assert class_.board() == []
    assert "standing.changed" not in [event["type"] for event in class_.events()]


# --- The order of acceptance ------------------------------------------------------------------------------------------


def rows(house: RunningApp, round_id: str) -> list[tuple[object, ...]]:
    """The whole table of a round."""
    columns = (RatingAfter.player_id, RatingAfter.mu, RatingAfter.sigma, RatingAfter.plays, RatingAfter.points)
    query = select(*columns).where(RatingAfter.round_id == round_id).order_by(RatingAfter.first, RatingAfter.number)
    return [tuple(row) for row in house.database.read(lambda session: session.execute(query).all())]


@pytest.mark.slow
def test_the_order_in_which_plays_end_does_not_matter(class_: Class, three: Three) -> None:
    """Four plays, ended in each of eight orders: in eight rounds of the same players."""
    pairs, bits = [(0, 1), (1, 2), (2, 0), (1, 0)], [5, 0, 7, -2]
    tables = []
    for order in [*random.Random(11).sample(list(permutations(range(4))), 7), (3, 2, 1, 0)]:
        round_ = class_.another_round(game=class_.round["digest"], passages=class_.round["passages"])
        again = Class(class_.house, class_.competition, round_, class_.judge)
        begun = [begin(again, three[black], three[white]) for black, white in pairs]
        for number in order:
            black, white = pairs[number]
            end(three[black], three[white], begun[number], bits[number])
        tables.append(rows(class_.house, again.round_id))
        assert shown(again) == by_hand(
            Outcome("Ada", "Bob"), Outcome("Bob", "Cyd", drawn=True), Outcome("Cyd", "Ada"), Outcome("Ada", "Bob")
        )
    assert all(table == tables[0] for table in tables)
    assert len(tables[0]) == 8


def test_a_seat_taken_late_in_an_early_challenge_does_not_move_the_play(class_: Class, three: Three) -> None:
    """Ada's challenge is the first, though Bob took it up after a play of his own had ended."""
    ada, bob, cyd = three
    first = challenge(ada, class_, seat="black", invite=bob.id)
    duel(class_, bob, cyd, 9)
    second = answer(bob.post(f"/challenges/{first['play']}:accept", json={}), 202)
    end(ada, bob, (first, second), 9)
    assert shown(class_) == by_hand(Outcome("Ada", "Bob"), Outcome("Bob", "Cyd"))
    duel(class_, cyd, bob, 9)
    assert shown(class_) == by_hand(Outcome("Ada", "Bob"), Outcome("Bob", "Cyd"), Outcome("Cyd", "Bob"))


def test_plays_that_end_at_the_same_moment_are_rated_in_order(
    class_: Class, three: Three, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    begun = [begin(class_, *(three[(number + seat) % 3] for seat in (0, 1))) for number in range(6)]

    def finish(number: int) -> None:
        end(three[number % 3], three[(number + 1) % 3], begun[number], 5 - 4 * (number % 3))

    all_at_once(6, finish)
    names = ("Ada", "Bob", "Cyd")
    assert shown(class_) == by_hand(*[_outcome(names[n % 3], names[(n + 1) % 3], 5 - 4 * (n % 3)) for n in range(6)])
    logged = capsys.readouterr().out + caplog.text
    assert not [word for word in ("request.defect", "loop.error", "batch_broken") if word in logged], logged


def _outcome(black: str, white: str, bits: float) -> Outcome:
    return Outcome(black, white) if bits > 0 else Outcome(white, black)


# --- Hidden plays and removed players ---------------------------------------------------------------------------------


def changes(class_: Class, after: int = 0) -> list[tuple[str, float | None, int | None, float | None]]:
    """The feed: name, bits, rank and rating."""
    return [
        (
            class_.house.player(data["player"]).name,
            data["bits"],
            data["rank"],
            data["rating"] and data["rating"]["value"],
        )
        for data in (event["data"] for event in class_.events(after) if event["type"] == "standing.changed")
    ]


def test_the_feed_tells_of_both_players_with_the_rank_that_the_board_has(class_: Class, three: Three) -> None:
    ada, bob, cyd = three
    for black, white, bits in ((ada, bob, 5), (bob, cyd, 3), (cyd, ada, 1)):
        last = class_.events()[-1]["number"]
        duel(class_, black, white, bits)
        board = {
            entry["player"]["name"]: (entry["bits"], entry["rank"], entry["rating"]["value"])
            for entry in class_.board()
        }
        told = changes(class_, last)
        assert {name for name, *_ in told} == {str(class_.house.player(str(each.id)).name) for each in (black, white)}
        assert {name: tuple(rest) for name, *rest in told} == {name: board[name] for name, *_ in told}


def test_a_hidden_play_counts_for_neither_until_it_is_shown_again(class_: Class, three: Three) -> None:
    ada, bob, cyd = three
    first = duel(class_, ada, bob, 5)
    duel(class_, bob, cyd, 3)
    whole = rows(class_.house, class_.round_id)
    last = class_.events()[-1]["number"]
    answer(class_.house.host.post(f"/submissions/{first['id']}:hide"))
    assert shown(class_) == by_hand(Outcome("Bob", "Cyd"))
    assert sorted(changes(class_, last)) == [("Ada", None, None, None), ("Bob", 3.0, 1, shown(class_)["Bob"][1])]
    answer(class_.house.host.post(f"/submissions/{first['id']}:show"))
    assert shown(class_) == by_hand(Outcome("Ada", "Bob"), Outcome("Bob", "Cyd"))
    assert rows(class_.house, class_.round_id) == whole


def test_a_play_that_was_hidden_before_its_end_counts_when_it_is_shown(class_: Class, three: Three) -> None:
    ada, bob, _ = three
    begun = begin(class_, ada, bob)
    answer(class_.house.host.post(f"/submissions/{begun[1]['id']}:hide"))
    end(ada, bob, begun, 5)
    assert class_.board() == []
    answer(class_.house.host.post(f"/submissions/{begun[1]['id']}:show"))
    assert shown(class_) == by_hand(Outcome("Ada", "Bob"))


def test_a_removed_player_takes_their_plays_along_and_brings_them_back(class_: Class, three: Three) -> None:
    ada, bob, cyd = three
    duel(class_, ada, bob, 5)
    duel(class_, bob, cyd, 3)
    duel(class_, cyd, ada, 0)
    whole = rows(class_.house, class_.round_id)
    answer(class_.house.host.post(f"/players/{bob.id}:remove"))
    assert shown(class_) == by_hand(Outcome("Cyd", "Ada", drawn=True))
    answer(class_.house.host.post(f"/players/{bob.id}:readmit"))
    assert rows(class_.house, class_.round_id) == whole


# --- Programs, pages, what came before --------------------------------------------------------------------------------


def test_where_programs_stand_apart_they_are_rated_together_and_ranked_apart(house: RunningApp) -> None:
    class_ = class_of(house, bots="separate")
    ada, bot, other = class_.join("Ada"), class_.join("bot", "bot"), class_.join("other", "bot")
    duel(class_, bot, ada, 5)
    duel(class_, bot, other, 5)
    table = by_hand(Outcome("bot", "Ada"), Outcome("bot", "other"))
    people, bots = class_.board(kind="person"), class_.board(kind="bot")
    assert [(entry["rank"], entry["player"]["name"]) for entry in [*people, *bots]] == [
        (1, "Ada"),
        (1, "bot"),
        (2, "other"),
    ]
    assert {entry["player"]["name"]: entry["rating"]["value"] for entry in [*people, *bots]} == {
        name: value for name, (_, value, _) in table.items()
    }
    assert {(name, rank) for name, _, rank, _ in changes(class_)} == {("Ada", 1), ("bot", 1), ("other", 2)}


def test_the_python_client_reads_ratings(class_: Class, three: Three) -> None:
    duel(class_, three[0], three[1], 5)
    with Client(class_.house.url, three[0].token) as client:
        first, second = client.leaderboard(class_.round_id)
    assert first.rating is not None
    assert second.rating is not None
    assert (first.player.name, first.rating.value, first.rating.plays) == ("Ada", 3.438, 1)
    assert second.rating.value < 0 < second.rating.sigma


def test_the_page_says_what_a_play_did_to_the_rating(class_: Class, three: Three, visitor: Visitor) -> None:
    ada, bob, cyd = three
    won, left = duel(class_, ada, bob, 5), begin(class_, ada, cyd)[0]
    answer(ada.post(f"/submissions/{left['id']}:resign"))
    visitor.sign_in(ada)
    first = text_of(visitor.get(f"/submissions/{won['id']}"))
    assert "Your first play in this round: your rating is 3.438." in first
    assert "best" not in first
    gone, value = text_of(visitor.get(f"/submissions/{left['id']}")), shown(class_)["Ada"][1]
    assert f"Your rating was 3.438 before this play and is {value:.3f} after it.".replace("-", "−") in gone
    assert f"your rating {value:.3f}".replace("-", "−") in text_of(visitor.get("/rounds"))
    assert "Rounds in which two play against each other have ratings of their own" in text_of(visitor.get("/rounds"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_plays_of_before_there_were_ratings_are_rated(
    kind: str, tmp_path: Path, postgres: Postgres, own_house: Callable[..., RunningApp]
) -> None:
    url = postgres.new_database() if kind == "postgresql" else f"sqlite:///{tmp_path / 'older.sqlite3'}"
    migrate(url)
    house = own_house(url)
    with at_work(house.redis_url, PLAIN):
        eventually(lambda: house.measurable(PLAIN), what="the judge")
        class_ = class_of(house)
        ada, bob, cyd = (class_.join(name) for name in ("Ada", "Bob", "Cyd"))
        for black, white, bits in ((ada, bob, 5), (bob, cyd, 0), (cyd, ada, -2), (ada, bob, 3)):
            duel(class_, black, white, bits)
        class_.another_round()
        table, board = rows(house, class_.round_id), class_.board()
        house.stop()
        command.downgrade(config(url), "0003")
        migrate(url)
        again = own_house(url)
        there = replace(class_, house=again)
        eventually(lambda: len(there.board()) == 3, what="the ratings")
        assert there.board() == board
        assert rows(again, class_.round_id) == table
