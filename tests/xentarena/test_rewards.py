"""`xentarena.rewards` with a judge of one's own; tests/server/test_rewards.py compares it with a server."""

from pathlib import Path
from typing import Any

import pytest

from tests.xentarena import builders
from tests.xentarena.scripted import Answer, serving
from xentarena import ApiError, Client, InputError, Judge, OfflineRound, play
from xentarena.rewards import Completion, OfflineReward, ServerReward, lines

STORY = "The tide came in over the flats before the boats were home."
OTHER = "Gulls cried over the harbour."
#: Which no server would take: empty, blank, a control character, half a character, more than 8 KiB.
UNUSABLE = ["", " \n", "sea\x00", "half \ud83d", "sea " * 3_000]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


def test_each_completion_earns_what_its_play_earns(judge: Judge) -> None:
    hints = ["sea story", "tax law", "sea story", "boats " * 30, " with space\n"]
    alone = [play("condense", [STORY], [hint], judge=judge).rewards["black"] for hint in hints]
    reward = OfflineReward("condense", [STORY], judge=judge)
    assert reward(["Topic:"] * 5, hints, trainer_state=object()) == alone
    assert len(set(alone)) == 4


def test_what_a_chat_model_wrote_is_its_last_message(judge: Judge) -> None:
    said: list[Completion] = [
        [{"role": "assistant", "content": "tax law"}, {"role": "assistant", "content": "sea story"}],
        [{"role": "assistant", "content": [{"type": "text", "text": "sea "}, {"type": "text", "text": "story"}]}],
        [{"role": "assistant", "content": None}],
        [],
    ]
    bits = play("condense", [STORY], ["sea story"], judge=judge).rewards["black"]
    assert OfflineReward("condense", [STORY], judge=judge)([], said) == [bits, bits, None, None]


@pytest.mark.parametrize("refused", [None, -50.0])
def test_what_earns_nothing_has_the_reward_that_was_said(judge: Judge, refused: float | None) -> None:
    reward = OfflineReward("condense", [STORY], judge=judge, refused=refused)
    *none, scored = reward([], [*UNUSABLE, "sea"])
    assert none == [refused] * len(UNUSABLE)
    assert scored is not None
    assert scored != refused


def test_a_move_that_the_rules_ask_for_again_and_one_that_ends_the_play_earn_nothing(
    judge: Judge, tmp_path: Path
) -> None:
    game = tmp_path / "game.xent"
    game.write_text('elicit(x, 5)\nensure(len(x) < 9, say="Shorter.")\nassign(l=x.split())\nreward(xent(l[1]))\n')
    bits = play(game, moves=["a b"], judge=judge).rewards["black"]
    assert OfflineReward(game, judge=judge, refused=-1.0)([], ["a b", "far too long", "one"]) == [bits, -1.0, -1.0]
    again = OfflineReward(game, judge=judge, moves=lines)([], ["far too long\na b", "a b\nnever asked for"])
    assert again == [bits, bits]


def test_lines_are_the_moves_of_a_game_that_asks_for_several(judge: Judge) -> None:
    moves = ["sea", "a tide", "boats at sea"]
    bits = play("best_of_three", [STORY], moves, judge=judge).rewards["black"]
    reward = OfflineReward("best_of_three", [STORY], judge=judge, moves=lines)
    assert reward([], ["sea\na tide\n\nboats at sea\n", "sea\na tide", "\n"]) == [bits, None, None]


def test_a_column_says_the_passages_of_each_row(judge: Judge) -> None:
    alone = [play("condense", [story], ["sea"], judge=judge).rewards["black"] for story in (STORY, OTHER)]
    reward = OfflineReward("condense", judge=judge)
    assert reward([], ["sea", "sea", "sea"], stories=[[STORY], [OTHER], [STORY]]) == [alone[0], alone[1], alone[0]]
    assert reward([], ["sea"], stories=[OTHER]) == alone[1:]
    with pytest.raises(InputError, match=r"takes 1 passage: give stories=…, or a column 'stories'"):
        reward([], ["sea"])


def test_what_is_said_twice_is_measured_once(judge: Judge) -> None:
    once, often = OfflineRound("condense", [STORY], judge=judge), OfflineReward("condense", judge=judge)
    once.play_many(["sea", "boat"])
    read: list[int] = []

    class Counted(OfflineRound):
        def play_many(self, moves: Any) -> Any:
            done = super().play_many(moves)
            read.extend([len(moves), self.read])
            return done

    import xentarena.offline

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xentarena.offline, "OfflineRound", Counted)
        often([], ["sea", "boat", "sea", "sea"], stories=[STORY] * 4)
    assert read == [2, once.read]


@pytest.mark.parametrize(
    ("game", "stories", "told"),
    [
        ("debate", [STORY], r"what one player earns alone, and this game is for 2 players \(black, white\)"),
        ("condense", [STORY, OTHER], "the game takes 1 passage, not 2"),
        ("condens", [STORY], "no game 'condens'"),
        ("condense", STORY, "stories are a list of texts, not a text"),
    ],
)
def test_a_game_that_has_no_such_reward_is_told(judge: Judge, game: str, stories: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        OfflineReward(game, stories, judge=judge)


def test_a_game_in_which_nobody_moves_is_told(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "game.xent").write_text("assign(s=story())\nreward(xent(s))\n")
    with pytest.raises(InputError, match="this game is for nobody"):
        OfflineReward(tmp_path / "game.xent", [STORY], judge=judge)


def batch(*items: dict[str, Any]) -> Answer:
    return Answer(200, {"items": list(items)})


def test_a_server_that_refuses_for_another_reason_than_the_move_is_no_reward() -> None:
    fine = {"status": 201, "submission": builders.submission(), "problem": None}
    wrong = {"status": 422, "submission": None, "problem": builders.problem("invalid-request", 422)}
    closed = {"status": 409, "submission": None, "problem": builders.problem("round-closed", 409)}
    with serving(Answer(200, builders.round_()), batch(fine, wrong), batch(closed)) as script:
        reward = ServerReward(Client(script.url, "token"), "rnd_1", refused=-1.0)
        assert reward([], ["sea", "strange", "sea"]) == [12.345, -1.0, 12.345]
        with pytest.raises(ApiError, match="round-closed"):
            reward([], ["sea"])
    assert [len(asked.body["items"]) for asked in script.asked[1:]] == [2, 1]


def test_a_round_on_a_server_is_named_and_for_one_player() -> None:
    with serving(Answer(200, builders.round_(seats=["black", "white"]))) as script:
        client = Client(script.url, "token")
        with pytest.raises(InputError, match=r"name a round: round_id=…, or a column 'round'"):
            ServerReward(client)([], ["sea"])
        with pytest.raises(InputError, match="2 players"):
            ServerReward(client)([], ["sea"], round=["rnd_1"])
