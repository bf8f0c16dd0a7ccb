"""A chat model on this machine, with smollm2-135m as `make test-all` installs it."""

from pathlib import Path

import pytest

from bots.chat.asking import Question
from bots.chat.providers import LocalModel
from judge.chat import Chat
from judge.errors import JudgeError, TooLong
from judge.judge import Judge

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ASKED = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Name a colour of the sea."}]
WRITTEN_OUT = (
    "<|im_start|>system\nAnswer briefly.<|im_end|>\n<|im_start|>user\nName a colour of the sea.<|im_end|>\n"
    "<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def folder(installed_judges: Path) -> Path:
    return installed_judges / "smollm2-135m"


@pytest.fixture(scope="module")
def chat(folder: Path) -> Chat:
    return Chat.load(folder)


def test_without_a_temperature_each_token_is_the_likeliest_that_our_own_engine_finds(chat: Chat, folder: Path) -> None:
    judge = Judge.load(folder, device="cpu")
    text, read, written = chat.answer(ASKED, 8, 0, 0)
    ids = _ids(judge, WRITTEN_OUT)
    assert read == len(ids)
    for token in judge.tokens.ids(text):
        (logits,) = judge.next_logits([ids])
        assert float(logits[token]) >= float(logits.max()) - 0.02, "or as likely but for rounding"
        ids = [*ids, token]
    assert 0 < written <= 8


def _ids(judge: Judge, text: str) -> list[int]:
    """With the special tokens that a template writes out, which no text of a game can spell: they have the ids 1 and 2
    in this tokenizer."""
    found: list[int] = []
    for part in text.replace("<|im_start|>", "\0S\0").replace("<|im_end|>", "\0E\0").split("\0"):
        found += [1] if part == "S" else [2] if part == "E" else judge.tokens.ids(part)
    return found


def test_the_same_seed_draws_the_same_answer(chat: Chat) -> None:
    first, again, other = (chat.answer(ASKED, 12, 1.5, seed)[0] for seed in (1, 1, 2))
    assert first == again != other


def test_a_player_can_ask_it(folder: Path) -> None:
    reply = LocalModel(str(folder)).ask(Question("Answer briefly.", (ASKED[1],), 8, None))
    assert reply.text
    assert (reply.read or 0) > 10
    assert 0 < (reply.written or 0) <= 8


def test_what_does_not_fit_and_what_is_no_chat_model_is_refused(chat: Chat) -> None:
    with pytest.raises(TooLong):
        chat.answer(ASKED, 9_000, 0, 0)
    with pytest.raises(JudgeError, match="pocket is no chat model"):
        Chat.load("pocket")
