"""The engine's contract with whoever holds a play: what comes back, what is refused, what is fixed with the round."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from games import catalog, preflight
from games.builtins.judging import QUESTION
from games.engine import advance, replay
from games.errors import LogError, SetupError, TextError
from games.events import to_json
from games.preflight import check_round
from games.program import parse
from games.protocol import (
    MAIN,
    Finished,
    JudgeFacts,
    Log,
    Measurement,
    Move,
    NeedBits,
    NeedMove,
    NeedText,
    Reward,
    Setup,
    Status,
)
from games.runtime.generation import mask, needed
from games.runtime.rng import draw, shuffled
from games.values.bits import millibits
from games.values.text import accept
from tests.games import playing, table_judge

CONDENSE = playing.program(
    "assign(s=story())",
    "elicit(x, 10)",
    "assign(x1=remove_common_words(x, s))",
    "reveal(x1)",
    "reward(xed(s | x1))",
)
SEA = playing.setup("waves at sea")


CONDENSED = [
    {"type": "ask", "seat": "black", "register": "x", "limit": 10, "line": 2},
    {"type": "move", "seat": "black", "register": "x", "text": "wave at", "cut": False, "line": 2},
    {"type": "reveal", "seat": "black", "line": 4, "values": [{"register": "x1", "value": "wave"}]},
    {
        "type": "reward",
        "seat": "black",
        "bits": 3.75,
        "tokens": [
            {"text": "wave", "bits": 3.5},
            {"text": "s", "bits": 0.5},
            {"text": " at", "bits": 0.0},
            {"text": " sea", "bits": -0.25},
        ],
        "line": 5,
        "label": None,
        "terms": [
            {
                "function": "xed",
                "factor": 1.0,
                "judge": "main",
                "text": "waves at sea",
                "prefix_before": "",
                "prefix_after": "wave",
                "tokens": [
                    {"text": "wave", "before": 6.0, "after": 2.5, "bits": 3.5},
                    {"text": "s", "before": 1.5, "after": 1.0, "bits": 0.5},
                    {"text": " at", "before": 2.0, "after": 2.0, "bits": 0.0},
                    {"text": " sea", "before": 4.0, "after": 4.25, "bits": -0.25},
                ],
            }
        ],
    },
]


def test_condense_asks_for_a_move_then_for_two_measurements_and_is_over() -> None:
    asked = replay(CONDENSE, SEA, Log())
    assert isinstance(asked, NeedMove)
    assert (asked.seat, asked.register, asked.limit) == ("black", "x", 10)
    assert asked.registers == {"s": "waves at sea", "x": "", "x1": ""}
    log = Log((Move("black", "wave at"),))
    wanted = replay(CONDENSE, SEA, log)
    assert isinstance(wanted, NeedBits)
    alone, after = Measurement(MAIN, "arena", "", "waves at sea"), Measurement(MAIN, "arena", "wave", "waves at sea")
    assert wanted.measurements == (alone, after)
    end = replay(CONDENSE, SEA, Log(log.moves, {alone: [6.0, 1.5, 2.0, 4.0], after: [2.5, 1.0, 2.0, 4.25]}))
    assert isinstance(end, Finished)
    assert (end.status, end.rewards) == (Status.SCORED, {"black": 3.75})
    assert to_json(end.events) == CONDENSED


def test_a_move_of_which_nothing_is_left_scores_nothing_and_needs_no_judge() -> None:
    end = replay(CONDENSE, SEA, Log((Move("black", "sea"),)))
    assert isinstance(end, Finished)
    assert end.rewards == {"black": 0.0}


def test_a_move_by_another_seat_than_the_one_asked_is_the_servers_mistake() -> None:
    with pytest.raises(LogError, match="move 1 of the log is white's, and black is asked"):
        replay(CONDENSE, SEA, Log((Move("white", "x"),)))


def test_a_move_after_the_end_is_the_servers_mistake() -> None:
    with pytest.raises(LogError, match="1 of the log's moves were never asked for"):
        replay(CONDENSE, SEA, Log((Move("black", "sea"), Move("black", "sea"))))


def test_a_move_that_no_player_can_have_sent_is_the_servers_mistake() -> None:
    with pytest.raises(LogError, match=r"move 1 of the log holds U\+0000"):
        replay(CONDENSE, SEA, Log((Move("black", "\0"),)))


@pytest.mark.parametrize("bits", [[1.0], [1.0] * 5, [1.0, 1.0, 1.0, float("nan")], [1.0, 1.0, float("inf"), 1.0]])
def test_bits_that_cannot_be_the_answer_are_the_servers_mistake(bits: list[float]) -> None:
    question = Measurement(MAIN, "arena", "", "waves at sea")
    with pytest.raises(LogError):
        replay(CONDENSE, SEA, Log((Move("black", "wave"),), {question: bits}))


def test_totals_are_summed_from_left_to_right_in_float64() -> None:
    program = playing.program("elicit(x, 9)", "reward(xent(x))")
    question = Measurement(MAIN, "arena", "", "a b c d")
    end = replay(program, playing.setup(), Log((Move("black", "a b c d"),), {question: [1e16, 1.0, 1.0, 0.25]}))
    assert isinstance(end, Finished)
    # Added from left to right, each 1.0 is lost in 1e16; a compensated sum would keep them.
    assert end.rewards == {"black": 1e16}


def test_a_round_with_the_wrong_number_of_passages_is_the_hosts_mistake() -> None:
    with pytest.raises(SetupError, match="needs 1 passage, the round has 2"):
        replay(CONDENSE, playing.setup("a", "b"), Log())


def test_a_round_without_a_judge_that_the_game_names_is_the_hosts_mistake() -> None:
    program = playing.program('reward(xent("a", judge="other"))')
    with pytest.raises(SetupError, match="the judges other"):
        replay(program, playing.setup(), Log())


def test_a_round_with_an_unknown_profile_is_the_hosts_mistake() -> None:
    with pytest.raises(SetupError, match=r"'xent-0\.6'"):
        replay(CONDENSE, playing.setup("a", profile="xent-0.6"), Log())


@pytest.mark.parametrize(
    ("game", "lines"),
    [
        ("condense", [5]),
        ("contrast", [5, 6]),
        ("synthesize", [5, 6, 7]),
        ("two_ways", [3, 4]),
        ("alethiometer", []),
        ("horizon", []),
    ],
)
def test_a_glued_seam_is_warned_of_in_every_line(game: str, lines: list[int]) -> None:
    source = (Path(__file__).parent / "data" / "benchmark" / f"{game}.xent").read_text(encoding="utf-8")
    assert [line for line, _ in preflight.warnings(parse(source))] == lines


@pytest.mark.parametrize("name", catalog.names())
def test_no_game_of_the_catalog_is_warned_of(name: str) -> None:
    assert preflight.warnings(parse(catalog.source(name))) == []


def test_a_game_in_which_a_judge_writes_can_be_looked_through() -> None:
    program = parse('assign(s=generate("Once", 9), l=generate_list("A", 3))\nelicit(x, 3)\nreward(xed(s + l[2] | x))\n')
    assert [line for line, _ in preflight.warnings(program)] == [3]


def test_passages_that_alone_do_not_fit_are_refused_with_the_line() -> None:
    check_round(CONDENSE, playing.setup("a b c d e f g h i", context=10))
    with pytest.raises(SetupError, match="line 5: the round's own texts are 11 tokens long"):
        check_round(CONDENSE, playing.setup("a b c d e f g h i j", context=10))


def test_passages_that_do_not_fit_together_are_refused() -> None:
    program = playing.program("elicit(x, 5)", "reward(xent(story() | story() + x) + xent(story() | story()))")
    check_round(program, playing.setup("a b c", "a b c d e f g h i", "a b c", "d e f", context=10))
    with pytest.raises(SetupError, match="line 2: the round's own texts are 12 tokens long"):
        check_round(program, playing.setup("a b c", "a", "a b c d e", "d e f g h i", context=11))


def test_passages_that_are_no_texts_are_refused() -> None:
    with pytest.raises(SetupError, match=r"passage 1 holds U\+0000, a control character at character 2"):
        check_round(CONDENSE, playing.setup("a\0b"))
    with pytest.raises(SetupError, match="passage 1 is 20,001 characters long"):
        check_round(CONDENSE, playing.setup("a" * 20_001))


def test_a_round_is_checked_behind_ensures_and_bad_moves() -> None:
    program = playing.program(
        "assign(s=story())",
        "elicit(x, 5)",
        'ensure(x == "only this", xent(x) > 99)',
        "elicit(y, 5)",
        "reward(xent(s | y))",
    )
    with pytest.raises(SetupError, match="line 5"):
        check_round(program, playing.setup("a b c d", context=4))


def test_a_checked_round_may_still_hang_on_what_players_say() -> None:
    check_round(playing.program("elicit(x, 5)", "assign(s=x.split()[1])"), playing.setup())


# How far a play goes


def test_a_play_goes_on_as_far_as_its_bits_are_known() -> None:
    asked: list[Measurement] = []

    def lookup(measurements: Sequence[Measurement]) -> dict[Measurement, list[float]]:
        asked.extend(measurements)
        return table_judge.known(measurements)

    program = playing.program("elicit(x, 5)", "ensure(xent(x) > 2)", "reward(xent(x | story()))", "elicit(y, 5)")
    sea = playing.setup("sea")
    effect, log = advance(program, sea, Log(), lookup)
    assert isinstance(effect, NeedMove)
    effect, log = advance(program, sea, Log((Move("black", "the sea"),), log.bits), lookup)
    assert isinstance(effect, NeedMove)
    assert effect.register == "y"
    assert effect == replay(program, sea, log)
    assert list(log.bits) == asked
    assert len(set(asked)) == len(asked) == 2


def test_a_play_stops_where_bits_are_missing_and_says_which() -> None:
    alone, after = Measurement(MAIN, "arena", "", "waves at sea"), Measurement(MAIN, "arena", "wave", "waves at sea")
    effect, log = advance(CONDENSE, SEA, Log((Move("black", "wave at"),)), lambda asked: {alone: [6.0, 1.5, 2.0, 4.0]})
    assert isinstance(effect, NeedBits)
    assert effect.measurements == (after,)
    assert [event.type for event in effect.events] == ["ask", "move", "reveal"]
    end, _ = advance(CONDENSE, SEA, log, lambda asked: {after: [2.5, 1.0, 2.0, 4.25]})
    assert isinstance(end, Finished)
    assert end.rewards == {"black": 3.75}


# What a reward was made from


def _terms(reward: str, **setup: Any) -> list[tuple[object, ...]]:
    program = playing.program('assign(s="aa bb", t="aa")', reward)
    end = playing.play(program, playing.setup(**setup))
    assert isinstance(end, Finished)
    assert isinstance(end.events[-1], Reward)
    return [
        (term.function, term.factor, term.judge, term.text, term.prefix_before, term.prefix_after)
        for term in end.events[-1].terms
    ]


@pytest.mark.parametrize(
    ("reward", "terms"),
    [
        ("reward(xent(s | t))", [("xent", 1, MAIN, "aa bb", None, "aa")]),
        ("reward(nex(s))", [("nex", 1, MAIN, "aa bb", None, "")]),
        ('reward(dex(s | t, "zz "))', [("dex", 1, MAIN, "aa bb", "zz ", "zz aa")]),
        ("reward(xent(s) - 2 * xent(t))", [("xent", 1, MAIN, "aa bb", None, ""), ("xent", -2, MAIN, "aa", None, "")]),
        ("reward(xed(s | t) + xed(s | t) * 0.5)", [("xed", 1.5, MAIN, "aa bb", "", "aa")]),
        ("reward(min(xent(s), xent(t)))", [("xent", 1, MAIN, "aa", None, "")]),
        ('reward(min(-xent(s, judge="other"), xent("")))', [("xent", -1, "other", "aa bb", None, "")]),
        ("reward(xent(s | t) / 4)", [("xent", 0.25, MAIN, "aa bb", None, "aa")]),
        ('reward(xent(s) * (s == "b"))', [("xent", 0, MAIN, "aa bb", None, "")]),
        ("reward(greatest(xent(s)))", []),
        ("reward(clip(xent(s), 1))", []),
        ('reward(xent("") + xed(s) + xed("" | t))', []),
    ],
)
def test_a_reward_says_which_calls_it_was_made_from(reward: str, terms: list[tuple[object, ...]]) -> None:
    assert _terms(reward, slots=["other"]) == terms


def test_a_factor_beyond_all_floats_leaves_the_terms_out() -> None:
    program = playing.program("reward(" + " * ".join(["xent(story())", *["999999999999999"] * 22]) + ")")
    end = replay(program, SEA, Log((), {Measurement(MAIN, "arena", "", "waves at sea"): [0.0] * 4}))
    assert isinstance(end, Finished)
    assert [event.terms for event in end.events if isinstance(event, Reward)] == [()]


# Generation


GENERATED = playing.program(
    'assign(s=generate("Once", 8), l=generate_list("Colours:", 2))',
    "assign(l1=generate_masked(2), l2=generate_list_next_token(3))",
    "assign(t=generate(story(), 4))",
    "elicit(x, 5)",
)


def test_what_a_judge_writes_is_asked_for_text_by_text_and_then_fixed() -> None:
    setup = playing.setup("A passage")
    asked: list[NeedText] = []
    while (need := needed(GENERATED.generations, setup)) is not None:
        with pytest.raises(SetupError, match="not all written yet"):
            replay(GENERATED, setup, Log())
        asked.append(need)
        setup = replace(setup, generated=(*setup.generated, f"one two three four {len(asked)}"))
    assert [(need.prompt, need.tokens) for need in asked] == [
        ("Once", 8),
        ("Colours:", 40),
        ("Colours:", 40),
        ("", 128),
        ("", 131),
        ("A passage", 4),
    ]
    assert len({need.seed for need in asked}) == len(asked)
    effect = replay(GENERATED, setup, Log())
    assert isinstance(effect, NeedMove)
    assert effect.registers["s"] == "one two three four 1"
    assert effect.registers["l"] == ["one two three four 2", "one two three four 3"]
    assert effect.registers["l1"][1].count("[masked passage]") == 2
    assert "".join(effect.registers["l2"]) == "one two three four 5"
    assert effect.registers["t"] == "one two three four 6"


def test_a_mask_covers_half_of_each_part_of_the_text() -> None:
    words = [str(number) for number in range(12)]
    masked = mask(" ".join(words), 3, "seed").split(" ")
    assert masked.count("[masked") == 3
    kept = [word for word in masked if word.isdigit()]
    assert len(kept) == 6
    assert kept == sorted(kept, key=int)


def test_a_text_of_fewer_words_has_fewer_masks() -> None:
    assert mask("one two", 5, "seed") == "[masked passage] [masked passage]"


# Draws, scores, texts, the question


def test_a_draw_is_the_sha256_of_seed_and_count() -> None:
    block = hashlib.sha256(b"seed\n7").digest()
    assert draw("seed", 7, 1000) == int.from_bytes(block, "big") % 1000


def test_draws_of_a_seed_are_spread_evenly() -> None:
    counts = [0] * 6
    for count in range(6_000):
        counts[draw("seed", count, 6)] += 1
    assert all(900 < each < 1_100 for each in counts)


def test_a_shuffle_by_zeros_turns_the_list_round_by_one() -> None:
    assert shuffled(["a", "b", "c"], iter([0, 0])) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("bits", "thousandths"),
    [(0.0, 0), (1.0, 1000), (0.0005, 1), (0.0625, 62), (0.1875, 188), (-0.0625, -62), (2.6745, 2675), (1e9, 10**12)],
)
def test_millibits_are_rounded_once_half_to_even_from_the_exact_value(bits: float, thousandths: int) -> None:
    # 0.0625 and 0.1875 are exact halves of a millibit; 0.0005 and 2.6745 are floats just above theirs.
    assert millibits(bits) == thousandths


@pytest.mark.parametrize("bits", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_no_score(bits: float) -> None:
    with pytest.raises(ValueError, match="no score"):
        millibits(bits)


def test_a_text_is_accepted_with_its_line_ends_made_one_kind() -> None:
    assert accept("a\r\nb\tc\n") == "a\nb\tc\n"


def test_a_byte_order_mark_before_a_text_is_dropped_and_one_inside_stays() -> None:
    assert accept("\ufeffThe sea.") == "The sea."
    assert accept("The\ufeff sea.") == "The\ufeff sea."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\0", r"U\+0000, a control character at character 2"),
        ("a\rb", r"U\+000D"),
        ("\x85", r"U\+0085"),
        ("\ud800", r"U\+D800, half of a surrogate pair"),
        ("é" * 4_097, "8,194 bytes long, 8,192 are the most"),
    ],
)
def test_a_text_that_cannot_be_taken_is_the_players_fault_and_says_why(text: str, problem: str) -> None:
    with pytest.raises(TextError, match=problem) as caught:
        accept(text)
    assert caught.value.fault == "player"


def test_a_tie_of_true_and_false_is_false() -> None:
    program = playing.program("elicit(x, 5)", "ensure(is_false(x))")
    log = Log((Move("black", "it rains"),))
    wanted = replay(program, playing.setup(), log)
    assert isinstance(wanted, NeedBits)
    assert [question.prefix for question in wanted.measurements] == [QUESTION.format("it rains")] * 2
    equal = {question: [1.0] * len(table_judge.ends(question.text)) for question in wanted.measurements}
    true, false = wanted.measurements
    equal[true], equal[false] = [2.0], [1.0, 1.0]
    assert isinstance(replay(program, playing.setup(), Log(log.moves, equal)), Finished)


def test_tokens_of_a_judge_without_any_are_no_bits() -> None:
    program = playing.program('reward(xent("abc") + xed("abc" | "d"))')
    nothing = Setup((), "seed", {MAIN: JudgeFacts(lambda text: (), 10)})
    end = replay(program, nothing, Log())
    assert isinstance(end, Finished)
    assert end.events == (Reward("black", 0.0, (), 1),)
