"""What a competition's board adds up: taking part never costs anything, unless the host wants plain bits."""

import pytest

from server.arena.totals import passage_millibits
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, new_competition, pointers, problem

pytestmark = pytest.mark.both_databases

RULES = ("bits", "floored", "points", "percent")


def set_total(lesson: Class, total: str) -> Json:
    return answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"total": total}))


def totals(lesson: Class) -> list[tuple[int, str, float]]:
    items = answer(lesson.house.host.get(f"/competitions/{lesson.id}/leaderboard"))["items"]
    return [(entry["rank"], entry["player"]["name"], entry["total"]) for entry in items]


@pytest.fixture
def played(lesson: Class) -> Class:
    """Two rounds: Ada 4 and -7, Bob 2 and 1, Cyd -1 and not there, Dan 2 and 1."""
    second = str(lesson.another_round()["id"])
    for name, moves in {"Ada": ("4", "-7"), "Bob": ("2", "1"), "Cyd": ("-1",), "Dan": ("2", "1")}.items():
        player = lesson.join(name)
        for round_id, move in zip((lesson.round_id, second), moves, strict=False):
            player.score(round_id, move)
    return lesson


def test_each_rule_adds_up_what_it_says(played: Class) -> None:
    assert played.competition["total"] == "floored", "that of a new competition"
    assert totals(played) == [(1, "Ada", 4.0), (2, "Bob", 3.0), (2, "Dan", 3.0), (4, "Cyd", 0.0)]
    set_total(played, "bits")
    assert totals(played) == [(1, "Bob", 3.0), (1, "Dan", 3.0), (3, "Cyd", -1.0), (4, "Ada", -3.0)]
    set_total(played, "points")
    # Round 1: Ada 4, Bob and Dan share the second rank, 3 each, Cyd 1. Round 2: Bob and Dan 3 each, Ada 1.
    assert totals(played) == [(1, "Bob", 6.0), (1, "Dan", 6.0), (3, "Ada", 5.0), (4, "Cyd", 1.0)]


def test_percent_adds_up_what_was_saved_of_each_passage(played: Class) -> None:
    set_total(played, "percent")
    sent = dict.fromkeys(("Ada", "Bob", "Cyd", "Dan"), 0.0)
    for round_id in {row["id"] for row in answer(played.house.host.get(f"/competitions/{played.id}/rounds"))["items"]}:
        for entry in played.board(round_id):
            shown = answer(played.house.host.get(f"/submissions/{entry['submission']}"))
            (reward,) = (event for event in shown["events"] if event["type"] == "reward")
            alone = sum(token["after"] for token in reward["terms"][0]["tokens"])
            sent[entry["player"]["name"]] += max(0.0, 100 * entry["bits"] / alone)
    board = {name: total for _, name, total in totals(played)}
    assert board == pytest.approx(sent, abs=0.01)
    assert board["Ada"] > 0


@pytest.mark.parametrize("rule", ["floored", "points", "percent"])
def test_taking_part_never_lowers_a_total(played: Class, rule: str) -> None:
    set_total(played, rule)
    before = {name: total for _, name, total in totals(played)}
    third = str(played.another_round()["id"])
    late: Caller = played.join("Eve")
    late.score(third, "-9")
    after = {name: total for _, name, total in totals(played)}
    assert all(after[name] >= before[name] for name in before)
    assert after["Eve"] >= 0


def test_a_removed_player_is_in_no_ones_points(played: Class) -> None:
    set_total(played, "points")
    ada = next(each for each in answer(played.house.host.get(f"/competitions/{played.id}/players"))["items"]
               if each["name"] == "Ada")  # fmt: skip
    answer(played.house.host.post(f"/players/{ada['id']}:remove"))
    assert totals(played) == [(1, "Bob", 5.0), (1, "Dan", 5.0), (3, "Cyd", 1.0)]


def test_a_change_is_told_in_the_feed_and_kept_in_the_audit(lesson: Class) -> None:
    assert set_total(lesson, "points")["total"] == "points"
    set_total(lesson, "points")
    changed = [event for event in lesson.events() if event["type"] == "competition.changed"]
    assert [event["data"] for event in changed] == [{"total": "points"}]
    lines = lesson.house.host.get("/audit.jsonl").text.splitlines()
    rows = [line for line in lines if lesson.id in line and "competition.total" in line]
    assert len(rows) == 1
    assert '"before": "floored", "after": "points"' in rows[0]


def test_only_hosts_choose_and_only_of_what_there_is(lesson: Class) -> None:
    ada, path = lesson.join(), f"/competitions/{lesson.id}"
    problem(ada.request("PATCH", path, json={"total": "bits"}), 403, "forbidden")
    refused = problem(lesson.house.host.request("PATCH", path, json={"total": "luck"}), 422, "invalid-request")
    assert pointers(refused) == ["/total"]
    for rule in RULES:
        assert new_competition(lesson.house, total=rule)["total"] == rule


def term(function: str, factor: float, prefix: str, bits: float, **more: object) -> Json:
    token = {"text": "sea", "before": 8.0, "after": bits}
    return {"function": function, "factor": factor, "judge": "main", "text": "The sea.", "prefix_before": None,
            "prefix_after": prefix, "tokens": [token]} | more  # fmt: skip


def reward(bits: float, *terms: Json) -> Json:
    return {"type": "reward", "seat": "black", "bits": bits, "terms": list(terms)}


@pytest.mark.parametrize(
    ("events", "passage"),
    [
        ([reward(5, term("xent", 1.0, "", 8.0), term("xent", -1.0, "my words", 3.0))], 8000),
        ([reward(5, term("xed", 1.0, "my words", 3.0, prefix_before=""))], 8000),
        ([reward(-5, term("xent", -1.0, "", 8.0), term("xent", 1.0, "my words", 3.0))], None),
        ([reward(5, term("xent", 1.0, "", 8.0, text="mine"), term("xent", -1.0, "x", 3.0, text="mine"))], None),
        ([reward(4, term("xed", 1.0, "my words", 3.0, prefix_before=""))], None),
        ([reward(5, term("xed", 1.0, "a", 3.0, prefix_before="")), reward(0)], None),
        ([reward(3, term("xent", 1.0, "", 3.0))], None),
        ([reward(3)], None),
        ([], None),
    ],
)
def test_a_score_is_a_share_of_the_passage_only_where_it_is_what_words_save_of_it(
    events: list[Json], passage: int | None
) -> None:
    assert passage_millibits(events, "black", ["The  sea."]) == passage
