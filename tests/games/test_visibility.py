"""What a seat may see of a play: what it was shown and said, and the bits of its rewards, not the texts behind them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from games.engine import advance
from games.errors import ProgramErrors
from games.events import to_json
from games.preview import preview
from games.program import Program, parse
from games.protocol import (
    Ask,
    Effect,
    Event,
    Log,
    Move,
    MoveMade,
    NeedMove,
    Reveal,
    Reward,
    Setup,
    Shown,
    ShownBits,
    Term,
)
from games.values.bits import TermToken, TokenBits
from games.visibility import seen
from tests.games import playing, programs, table_judge


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


def test_bits_of_a_text_that_was_not_shown_are_told_and_not_spelled() -> None:
    secret, known = ShownBits(3.0, (TokenBits("no", 3.0),)), ShownBits(1.0, (TokenBits("a secret sea", 1.0),))
    told = seen([SHOWN, Reveal("alice", 3, (Shown(None, secret), Shown(None, known)))], "alice")[-1]
    assert told == Reveal("alice", 3, (Shown(None, ShownBits(3.0, ())), Shown(None, known)))


def test_a_part_of_what_was_shown_is_another_text() -> None:
    """Bob's "no" stands in the "now" that alice was shown, and "eat" is made of letters that she was."""
    letters = Reveal("alice", 2, (Shown("l", ("a", "e", "t")), Shown("s", "now")))
    for hidden in ("no", "eat"):
        assert seen([letters, _reward(hidden, "")], "alice")[-1] == Reward("alice", 2.0, (), 4)


def test_texts_that_were_shown_may_be_joined_and_have_spaces_between() -> None:
    for text in ("a secret sea", " a secret sea\n", "a secret sea waves", "a secret sea a secret sea waves"):
        told = seen([SHOWN, SAID, _reward(text, "a secret sea waves")], "alice")[-1]
        assert isinstance(told, Reward)
        assert told.terms


def _to_alice(source: str) -> str:
    """The program with all that it shows and gives shown and given to alice, who does not see what bob says."""
    lines = [re.sub(r"^(reveal|reward)\((?:\w+, (?=\S))?", r"\1(alice, ", line) for line in source.split("\n")]
    return "\n".join(["assign(s=story(), t=story())", "elicit(bob, y, 9)", "elicit(alice, x, 9)", *lines])


def _hidden(number: int) -> str:
    """Words of letters that stand nowhere else."""
    return " ".join(chr(0x4E00 + 20 * number + letter) * 2 for letter in range(4))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (each for item in value.values() for each in _strings(item))
    elif isinstance(value, list | tuple):
        yield from (each for item in value for each in _strings(item))


def _shown_to(seat: str, effects: Sequence[Effect]) -> set[str]:
    """All letters that a program has shown the seat by itself: in what it reveals, and in registers that it sees."""
    reveals = [event for event in effects[-1].events if isinstance(event, Reveal) and event.seat == seat]
    values = [shown.value for event in reveals for shown in event.values if not isinstance(shown.value, ShownBits)]
    seen_at_moves = [dict(each.registers) for each in effects if isinstance(each, NeedMove) and each.seat == seat]
    return set("".join(_strings([values, seen_at_moves])))


@pytest.mark.slow
def test_no_answer_to_a_seat_spells_what_it_was_not_shown() -> None:
    tried: Counter[str] = Counter()

    @settings(max_examples=400, database=None, suppress_health_check=list(HealthCheck))
    @given(programs.programs, st.lists(programs.words, min_size=1, max_size=6))
    def try_one(source: str, said: list[str]) -> None:
        try:
            of = parse(_to_alice(source))
        except ProgramErrors:
            return
        given_ = playing.setup(*[_hidden(number) for number in range(of.passages)], slots=of.judges)
        steps = _played(of, given_, said)
        effects = [effect for _, effect in steps]
        secret = {letter for number in range(300) for letter in _hidden(number)} - {" "} - _shown_to("alice", effects)
        told = [to_json(seen(effects[-1].events, "alice")), *_previews(of, given_, steps)]
        assert secret.isdisjoint("".join(_strings(told)))
        everything = [event for event in effects[-1].events if event.seat == "alice"]
        tried["spelled"] += not secret.isdisjoint("".join(_strings(to_json(everything))))
        tried["moved"] += any(isinstance(event, MoveMade) for event in everything)

    try_one()
    assert tried["spelled"] > 4, "few programs measure what alice does not see"
    assert tried["moved"] > 50


def _played(of: Program, setup: Setup, said: list[str]) -> list[tuple[Log, Effect]]:
    """Alice says what is given, all others what nobody else says."""
    log, steps, mine = Log(), [], iter(said)
    for number in range(100, 300):
        effect, log = advance(of, setup, log, table_judge.known)
        steps.append((log, effect))
        if not isinstance(effect, NeedMove):
            break
        move = next(mine, None) if effect.seat == "alice" else _hidden(number)
        if move is None:
            break
        log = Log((*log.moves, Move(effect.seat, move)), log.bits)
    return steps


def _previews(of: Program, setup: Setup, steps: Sequence[tuple[Log, Effect]]) -> list[object]:
    asked = [log for log, effect in steps if isinstance(effect, NeedMove) and effect.seat == "alice"]
    return [to_json(preview(of, setup, log, table_judge.known, "alice", "aa bb").events) for log in asked]
