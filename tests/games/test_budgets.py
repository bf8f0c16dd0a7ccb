"""What a play may show, tell and measure is counted, and so is what a judge may have to write for it."""

import json
from collections.abc import Mapping, Sequence

import pytest

from games import limits
from games.engine import advance, replay
from games.errors import ProgramErrors, SetupError
from games.events import to_json
from games.preflight import check_round, warnings
from games.program import parse
from games.protocol import Effect, Finished, Log, Measurement, Move, NeedBits, NeedMove, Reveal, Reward, Status
from tests.games import playing, table_judge
from tests.support.attacks import ATTACKS, REFUSED

LONG = ["assign(s=story())", "assign(s=s + s)", "elicit(x, 5)"]


def _end(*lines: str, passage: str = "a" * 10_000) -> Effect:
    program = playing.program(*lines)
    given = playing.setup(*[passage] * program.passages, slots=program.judges, context=100_000)
    return playing.play(program, given, *["a b c"] * limits.MOVES)


def _over(effect: Effect) -> str:
    assert isinstance(effect, Finished)
    assert effect.status is Status.VOID
    assert effect.reason is not None
    assert effect.reason.line is not None
    return effect.reason.detail


@pytest.mark.parametrize(
    "line",
    [
        f"reveal({', '.join(['s'] * 11)})",
        f"reveal({', '.join(['[s, s]'] * 6)})",
        f"reveal({', '.join(['[x, s, s]'] * 6)})",
        f"ensure({', '.join(['s == x'] * 11)})",
        f"ensure({', '.join(['[s] == [x]'] * 11)})",
    ],
)
def test_shown_characters_are_a_budget(line: str) -> None:
    assert _over(_end(*LONG, line)) == "the play went over its budget of 200,000 characters shown"


def test_what_is_just_within_the_budget_is_shown() -> None:
    end = _end(*LONG, f"reveal({', '.join(['s'] * 9)})", "reward(xent(x))")
    assert isinstance(end, Finished)
    assert end.status is Status.SCORED


def test_the_registers_that_a_player_sees_are_a_budget() -> None:
    registers = ", ".join(f"{name}=s" for name in ("s1", "s2", "s3", "t", "t1", "t2", "t3", "p", "p1", "p2"))
    program = playing.program("assign(s=story())", "assign(s=s + s)", f"assign({registers})", "elicit(x, 5)")
    end = replay(program, playing.setup("a" * 10_000), Log())
    assert _over(end) == "the play went over its budget of 200,000 characters in the registers that a player sees"


def test_measured_characters_are_a_budget() -> None:
    """Ten long texts behind eleven are many measurements, though each is read once."""
    texts = ", ".join(f'"{number}" + s' for number in range(10))
    behind = ["t", *(f"l[{number}]" for number in range(10))]
    rewards = ["reward(" + " + ".join(f"xent(l[{one}] | {other})" for other in behind) + ")" for one in range(10)]
    end = _end(f'assign(s=story(), t="t")\nassign(l=[{texts}], t=t + s)\nelicit(x, 5)', *rewards, passage="a" * 9_000)
    assert _over(end) == "the play went over its budget of 1,000,000 characters measured"


def test_rewards_beyond_the_room_for_them_are_given_without_tokens_and_count_all_the_same() -> None:
    lines = ["assign(s=story())", "elicit(x, 5)", "beacon(flag_1)", "reward(xent(s))", "replay(flag_1, 40)"]
    end = _end(*lines, passage="word " * 899 + "word")
    assert isinstance(end, Finished)
    rewards = [event for event in end.events if isinstance(event, Reward)]
    assert [len(event.tokens) for event in (rewards[0], rewards[-1])] == [900, 0]
    assert all(event.bits == rewards[0].bits for event in rewards)
    assert end.rewards["black"] == pytest.approx(41 * rewards[0].bits)


def test_what_a_judge_is_to_write_for_a_program_is_bounded() -> None:
    fits = 'assign(l=generate_list("Lines:", 32))\n' * 6
    assert parse(fits).generations
    with pytest.raises(ProgramErrors, match="more than 8,192 tokens that a judge is to write"):
        parse(fits + "assign(s=generate(story(), 512), t=generate(story(), 1))\n")


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - REFUSED))
def test_no_attack_makes_a_large_row(name: str) -> None:
    program = parse(ATTACKS[name])
    given = playing.setup(*["The ferry left at seven. " * 100] * program.passages, context=1_000_000)
    for _, effect in playing.steps(program, given, ["a b c d e"] * 3)[-2:]:
        assert len(json.dumps(to_json(effect.events))) < 8_000_000
        if isinstance(effect, NeedMove):
            assert len(json.dumps(dict(effect.registers))) < 3_000_000


def test_an_event_of_the_largest_row_is_no_larger_than_the_budget_says() -> None:
    """A character outside of the BMP takes twelve bytes of JSON, and none takes more."""
    end = _end(*LONG, f"reveal({', '.join(['s'] * 9)})", passage="𝒜" * 10_000)
    (shown,) = [event for event in end.events if isinstance(event, Reveal)]
    assert 2_000_000 < len(json.dumps(to_json([shown]))) < 12 * limits.SHOWN_CHARACTERS


def test_a_round_that_goes_over_a_budget_before_the_first_move_is_refused() -> None:
    program = playing.program(
        "assign(s=story())", f"reveal({', '.join(['s'] * 20)})", "elicit(x, 5)", "reward(xent(x))"
    )
    check_round(program, playing.setup("short"))
    with pytest.raises(SetupError, match=r"line 2: .* budget of 200,000 characters shown before the first move"):
        check_round(program, playing.setup("a" * 15_000))


def test_a_game_that_always_goes_over_a_budget_is_told_so_when_it_is_brought() -> None:
    shown = 'reveal("' + "word " * 390 + '")'
    program = playing.program("elicit(x, 5)", "beacon(flag_1)", *[shown] * 2, "replay(flag_1, 99)", "reward(xent(x))")
    (advice,) = warnings(program)
    assert advice.line == 3
    assert "200,000 characters shown here" in advice.message


def test_a_play_that_measures_line_by_line_is_replayed_a_few_times_at_most() -> None:
    """The rows are asked set by set at first, then one by one while it goes on."""
    lines = [f'reveal(xent(x | "{"a" * (1 + number)}"))' for number in range(50)]
    program = playing.program("elicit(x, 5)", *lines, "reward(xent(x))")
    asked: list[Measurement] = []

    def lookup(measurements: Sequence[Measurement]) -> Mapping[Measurement, Sequence[float]]:
        asked.extend(measurements)
        return table_judge.known(measurements)

    end, log = advance(program, playing.setup(), Log((Move("black", "aa bb"),)), lookup)
    assert len(asked) == len(set(asked)) == 51
    once = replay(program, playing.setup(), Log(log.moves, dict(log.bits)))
    assert end == once
    assert end.work < 3 * once.work


def test_a_play_that_takes_much_work_is_replayed_once_more_at_most() -> None:
    heavy = [
        "beacon(flag_1)",
        "assign(t=" + " + ".join(["remove_common_words(s, s)"] * 20) + ")",
        "replay(flag_1, 25)",
    ]
    lines = [f'reveal(xent(x | "{"a" * (1 + number)}"))' for number in range(20)]
    program = playing.program("elicit(x, 5)", "assign(s=story())", *heavy, *lines, "reward(xent(x))")
    log = Log((Move("black", "aa bb"),))
    end, known = advance(program, playing.setup("word " * 17), log, table_judge.known)
    assert isinstance(end, Finished)
    assert end.status is Status.SCORED
    once = replay(program, playing.setup("word " * 17), Log(known.moves, dict(known.bits))).work
    assert once > limits.WORK // 2, "it is heavy"
    assert end.work < 2.1 * once


def test_what_was_foreseen_is_not_replayed() -> None:
    program = playing.program("elicit(x, 5)", "reward(xent(x))")
    log = Log((Move("black", "aa bb"),))
    foreseen, known = advance(program, playing.setup(), log, lambda asked: {})
    assert isinstance(foreseen, NeedBits)
    again, _ = advance(program, playing.setup(), known, lambda asked: {}, foreseen)
    assert (again, again.work) == (foreseen, foreseen.work)
    end, _ = advance(program, playing.setup(), known, table_judge.known, foreseen)
    assert end == advance(program, playing.setup(), log, table_judge.known)[0]
