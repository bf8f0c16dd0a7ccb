"""What a seat may see of a play: what it was shown and said, and the bits of its rewards, not the texts behind them."""

from games.protocol import Ask, Event, MoveMade, Reveal, Reward, Shown, Term
from games.values.bits import TermToken, TokenBits
from games.visibility import seen


def _reward(text: str, prefix: str) -> Reward:
    term = Term("xed", 1.0, "main", text, "", prefix, (TermToken(text, 3.0, 1.0, 2.0),))
    return Reward("alice", 2.0, (TokenBits(text, 2.0),), 4, (term,))


SHOWN = Reveal("alice", 2, (Shown("s", "a secret sea"), Shown("l", ("boats",))))
SAID = MoveMade("alice", "x", "waves", False, 3)
OTHERS = Ask("bob", "x", 5, 3)


def test_a_seat_that_sees_every_register_sees_every_event() -> None:
    events: list[Event] = [SHOWN, SAID, OTHERS, _reward("unknown", "to alice")]
    assert seen(events, "black") == events


def test_other_seats_see_their_own_events_with_what_they_know() -> None:
    known = _reward("a secret sea", "waves")
    assert seen([SHOWN, SAID, OTHERS, known], "alice") == [SHOWN, SAID, known]
    assert seen([SHOWN, SAID, OTHERS], "bob") == [OTHERS]


def test_a_reward_on_a_text_that_was_not_shown_keeps_its_bits_alone() -> None:
    assert seen([SHOWN, SAID, _reward("not shown", "waves")], "alice")[-1] == Reward("alice", 2.0, (), 4)


def test_a_reward_behind_a_prefix_that_was_not_shown_keeps_its_tokens_and_no_terms() -> None:
    told = seen([SHOWN, SAID, _reward("a secret sea", "not shown")], "alice")[-1]
    assert told == Reward("alice", 2.0, (TokenBits("a secret sea", 2.0),), 4)
