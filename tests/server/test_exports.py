"""Results and moves as files: what a spreadsheet and a program read there is what the board shows."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from server.arena import exports
from server.arena.callers import authenticate
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.models import Play, Player, Submission
from server.db.session import now
from server.db.states import PlayerKind, SubmissionState
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class, problem
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN
from xentarena import ApiError, Client

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://a.example","b")', "=cmd|' /C calc'!A0"]


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf"), "spreadsheets know UTF-8 by it"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), strict=True))


def of(lesson: Class, what: str) -> httpx.Response:
    return lesson.house.host.get(f"/competitions/{lesson.id}/{what}")


def moves_of(lesson: Class) -> list[Json]:
    response = of(lesson, "moves.jsonl")
    assert response.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in response.text.splitlines()]


def test_the_results_are_what_the_boards_show(lesson: Class) -> None:
    second = lesson.another_round(attempts=3)["id"]
    ada, bob, cyd = (lesson.join(name) for name in ("Ada", 'Bob, the "second"', "Çyd 漢字"))
    for player, round_id, move in [(ada, lesson.round_id, "5"), (ada, lesson.round_id, "3"), (bob, second, "-2.5"),
                                   (cyd, lesson.round_id, "7.25"), (ada, second, "1")]:  # fmt: skip
        player.score(round_id, move)
    rows = table(of(lesson, "results.csv"))
    assert list(rows[0]) == list(exports.RESULTS)
    for number, round_id in enumerate((lesson.round_id, second), start=1):
        board = [(each["player"]["name"], each["bits"]) for each in lesson.board(round_id)]
        assert [(row["player"], float(row["best_bits"])) for row in rows if row["round"] == str(number)] == board
    assert {(row["player"], row["round"]): row["attempts"] for row in rows} == {
        ("Ada", "1"): "2", ("Çyd 漢字", "1"): "1", ("Ada", "2"): "1", ('Bob, the "second"', "2"): "1",
    }  # fmt: skip
    best = next(each["submission"] for each in lesson.board() if each["player"]["name"] == "Ada")
    (row,) = (row for row in rows if (row["player"], row["round"]) == ("Ada", "1"))
    assert row["best_at"][:19] == answer(ada.get(f"/submissions/{best}"))["accepted_at"][:19]
    assert row["title"] == "Condense"


def test_a_try_without_a_score_is_a_row_without_bits(lesson: Class) -> None:
    ada = lesson.join("Ada")
    sent = ada.score(lesson.round_id, "5")["id"]
    answer(lesson.house.host.post(f"/submissions/{sent}:hide"))
    (row,) = table(of(lesson, "results.csv"))
    assert (row["player"], row["best_bits"], row["percent_saved"], row["attempts"]) == ("Ada", "", "", "1")


def test_what_was_saved_of_the_passage_is_a_percentage(lesson: Class) -> None:
    ada = lesson.join("Ada")
    shown = ada.score(lesson.round_id, "5")
    (reward,) = (event for event in shown["events"] if event["type"] == "reward")
    alone = sum(token["after"] for token in reward["terms"][0]["tokens"])
    (row,) = table(of(lesson, "results.csv"))
    assert float(row["percent_saved"]) == pytest.approx(100 * shown["bits"] / alone, abs=0.01)


def test_a_competition_without_players_has_a_head_and_no_rows(lesson: Class) -> None:
    for what, columns in (("results.csv", exports.RESULTS), ("moves.csv", exports.MOVES)):
        assert of(lesson, what).content.decode("utf-8-sig") == ",".join(columns) + "\r\n"
    assert of(lesson, "moves.jsonl").text == ""


def test_every_move_is_there_in_both_forms(lesson: Class) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    sent = [
        player.score(lesson.round_id, move) for player, move in ((ada, "5"), (bob, 'two\nlines, "and" 3'), (ada, "-4"))
    ]
    answer(lesson.house.host.post(f"/submissions/{sent[0]['id']}:hide"))
    answer(lesson.house.host.post(f"/players/{bob.id}:remove"))
    lines, rows = moves_of(lesson), table(of(lesson, "moves.csv"))
    assert (
        [line["submission"] for line in lines] == [row["submission"] for row in rows] == [each["id"] for each in sent]
    )
    assert [line["moves"] for line in lines] == [["5"], ['two\nlines, "and" 3'], ["-4"]]
    assert [row["moves"] for row in rows] == ["5", 'two\nlines, "and" 3', "'-4"], "a text, which no spreadsheet runs"
    assert [line["bits"] for line in lines] == [float(row["bits"]) for row in rows] == [each["bits"] for each in sent]
    assert [line["rewards"] for line in lines] == [json.loads(row["rewards"]) for row in rows]
    assert [line["hidden"] for line in lines] == [True, False, False]
    assert [row["hidden"] for row in rows] == ["true", "false", "false"]
    for line, each in zip(lines, sent, strict=True):
        same = ("state", "seat", "profile", "build", "play")
        assert {name: line[name] for name in same} == {name: each[name] for name in same}
        assert line["judge_identity"] == PLAIN.identity
        assert list(line) == list(exports.MOVES)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_and_numbers_stay_numbers(lesson: Class, text: str) -> None:
    lesson.join(text).score(lesson.round_id, text)
    (row,) = table(of(lesson, "moves.csv"))
    assert (row["player"], row["moves"]) == (f"'{text}", f"'{text}")
    (result,) = table(of(lesson, "results.csv"))
    assert result["player"] == f"'{text}"
    float(result["best_bits"])
    for what in ("moves.csv", "results.csv"):
        for each in table(of(lesson, what)):
            for column, cell in each.items():
                assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n")), (column, cell)
                assert not cell.startswith("-") or column in ("bits", "best_bits", "percent_saved")
    assert moves_of(lesson)[0]["moves"] == [text], "programs get it as it was"


def test_a_score_below_zero_is_a_number_not_a_text(lesson: Class) -> None:
    lesson.join().score(lesson.round_id, "say -4")
    (row,) = table(of(lesson, "results.csv"))
    assert float(row["best_bits"]) < 0


def test_files_have_names_and_are_for_hosts_only(lesson: Class) -> None:
    ada = lesson.join()
    for what in ("results.csv", "moves.csv", "moves.jsonl"):
        path = f"/competitions/{lesson.id}/{what}"
        assert f'filename="{lesson.id}-{what}"' in of(lesson, what).headers["content-disposition"]
        problem(ada.get(path), 403, "forbidden")
        problem(lesson.house.anyone.get(path), 401, "unauthorized")
        problem(lesson.house.host.get(f"/competitions/cmp_none/{what}"), 404, "not-found")
    problem(ada.get("/audit.jsonl"), 403, "forbidden")


def test_the_client_saves_a_file_whole_or_not_at_all(lesson: Class, tmp_path: Path) -> None:
    lesson.join("Ada").score(lesson.round_id, "5")
    with Client(lesson.house.url, lesson.house.host.token) as client:
        client.save_results(tmp_path / "results.csv", lesson.id)
        client.save_moves(tmp_path / "moves.csv", lesson.id)
        client.save_moves(tmp_path / "moves.jsonl", lesson.id)
        with pytest.raises(ApiError):
            client.save_moves(tmp_path / "none.jsonl", "cmp_none")
    for what in ("results.csv", "moves.csv", "moves.jsonl"):
        assert (tmp_path / what).read_bytes() == of(lesson, what).content
    assert sorted(each.name for each in tmp_path.iterdir()) == ["moves.csv", "moves.jsonl", "results.csv"]


def test_the_hosts_page_leads_to_the_files_and_changes_the_total(lesson: Class, visitor: Visitor) -> None:
    visitor.sign_in(lesson.house.host)
    page = visitor.get(f"/host/competitions/{lesson.id}")
    for what in ("results.csv", "moves.csv", "moves.jsonl"):
        assert f'href="/api/v1/competitions/{lesson.id}/{what}"' in page.text
        assert visitor.get(f"/api/v1/competitions/{lesson.id}/{what}").content == of(lesson, what).content
    assert "below zero counts as 0" in text_of(page)
    changed = visitor.send(f"/host/competitions/{lesson.id}/total", total="points")
    assert "one for every other player who does not have more" in text_of(changed)
    assert visitor.send(f"/host/competitions/{lesson.id}/total", total="luck").status_code == 422


def test_players_read_on_the_board_what_it_adds_up(lesson: Class, visitor: Visitor) -> None:
    visitor.join(lesson, "Ada")
    assert "below zero counts as 0" in text_of(visitor.get("/rounds"))
    answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"total": "points"}))
    board = text_of(visitor.get("/rounds/board"))
    assert "one for every other player" in board
    assert "Points" in board
    assert "Everybody's total" not in text_of(visitor.get(f"/rounds/{lesson.round_id}"))


# --- Many moves -------------------------------------------------------------------------------------------------------

MANY = 20_000


@pytest.fixture
def crowd(house: RunningApp) -> Class:
    """A class with very many moves, put there as rows: played one by one they would take minutes."""
    lesson = new_class(house, PLAIN)
    house.database.write(lambda session: _crowd(session, lesson))
    return lesson


def _crowd(session: Session, lesson: Class) -> None:
    at, key = now(session), lesson.id
    who = {"id": f"ply_{key}", "competition_id": key, "name": "Ada", "name_key": "ada", "kind": PlayerKind.PERSON,
           "removed": False, "joined_at": at}  # fmt: skip
    session.execute(insert(Player), [who])
    plays = [{"id": f"{key}-{i}", "round_id": lesson.round_id, "moves": [{"seat": "black", "text": f"move {i} " * 20}],
              "events": [], "waiting": False, "vacant": 0} for i in range(MANY)]  # fmt: skip
    session.execute(insert(Play), plays)
    session.execute(
        insert(Submission),
        [{"id": f"sub-{each['id']}", "play_id": each["id"], "seat": "black", "round_id": lesson.round_id,
          "player_id": who["id"], "state": SubmissionState.SCORED, "millibits": 1000, "rewards": {"black": 1.0},
          "engine": "1", "hidden": False, "practice": False, "accepted_at": at, "finished_at": at} for each in plays],
    )  # fmt: skip


@pytest.mark.slow
def test_twenty_thousand_moves_come_whole_and_in_little_memory(crowd: Class) -> None:
    lines = of(crowd, "moves.jsonl").text.splitlines()
    assert len(lines) == MANY
    assert json.loads(lines[-1])["moves"] == [f"move {MANY - 1} " * 20]
    peak = _peak(crowd)
    assert peak < 8_000_000, f"{peak:,} bytes for some {sum(map(len, lines)):,} that were sent"


def _peak(crowd: Class) -> int:
    """The most bytes that reading all moves holds at a time."""
    house = crowd.house

    def work(session: Session) -> Iterator[exports.Row]:
        caller = authenticate(session, house.host.token)
        return exports.moves(Unit(session, Outbox(), caller, house.settings, Workforce()), crowd.id)

    tracemalloc.start()
    try:
        assert sum(1 for _ in house.database.stream(work)) == MANY
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
