"""A judge that this version does not bring any more: its rounds end and say why, or go on where somebody serves it."""

import pytest

from judge.loading.retired import RETIRED
from server.arena.retirement import LOST
from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import FakeJudge, hand_of


class OldJudge(FakeJudge):
    @property
    def identity(self) -> str:
        return next(iter(RETIRED))


@pytest.mark.slow
def test_its_rounds_end_with_a_word_and_go_on_where_it_is_served(house: RunningApp) -> None:
    judge = OldJudge()
    with hand_of(house.redis_url, judge) as hand:
        lesson = new_class(house, judge)
        ada = lesson.join()
        scored = answer(ada.submit(lesson.round_id, "25"), 202)
        hand.answer(*hand.take_all(2))
        eventually(lambda: answer(ada.get(f"/submissions/{scored['id']}"))["state"] == "scored", what="a score")
        waits = answer(ada.submit(lesson.round_id, "8"), 202)
        assert answer(ada.get(f"/rounds/{lesson.round_id}"))["closed_because"] is None

    eventually(lambda: answer(ada.get(f"/rounds/{lesson.round_id}"))["state"] == "closed", what="the end of the round")
    eventually(lambda: answer(ada.get(f"/submissions/{waits['id']}"))["state"] == "failed", what="the end of the wait")
    assert answer(ada.get(f"/submissions/{waits['id']}"))["reason"]["detail"] == LOST
    assert answer(ada.get(f"/submissions/{scored['id']}"))["bits"] == 25.0
    why = answer(ada.get(f"/rounds/{lesson.round_id}"))["closed_because"]
    assert "was replaced by a newer pocket" in why
    for refused in (ada.submit(lesson.round_id, "9"), house.host.post(f"/rounds/{lesson.round_id}:open")):
        assert answer(refused, 409)["detail"] == why

    with hand_of(house.redis_url, judge) as hand:
        hand.announce()
        eventually(
            lambda: house.host.post(f"/rounds/{lesson.round_id}:open").status_code == 200, what="the round, open again"
        )
        assert answer(ada.submit(lesson.round_id, "9"), 202)["state"] == "queued"
