"""Who stands where: everyone's best counts, ties share a rank, and asking again costs nothing."""

import random
from collections import defaultdict
from itertools import groupby
from typing import Any

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, pointers, problem
from tests.support.services import eventually
from tests.support.workers import PLAIN, Hand, measurement

pytestmark = pytest.mark.both_databases


def shown(board: list[Json]) -> list[tuple[int, str, float]]:
    return [(entry["rank"], entry["player"]["name"], entry["bits"]) for entry in board]


def total_board(lesson: Class, **params: Any) -> list[Json]:
    items: list[Json] = answer(lesson.house.host.get(f"/competitions/{lesson.id}/leaderboard", params=params))["items"]
    return items


def test_an_empty_board_is_a_board(lesson: Class) -> None:
    lesson.join()
    assert lesson.board() == []
    assert total_board(lesson) == []


def test_everyones_best_counts_and_the_first_of_equal_ones(lesson: Class) -> None:
    ada = lesson.join("Ada")
    sent = {move: ada.score(lesson.round_id, move)["id"] for move in ("5", "9", "nine: 9.0", "7", "-3")}
    (entry,) = lesson.board()
    assert entry == {
        "rank": 1,
        "player": {"id": ada.id, "name": "Ada", "kind": "person"},
        "bits": 9.0,
        "submission": sent["9"],
        "rating": None,
        "total": None,
    }


def test_equal_scores_share_a_rank_and_are_listed_by_acceptance(lesson: Class) -> None:
    for name, move in [("Ada", "5"), ("Bob", "7"), ("Cyd", "5.0"), ("Dan", "7.000"), ("Eve", "6"), ("Fay", "5.001")]:
        lesson.join(name).score(lesson.round_id, move)
    assert shown(lesson.board()) == [
        (1, "Bob", 7.0),
        (1, "Dan", 7.0),
        (3, "Eve", 6.0),
        (4, "Fay", 5.001),
        (5, "Ada", 5.0),
        (5, "Cyd", 5.0),
    ]


def test_a_score_below_zero_stands_too(lesson: Class) -> None:
    lesson.join("Ada").score(lesson.round_id, "-4")
    lesson.join("Bob").score(lesson.round_id, "0")
    assert shown(lesson.board()) == [(1, "Bob", 0.0), (2, "Ada", -4.0)]


def test_the_order_of_acceptance_counts_not_that_of_the_scores(slow_lesson: Class, hand: Hand) -> None:
    players = [slow_lesson.join(name) for name in ("Ada", "Bob")]
    for player, move in zip(players, ("7", "7.0"), strict=True):
        answer(player.submit(slow_lesson.round_id, move), 202)
    hand.answer(*sorted(hand.take_all(3), key=lambda claim: -len(measurement(claim).prefix)))  # Bob's first
    eventually(lambda: len(slow_lesson.board()) == 2, what="the board")
    assert shown(slow_lesson.board()) == [(1, "Ada", 7.0), (1, "Bob", 7.0)]


def test_an_earlier_submission_that_is_scored_later_does_not_hide_a_better_one(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join("Ada")
    first, second = (answer(ada.submit(slow_lesson.round_id, move), 202) for move in ("7", "7.0"))
    hand.answer(*sorted(hand.take_all(3), key=lambda claim: -len(measurement(claim).prefix)))
    for sent in (first, second):
        answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 10}))
    assert [entry["submission"] for entry in slow_lesson.board()] == [first["id"]]


# --- Asking again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/rounds/{round}/leaderboard", "/competitions/{competition}/leaderboard"])
def test_a_board_that_has_not_changed_is_not_sent_again(lesson: Class, path: str) -> None:
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5")
    where = path.format(round=lesson.round_id, competition=lesson.id)
    first = ada.get(where)
    etag = first.headers["ETag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = ada.get(where, headers={"If-None-Match": sent})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert ada.get(where, headers={"If-None-Match": '"other"'}).status_code == 200
    ada.score(lesson.round_id, "6")
    newer = ada.get(where, headers={"If-None-Match": etag})
    assert newer.status_code == 200
    assert newer.headers["ETag"] != etag


def test_a_board_is_not_sent_again_after_what_changed_nothing_of_it(lesson: Class) -> None:
    ada = lesson.join()
    ada.score(lesson.round_id, "5")
    where = f"/rounds/{lesson.round_id}/leaderboard"
    etag = ada.get(where).headers["ETag"]
    lesson.join()
    same = ada.get(where, headers={"If-None-Match": etag})
    assert (same.status_code, same.headers["ETag"] != etag) == (304, True), "an event came, and not for this board"
    assert ada.get(where, headers={"If-None-Match": same.headers["ETag"]}).status_code == 304
    lesson.join().score(lesson.round_id, "4")
    tag = ada.get(where).headers["ETag"]
    other = ada.get(where, params={"limit": 1}, headers={"If-None-Match": tag})
    assert other.status_code == 200, "the tag of another page"


def test_a_tag_of_frozen_boards_keeps_nothing_from_a_host(lesson: Class) -> None:
    ada, host, where = lesson.join(), lesson.house.host, f"/rounds/{lesson.round_id}/leaderboard"
    ada.score(lesson.round_id, "5")
    answer(host.post(f"/competitions/{lesson.id}:freeze"))
    etags = [caller.get(where).headers["ETag"] for caller in (ada, host)]
    ada.score(lesson.round_id, "6")
    got = [caller.get(where, headers={"If-None-Match": tag}) for caller, tag in zip((ada, host), etags, strict=True)]
    assert [each.status_code for each in got] == [304, 200]


def test_an_etag_opens_no_board_to_strangers(lesson: Class) -> None:
    etag = lesson.join().get(f"/rounds/{lesson.round_id}/leaderboard").headers["ETag"]
    response = lesson.house.anyone.get(f"/rounds/{lesson.round_id}/leaderboard", headers={"If-None-Match": etag})
    problem(response, 401, "unauthorized")


def pages(caller: Caller, path: str, limit: int, **params: Any) -> list[list[Json]]:
    found, cursor = [], None
    while True:
        page = answer(caller.get(path, params={"limit": limit, **params, **({"cursor": cursor} if cursor else {})}))
        found.append(page["items"])
        if (cursor := page["next"]) is None:
            return found


def test_pages_of_any_size_are_the_whole_board(lesson: Class) -> None:
    for number in range(9):
        lesson.join().score(lesson.round_id, str(number // 3))
    for path in (f"/rounds/{lesson.round_id}/leaderboard", f"/competitions/{lesson.id}/leaderboard"):
        (whole,) = pages(lesson.house.host, path, 1_000)
        for limit in (1, 2, 4, 8, 9):
            parts = pages(lesson.house.host, path, limit)
            assert [entry for part in parts for entry in part] == whole, "ranks too are those of the whole board"
            assert all(len(part) == limit for part in parts[:-1])


def test_a_cursor_is_a_place_and_holds_while_others_move(lesson: Class) -> None:
    players = [lesson.join(f"p{number}") for number in range(4)]
    for number, player in enumerate(players):
        player.score(lesson.round_id, str(40 - number))
    path = f"/rounds/{lesson.round_id}/leaderboard"
    first = answer(lesson.house.host.get(path, params={"limit": 2}))
    players[3].score(lesson.round_id, "50")  # overtakes from behind
    players[0].score(lesson.round_id, "60")
    second = answer(lesson.house.host.get(path, params={"limit": 2, "cursor": first["next"]}))
    assert [entry["player"]["name"] for entry in second["items"]] == ["p2"]
    assert second["items"][0]["rank"] == 4


# --- Programs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["separate", "mixed"])
def both(request: pytest.FixtureRequest, house: RunningApp) -> Class:
    """Two people and two programs, in turn, best first."""
    lesson = new_class(house, PLAIN, bots=request.param)
    for name, move in [("bot 9", "9"), ("person 8", "8"), ("bot 7", "7"), ("person 6", "6")]:
        lesson.join(name, "bot" if "bot" in name else "person").score(lesson.round_id, move)
    return lesson


def test_where_programs_stand_apart_each_side_has_ranks_of_its_own(both: Class) -> None:
    people, bots = both.board(kind="person"), both.board(kind="bot")
    summed = [{**entry, "submission": None, "total": entry["bits"]} for entry in people]
    assert total_board(both, kind="person") == summed
    if both.competition["bots"] == "separate":
        assert shown(people) == [(1, "person 8", 8.0), (2, "person 6", 6.0)]
        assert shown(bots) == [(1, "bot 9", 9.0), (2, "bot 7", 7.0)]
    else:
        everyone = [(1, "bot 9", 9.0), (2, "person 8", 8.0), (3, "bot 7", 7.0), (4, "person 6", 6.0)]
        assert shown(both.board()) == everyone
        assert shown(people) == shown(bots) == everyone, "one board for all has no sides"


def test_the_rank_in_an_event_is_that_of_the_players_own_board(both: Class) -> None:
    kind = both.house.player
    ranks = {
        kind(event["data"]["player"]).name: event["data"]["rank"]
        for event in both.events()
        if event["type"] == "standing.changed"
    }
    if both.competition["bots"] == "separate":
        assert ranks == {"bot 9": 1, "person 8": 1, "bot 7": 2, "person 6": 2}
    else:
        assert ranks == {"bot 9": 1, "person 8": 2, "bot 7": 3, "person 6": 4}


# --- Hidden moves and removed players ---------------------------------------------------------------------------------


def hide(lesson: Class, submission: str, how: str = "hide") -> Json:
    return answer(lesson.house.host.post(f"/submissions/{submission}:{how}"))


def test_hiding_the_best_move_lets_the_next_one_stand(lesson: Class) -> None:
    ada = lesson.join("Ada")
    sent = {move: ada.score(lesson.round_id, move)["id"] for move in ("5", "9", "7")}
    assert hide(lesson, sent["9"])["hidden"] is True
    assert [(entry["bits"], entry["submission"]) for entry in lesson.board()] == [(7.0, sent["7"])]
    hide(lesson, sent["7"])
    hide(lesson, sent["5"])
    assert lesson.board() == []
    for move in ("7", "9"):
        hide(lesson, sent[move], "show")
    assert [(entry["bits"], entry["submission"]) for entry in lesson.board()] == [(9.0, sent["9"])]
    changes = [event["data"] for event in lesson.events() if event["type"] == "standing.changed"]
    assert [change["bits"] for change in changes] == [5.0, 9.0, 7.0, 5.0, None, 7.0, 9.0]
    assert all(set(change) == {"player", "round", "bits", "rank", "rating"} for change in changes)


def test_hiding_what_does_not_stand_changes_no_standing(lesson: Class) -> None:
    ada = lesson.join()
    sent = {move: ada.score(lesson.round_id, move)["id"] for move in ("5", "9")}
    before = lesson.events()
    hide(lesson, sent["5"])
    hide(lesson, sent["5"])
    assert [entry["bits"] for entry in lesson.board()] == [9.0]
    assert lesson.events() == before


def test_a_move_that_was_hidden_while_it_was_queued_never_comes_up(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    sent = answer(ada.submit(slow_lesson.round_id, "25"), 202)["id"]
    hide(slow_lesson, sent)
    hand.answer(*hand.take_all(2))
    assert answer(ada.get(f"/submissions/{sent}", params={"wait": 10}))["bits"] == 25.0, "it is still scored"
    assert slow_lesson.board() == []
    assert "standing.changed" not in [event["type"] for event in slow_lesson.events()]
    hide(slow_lesson, sent, "show")
    assert [entry["bits"] for entry in slow_lesson.board()] == [25.0]


def test_a_removed_player_leaves_the_others_ranks_whole(lesson: Class) -> None:
    players = {name: lesson.join(name) for name in ("Ada", "Bob", "Cyd")}
    for (_, player), move in zip(players.items(), ("9", "8", "7"), strict=True):
        player.score(lesson.round_id, move)
    answer(lesson.house.host.post(f"/players/{players['Ada'].id}:remove"))
    assert shown(lesson.board()) == [(1, "Bob", 8.0), (2, "Cyd", 7.0)]
    assert shown(total_board(lesson)) == [(1, "Bob", 8.0), (2, "Cyd", 7.0)]
    players["Cyd"].score(lesson.round_id, "7.5")
    assert lesson.events()[-1]["data"]["rank"] == 2, "the removed one does not count"


# --- The sum over rounds ----------------------------------------------------------------------------------------------


def set_total(lesson: Class, total: str) -> None:
    answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"total": total}))


def test_the_board_over_all_rounds_is_what_adding_up_by_hand_gives(house: RunningApp) -> None:
    chance = random.Random(7)
    lesson = new_class(house, PLAIN, bots="mixed")
    set_total(lesson, "bits")
    rounds = [lesson.round_id, *(str(lesson.another_round()["id"]) for _ in range(3))]
    players = [lesson.join(f"p{number}") for number in range(8)]
    scores: list[tuple[str, str, int]] = []  # player, round, millibits, in order of acceptance
    for _ in range(5):
        sent = []
        for player in chance.sample(players, 6):
            round_id, millibits = chance.choice(rounds), chance.choice([1_000, 1_500, 2_000, -500])
            move = f"{millibits / 1000}"
            sent.append((player, answer(player.submit(round_id, move), 201, 202)["id"]))
            scores.append((str(player.id), round_id, millibits))
        for player, submission in sent:
            assert answer(player.get(f"/submissions/{submission}", params={"wait": 10}))["state"] == "scored"
    for round_id in rounds:
        played = [(player, bits, at) for at, (player, where, bits) in enumerate(scores) if where == round_id]
        assert ranked(lesson.board(round_id)) == by_hand(best(played))
    totals: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for round_id in rounds:
        played = [(player, bits, at) for at, (player, where, bits) in enumerate(scores) if where == round_id]
        for name, bits, at in best(played):
            totals[name].append((bits, at))
    summed = [(player, sum(b for b, _ in each), max(at for _, at in each)) for player, each in totals.items()]
    assert ranked(total_board(lesson)) == by_hand(summed)


def best(played: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Each player's best and when it was accepted; the first of equal ones."""
    by_player = sorted(played, key=lambda each: (each[0], -each[1], each[2]))
    return [next(group) for _, group in groupby(by_player, key=lambda each: each[0])]


def by_hand(entries: list[tuple[str, int, int]]) -> list[tuple[int, str, int]]:
    """(rank, player, millibits), best first."""
    order = sorted(entries, key=lambda each: (-each[1], each[2]))
    return [(1 + sum(other > bits for _, other, _ in order), player, bits) for player, bits, _ in order]


def ranked(board: list[Json]) -> list[tuple[int, str, int]]:
    return [(entry["rank"], entry["player"]["id"], round(entry["bits"] * 1000)) for entry in board]


# --- Who may look -----------------------------------------------------------------------------------------------------


def test_a_board_never_shows_a_move(lesson: Class) -> None:
    lesson.join().score(lesson.round_id, "xyzzy 25")
    board = lesson.join().get(f"/rounds/{lesson.round_id}/leaderboard")
    assert "xyzzy" not in board.text


def test_a_made_up_cursor_is_refused_on_every_board(lesson: Class) -> None:
    for path in (f"/rounds/{lesson.round_id}/leaderboard", f"/competitions/{lesson.id}/leaderboard"):
        for cursor in ("", "1", "1.2.3", "a.b", "1.5.2", "\u0660.1 "):
            response = lesson.house.host.get(path, params={"cursor": cursor})
            assert pointers(problem(response, 422, "invalid-request")) == ["(query)/cursor"]
