"""Who runs a model: any endpoint that speaks OpenAI's chat protocol, Anthropic's, or this machine.

The libraries of the first two are the extra `players`, a model on this machine needs the extra `judge`; each is loaded
when it is first used.
"""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bots.chat.asking import Provider, Question, Reply, Trouble
from bots.journal import REDACTED
from xentarena.errors import InputError
from xentarena.extras import require

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # statuses after which asking again may help
OWN = "https://api.openai.com"  # whose newer models know the limit of an answer by another name
EXCERPT = 200  # characters of a refusal that are told


class OpenAIEndpoint:
    """`POST …/chat/completions`. endpoint: the address up to and with its `/v1`; None: OpenAI's own. seconds: the most
    that one answer may take."""

    def __init__(self, model: str, endpoint: str | None = None, key: str = "", seconds: float = 120) -> None:
        require("players")
        import openai

        self._library, self._model, self._key = openai, model, key
        # Retries are ours: they are counted and told.
        self._client = openai.OpenAI(base_url=endpoint, api_key=key or "none", max_retries=0, timeout=seconds)
        own = str(self._client.base_url).startswith(OWN)
        self._most = "max_completion_tokens" if own else "max_tokens"

    def ask(self, question: Question) -> Reply:
        first = {"role": "system", "content": question.system}
        body: dict[str, Any] = {"model": self._model, "messages": [first, *question.messages]}
        body |= {self._most: question.most, **_temperature(question)}
        said = _said(self._library, self._key, lambda: self._client.chat.completions.with_raw_response.create(**body))
        try:
            text = said["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise _strange(said) from None
        if not isinstance(text, str | None):
            raise _strange(said)
        usage = said.get("usage")
        return Reply(text or "", _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


class AnthropicEndpoint:
    """`POST …/v1/messages`. endpoint: the address without `/v1`; None: Anthropic's own."""

    def __init__(self, model: str, endpoint: str | None = None, key: str = "", seconds: float = 120) -> None:
        require("players")
        import anthropic

        self._library, self._model, self._key = anthropic, model, key
        self._client = anthropic.Anthropic(base_url=endpoint, api_key=key or "none", max_retries=0, timeout=seconds)

    def ask(self, question: Question) -> Reply:
        body: dict[str, Any] = {"model": self._model, "system": question.system, "messages": [*question.messages]}
        # Its newer models have no temperature, and so its library has none; others of the protocol may.
        body |= {"max_tokens": question.most, "extra_body": _temperature(question)}
        said = _said(self._library, self._key, lambda: self._client.messages.with_raw_response.create(**body))
        try:
            blocks = [block["text"] for block in said["content"] if block["type"] == "text"]
            text = "".join(blocks)
        except (KeyError, TypeError):
            raise _strange(said) from None
        usage = said.get("usage")
        return Reply(text, _count(usage, "input_tokens"), _count(usage, "output_tokens"))


class LocalModel:
    """A chat model on this machine: an installed judge that has a chat template, or a folder. seed: what it draws
    by, where it draws. Raises `InputError` where it cannot be loaded."""

    def __init__(self, model: str, seed: int = 0) -> None:
        require("judge")
        from judge.chat import Chat
        from judge.errors import JudgeError

        self._seed, self._too_much, self._turn = seed, JudgeError, threading.Lock()
        try:
            self._chat = Chat.load(model)
        except JudgeError as error:
            raise InputError(f"model {model}: {error}") from error

    def ask(self, question: Question) -> Reply:
        messages = [{"role": "system", "content": question.system}, *question.messages]
        temperature = 0.0 if question.temperature is None else question.temperature
        try:
            with self._turn:
                text, read, written = self._chat.answer(messages, question.most, temperature, self._seed)
        except self._too_much as error:
            raise Trouble(str(error), again=False) from error
        return Reply(text, read, written)


#: Name in a tournament's file → whoever runs it, made of model, endpoint, key and seconds.
REMOTE: Mapping[str, Callable[[str, str | None, str, float], Provider]] = {
    "openai": OpenAIEndpoint,
    "anthropic": AnthropicEndpoint,
}


def _temperature(question: Question) -> dict[str, float]:
    return {} if question.temperature is None else {"temperature": question.temperature}


def _said(library: Any, key: str, call: Callable[[], Any]) -> dict[str, Any]:
    """The JSON that comes back. Both libraries are made alike, and name their errors the same. Raises `Trouble`, in
    which the key is not told though an endpoint may say it."""
    try:
        raw = call().http_response.text
    except library.APITimeoutError as error:
        raise Trouble("it took too long", again=True, paid=True) from error
    except library.APIConnectionError as error:
        raise Trouble(f"it cannot be reached ({error.__cause__ or error})", again=True) from error
    except library.APIStatusError as error:
        said = error.response.text.replace(key, REDACTED) if key else error.response.text
        told = " ".join(said.split())[:EXCERPT]
        again = error.status_code in AGAIN
        pause = asked_pause(error.response.headers.get("Retry-After", ""), datetime.now(UTC))
        raise Trouble(f"status {error.status_code}: {told}", again=again, pause=pause) from error
    except (library.APIError, ValueError) as error:
        raise Trouble(f"an answer that cannot be read ({error})", again=True, paid=True) from error
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _strange(raw.replace(key, REDACTED) if key else raw)
    return answer


def _strange(said: object) -> Trouble:
    return Trouble(f"an answer of another shape than it should have: {str(said)[:EXCERPT]!r}", again=True, paid=True)


def asked_pause(header: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for, which tells them or a moment; None where it tells neither."""
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


def _count(usage: object, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and count >= 0 else None
