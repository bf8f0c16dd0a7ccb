"""A preview tells of a move what the rules say of it, and nothing that only making it tells."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from games.errors import ProgramErrors
from games.events import to_json
from games.preview import NotAsked, Preview, preview
from games.program import Program, parse
from games.protocol import Log, Measurement, Move, Setup
from games.refusals import sentence
from tests.games import playing, programs, table_judge


def _nothing(asked: Sequence[Measurement]) -> dict[Measurement, Sequence[float]]:
    """A judge that knows nothing yet, and may not be asked for more."""
    return {}


def _previewed(source: str, move: str, *passages: str, before: Sequence[str] = (), seed: str = "seed") -> Preview:
    of = parse(source)
    seat = of.seats[0]
    log = Log(tuple(Move(seat, each) for each in before))
    return preview(of, playing.setup(*passages, seed=seed), log, table_judge.known, seat, move)


def test_tokens_are_counted_and_what_is_beyond_the_limit_is_cut() -> None:
    found = _previewed("elicit(x, 3)\nreward(xent(x))", "a b c d e")
    assert (found.tokens, found.limit, found.kept) == (5, 3, "a b c")


def test_what_a_game_takes_out_is_shown() -> None:
    source = "assign(s=story())\nelicit(x, 9)\nassign(x1=remove_common_words(x, s))\nreveal(x1)\nreward(xed(s | x1))"
    found = _previewed(source, "the sea ship", "the sea is wide")
    reveal = to_json(found.events)[-1]
    assert (reveal["type"], reveal["values"]) == ("reveal", [{"register": "x1", "value": "ship"}])
    assert found.open
    assert not found.refused


def test_a_condition_that_would_fail_is_told_in_words() -> None:
    found = _previewed("elicit(x, 9)\nensure(num_words(x) >= 3)\nreward(xent(x))", "a b")
    (event,) = [event for event in to_json(found.events) if event["type"] == "ensure_failed"]
    assert sentence(event) == "It has 2 words; at least 3 needed."
    assert (found.refused, found.open, event["failures"]) == (True, False, 1)


def test_failures_are_counted_on_from_those_of_the_play() -> None:
    found = _previewed("elicit(x, 9)\nensure(num_words(x) >= 3)\nreward(xent(x))", "a b", before=["a", "a"])
    assert [event["failures"] for event in to_json(found.events) if event["type"] == "ensure_failed"] == [3]


@pytest.mark.parametrize(
    "hidden",
    [
        "ensure(xent(x) <= 1)",
        "ensure(story() == x)",
        'ensure(x in sample(["a", "b"]))',
        "assign(t=story())\nensure(x == t)",
        "assign(t=choice(x, [x]))\nreveal(t)",
        "reveal(story())",
        "assign(l=shuffle(x.split()))\nensure(l[0] == x)",
        "replay(flag_1, len(story()))",
    ],
)
def test_what_only_playing_tells_is_left_open(hidden: str) -> None:
    source = f"beacon(flag_1)\nelicit(x, 9)\n{hidden}\nreward(xent(x))"
    found = _previewed(source, "a b", *["a"] * parse(source).passages)
    assert [event.type for event in found.events] == ["move"]
    assert (found.open, found.refused, found.reason) == (True, False, None)


def test_of_one_line_the_conditions_that_can_be_told_are_told() -> None:
    found = _previewed("elicit(x, 9)\nensure(xent(x) <= 1, len(x) > 9)\nreward(xent(x))", "a b")
    assert [event["condition"] for event in to_json(found.events)[1:]] == ["len(x) > 9"]
    assert (found.open, found.refused) == (True, True)


def test_a_move_that_would_end_the_play_is_told_so() -> None:
    found = _previewed("elicit(x, 9)\nassign(t=x.split()[3])", "a b")
    assert found.reason is not None
    assert "subscript 3" in found.reason.detail


def test_where_no_move_is_awaited_there_is_nothing_to_preview() -> None:
    of = parse("elicit(black, x, 9)\nelicit(white, y, 9)\nreward(xent(x))")
    with pytest.raises(NotAsked):
        preview(of, playing.setup(), Log(), table_judge.known, "white", "a")
    ends = playing.program("elicit(x, 9)", "reward(xent(x))")
    with pytest.raises(NotAsked):
        preview(ends, playing.setup(), Log((Move("black", "a"),)), table_judge.known, "black", "a")


def test_a_preview_has_a_budget_of_its_own() -> None:
    lines = ["elicit(x, 9)", *["assign(t=remove_banned_words(x, x + x))"] * 60, "reward(xent(t))"]
    found = _previewed("\n".join(lines), "dragon " * 1_000)
    assert (found.open, found.refused, found.reason) == (True, False, None)


def _of(program: Program, setup: Setup, move: str) -> Preview:
    return preview(program, setup, Log(), _nothing, program.seats[0], move)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(programs.programs, programs.moves, st.booleans())
def test_no_preview_hangs_on_what_the_player_does_not_see(source: str, move: str, hidden: bool) -> None:
    """Of two rounds that look the same to a player before a move, previews say the same: whatever the passages are that
    are not shown yet, whatever is drawn, whatever a judge would say. Alice does not see s, and black has no s yet."""
    seat, shown = ("alice", "assign(s=story(), t=story())\n") if hidden else ("black", "")
    *flags, _, lines = source.split("\n", 3)
    try:
        of = parse("\n".join([*flags, f"{shown}elicit({seat}, x, 5)", lines]))
    except ProgramErrors:
        assume(False)
    one = playing.setup(*["aa bb cc, dragon"] * of.passages, seed="one")
    other = playing.setup(*["dragon é. Ж dd"] * of.passages, seed="other")
    assert _of(of, one, move) == _of(of, other, move)
