"""Language models that play: over real HTTP, against a server behind which a packaged judge writes."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bots.chat.answers import move_of
from bots.chat.asking import Asking, Meter, NoAnswer, Price, Provider, Question
from bots.chat.player import ChatPlayer, Manner
from bots.chat.providers import AnthropicEndpoint, OpenAIEndpoint, asked_pause
from bots.journal import Journal
from bots.play import Play
from judge.judge import Judge
from tests.support.chat import WRITTEN, Chat, Fault, chatting, saying
from tests.xentarena.builders import preview, round_, submission
from tests.xentarena.scripted import Answer, serving
from xentarena.client import Client
from xentarena.models import Round

KEY = "sk-very-secret-93"
GAME = {"digest": "d", "name": "condense", "title": "Condense", "description": "Write ten tokens.", "passages": 1}
TOKENS = [{"text": " tide", "bits": 3.25}, {"text": " came", "bits": -1.5}]
REWARD = {"type": "reward", "line": 5, "seat": "black", "bits": 1.75, "tokens": TOKENS, "terms": []}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket")


@pytest.fixture
def chat(judge: Judge) -> Iterator[Chat]:
    with chatting(judge) as made:
        yield made


def asking(url: str, meter: Meter | None = None, seconds: float = 30, **more: Any) -> Asking:
    provider = OpenAIEndpoint("pocket", f"{url}/v1", KEY, seconds)
    return Asking(provider, meter or Meter(), more.pop("journal", Journal(None)), **{"pause": lambda _: None, **more})


def question(text: str = "The tide came in. MOVE:", most: int = 64) -> Question:
    return Question("Play.", ({"role": "user", "content": text},), most, 0.0)


def play(chat: Chat, *answers: Answer, journal: Journal | None = None, count: int = 1) -> tuple[list[Any], ChatPlayer]:
    """So many plays against a server of games that answers as it is told; what that was asked."""
    kept = journal or Journal(None)
    player = ChatPlayer(asking(chat.url, journal=kept), Manner(64, 0.0))
    with serving(Answer(200, GAME | {"seats": ["black"]}), *answers) as script, Client(script.url, "t") as client:
        for _ in range(count):
            Play(client, Round.model_validate(round_()), player, client.game("d"), journal=kept).run()
            script.answers.insert(0, Answer(200, GAME | {"seats": ["black"]}))
    return [each.body for each in script.asked if each.body], player


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_a_model_behind_either_protocol_gives_a_move(chat: Chat, protocol: str) -> None:
    made: Provider = (
        OpenAIEndpoint("pocket", f"{chat.url}/v1", KEY)
        if protocol == "openai"
        else AnthropicEndpoint("pocket", chat.url, KEY)
    )
    reply = made.ask(question())
    move = move_of(reply.text)
    assert move
    assert move != "so and so."
    assert (reply.read or 0) > 5
    assert reply.written == WRITTEN
    body, headers = chat.asked[0]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("pocket", 64, 0)
    sent = {name.lower(): value for name, value in headers.items()}
    assert KEY in (sent.get("authorization", "").removeprefix("Bearer "), sent.get("x-api-key"))


def test_a_play_by_a_model_and_what_it_is_told_of_it_next_time(chat: Chat) -> None:
    scored = Answer(201, submission(events=[REWARD]))
    sent, player = play(chat, Answer(200, preview()), scored, Answer(200, preview()), scored, count=2)
    moves = [body["move"] for body in sent]
    assert moves[0] == moves[1] == player.played[0].moves[0], "looked at, then sent"
    first, second = (body["messages"][-1]["content"] for body, _ in chat.asked)
    assert "Write ten tokens." in first
    assert "The tide came in over the flats" in first
    assert "Write x, at most 10 tokens" in first
    assert f"{moves[0]!r} earned 12.3 bits.\nScore: 1.8 bits, by token: ' tide' +3.2, ' came' -1.5" in second
    assert "Ada" not in second


def test_a_proposal_that_the_rules_refuse_is_told_and_costs_no_attempt(chat: Chat) -> None:
    long = Answer(200, preview(tokens=12))
    sent, player = play(chat, long, Answer(200, preview()), Answer(201, submission()))
    assert len(sent) == 3
    assert "It has 12 tokens, and only 10 count" in chat.asked[1][0]["messages"][-1]["content"]
    assert len(player.played) == 1
    assert list(player.played[0].moves) == [sent[-1]["move"]]


def test_an_answer_without_a_move_is_reminded_and_in_the_end_given_up(chat: Chat) -> None:
    chat.faults = [Fault(raw=saying("I would say gulls.")), Fault(raw=saying(""))]
    sent, _ = play(chat, Answer(200, preview()), Answer(201, submission()))
    assert [len(body["messages"]) for body, _ in chat.asked] == [2, 4, 6]
    assert "MOVE: a few words" in chat.asked[2][0]["messages"][-1]["content"]
    assert sent
    chat.faults = [Fault(raw=saying("no"))] * 3
    with pytest.raises(NoAnswer, match="no move in 3 answers"):
        play(chat, Answer(200, preview()))


MISBEHAVIOUR = {
    "429": Fault(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "7"}),
    "500": Fault(500, b"<html>oops</html>", {"Content-Type": "text/html"}),
    "not JSON": Fault(200, b"{"),
    "a list": Fault(200, b"[]"),
    "no choices": Fault(200, b"{}"),
    "a number": Fault(200, saying("x").replace(b'"x"', b"7")),
    "empty": Fault(200, b""),
    "slow": Fault(200, saying("MOVE: late"), hold=5),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", MISBEHAVIOUR)
def test_an_endpoint_that_misbehaves_is_asked_again_and_that_is_told(chat: Chat, fault: str) -> None:
    pauses: list[float] = []
    chat.faults = [MISBEHAVIOUR[fault]] * 2
    journal = Journal(None)
    asks = asking(chat.url, seconds=2 if fault == "slow" else 30, pause=pauses.append, journal=journal)
    assert move_of(asks.ask(question()))
    assert len(chat.asked) == 3
    assert len(pauses) == 2
    if fault == "429":
        assert pauses == [7, 7]


def test_an_endpoint_that_is_down_or_refuses_is_given_up(chat: Chat) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    pauses: list[float] = []
    down = asking(f"http://127.0.0.1:{port}", pause=pauses.append, retries=4)
    with pytest.raises(NoAnswer, match="cannot be reached"):
        down.ask(question())
    assert len(pauses) == 3
    assert pauses[0] <= 1 < pauses[2] <= 4
    chat.faults = [Fault(401, b'{"error": "wrong key ' + KEY.encode() + b'"}')] * 2
    with pytest.raises(NoAnswer, match=r"status 401: .*wrong key \[secret\]"):
        asking(chat.url).ask(question())
    assert len(chat.asked) == 1, "to ask again would not help"


def test_of_an_answer_of_100_000_characters_the_end_is_kept(chat: Chat, tmp_path: Path) -> None:
    chat.faults = [Fault(raw=saying("word " * 20_000 + "\nMOVE: the end of it"))]
    journal = Journal(tmp_path / "log.jsonl")
    assert move_of(asking(chat.url, journal=journal).ask(question())) == "the end of it"
    assert journal.records[0]["characters"] > 100_000
    assert len(journal.records[0]["text"]) == 20_000
    chat.faults = [Fault(raw=saying("MOVE: " + "word " * 20_000))] * 3
    with pytest.raises(NoAnswer, match="no move"):
        play(chat, Answer(200, preview()))


def test_no_limit_is_ever_passed(chat: Chat) -> None:
    asks = question(most=64)
    meter = Meter(Price(1.0, 2.0), tokens=3 * (asks.worst + 64))
    asked = asking(chat.url, meter)
    with pytest.raises(NoAnswer, match=r"tokens would not hold: \d+ used"):
        any(asked.ask(asks) is None for _ in range(100))
    assert len(chat.asked) > 3, "most answers take less than they could"
    assert meter.tokens is not None
    assert meter.read + meter.written <= meter.tokens
    dear = Meter(Price(1.0, 2.0), cost=Price(1.0, 2.0).of(asks.worst, 64) * 0.999)
    before = len(chat.asked)
    with pytest.raises(NoAnswer, match="on the cost"):
        asking(chat.url, dear).ask(asks)
    assert len(chat.asked) == before


def test_what_may_have_been_paid_counts_though_no_answer_came(chat: Chat, tmp_path: Path) -> None:
    chat.faults = [MISBEHAVIOUR["slow"], MISBEHAVIOUR["429"]]
    asks, meter, journal = question(), Meter(Price(1.0, 1.0)), Journal(tmp_path / "log.jsonl")
    asking(chat.url, meter, seconds=2, journal=journal).ask(asks)
    reply = meter.read - asks.worst
    assert 0 < reply < asks.worst, "once as much as it could be, once as much as it was, and nothing for the refusal"
    assert meter.written == 64 + WRITTEN
    assert [record["kind"] for record in journal.records] == ["wasted", "reply"]
    again = Journal(tmp_path / "log.jsonl")
    assert asking(chat.url, journal=again).ask(asks) == journal.records[1]["text"]
    assert sum(record["written"] for record in again.records) == meter.written


def test_replies_are_in_the_journal_before_they_are_used_and_read_from_there(chat: Chat, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    scored = [Answer(200, preview()), Answer(201, submission(events=[REWARD]))]
    sent, first = play(chat, *scored, journal=Journal(file, [KEY]))
    kinds = [json.loads(line)["kind"] for line in file.read_text().splitlines()]
    assert kinds == ["reply", "look", "step"]
    asked = len(chat.asked)
    again, second = play(chat, Answer(500), journal=Journal(file, [KEY]))
    assert len(chat.asked) == asked
    assert again == []
    assert second.played == first.played
    assert sent[0]["move"] == second.played[0].moves[0]


def test_no_key_is_ever_written(chat: Chat, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    chat.faults = [Fault(503, f"who is {KEY}?".encode()), Fault(raw=saying(f"MOVE: {KEY}"))]
    asking(chat.url, journal=Journal(file, [KEY])).ask(question(f"I am {KEY}"))
    text = file.read_text()
    assert KEY not in text
    assert text.count("[secret]") == 3


@pytest.mark.parametrize(
    ("said", "move"),
    [
        ("MOVE: a storm at sea", "a storm at sea"),
        ("MOVE: one\nbetter:\n**Move:** `two words`", "two words"),
        ("move : “sea”", "sea"),
        ("<think>MOVE: no</think>\nMOVE: yes", "yes"),
        ("<think>MOVE: it thinks on and on", None),
        ("the template began it MOVE: no</think>MOVE: yes", "yes"),
        ("MOVE: yes\n<thinking>MOVE: no</thinking>", "yes"),
        ("MOVE: one\nMOVE:", None),
        ("MOVE: \ud83d", None),
        ("I shall remove: nothing", None),
        ("", None),
    ],
)
def test_the_last_marked_move_outside_of_thoughts_counts(said: str, move: str | None) -> None:
    assert move_of(said) == move


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("Fri, 27 Nov 2026 12:00:30 GMT", 30), ("Fri, 27 Nov 2026 11:00:00 GMT", 0), ("soon", None), ("", None)],
)
def test_a_pause_is_asked_for_in_seconds_or_by_the_clock(header: str, seconds: float | None) -> None:
    assert asked_pause(header, datetime(2026, 11, 27, 12, tzinfo=UTC)) == seconds
