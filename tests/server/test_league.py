"""The league: bots rated by each round that has ended, against what plain openskill makes of the same rankings."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from openskill.models import PlackettLuce

from server.arena import league
from server.arena.ratings import NEW, Rating, rate_ranking
from server.web.league_chart import Course, courses_svg
from server.web.rendering import shown_bits
from tests.support.duels import class_of, duel
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class
from tests.support.web import Visitor, nothing_from_elsewhere, text_of
from tests.support.workers import PLAIN
from xentarena import Client

Ranking = Mapping[str, int]
Lines = dict[str, tuple[int, int, list[float]]]


def by_hand(*rankings: Ranking) -> Lines:
    """Name → rank, rounds, and the rating after each: all of a round are rated at once, rounds one after another."""
    model, table, histories = PlackettLuce(), dict[str, Any](), dict[str, list[float]]()
    for ranks in rankings:
        teams = [[table.get(name) or model.rating()] for name in ranks]
        for name, [rating] in zip(ranks, model.rate(teams, ranks=list(ranks.values())), strict=True):
            table[name] = rating
            histories.setdefault(name, []).append(round(rating.ordinal(), 3))
    latest = [history[-1] for history in histories.values()]
    return {
        name: (1 + sum(other > history[-1] for other in latest), len(history), history)
        for name, history in histories.items()
    }


# --- The function -----------------------------------------------------------------------------------------------------


def test_all_who_are_ranked_are_rated_at_once_as_openskill_does() -> None:
    chance, model = random.Random(5), PlackettLuce()
    for count in (2, 3, 7, 40):
        table = {f"bot {n}": Rating(chance.uniform(5, 45), chance.uniform(0.5, 9), n) for n in range(1, count)}
        ranks = {f"bot {n}": chance.randint(1, 1 + count // 2) for n in range(count)}
        before = [table.get(name, NEW) for name in ranks]
        teams = [[model.rating(each.mu, each.sigma)] for each in before]
        after = model.rate(teams, ranks=list(ranks.values()))
        assert rate_ranking(ranks, table) == {
            name: Rating(now.mu, now.sigma, old.plays + 1)
            for name, old, [now] in zip(ranks, before, after, strict=True)
        }


# --- A season ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Season:
    """A competition of three bots and a person; `play` has them all play a round that nobody has played in."""

    lesson: Class
    players: Mapping[str, Caller]

    def play(self, round_id: str, **moves: int) -> None:
        for name, move in moves.items():
            self.players[name].score(round_id, str(move))

    def round_of(self, **moves: int) -> str:
        round_id = str(self.lesson.another_round()["id"])
        self.play(round_id, **moves)
        return round_id

    def do(self, round_id: str, how: str) -> None:
        answer(self.lesson.house.host.post(f"/rounds/{round_id}:{how}"))

    def ended(self, **moves: int) -> str:
        round_id = self.round_of(**moves)
        self.do(round_id, "close")
        return round_id

    def items(self, who: Caller | None = None, **params: int | str) -> list[Json]:
        path = f"/competitions/{self.lesson.id}/league"
        found: list[Json] = answer((who or self.players["Ada"]).get(path, params=params))["items"]
        return found

    def lines(self, who: Caller | None = None) -> Lines:
        return {
            each["player"]["name"]: (each["rank"], each["rounds"], [mark["rating"] for mark in each["history"]])
            for each in self.items(who)
        }


@pytest.fixture
def season(lesson: Class) -> Season:
    bots = {name: lesson.join(name, "bot") for name in ("Wren", "Lark", "Kite")}
    return Season(lesson, bots | {"Ada": lesson.join("Ada")})


def numbers(items: Sequence[Json], name: str) -> list[int]:
    (history,) = (each["history"] for each in items if each["player"]["name"] == name)
    return [mark["number"] for mark in history]


def test_rounds_count_in_the_order_in_which_they_ended_and_only_bots_are_in_it(season: Season) -> None:
    assert season.items() == []
    season.play(season.lesson.round_id, Wren=9, Lark=5, Ada=50)  # round 1
    second = season.round_of(Kite=8, Lark=8, Wren=2)
    assert season.items() == [], "no round has ended"
    season.do(second, "close")
    season.do(season.lesson.round_id, "close")
    season.ended(Kite=4, Ada=5)  # one bot has nobody to be compared with
    season.ended(Ada=5)
    season.round_of(Kite=70, Wren=1)  # is still open
    first: Ranking = {"Wren": 1, "Lark": 2}
    assert season.lines() == by_hand({"Kite": 1, "Lark": 1, "Wren": 3}, first)
    items = season.items()
    assert numbers(items, "Wren") == [2, 1]
    assert numbers(items, "Kite") == [2]
    assert {each["player"]["kind"] for each in items} == {"bot"}
    for each in items:
        assert each["rating"] == each["history"][-1]["rating"] == round(each["mu"] - 3 * each["sigma"], 3)
    pages = [season.items(limit=1, cursor=str(start)) for start in range(3)]
    assert [each for page in pages for each in page] == items
    with Client(season.lesson.house.url, season.players["Kite"].token) as kite:
        assert [each.model_dump() for each in kite.league()] == items


def test_what_leaves_a_board_leaves_the_league_and_a_reopened_round_does_until_it_ends_again(season: Season) -> None:
    host = season.lesson.house.host
    first = season.ended(Wren=9, Lark=5, Kite=3)
    second = season.ended(Wren=2, Lark=5, Kite=7)
    whole: list[Ranking] = [{"Wren": 1, "Lark": 2, "Kite": 3}, {"Kite": 1, "Lark": 2, "Wren": 3}]
    assert season.lines() == by_hand(*whole)

    best = season.lesson.board(first, kind="bot")[0]["submission"]
    answer(host.post(f"/submissions/{best}:hide"))
    assert season.lines() == by_hand({"Lark": 1, "Kite": 2}, whole[1])
    answer(host.post(f"/submissions/{best}:show"))
    assert season.lines() == by_hand(*whole)

    answer(host.post(f"/players/{season.players['Lark'].id}:remove"))
    assert season.lines() == by_hand({"Wren": 1, "Kite": 2}, {"Kite": 1, "Wren": 2})
    answer(host.post(f"/players/{season.players['Lark'].id}:readmit"))
    assert season.lines() == by_hand(*whole)

    season.do(first, "open")
    assert season.lines() == by_hand(whole[1])
    season.play(first, Kite=60)
    season.do(first, "close")
    assert season.lines() == by_hand(whole[1], {"Kite": 1, "Wren": 2, "Lark": 3})
    assert season.players["Wren"].score(first, "90", practice=True)["bits"] == 90
    assert season.lines() == by_hand(whole[1], {"Kite": 1, "Wren": 2, "Lark": 3})
    season.do(second, "delete")
    assert season.lines() == by_hand({"Kite": 1, "Wren": 2, "Lark": 3})


def test_while_the_boards_are_frozen_players_see_the_league_as_it_was(season: Season, visitor: Visitor) -> None:
    host, competition = season.lesson.house.host, season.lesson.id
    first = season.ended(Wren=9, Lark=5)
    best = season.lesson.board(first, kind="bot")[0]["submission"]
    open_ = season.round_of(Wren=1, Lark=2)
    answer(host.post(f"/competitions/{competition}:freeze"))
    before: Ranking = {"Wren": 1, "Lark": 2}
    season.do(open_, "close")
    season.ended(Kite=1, Lark=7)
    answer(host.post(f"/submissions/{best}:hide"))
    now = by_hand({"Lark": 1, "Wren": 2}, {"Lark": 1, "Kite": 2})  # in the first one bot stands alone by now
    assert season.lines() == by_hand(before)
    assert season.lines(host) == now
    for who, told in ((season.players["Ada"], "the league stands as it was"), (host, "you see it as it is")):
        visitor.sign_in(who)
        page = text_of(visitor.get(f"/competitions/{competition}/league"))
        assert told in page
        assert ("Kite" in page) == (who is host), "the round in which Kite stands ended after the freeze"
    answer(host.post(f"/competitions/{competition}:unfreeze"))
    assert season.lines() == now


def test_of_a_round_with_very_many_bots_the_best_are_rated(season: Season, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(league, "MOST", 2)
    season.ended(Wren=5, Lark=9, Kite=9)
    assert [each["rank"] for each in season.items()] == [1, 1], "equal ones share a rank"
    season.ended(Wren=5, Lark=4, Kite=3)
    assert season.lines() == by_hand({"Lark": 1, "Kite": 1}, {"Wren": 1, "Lark": 2})


def test_rounds_of_black_against_white_count_by_their_ratings(house: RunningApp) -> None:
    class_ = class_of(house)
    wren, lark, kite = (class_.join(name, "bot") for name in ("Wren", "Lark", "Kite"))
    season = Season(class_, {"Ada": class_.join("Ada")})
    duel(class_, wren, lark, 1)
    duel(class_, kite, lark, 40)  # more bits, and the same win
    duel(class_, wren, kite, 2)
    assert [entry["player"]["name"] for entry in class_.board()] == ["Wren", "Kite", "Lark"]
    class_.close()
    first: Ranking = {"Wren": 1, "Kite": 2, "Lark": 3}
    assert season.lines() == by_hand(first)
    other = str(class_.another_round()["id"])
    for bot, move in ((lark, "9"), (kite, "3")):
        bot.score(other, move)
    season.do(other, "close")
    assert season.lines() == by_hand(first, {"Lark": 1, "Kite": 2})


def test_bots_that_share_the_board_with_people_are_ranked_among_themselves(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, bots="mixed")
    ada, wren, lark = lesson.join("Ada"), lesson.join("Wren", "bot"), lesson.join("Lark", "bot")
    for player, move in ((ada, "6"), (wren, "9"), (lark, "5")):
        player.score(lesson.round_id, move)
    lesson.close()
    assert [entry["player"]["name"] for entry in lesson.board()] == ["Wren", "Ada", "Lark"]
    assert Season(lesson, {"Ada": ada}).lines() == by_hand({"Wren": 1, "Lark": 2})


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_page_has_everybodys_rating_as_a_table_and_as_lines(season: Season, visitor: Visitor) -> None:
    lesson, page = season.lesson, f"/competitions/{season.lesson.id}/league"
    visitor.sign_in(season.players["Ada"])
    season.play(lesson.round_id, Ada=50)
    assert page not in visitor.get("/rounds").text, "no round has ended"
    lesson.close()
    assert page in visitor.get("/rounds").text
    assert "There is no league yet" in text_of(visitor.get(page))
    evil = "<b>Robin</b> the very long name"
    season = Season(lesson, {**season.players, "Robin": lesson.join(evil, "bot")})
    season.ended(Wren=9, Lark=5, Robin=3)
    season.ended()
    season.ended(Wren=2, Kite=5)
    found = visitor.get(page)
    nothing_from_elsewhere(found)
    assert f'data-part="{page}/part"' in found.text
    assert visitor.get(f"{page}/part").text.strip() in found.text, "what is fetched anew when a round ends"
    lines, told = season.lines(), text_of(found)
    assert set(lines) == {"Wren", "Lark", "Kite", evil}
    for name, (rank, count, history) in lines.items():
        assert re.search(
            rf"\b{rank} {re.escape(name)} [\d.]+ ± [\d.]+ after {count} rounds? {shown_bits(history[-1])}", told
        ), name
    assert "After 2 rounds" in told
    assert "Ada" not in told.replace("Signed in as Ada", "")
    svg = found.text[found.text.index("<svg") : found.text.index("</svg>")]
    assert svg.count("<polyline") == len(lines)
    assert svg.count("<circle") == sum(count for _rank, count, _history in lines.values())
    assert "&lt;b&gt;Robin&lt;/b&gt;" in svg
    assert "<b>Robin" not in found.text
    visitor.send("/sign-in", key=HOST_TOKEN, instead="yes")
    assert page in visitor.get(f"/host/competitions/{lesson.id}").text
    assert text_of(visitor.get(page)).count("Kite") == told.count("Kite")


def test_names_of_lines_that_end_at_one_height_stand_apart() -> None:
    chance = random.Random(2)
    for count in (1, 2, 8):
        ends = sorted((chance.uniform(0, 3) for _ in range(count)), reverse=True)
        courses = [Course(rank, f"bot {rank}", [None, end]) for rank, end in enumerate(ends, start=1)]
        svg = courses_svg(courses, [4, 7], "Ratings")
        names = [float(y) for y in re.findall(r'<text x="259" y="([\d.]+)"', svg)]
        assert len(names) == count
        assert all(below - above >= 13.9 for above, below in pairwise(names))
        height = float(re.search(r'viewBox="0 0 \d+ (\d+)"', svg)[1])  # type: ignore[index]
        assert 0 < names[0] <= names[-1] < height
