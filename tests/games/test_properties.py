"""What holds of every program and every play, tried on random ones."""

import contextlib
import json
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from games import limits
from games.engine import replay
from games.errors import LogError, ProgramErrors, SetupError
from games.events import from_json, to_json
from games.preflight import check_round, warnings
from games.program import parse
from games.protocol import Effect, Finished, Log, NeedBits, NeedMove, Reward
from games.syntax.source import normalised
from tests.games import playing, table_judge
from tests.games.programs import moves, programs, texts

_some = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])


def _all_steps(source: str, said: list[str]) -> list[tuple[Log, Effect]]:
    program = parse(source)
    passages = ["aa bb cc" if place % 2 else "Ж dragon's é" for place in range(program.passages)]
    setup = playing.setup(*passages, slots=program.judges)
    return playing.steps(program, setup, said)


@_some
@given(programs, st.lists(moves, max_size=6))
def test_the_same_log_always_gives_the_same_effect(source: str, said: list[str]) -> None:
    first = _all_steps(source, said)
    assert _all_steps(source, said) == first


@_some
@given(programs, st.lists(moves, max_size=6), st.data())
def test_a_play_can_be_cut_anywhere_and_resumed_to_the_same_end(
    source: str, said: list[str], data: st.DataObject
) -> None:
    program = parse(source)
    setup = playing.setup(*["aa bb cc"] * program.passages)
    steps = playing.steps(program, setup, said)
    log, effect = data.draw(st.sampled_from(steps))
    stored = Log(tuple(log.moves), dict(reversed(list(log.bits.items()))))
    assert replay(parse(program.source), setup, stored) == effect


@_some
@given(programs, st.lists(moves, max_size=6))
def test_the_events_of_an_effect_begin_with_those_of_every_earlier_one(source: str, said: list[str]) -> None:
    before: tuple[object, ...] = ()
    for _, effect in _all_steps(source, said):
        assert effect.events[: len(before)] == before
        before = effect.events


@_some
@given(programs, st.lists(moves, max_size=6))
def test_knowing_more_bits_than_asked_for_changes_nothing(source: str, said: list[str]) -> None:
    program = parse(source)
    setup = playing.setup(*["aa bb cc"] * program.passages)
    steps = playing.steps(program, setup, said)
    everything = {question: table_judge.bits(question) for log, _ in steps for question in log.bits}
    for log, effect in steps:
        if not isinstance(effect, NeedBits):
            assert replay(program, setup, Log(log.moves, everything)) == effect


@_some
@given(programs, st.lists(moves, max_size=6))
def test_every_effect_is_json_and_within_the_budgets(source: str, said: list[str]) -> None:
    for log, effect in _all_steps(source, said):
        written = json.loads(json.dumps(to_json(effect.events), allow_nan=False))
        assert from_json(written) == effect.events
        assert len(log.bits) <= limits.MEASUREMENTS
        assert len(log.moves) <= limits.MOVES
        if isinstance(effect, NeedMove):
            for value in effect.registers.values():
                assert len("".join(value)) <= limits.LIST_CHARACTERS
        if isinstance(effect, NeedBits):
            assert not set(effect.measurements) & set(log.bits)
            assert len(set(effect.measurements)) == len(effect.measurements) > 0


WITHOUT_TERMS = ("max(", "min(", "greatest(", "clip(")  # which bring in plain numbers, or leave tokens out


@_some
@given(programs, st.lists(moves, max_size=6))
def test_the_tokens_of_a_reward_add_up_to_it_and_rewards_to_the_score(source: str, said: list[str]) -> None:
    effect = _all_steps(source, said)[-1][1]
    totals: dict[str, float] = {}
    for event in effect.events:
        if isinstance(event, Reward):
            added = 0.0
            for token in event.tokens:
                added += token.bits
            assert added == event.bits
            if not any(name in source for name in WITHOUT_TERMS):
                made = [term.factor * token.bits for term in event.terms for token in term.tokens]
                assert math.isclose(math.fsum(made), event.bits, abs_tol=1e-9)
            totals[event.seat] = totals.get(event.seat, 0.0) + event.bits
    if isinstance(effect, Finished):
        for seat, reward in effect.rewards.items():
            assert reward == totals.get(seat, 0.0)


@_some
@given(programs)
def test_a_checked_round_is_refused_by_its_own_error_or_not_at_all(source: str) -> None:
    program = parse(source)
    setup = playing.setup(*["aa bb cc"] * program.passages, context=12)
    with contextlib.suppress(SetupError):
        check_round(program, setup)


@_some
@given(programs)
def test_every_program_can_be_looked_through_for_traps(source: str) -> None:
    lines = source.count("\n") + 1
    assert all(1 <= line <= lines for line, _ in warnings(parse(source)))


@_some
@given(programs)
def test_a_program_is_the_same_after_normalising(source: str) -> None:
    program = parse(source)
    again = parse(program.source)
    assert again == program
    assert parse(source.replace("\n", "\r\n") + "\n\n  ").digest == program.digest
    assert normalised(program.source) == program.source


_PIECES = [
    *("assign", "(", ")", "s", "=", '"', "story()", "xent", "[", "]", "|", "not ", "\\d", "1in ", "\n", "0x", "1_"),
    *(".split", "'''", "{", "lambda", "**", "*", ":=", "\ud800", "é", " ", "#", "r'", "f'", "-", "~", "\u3000"),
]
_junk = st.one_of(
    st.text(max_size=200),
    st.text(st.sampled_from("assign(s=xent|[]\"'\\.,0123456789 +-*/%~#\n{}lambda:e_é\u2028\x00if"), max_size=200),
    st.lists(st.sampled_from(_PIECES), max_size=60).map("".join),
)


@settings(max_examples=600)
@given(_junk)
def test_the_parser_raises_nothing_but_its_own_errors_on_junk(source: str) -> None:
    try:
        parse(source)
    except ProgramErrors as errors:
        lines = source.replace("\r\n", "\n").split("\n")
        for error in errors.errors:
            assert 1 <= error.line <= len(lines)
            assert error.column >= 1
            assert error.message


@settings(max_examples=300)
@given(programs, st.data())
def test_the_parser_raises_nothing_but_its_own_errors_on_damaged_programs(source: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        source = (
            source[:start] + data.draw(st.one_of(texts, _junk))[:3] + source[start + data.draw(st.integers(0, 3)) :]
        )
    with contextlib.suppress(ProgramErrors):
        parse(source)


@_some
@given(programs, st.lists(st.text(max_size=40), max_size=4))
def test_the_engine_raises_nothing_but_its_own_errors_on_any_move(source: str, said: list[str]) -> None:
    with contextlib.suppress(LogError):
        _all_steps(source, said)
