"""A real HTTP server of the two chat protocols, behind which a packaged judge writes; and one that misbehaves first."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from judge.judge import Judge
from judge.methods import Sampling
from judge.sampling import generate

SEEN, WRITTEN = 120, 5  # tokens of the end of a prompt that the judge reads, and that it writes


@dataclass(frozen=True, slots=True)
class Fault:
    """What is answered instead. raw: the body. hold: seconds before it is sent."""

    status: int = 200
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0


class Chat:
    """url: without /v1. faults: what the next requests meet, in order. asked: every body, with its headers."""

    def __init__(self, judge: Judge) -> None:
        self.url = ""
        self.faults: list[Fault] = []
        self.asked: list[tuple[dict[str, Any], Mapping[str, str]]] = []
        self._judge = judge
        self.ending = threading.Event()
        self._lock = threading.Lock()

    def next(self, body: dict[str, Any], headers: Mapping[str, str]) -> Fault | None:
        with self._lock:
            self.asked.append((body, headers))
            return self.faults.pop(0) if self.faults else None

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """As the protocol of the path has it."""
        text, read, written = self._written("\n\n".join(each["content"] for each in body["messages"]), body)
        if path.endswith("/messages"):
            content = [{"type": "thinking", "thinking": "MOVE: hm"}, {"type": "text", "text": text}]
            usage = {"input_tokens": read, "output_tokens": written}
            return {"type": "message", "role": "assistant", "content": content, "usage": usage}
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        facts = {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"]}
        return {**facts, "choices": choices, "usage": usage}

    def _written(self, prompt: str, body: dict[str, Any]) -> tuple[str, int, int]:
        """The judge goes on from the end of the prompt, as if it had begun to say its move."""
        ids = self._judge.tokens.ids(prompt)[-SEEN:]
        sampling = Sampling(body.get("temperature", 1.0), top_k=50)
        with self._lock:
            said = generate(self._judge, self._judge.tokens.text(ids), WRITTEN, sampling=sampling, seed=len(self.asked))
        return f"<think>The rules say MOVE: so and so.</think>\nMOVE: {' '.join(said.split())}", len(ids), WRITTEN


@contextmanager
def chatting(judge: Judge) -> Iterator[Chat]:
    chat = Chat(judge)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(chat))
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield chat
    finally:
        chat.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(chat: Chat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fault = chat.next(body, dict(self.headers))
            self.close_connection = True
            if fault is None:
                self._send(200, json.dumps(chat.answer(self.path, body)).encode(), {})
            elif not fault.hold or not chat.ending.wait(fault.hold):
                self._send(fault.status, fault.raw, fault.headers)

        def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers, "Content-Length": len(data)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def saying(text: str) -> bytes:
    """A reply of the OpenAI protocol that says this."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
