"""Seats that the house has: what it says, where it says it, and that a log replays as it was said."""

import pytest

from games import catalog
from games.engine import advance, replay
from games.errors import SetupError
from games.program import Program, parse
from games.protocol import Effect, Finished, HouseSeat, Log, Move, MoveMade, NeedMove, Setup, Status
from games.runtime.house import BOTS, WORDS
from tests.games import table_judge
from tests.games.playing import program, setup

DUEL = (
    "assign(s=story())",
    "elicit(white, y, 12)",
    "elicit(black, x, 12)",
    "elicit(white, y1, 12)",
    "reward(black, xent(s | x) - xent(s | y + y1))",
)
PASSAGE = "The harbour lay quiet under a grey morning sky."


def housed(given: Setup, **house: HouseSeat) -> Setup:
    return Setup(given.passages, given.seed, given.judges, given.profile, given.generated, house)


def played(of: Program, given: Setup, *moves: str) -> tuple[Effect, Log]:
    waiting, log = iter(moves), Log()
    while True:
        effect, log = advance(of, given, log, table_judge.known)
        move = next(waiting, None) if isinstance(effect, NeedMove) else None
        if not isinstance(effect, NeedMove) or move is None:
            return effect, log
        log = Log((*log.moves, Move(effect.seat, move)), log.bits)


def said(effect: Effect, seat: str) -> list[str]:
    return [event.text for event in effect.events if isinstance(event, MoveMade) and event.seat == seat]


def test_fixed_texts_are_said_in_turn_and_from_the_first_again() -> None:
    given = housed(setup(PASSAGE), white=HouseSeat(("one", "two")))
    effect, log = played(program(*DUEL), given, "mine")
    assert isinstance(effect, Finished)
    assert [(move.seat, move.text) for move in log.moves] == [("white", "one"), ("black", "mine"), ("white", "two")]
    again = housed(setup(PASSAGE), white=HouseSeat(("one",)))
    assert said(played(program(*DUEL), again, "mine")[0], "white") == ["one", "one"]


def test_it_scores_as_if_somebody_had_said_it() -> None:
    of = program(*DUEL)
    alone, _ = played(of, housed(setup(PASSAGE), white=HouseSeat(("a ship", "at sea"))), "grey")
    both, _ = played(of, setup(PASSAGE), "a ship", "grey", "at sea")
    assert isinstance(alone, Finished)
    assert isinstance(both, Finished)
    assert alone.rewards == both.rewards
    assert alone.rewards["white"] == -alone.rewards["black"] != 0


def test_a_move_that_is_sent_before_the_house_has_moved_comes_after_it() -> None:
    """Whoever sends the first move with the request for a play has not waited for White."""
    given = housed(setup(PASSAGE), white=HouseSeat(("one", "two")))
    effect = replay(program(*DUEL), given, Log((Move("black", "mine"),)))
    assert [move.text for move in effect.moves] == ["one", "mine", "two"]


@pytest.mark.parametrize("bot", BOTS)
def test_a_bot_says_the_same_in_every_play_of_a_round_and_something_else_in_another(bot: str) -> None:
    of = program(*DUEL)
    told = [
        said(played(of, housed(setup(PASSAGE, seed=seed), white=HouseSeat(bot=bot)), "mine")[0], "white")
        for seed in ("a", "a", "b")
    ]
    assert told[0] == told[1] != told[2]
    assert told[0][0] != told[0][1], "nor the same twice in one play"
    for text in told[0]:
        words = text.split()
        assert 0 < len(words) <= min(WORDS, 6), "a word is taken for two tokens"
        assert len(set(words)) == len(words)


def test_key_words_are_of_what_the_seat_sees() -> None:
    of = program("assign(s=story())", "elicit(white, y, 12)", "elicit(black, x, 12)", "reward(black, xent(s | x))")
    effect, _ = played(of, housed(setup(PASSAGE), white=HouseSeat(bot="key_words")))
    (text,) = said(effect, "white")
    assert set(text.split()) == {"harbour", "quiet", "under", "morning"}
    hidden = program("assign(s=story())", "elicit(alice, y, 12)", "elicit(black, x, 12)", "reward(black, xent(s | x))")
    effect, _ = played(hidden, housed(setup(PASSAGE), alice=HouseSeat(bot="key_words")))
    (text,) = said(effect, "alice")
    assert not set(text.split()) & {"harbour", "quiet", "under", "morning"}, "Alice does not see s"


def test_a_bot_that_is_refused_says_other_words() -> None:
    of = program(
        "assign(s=story())",
        "elicit(white, y, 12)",
        "ensure(len(remove_common_words(y, s)) == len(y))",
        "elicit(black, x, 12)",
        "reward(black, xent(s | x))",
    )
    effect, log = played(of, housed(setup(PASSAGE), white=HouseSeat(bot="key_words")))
    assert isinstance(effect, NeedMove)
    assert effect.seat == "black"
    assert len(log.moves) == 2, "refused once"


def test_a_house_that_breaks_the_rules_is_nobodys_fault_who_plays() -> None:
    of = program("elicit(white, y, 9)", "ensure(len(y) > 99)", "elicit(black, x, 9)", "reward(black, xent(x))")
    effect, log = played(of, housed(setup(), white=HouseSeat(("short",))))
    assert isinstance(effect, Finished)
    assert effect.status is Status.VOID
    assert effect.reason is not None
    assert effect.reason.type == "ensure_limit"
    assert len(log.moves) == 11


def test_what_has_no_value_in_a_text_of_the_house_is_nobodys_fault_either() -> None:
    of = program("elicit(black, x, 9)", "elicit(white, y, 9)", "reward(black, xent(x) * number(y))")
    effect, _ = played(of, housed(setup(), white=HouseSeat(("no number",))), "a")
    assert isinstance(effect, Finished)
    assert effect.status is Status.VOID
    theirs, _ = played(of, setup(), "a", "no number")
    assert isinstance(theirs, Finished)
    assert theirs.status is Status.REJECTED


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("reward(black, xent(x) * number(y))", Status.VOID),
        ("reward(black, xent(x) * number(x))", Status.REJECTED),
        ('reward(black, xent(x) * number(y + "" + x))', Status.REJECTED),
        ("reward(black, xent(x) / len(remove_common_words(y, y)))", Status.VOID),
        ("ensure(number(y) > 3)", Status.VOID),
        ('ensure(len(x) > 0, "z" in y)', Status.VOID),
        ("ensure(number(x) > 3)", Status.REJECTED),
        ("ensure(xent(y | x) > 999)", Status.REJECTED),
        ("reward(black, xent(x | y1))", Status.VOID),
        ("reward(black, xent(y1))", Status.VOID),
        ("reward(black, xent(y + x | y))", Status.REJECTED),
    ],
)
def test_what_the_house_said_earlier_is_nobodys_fault_and_what_a_player_said_is(line: str, status: Status) -> None:
    """White has moved before Black, whose move it breaks at."""
    too_long = "assign(y1=" + " + ".join(["y"] * 3) + ")"
    of = program("elicit(white, y, 500)", too_long, "elicit(black, x, 9)", line)
    given = housed(setup(context=200), white=HouseSeat(("no number " * 40,)))
    effect, _ = played(of, given, *("a",) * 11)
    assert isinstance(effect, Finished)
    assert effect.status is status
    assert effect.reason is not None


def test_a_log_replays_as_it_was_said_whatever_the_house_would_say_now() -> None:
    of = program(*DUEL)
    effect, log = played(of, housed(setup(PASSAGE), white=HouseSeat(("one", "two"))), "mine")
    for other in (housed(setup(PASSAGE), white=HouseSeat(bot="key_words")), setup(PASSAGE)):
        assert replay(of, other, log) == effect


def test_a_seat_that_the_game_does_not_ask_is_refused() -> None:
    with pytest.raises(SetupError, match="'carol'"):
        replay(program(*DUEL), housed(setup(PASSAGE), carol=HouseSeat(("a",))), Log())


def test_the_house_plays_every_seat_of_every_packaged_game_but_one_or_says_why_not() -> None:
    """Bots of the house find lawful moves in all of our own games of several seats."""
    programs = {name: parse(catalog.source(name)) for name in catalog.names()}
    several = {name: of for name, of in programs.items() if len(of.seats) > 1}
    assert several
    for name, of in several.items():
        texts = (PASSAGE,) * of.passages
        for bot in BOTS:
            house = {seat: HouseSeat(bot=bot) for seat in of.seats[1:]}
            given = housed(setup(*texts, slots=[slot for slot in of.judges if slot != "main"]), **house)
            effect, _ = played(of, given, *("birds by the sea",) * 30)
            assert isinstance(effect, Finished), (name, bot)
            assert effect.status is Status.SCORED, (name, bot, effect.reason)
