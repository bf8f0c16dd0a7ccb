"""What a player reads of a condition that failed, where the author has said nothing."""

import pytest

from games import limits, refusals
from games.events import from_json, to_json
from games.protocol import EnsureFailed, Finished, Status
from tests.games import playing


def _failed(condition: str, move: str, *before: str, seat: str = "black") -> EnsureFailed:
    of = playing.program(*before, f"elicit({seat}, x, 40)", f"ensure({condition})")
    events = playing.play(of, playing.setup(), (seat, move)).events
    return next(each for each in events if isinstance(each, EnsureFailed))


@pytest.mark.parametrize(
    ("condition", "move", "said"),
    [
        ("num_words(x) >= 3", "a b", "It has 2 words; at least 3 needed."),
        ("2 <= num_words(x)", "a", "It has 1 word; at least 2 needed."),
        ("num_tokens(x) < 2", "a b", "It has 2 tokens; less than 2 allowed."),
        ("len(x) == 4", "abc", "It has 3 characters; exactly 4 needed."),
        ("len(x.split()) > 2", "a b", "It is 2 items; more than 2 needed."),
        ("xent(x) <= 0.5", "a", "It costs 3.0 bits; at most 0.5 allowed."),
        ("xed(x | s) > 7", "a", "It saves 0.0 bits; more than 7 needed."),
        ("nex(x) > 0", "a", "It is −3.0 bits; more than 0 needed."),
        ("number(x) != 7", "7", "It is 7.0; anything but 7 allowed."),
        ("number(x) > 1", "many", "It must be a number, such as 7 or -2.5."),
        ("number(x) > 1", "9" * 8_000, "It must be a number, such as 7 or -2.5."),
        ('" or " in x', "a", "It must contain “ or ”."),
        ('"a" not in x', "abc", "It must not contain “a”."),
        ('only_uses_words("a b", x)', "a dog b cat dog", "Words that are not allowed: “dog”, “cat”."),
        ('only_uses_words("a", x)', "a  <b>a</b>", "Words that are not allowed: a space too many, “<b>a</b>”."),
        ('only_uses_chars("ab", x)', "abc!c", "Characters that are not allowed: “c”, “!”."),
    ],
)
def test_a_condition_says_what_it_found_and_what_it_wanted(condition: str, move: str, said: str) -> None:
    (event,) = to_json([_failed(condition, move)])
    assert refusals.sentence(event) == said
    assert from_json([event]) == (_failed(condition, move),)


@pytest.mark.parametrize("condition", ['x == "b"', 'x == "b" or x == "c"', 'not only_uses_words("a", x)', "x in s"])
def test_another_kind_of_condition_has_no_sentence(condition: str) -> None:
    (event,) = to_json([_failed(condition, "a")])
    assert refusals.sentence(event) is None


def test_of_what_a_player_does_not_see_no_word_is_told() -> None:
    hidden = _failed('only_uses_words("a", s)', "dog", 'assign(s="secret")', seat="alice")
    assert hidden.why is None
    own = _failed('only_uses_words("a", x)', "dog", seat="alice")
    assert own.why is not None
    assert own.why.outside == ("dog",)


def test_of_many_words_five_are_told_and_of_a_long_one_its_beginning() -> None:
    event = _failed('only_uses_words("a", x)', " ".join(["b" * 100, *"cdefgh"]))
    assert event.why is not None
    assert event.why.outside == ("b" * 40, "c", "d", "e", "f")


def test_a_drawn_list_is_not_drawn_a_second_time_for_the_sentence() -> None:
    of = playing.program(
        'assign(l=["a", "b", "c", "d"])', "elicit(x, 9)", "ensure(only_uses_words(sample(l), x))", "elicit(y, 9)"
    )
    effect = playing.play(of, playing.setup(), *["q"] * 3)
    assert [each.why for each in effect.events if isinstance(each, EnsureFailed)] == [None] * 3


def test_a_game_that_nobody_can_win_ends_and_says_which_attempt_it_was() -> None:
    of = playing.program("elicit(x, 9)", "ensure(1 == 2, say='Say it better.')", "reward(xent(x))")
    end = playing.play(of, playing.setup(), *["a"] * 11)
    assert isinstance(end, Finished)
    assert end.status is Status.REJECTED
    assert end.reason is not None
    assert end.reason.type == "ensure_limit"
    after = [refusals.again(each) for each in to_json(end.events) if each["type"] == "ensure_failed"]
    assert (after[0], after[9]) == ("Say it again: attempt 2 of 11.", "Say it again: attempt 11 of 11.")
    assert after[limits.ENSURE_FAILURES :] == ["That was the last attempt."]
