"""The environment of verifiers, loaded by its id and played for real: its endpoint is a server, its model is pocket."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import verifiers.v1 as vf

from bots.chat.answers import move_of
from judge.judge import Judge
from tests.support.chat import Chat, Fault, chatting
from xentarena import InputError, play

STORY = "The tide came in over the flats before the boats were home."
OTHER = "Gulls cried over the harbour."
ID = "xentarena-verifiers"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


@pytest.fixture
def chat(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("POLICY_KEY", "sk-policy")
    with chatting(judge) as made:
        yield made


def loaded(**taskset: Any) -> vf.Env:
    from xentarena_verifiers import XentEnvConfig

    return vf.load_environment(XentEnvConfig(taskset={"id": ID, **taskset}))


def episodes(chat: Chat, environment: vf.Env) -> list[vf.Trace]:
    """What came of each task, one after another."""

    async def run() -> list[vf.Trace]:
        client = vf.EvalClientConfig(base_url=f"{chat.url}/v1", api_key_var="POLICY_KEY")
        async with environment.serving():
            played = [
                await environment.run_episode(task, vf.ModelContext("pocket", client)) for task in environment.taskset
            ]
        assert not any(each.errors for each in played)
        return [trace for each in played for trace in each.traces]

    return asyncio.run(run())


@pytest.mark.parametrize(("game", "moves"), [("condense", 1), ("best_of_three", 3)])
def test_a_model_plays_and_is_rewarded_with_what_its_play_earned(
    judge: Judge, chat: Chat, game: str, moves: int
) -> None:
    traces = episodes(chat, loaded(game=game, passages=[[STORY], [OTHER]]))
    for story, trace in zip((STORY, OTHER), traces, strict=True):
        said = [move_of(each.content or "") or "" for each in trace.assistant_messages]
        assert len(said) == moves
        assert trace.reward == play(game, [story], said, judge=judge).rewards["black"]
    questions = [body["messages"] for body, _ in chat.asked]
    assert len(questions) == 2 * moves
    assert STORY in questions[0][1]["content"]
    assert "You play a word game" in questions[0][0]["content"]
    if moves > 1:
        assert f"You wrote: {move_of(questions[1][2]['content'])}" in questions[1][3]["content"]


def test_an_answer_without_a_move_earns_what_was_said(chat: Chat) -> None:
    silent = (
        b'{"id": "c", "object": "chat.completion", "created": 0, "model": "pocket", "choices": [{"index": 0,'
        b' "message": {"role": "assistant", "content": "I would rather not."}, "finish_reason": "stop"}]}'
    )
    chat.faults = [Fault(raw=silent)]
    (trace,) = episodes(chat, loaded(game="condense", passages=[[STORY]], refused=-25.0))
    assert trace.reward == -25.0
    assert not trace.errors


def test_an_endpoint_that_fails_is_no_reward(chat: Chat) -> None:
    chat.faults = [Fault(400, b'{"error": {"message": "no such model"}}')] * 20
    (trace,) = episodes(chat, loaded(game="condense", passages=[[STORY]]))
    assert trace.errors
    assert "bits" not in trace.rewards


def test_passages_that_do_not_fit_the_game_are_told() -> None:
    with pytest.raises(InputError, match="the game takes 1 passage, not 2"):
        list(loaded(game="condense", passages=[[STORY, OTHER]]).taskset)
    with pytest.raises(InputError, match="2 players"):
        list(loaded(game="debate", passages=[[STORY]]).taskset)
