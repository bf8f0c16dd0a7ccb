"""The feed of a competition: numbered in commit order, and whoever was away gets everything since."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from server.arena import feed
from server.http.event_stream import CACHED_EVENTS, STREAMS
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, problem, stream
from tests.support.services import Postgres, eventually
from tests.support.workers import PLAIN, at_work


def page(caller: Caller, competition: str, after: int, wait: float = 0) -> Json:
    return answer(caller.get(f"/competitions/{competition}/events", params={"after": after, "wait": wait}))


def as_streamed(events: list[Json]) -> list[Json]:
    return [{"id": event["number"], "event": event["type"], "data": event} for event in events]


# --- What is told -----------------------------------------------------------------------------------------------------


def test_everything_that_happens_is_told_once_and_in_order(lesson: Class) -> None:
    ada = lesson.join("Ada")
    host = lesson.house.host
    ada.score(lesson.round_id, "5")
    ada.score(lesson.round_id, "4")  # no better: no event
    ada.score(lesson.round_id, "6")
    for how in ("pause", "open", "close"):
        answer(host.post(f"/rounds/{lesson.round_id}:{how}"))
    answer(host.post(f"/players/{ada.id}:remove"))
    events = lesson.events()
    assert [event["number"] for event in events] == list(range(1, 9))
    here, standing = {"round": lesson.round_id}, {"player": ada.id, "round": lesson.round_id, "rank": 1}
    who = {"player": ada.id, "name": "Ada", "kind": "person"}
    assert [(event["type"], event["data"]) for event in events] == [
        ("round.opened", here),
        ("player.joined", who),
        ("standing.changed", {**standing, "bits": 5.0, "rating": None}),
        ("standing.changed", {**standing, "bits": 6.0, "rating": None}),
        ("round.paused", here),
        ("round.opened", here),
        ("round.closed", here),
        ("player.removed", who),
    ]
    assert answer(host.get(f"/competitions/{lesson.id}"))["last_event"] == 8


def test_what_changes_nothing_is_no_event(lesson: Class) -> None:
    before = lesson.events()
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:open"))
    assert lesson.events() == before


def test_no_event_ever_tells_a_move(lesson: Class) -> None:
    ada = lesson.join()
    ada.score(lesson.round_id, "xyzzy 25")
    problem(ada.submit(lesson.round_id, "xyzzy \0"), 422, "invalid-request")
    response = lesson.house.host.get(f"/competitions/{lesson.id}/events", params={"after": 0})
    assert response.json()["items"][-1]["type"] == "standing.changed"
    assert "xyzzy" not in response.text


def test_a_feed_is_its_competitions_own(lesson: Class) -> None:
    other = new_class(lesson.house, PLAIN)
    other.join()
    assert [event["number"] for event in other.events()] == [1, 2]
    assert [event["number"] for event in lesson.events()] == [1]


# --- As JSON ----------------------------------------------------------------------------------------------------------


def test_a_page_says_what_to_ask_for_next(lesson: Class) -> None:
    ada = lesson.join()
    first = page(ada, lesson.id, 0)
    assert (len(first["items"]), first["last"]) == (2, 2)
    assert page(ada, lesson.id, 1)["items"] == first["items"][1:]
    assert page(ada, lesson.id, first["last"]) == {"items": [], "last": 2}
    lesson.join()
    assert [event["number"] for event in page(ada, lesson.id, first["last"])["items"]] == [3]


def test_a_page_can_be_waited_for(lesson: Class) -> None:
    ada = lesson.join()
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        waiting = thread.submit(page, ada, lesson.id, 2, 60)
        time.sleep(0.2)
        assert not waiting.done()
        lesson.join("Bob")
        (event,) = waiting.result()["items"]
    assert event["data"]["name"] == "Bob"
    assert time.monotonic() - start < 30
    assert page(ada, lesson.id, 3, 0.3) == {"items": [], "last": 3}


# --- As a stream ------------------------------------------------------------------------------------------------------


def test_a_stream_that_was_opened_with_0_tells_everything(lesson: Class) -> None:
    ada = lesson.join()
    with stream(ada, lesson.id, 0) as events:
        assert events.take(2) == as_streamed(lesson.events())
        lesson.join("Bob")
        (new,) = events.take(1)
    assert (new["id"], new["event"], new["data"]["data"]["name"]) == (3, "player.joined", "Bob")


def test_a_stream_goes_on_after_the_last_number_seen(lesson: Class) -> None:
    ada = lesson.join()
    lesson.join()
    with stream(ada, lesson.id, 2) as events:
        assert [event["id"] for event in events.take(1)] == [3]


@pytest.mark.parametrize("last", [None, 10**12])
def test_a_stream_begins_with_what_is_new_where_nothing_or_the_future_was_seen(lesson: Class, last: int | None) -> None:
    ada = lesson.join()
    with stream(ada, lesson.id, last) as events:
        lesson.join()
        assert [event["id"] for event in events.take(1)] == [3]
        with stream(ada, lesson.id, 0) as whole:
            assert [event["id"] for event in whole.take(3)] == [1, 2, 3]


def test_a_stream_ends_when_its_token_is_given_up(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    with stream(ada, lesson.id, 3) as hers, stream(bob, lesson.id, 3) as his:
        start = time.monotonic()
        assert ada.request("DELETE", "/me/token").status_code == 204
        assert list(hers.events()) == []
        assert hers.ended
        assert time.monotonic() - start < 30
        lesson.join()
        assert [event["id"] for event in his.take(1)] == [4], "the others go on"


def test_a_stream_ends_when_its_player_is_removed(lesson: Class) -> None:
    ada = lesson.join()
    with stream(ada, lesson.id, 2) as events:
        start = time.monotonic()
        answer(lesson.house.host.post(f"/players/{ada.id}:remove"))
        told = list(events.events())
        assert events.ended
        assert [event["event"] for event in told] in ([], ["player.removed"])
        assert time.monotonic() - start < 30
    problem(ada.get(f"/competitions/{lesson.id}/events"), 403, "forbidden")


@pytest.mark.slow
def test_another_process_tells_what_this_one_did(postgres: Postgres, own_house: Callable[..., RunningApp]) -> None:
    """Two servers on one database: the notice goes through Redis."""
    url = postgres.migrated_database()
    here, there = own_house(url), own_house(url)
    with at_work(here.redis_url, PLAIN):
        eventually(lambda: here.measurable(PLAIN) and there.measurable(PLAIN), what="the judge")
        lesson = new_class(here, PLAIN)
        ada = lesson.join()
        assert ada.token
        guest = there.caller(ada.token)
        with stream(guest, lesson.id, 2) as events:
            start = time.monotonic()
            ada.score(lesson.round_id, "5")
            assert [event["event"] for event in events.take(1)] == ["standing.changed"]
            assert time.monotonic() - start < 30
            assert guest.request("DELETE", "/me/token").status_code == 204
            assert list(events.events()) == []


# --- Many, and from long ago ------------------------------------------------------------------------------------------


def test_who_is_too_far_behind_is_told_to_begin_anew(lesson: Class) -> None:
    ada = lesson.join("Ada")
    many = [("round.changed", {"round": lesson.round_id})] * CACHED_EVENTS
    lesson.house.database.write(lambda session: feed.append(session, lesson.id, many))
    newest = 2 + CACHED_EVENTS
    with stream(ada, lesson.id, 0) as late, stream(ada, lesson.id, 2) as whole:
        (told,) = late.take(1)
        assert (told["id"], told["event"], told["data"]["number"]) == (newest, "reset", newest)
        assert [event["id"] for event in whole.take(CACHED_EVENTS)] == list(range(3, newest + 1))
        lesson.join("Bob")
        assert late.take(1) == whole.take(1) == as_streamed(lesson.events(newest))
    assert len(page(ada, lesson.id, 0)["items"]) == 1_000, "pages tell all"


def test_one_participant_has_so_many_streams_open_and_others_have_theirs(lesson: Class) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    path = f"/competitions/{lesson.id}/events"
    with ExitStack() as opened:
        for _ in range(STREAMS):
            opened.enter_context(stream(ada, lesson.id))
        refused = problem(ada.get(path), 429, "limit-reached")
        assert (refused["limit"], str(STREAMS) in refused["detail"]) == ("streams", True)
        opened.enter_context(stream(bob, lesson.id))
        assert page(ada, lesson.id, 0)["last"] == 3, "pages go on"

    def again() -> bool:
        with ada.http.stream("GET", path, headers=ada.headers) as response:
            return response.status_code == 200

    eventually(again, what="a place, as soon as one was closed")


# --- Cut off and taken up again ---------------------------------------------------------------------------------------


class Writers:
    """Several hands that make things happen at the same time."""

    def __init__(self, lesson: Class, hands: int, each: int) -> None:
        self.done = threading.Event()
        self._lesson = lesson
        self._each = each
        self._threads = ThreadPoolExecutor(hands + 1)
        self._work = [self._threads.submit(self._write, number) for number in range(hands)]
        self._threads.submit(self._wait)

    def _write(self, number: int) -> None:
        player = self._lesson.join(f"writer {number}")
        for step in range(self._each):
            score = number + 10 * step
            response = player.submit(self._lesson.round_id, str(score), wait=20)
            assert response.status_code == 201, response.text
            if step % 4 == 3:
                self._lesson.join()

    def _wait(self) -> None:
        for work in self._work:
            work.exception()
        self.done.set()

    def finish(self) -> int:
        """The number of the last event that all of this made."""
        for work in self._work:
            work.result(60)
        self._threads.shutdown()
        return int(answer(self._lesson.house.host.get(f"/competitions/{self._lesson.id}"))["last_event"])


def read_in_pieces(
    caller: Caller, competition: str, enough: Callable[[int], bool], chance: random.Random
) -> list[Json]:
    """What a client sees that is cut off again and again, and each time asks for what came after."""
    seen: list[Json] = []
    while not enough(last := seen[-1]["id"] if seen else 0):
        timeout = httpx.Timeout(10, read=chance.choice([0.05, 0.2, 1]))
        try:
            with stream(caller, competition, last, timeout=timeout) as events:
                for event, _ in zip(events.events(), range(chance.randint(1, 7)), strict=False):
                    seen.append(event)
        except httpx.TimeoutException:
            continue  # cut in the middle of a silence
    return seen


def read_pages(caller: Caller, competition: str, enough: Callable[[int], bool]) -> list[Json]:
    seen: list[Json] = []
    while not enough(last := seen[-1]["number"] if seen else 0):
        seen += page(caller, competition, last, wait=0.3)["items"]
    return seen


@pytest.mark.slow
def test_a_client_that_is_cut_off_anywhere_sees_every_change_once_and_in_order(house: RunningApp) -> None:
    seed = random.randrange(2**32)
    lesson = new_class(house, PLAIN)
    writers = Writers(lesson, hands=4, each=8)
    last: list[int] = []

    def enough(number: int) -> bool:
        if not last and writers.done.is_set():
            last.append(writers.finish())
        return bool(last) and number >= last[0]

    with ThreadPoolExecutor(4) as threads:
        streams = [
            threads.submit(read_in_pieces, house.host, lesson.id, enough, random.Random(seed + i)) for i in range(3)
        ]
        pages = threads.submit(read_pages, house.host, lesson.id, enough)
        expected = pages.result(80)
        for each in streams:
            assert each.result(80) == as_streamed(expected), f"seed {seed}"
    assert [event["number"] for event in expected] == list(range(1, last[0] + 1))
    assert expected == lesson.events()
    assert sum(event["type"] == "standing.changed" for event in expected) == 4 * 8
    assert sum(event["type"] == "player.joined" for event in expected) == 4 + 4 * 2


def test_a_stream_cut_after_any_number_of_events_goes_on_with_the_next(lesson: Class) -> None:
    for _ in range(8):
        lesson.join()
    whole = as_streamed(lesson.events())
    for cut in range(len(whole)):
        with stream(lesson.house.host, lesson.id, 0) as first:
            before = first.take(cut) if cut else []
        with stream(lesson.house.host, lesson.id, cut) as second:
            assert before + second.take(len(whole) - cut) == whole
