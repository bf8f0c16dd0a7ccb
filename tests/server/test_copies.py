"""Moves that are nearly somebody else's are pointed out to the host, and to nobody else."""

import pytest

from tests.support.server import Class
from tests.support.web import Visitor, text_of

FIRST = "an old captain waits for the tide"
NEAR = [
    FIRST,
    "An old captain, waits for the TIDE!",
    "an old captian waits for the tide",
    "an old captain waits for the spring tide",
    "an old captain waits the tide",
    "an old ｃaptain waits for the tide",
]
FAR = [
    "an old captain waits for a ship",
    "captain",
    "the tide waits for an old captain",
    "a young captain sails on the tide",
]


@pytest.mark.parametrize("said", NEAR)
def test_a_near_copy_is_a_lead_in_the_hosts_list(lesson: Class, visitor: Visitor, said: str) -> None:
    first = lesson.join("Ada").score(lesson.round_id, FIRST)["id"]
    copy = lesson.join("Bob").score(lesson.round_id, said)
    visitor.sign_in(lesson.house.host)
    page = visitor.get(f"/host/competitions/{lesson.id}")
    assert text_of(page).count("nearly what Ada said before") == 1
    assert f'nearly <a href="/submissions/{first}">' in page.text
    assert copy["state"] == "scored"
    assert len(lesson.board()) == 2, "it is a lead, and no penalty"


def test_what_is_far_or_short_or_ones_own_or_of_another_round_is_none(lesson: Class, visitor: Visitor) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    other = str(lesson.another_round()["id"])
    for said in (FIRST, FIRST, "captain", "old captain"):
        ada.score(lesson.round_id, said)
    for said in [*FAR, "old captain"]:
        bob.score(lesson.round_id, said)
    bob.score(other, FIRST)
    visitor.sign_in(lesson.house.host)
    assert "said before" not in text_of(visitor.get(f"/host/competitions/{lesson.id}"))


def test_players_are_not_told(lesson: Class, visitor: Visitor) -> None:
    lesson.join("Ada").score(lesson.round_id, FIRST)
    bob = lesson.join("Bob")
    sent = bob.score(lesson.round_id, FIRST)["id"]
    visitor.sign_in(bob)
    assert "said before" not in text_of(visitor.get(f"/submissions/{sent}"))
    assert "Ada" not in bob.get(f"/submissions/{sent}").text
