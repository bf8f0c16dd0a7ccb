"""A round is prepared as a draft, edited until its first move, and prolonged while it runs."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from server.arena import rounds
from server.db.models import Round
from tests.support.games import TWO_STEPS
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Class, Json, RunningApp, all_at_once, new_class, nothing_changes, pointers, problem
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

OTHER = "The court rose at noon, and the town went home in the rain."


def moment(**later: float) -> str:
    """A moment from now, as the API writes it."""
    return (datetime.now(UTC) + timedelta(**later)).isoformat().replace("+00:00", "Z")


def moment_after(at: datetime, hours: float) -> str:
    return (at + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def seconds_until(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()


def act(lesson: Class, round_id: str, action: str, **body: Any) -> Json:
    return answer(lesson.house.host.post(f"/rounds/{round_id}:{action}", json=body or None), 200, 201)


def change(lesson: Class, round_id: str, **changes: Any) -> httpx.Response:
    return lesson.house.host.request("PATCH", f"/rounds/{round_id}", json=changes)


def shown(lesson: Class, round_id: str | None = None) -> Json:
    return answer(lesson.house.host.get(f"/rounds/{round_id or lesson.round_id}"))


def audited(house: RunningApp, target: str) -> list[str]:
    return [row[0] for row in house.sql("SELECT action FROM audit WHERE target = :it ORDER BY number", it=target)]


# --- Running one ------------------------------------------------------------------------------------------------------


def test_a_round_is_prolonged_as_often_as_its_host_presses_and_everybody_hears_it(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at=moment(minutes=10))
    before = datetime.fromisoformat(lesson.round["closes_at"])
    all_at_once(4, lambda _: act(lesson, lesson.round_id, "prolong", seconds=60))
    ends = datetime.fromisoformat(shown(lesson)["closes_at"])
    assert ends == before + timedelta(minutes=4)
    told = [each["data"] for each in lesson.events() if each["type"] == "round.changed"]
    assert len(told) == 4
    assert told[-1] == {"round": lesson.round_id, "closes_at": ends.isoformat()}
    assert audited(house, lesson.round_id).count("round.end") == 4


def test_what_has_no_end_or_has_ended_is_not_prolonged(lesson: Class) -> None:
    path = f"/rounds/{lesson.round_id}:prolong"
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(path, json={"seconds": 60}), 409, "round-without-end")
    lesson.close()
    ada = lesson.join()
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(path, json={"seconds": 60}), 409, "round-closed")
        problem(change(lesson, lesson.round_id, closes_at=moment(hours=1)), 409, "round-closed")
        for wrong in (0, -60, 10**12, "60", None):
            problem(lesson.house.host.post(path, json={"seconds": wrong}), 422, "invalid-request")
        problem(ada.post(path, json={"seconds": 60}), 403, "forbidden")


def test_a_round_is_not_prolonged_beyond_the_life_of_anybody(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at=moment(days=1))
    with nothing_changes(house):
        century = house.host.post(f"/rounds/{lesson.round_id}:prolong", json={"seconds": 3_155_760_000})
        assert pointers(problem(century, 422, "invalid-request")) == ["/closes_at"]


def test_a_round_is_given_another_end_after_its_first_move_too(lesson: Class) -> None:
    lesson.join().score(lesson.round_id, "5")
    end = moment(minutes=20)
    assert answer(change(lesson, lesson.round_id, closes_at=end))["closes_at"] == end
    assert answer(change(lesson, lesson.round_id, closes_at=None))["closes_at"] is None
    with nothing_changes(lesson.house):
        refused = problem(change(lesson, lesson.round_id, closes_at=moment(minutes=-1)), 422, "invalid-request")
        assert pointers(refused) == ["/closes_at"]


def test_a_closed_round_says_when_it_closed_and_is_opened_again_until_another_time(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at=moment(minutes=10))
    lesson.close()
    closed = shown(lesson)
    assert -5 < seconds_until(closed["closed_at"]) <= 0.5
    assert answer(lesson.join().get(f"/rounds/{lesson.round_id}"))["closed_at"] == closed["closed_at"]
    end = moment(minutes=3)
    again = act(lesson, lesson.round_id, "open", closes_at=end)
    assert (again["state"], again["closes_at"], again["closed_at"]) == ("open", end, None)
    path = f"/rounds/{lesson.round_id}:open"
    with nothing_changes(house):
        refused = problem(house.host.post(path, json={"closes_at": moment(minutes=-3)}), 422, "invalid-request")
        assert pointers(refused) == ["/closes_at"]


def test_a_round_that_the_clock_closed_says_its_own_end(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, closes_at=moment(minutes=10))
    past = "2026-01-31T12:00:00+00:00"
    at = datetime.fromisoformat(past).replace(tzinfo=None) if "sqlite" in house.database.url else past
    house.sql("UPDATE rounds SET closes_at = :at WHERE id = :id", at=str(at), id=lesson.round_id)
    assert datetime.fromisoformat(shown(lesson)["closed_at"]) == datetime.fromisoformat(past)


# --- Preparing one ----------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(lesson: Class) -> Json:
    return lesson.another_round(draft=True, title="Warming up", duration=1200)


def test_nobody_but_hosts_sees_a_draft_before_it_is_published(lesson: Class, draft: Json) -> None:
    ada, told = lesson.join(), len(lesson.events())
    assert (draft["draft"], draft["state"], draft["opens_at"]) == (True, "scheduled", None)
    assert (draft["title"], draft["game_title"]) == ("Warming up", "Condense")
    for path in (f"/rounds/{draft['id']}", f"/rounds/{draft['id']}/leaderboard", f"/rounds/{draft['id']}/moves"):
        problem(ada.get(path), 404, "not-found")
    problem(ada.submit(draft["id"], "5"), 404, "not-found")
    seen = answer(ada.get(f"/competitions/{lesson.id}/rounds"))["items"]
    assert [each["id"] for each in seen] == [lesson.round_id]
    answer(change(lesson, draft["id"], title="Warmer"))
    assert len(lesson.events()) == told, "not in the feed either"
    published = act(lesson, draft["id"], "publish")
    assert (published["draft"], published["state"]) == (False, "open")
    assert 1190 < seconds_until(published["closes_at"]) <= 1200, "it lasts from when it opens"
    assert ada.score(draft["id"], "5")["bits"] == 5.0
    assert answer(ada.get(f"/rounds/{draft['id']}"))["title"] == "Warmer"


def test_a_draft_with_a_time_is_scheduled_by_publishing_it(lesson: Class) -> None:
    draft = lesson.another_round(draft=True, opens_at=moment(hours=1), duration=600)
    ada = lesson.join()
    published = act(lesson, draft["id"], "publish")
    assert (published["state"], published["draft"]) == ("scheduled", False)
    lasts = datetime.fromisoformat(published["closes_at"]) - datetime.fromisoformat(published["opens_at"])
    assert lasts == timedelta(minutes=10)
    assert answer(ada.get(f"/rounds/{draft['id']}"))["passages"] == []
    assert [each["type"] for each in lesson.events()][-1] == "round.changed"
    opened = act(lesson, draft["id"], "open")
    assert 590 < seconds_until(opened["closes_at"]) <= 600, "opened early it lasts as long"


def test_an_end_is_said_in_one_way_or_the_other(lesson: Class, draft: Json) -> None:
    assert answer(change(lesson, draft["id"], opens_at=moment(hours=1)))["duration"] == 1200
    fixed = answer(change(lesson, draft["id"], closes_at=(end := moment(hours=3))))
    assert (fixed["closes_at"], fixed["duration"]) == (end, None)
    lasting = answer(change(lesson, draft["id"], duration=60))
    ends = datetime.fromisoformat(lasting["closes_at"]) - datetime.fromisoformat(lasting["opens_at"])
    assert (ends, lasting["duration"]) == (timedelta(minutes=1), 60)
    endless = answer(change(lesson, draft["id"], closes_at=None))
    assert (endless["closes_at"], endless["duration"]) == (None, None)


def test_the_clock_neither_opens_nor_closes_a_draft(lesson: Class, draft: Json) -> None:
    house = lesson.house
    past = datetime(2026, 1, 31, 12, tzinfo=None if "sqlite" in house.database.url else UTC)
    house.sql("UPDATE rounds SET closes_at = :at WHERE id = :id", at=str(past), id=draft["id"])
    assert draft["competition"] not in house.database.write(rounds.due_rounds)
    assert shown(lesson, draft["id"])["state"] == "scheduled"
    with nothing_changes(house):
        refused = problem(house.host.post(f"/rounds/{draft['id']}:publish"), 422, "invalid-request")
        assert pointers(refused) == ["/closes_at"]
        problem(house.host.post(f"/rounds/{draft['id']}:close"), 409, "round-draft")
        problem(house.host.post(f"/rounds/{draft['id']}:pause"), 409, "round-not-open")


WINDOWS: dict[str, tuple[Callable[[], Json], str]] = {
    "wholly past": (lambda: {"opens_at": moment(hours=-2), "closes_at": moment(hours=-1)}, "/closes_at"),
    "reversed": (lambda: {"opens_at": moment(hours=2), "closes_at": moment(hours=1)}, "/closes_at"),
    "no time at all": (lambda: dict.fromkeys(("opens_at", "closes_at"), moment(hours=1)), "/closes_at"),
    "lasted": (lambda: {"opens_at": moment(hours=-2), "duration": 60}, "/closes_at"),
    "an end said twice": (lambda: {"closes_at": moment(hours=1), "duration": 60}, "/duration"),
    "in a thousand years": (lambda: {"opens_at": "3026-01-01T00:00:00Z"}, "/opens_at"),
    "at the end of time": (lambda: {"closes_at": "9999-12-31T23:59:59-12:00"}, "/closes_at"),
    "at its beginning": (lambda: {"opens_at": "0001-01-01T00:00:00+14:00"}, "/opens_at"),
    "for no time": (lambda: {"duration": 0}, "/duration"),
    "for half a second": (lambda: {"duration": 0.5}, "/duration"),
    "for ever": (lambda: {"duration": 10**12}, "/duration"),
    "beyond a hundred years": (lambda: {"opens_at": "2120-01-01T00:00:00Z", "duration": 3_000_000_000}, "/closes_at"),
}


@pytest.mark.parametrize(("window", "at"), WINDOWS.values(), ids=WINDOWS.keys())
def test_a_window_that_cannot_be_is_refused(lesson: Class, window: Callable[[], Json], at: str) -> None:
    body = {"game": "condense", "passages": ["A text."], "judge": "plain"}
    draft = lesson.another_round(draft=True)
    with nothing_changes(lesson.house):
        for more in ({}, {"draft": True}):
            made = lesson.house.host.post(f"/competitions/{lesson.id}/rounds", json=body | window() | more)
            assert pointers(problem(made, 422, "invalid-request")) == [at]
        assert pointers(problem(change(lesson, draft["id"], **window()), 422, "invalid-request")) == [at]


#: Hours from now. For each time of opening those of closing, in the same order; x: refused at the end.
TIMES = (None, -2, -1, 1, 2)
PAIRS = {None: "-xx--", -2: "-xx--", -1: "-xx--", 1: "-xxx-", 2: "-xxxx"}


def pairs() -> Iterator[tuple[Json, bool]]:
    """Every pair of an opening and an end, and whether it can be."""
    at = datetime.now(UTC)
    for opens, marks in PAIRS.items():
        for closes, mark in zip(TIMES, marks, strict=True):
            said = {"opens_at": opens, "closes_at": closes}
            yield {name: hours and moment_after(at, hours) for name, hours in said.items()}, mark == "-"


def as_typed(window: Json) -> dict[str, str]:
    """As a form has it."""
    return {name: (at or "")[:16] for name, at in window.items()} | {"zone": "UTC"}


@pytest.mark.slow
def test_every_pair_of_times_is_as_good_in_every_way_of_setting_it(lesson: Class, visitor: Visitor) -> None:
    host, made = lesson.house.host, f"/competitions/{lesson.id}/rounds"
    body = {"game": "condense", "passages": ["A text."], "judge": "plain"}
    draft = lesson.another_round(draft=True)["id"]
    coming = lesson.another_round(opens_at=moment(hours=5), closes_at=moment(hours=6))["id"]
    visitor.sign_in(host)
    form = {"game": "condense", "passages": "A text.", "judge": "plain", "draft": ""}
    for window, good in pairs():
        answers = [
            host.post(made, json=body | window),
            host.post(made, json=body | window | {"draft": True}),
            change(lesson, draft, **window),
        ]
        if not good:  # what is there stays as it is, and may be tried again
            answers += [change(lesson, each, **window) for each in (coming, lesson.round_id)]
        for answered in answers:
            assert (answered.status_code < 300) is good, (window, answered.text)
            assert good or pointers(problem(answered, 422, "invalid-request")) == ["/closes_at"]
        pages = [visitor.send(f"/host{made}", **form, **as_typed(window))]
        if not good:
            pages += [visitor.send(f"/host/rounds/{each}/edit", **as_typed(window)) for each in (draft, coming)]
        for page in pages:
            assert (page.status_code == 200) is good, (window, page.status_code)
            assert good or "closes_at" in page.text.partition('aria-invalid="true"')[0].rpartition("<input")[2]


def test_no_round_opens_goes_on_or_is_published_for_a_time_that_is_past(lesson: Class) -> None:
    """By opening it, again or for the first time, by prolonging it; and a copy has no time at all."""
    house, past = lesson.house, {"closes_at": moment(hours=-1)}
    draft = lesson.another_round(draft=True, opens_at=moment(hours=1), closes_at=moment(hours=2))["id"]
    over = lesson.another_round(closes_at=moment(hours=1))["id"]
    then = {name: datetime.now(UTC) + timedelta(hours=hours) for name, hours in (("opens_at", -2), ("closes_at", -1))}
    house.database.write(lambda session: session.execute(
        update(Round).where(Round.id.in_((draft, over))).values(then)))  # fmt: skip
    lesson.close()
    ways = [
        *((f"/rounds/{each}:open", past) for each in (draft, over, lesson.round_id)),
        *((f"/rounds/{draft}:{how}", None) for how in ("open", "publish")),
        (f"/rounds/{draft}:prolong", {"seconds": 60}),
    ]
    with nothing_changes(house):
        for path, body in ways:
            refused = house.host.post(path, json=body) if body else house.host.post(path)
            assert pointers(problem(refused, 422, "invalid-request")) == ["/closes_at"], path
    copy = answer(house.host.post(f"/rounds/{over}:duplicate"), 201)
    assert (copy["opens_at"], copy["closes_at"], copy["duration"]) == (None, None, 3600)
    assert answer(house.host.post(f"/rounds/{over}:open"))["closes_at"] is None, "it has ended, and has no end any more"


def test_windows_that_overlap_are_warned_of_and_not_refused(lesson: Class, visitor: Visitor) -> None:
    """Before, into, within, the same, and after; and once the first has ended nothing is left to be warned of."""
    after = partial(moment_after, datetime.now(UTC))
    first = lesson.another_round(opens_at=after(2), closes_at=after(4))
    assert first["warnings"] == [], "the round that is open has no end"
    for opens, closes, overlaps in ((1, 2, 0), (1, 3, 1), (2, 4, 1), (2.5, 3.5, 1), (4, 5, 0)):
        made = lesson.another_round(opens_at=after(opens), closes_at=after(closes), draft=True)
        assert [each["round"] for each in made["warnings"]] == [first["id"]] * overlaps, (opens, closes)
        if overlaps:
            said = f"Round {first['number']} is open at the same time, from "
            assert made["warnings"][0]["detail"].startswith(said)
            assert answer(lesson.join().get(f"/rounds/{first['id']}"))["warnings"] == []
            visitor.sign_in(lesson.house.host)
            assert said in text_of(visitor.get(f"/host/competitions/{lesson.id}"))
        answer(lesson.house.host.post(f"/rounds/{made['id']}:delete"))
    second = lesson.another_round(opens_at=after(6), duration=3600)
    moved = answer(change(lesson, second["id"], opens_at=after(3.5)))
    assert [each["round"] for each in moved["warnings"]] == [first["id"]]
    assert [each["round"] for each in shown(lesson, first["id"])["warnings"]] == [second["id"]]
    answer(lesson.house.host.post(f"/rounds/{first['id']}:close"))
    assert shown(lesson, second["id"])["warnings"] == []


# --- Editing one ------------------------------------------------------------------------------------------------------


def test_an_open_round_is_edited_until_its_first_move(lesson: Class) -> None:
    ada = lesson.join()
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["passages"] == [PASSAGE]
    edited = answer(change(lesson, lesson.round_id, passages=[OTHER], attempts=3, title="  Noon  "))
    assert (edited["passages"], edited["attempts"], edited["title"]) == ([OTHER], 3, "Noon")
    assert edited["state"] == "open"
    seen = answer(ada.get(f"/rounds/{lesson.round_id}"))
    assert (seen["passages"], seen["attempts_left"]) == ([OTHER], 3)
    played = ada.score(lesson.round_id, "5")
    assert played["bits"] == 5.0
    with nothing_changes(lesson.house):
        for fields in ({"passages": [PASSAGE]}, {"attempts": 5}, {"game": "condense_strict"}, {"seed": "x"}):
            problem(change(lesson, lesson.round_id, **fields), 409, "round-played")
    assert answer(change(lesson, lesson.round_id, title=None))["title"] == "Condense"
    assert audited(lesson.house, lesson.round_id) == ["round.create", "round.change", "round.change"]


def test_another_game_is_checked_like_a_new_round(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        refused = problem(change(lesson, lesson.round_id, game="contrast"), 422, "invalid-request")
        assert pointers(refused) == ["/passages"]
        for name, wrong in (("game", "chess"), ("judges", {"second": "plain"}), ("draft", True), ("title", "a\u202eb")):
            assert pointers(problem(change(lesson, lesson.round_id, **{name: wrong}), 422, "invalid-request"))
    game = lesson.house.install_game(TWO_STEPS)
    assert answer(change(lesson, lesson.round_id, game=game))["digest"] == game
    ada = lesson.join()
    assert answer(ada.submit(lesson.round_id, "2"), 201)["state"] == "awaiting_move"


def test_another_game_has_a_clock_of_its_own(lesson: Class) -> None:
    duel = lesson.another_round(game="debate", draft=True)
    assert duel["move_seconds"] == 300
    assert answer(change(lesson, duel["id"], game="condense"))["move_seconds"] is None
    assert answer(change(lesson, duel["id"], game="debate", move_seconds=60))["move_seconds"] == 60


def test_a_change_that_changes_nothing_is_told_to_nobody(lesson: Class) -> None:
    with nothing_changes(lesson.house):
        answer(change(lesson, lesson.round_id))
        answer(change(lesson, lesson.round_id, passages=[PASSAGE], attempts=None))
    assert [each["type"] for each in lesson.events()] == ["round.opened"]


def test_of_an_edit_and_the_first_move_exactly_one_wins(house: RunningApp) -> None:
    """Whatever was played was played on the text that the round has."""
    won = []
    for _ in range(12):
        lesson = new_class(house, PLAIN)
        ada = lesson.join()
        work = (
            partial(ada.submit, lesson.round_id, "5", wait=20),
            partial(change, lesson, lesson.round_id, passages=[OTHER]),
        )
        moved, edited = all_at_once(2, partial(_run, work))
        answer(moved, 201)
        won.append(edited.status_code)
        if edited.status_code == 409:
            problem(edited, 409, "round-played")
        text = shown(lesson)["passages"][0]
        assert text == (OTHER if edited.status_code == 200 else PASSAGE)
        play = answer(ada.get(f"/submissions/{moved.json()['id']}"))
        assert "".join(each["text"] for each in play["events"][-1]["tokens"]) == text
    assert set(won) <= {200, 409}


def _run(work: Sequence[Callable[[], httpx.Response]], number: int) -> httpx.Response:
    return work[number]()
