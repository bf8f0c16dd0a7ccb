"""A whole lesson, as a teacher gives it: from the evening before, with thirty behind one address, to the grades."""

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.db.migrate import migrate
from tests.support.scenario.deployment import PASSAGE, Deployment, answer
from tests.support.services import Postgres, Redis
from tests.support.web import text_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PUPILS = 30
ROSTER = "name;id\n" + "".join(f"Pupil {n};{1000 + n}\n" for n in range(10))  # the others join by the code
Json = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def arena(request: pytest.FixtureRequest, tmp_path: Path, own_redis: Redis) -> Iterator[Deployment]:
    postgres: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = postgres.new_database() if postgres else f"sqlite:///{tmp_path / 'arena.sqlite3'}"
    migrate(url)
    made = Deployment(tmp_path, url, own_redis.url)
    try:
        made.start_api()
        made.start_worker()
        made.judge_ready()
        yield made
    finally:
        made.stop()


class Lesson:
    """The competition, as its host runs it. pupils: name → token."""

    def __init__(self, arena: Deployment) -> None:
        self.arena, self.host = arena, arena.client()
        self.pupils: dict[str, str] = {}

    def prepare(self) -> None:
        """The evening before: a draft with a draft of a round, and a roster."""
        made = self.sent("/competitions", 201, name="Surprise", draft=True)
        self.id, self.code = made["id"], made["code"]
        draft = {"game": "condense", "passages": [PASSAGE], "attempts": 5, "duration": 600, "draft": True}
        self.round = self.sent(f"/competitions/{self.id}/rounds", 201, title="The tide", **draft)["id"]
        headers = {"Content-Type": "text/csv"}
        path = f"/competitions/{self.id}/roster"
        added = answer(self.host.post(path, content=ROSTER.encode("utf-8-sig"), headers=headers), 201)["items"]
        self.pupils |= {each["player"]["name"]: each["token"] for each in added}

    def sent(self, path: str, *statuses: int, **body: Any) -> Json:
        return answer(self.host.post(path, json=body), *statuses)

    def done(self, path: str) -> Json:
        return answer(self.host.post(path))

    def join(self, name: str) -> str:
        with closing(httpx.Client(base_url=f"{self.arena.url}/api/v1", timeout=60)) as anyone:
            joined = answer(anyone.post("/competitions:join", json={"code": self.code, "name": name}), 201)
        self.pupils[name] = joined["token"]
        return str(joined["player"]["id"])

    def asks(self, name: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.pupils[name]}"}
        return httpx.get(f"{self.arena.url}/api/v1{path}", headers=headers, timeout=60)

    def moves(self, name: str, text: str, **more: Any) -> Json:
        path = f"{self.arena.url}/api/v1/rounds/{self.round}/submissions"
        headers = {"Authorization": f"Bearer {self.pupils[name]}"}
        sent = httpx.post(path, json={"move": text, **more}, params={"wait": 30}, headers=headers, timeout=60)
        return answer(sent, 201)

    def board(self, name: str) -> list[str]:
        return [
            each["player"]["name"] for each in answer(self.asks(name, f"/rounds/{self.round}/leaderboard"))["items"]
        ]


def test_a_lesson_from_the_evening_before_to_the_grades(arena: Deployment) -> None:
    lesson = Lesson(arena)
    lesson.prepare()
    assert lesson.asks("Pupil 0", f"/competitions/{lesson.id}").status_code == 403, "it is a draft"
    lesson.done(f"/competitions/{lesson.id}:publish")
    come_in(lesson)
    lesson.done(f"/rounds/{lesson.round}:open")
    with ThreadPoolExecutor(8) as class_:
        scored = list(class_.map(lambda name: lesson.moves(name, words(name)), lesson.pupils))
    assert {each["state"] for each in scored} == {"scored"}
    on_the_wall(lesson)
    late_and_lost(lesson)
    frozen(lesson)
    extended(lesson)
    ended(lesson)
    grades(lesson)


def words(name: str) -> str:
    return ("sailors at sea", "a lamp on the pier", "waiting for boats")[int(name.split()[1]) % 3]


def come_in(lesson: Lesson) -> None:
    """Those without a card, all from one address, within a minute."""
    began = time.monotonic()
    with ThreadPoolExecutor(8) as class_:
        list(class_.map(lesson.join, [f"Pupil {n}" for n in range(len(lesson.pupils), PUPILS)]))
    assert time.monotonic() - began < 60
    assert len(answer(lesson.host.get(f"/competitions/{lesson.id}/players"))["items"]) == PUPILS


def on_the_wall(lesson: Lesson) -> None:
    with httpx.Client(base_url=lesson.arena.url, follow_redirects=True, timeout=60) as browser:
        assert browser.get(f"/show/{lesson.code}").status_code == 404, "nobody opened it here"
        origin = {"Origin": lesson.arena.url, "Accept": "text/html"}
        browser.post("/sign-in", data={"key": lesson.host.headers["Authorization"].split()[1]}, headers=origin)
        wall = browser.post(f"/host/competitions/{lesson.id}/wall", headers=origin)
        assert wall.url.path == f"/show/{lesson.code}"
        assert "The tide" in text_of(wall)
        assert lesson.board("Pupil 1")[0] in text_of(wall)


def late_and_lost(lesson: Lesson) -> None:
    """Somebody comes late, somebody lost their key, somebody is sent out and comes back."""
    late = lesson.join("Late Larry")
    assert lesson.moves("Late Larry", "the tide")["state"] == "scored"
    again = lesson.done(f"/players/{late}:new-key")
    assert lesson.asks("Late Larry", "/me").status_code == 401, "the old key ends"
    lesson.pupils["Late Larry"] = again["token"]
    lesson.done(f"/players/{late}:remove")
    assert lesson.asks("Late Larry", "/me").status_code == 403
    assert "Late Larry" not in lesson.board("Pupil 1")
    lesson.done(f"/players/{late}:readmit")
    assert "Late Larry" in lesson.board("Pupil 1")


def frozen(lesson: Lesson) -> None:
    """What comes after the freeze, others see only when it ends."""
    lesson.done(f"/competitions/{lesson.id}:freeze")
    before = lesson.asks("Pupil 1", f"/rounds/{lesson.round}/leaderboard").text
    better = lesson.moves("Pupil 2", "pier, lamp, sails, boats, tide, Mara")
    assert lesson.asks("Pupil 1", f"/rounds/{lesson.round}/leaderboard").text == before
    assert answer(lesson.asks("Pupil 2", f"/submissions/{better['id']}"))["bits"] == better["bits"], "one's own is told"
    lesson.done(f"/competitions/{lesson.id}:unfreeze")
    assert lesson.asks("Pupil 1", f"/rounds/{lesson.round}/leaderboard").text != before or better["bits"] <= 0


def extended(lesson: Lesson) -> None:
    before = datetime.fromisoformat(answer(lesson.host.get(f"/rounds/{lesson.round}"))["closes_at"])
    after = datetime.fromisoformat(lesson.sent(f"/rounds/{lesson.round}:prolong", seconds=300)["closes_at"])
    assert after - before == timedelta(minutes=5)
    assert after > datetime.now(UTC)


def ended(lesson: Lesson) -> None:
    """Others' words are read once they are revealed, and practice counts nowhere."""
    lesson.done(f"/rounds/{lesson.round}:close")
    assert lesson.asks("Pupil 1", f"/rounds/{lesson.round}/moves").status_code == 409
    lesson.sent(f"/rounds/{lesson.round}:reveal", which="top")
    shown = answer(lesson.asks("Pupil 1", f"/rounds/{lesson.round}/moves"))["items"]
    assert shown
    assert all(each["rank"] <= 3 and each["player"] is None for each in shown)
    board = lesson.asks("Pupil 1", f"/rounds/{lesson.round}/leaderboard").text
    assert lesson.moves("Pupil 1", "the best words of all", practice=True)["state"] == "scored"
    assert lesson.asks("Pupil 1", f"/rounds/{lesson.round}/leaderboard").text == board


def grades(lesson: Lesson) -> None:
    """The file has everybody with their best, as the board has them, and the ids of the roster."""
    sent = lesson.host.get(f"/competitions/{lesson.id}/results.csv")
    rows = list(csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig"))))
    board = answer(lesson.host.get(f"/rounds/{lesson.round}/leaderboard"))["items"]
    assert {row["player"]: float(row["best_bits"]) for row in rows} == {
        each["player"]["name"]: each["bits"] for each in board
    }
    assert len(rows) == PUPILS + 1
    assert {row["external_id"] for row in rows} == {"", *(str(1000 + n) for n in range(10))}
