"""What `xentarena train` does: a judge, or twins, of a corpus or of a small language; it goes on after a kill.

OUT             the judge, or the twin that reads forward
OUT-backward    the other one
OUT.work        run.json says which run this is; texts of a language; a folder of `judge.training` for each direction;
                lock: held by whoever trains
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from judge.engine.cpu_lanes import cores
from judge.errors import JudgeError
from judge.languages import documents, language
from judge.locks import Taken, take
from judge.training.__main__ import log, parser, told
from judge.training.__main__ import train as train_one
from judge.training.data import read_documents

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

LEAST_BYTES = 20_000
"""Of a corpus: with less there is nothing to learn but the texts by heart."""
LANGUAGE_TOKENS, TEXT_TOKENS = 6_000_000, 2_000_000
LANGUAGE_BYTES = 4_000_000  # of a small language, at most: more tokens read them again
EPOCHS = 8  # of a small corpus, at most
HELD_OUT_BYTES = 40_000
EVERY_RUN = ("--dtype", "float32", "--no-compile", "--save-every", "20", "--eval-every", "60")
OF_A_LANGUAGE = (
    *("--vocab", "257", "--context", "256", "--width", "64", "--layers", "2", "--heads", "4", "--feed-forward", "176"),
    *("--batch", "2048", "--micro", "2048", "--warm-up", "100000", "--bos-share", "0"),
    *("--primed", "0", "--primed-share", "0"),
)
OF_A_TEXT = (
    *("--vocab", "2048", "--width", "256", "--layers", "4", "--heads", "4", "--feed-forward", "688"),
    *("--batch", "6144", "--warm-up", "100000"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to train. texts: files and folders; None: a small `language`. seed: of the training, and of the language.
    tokens: to train on, of each twin; None: what ten minutes are enough for, less where the texts are few."""

    out: Path
    directions: tuple[str, ...]
    seed: int
    texts: tuple[Path, ...] = ()
    language: str | None = None
    tokens: int | None = None

    @property
    def work(self) -> Path:
        return self.out.with_name(f"{self.out.name}.work")

    def folder(self, direction: str) -> Path:
        """Of the judge of this direction."""
        return self.out if direction == self.directions[0] else self.out.with_name(f"{self.out.name}-{direction}")


def train(order: Order) -> dict[str, dict[str, Any]]:
    """Direction → what `figures.json` says: bits per byte of held-out text by source, tokens, seconds.

    Goes on where the same order was stopped. Raises JudgeError for what cannot be trained, and where another run lies
    in the folders or is under way there.
    """
    facts = _facts(order)
    _refuse_another(order, facts)  # before anything is written beside what is another's
    with _alone(order.work):
        _refuse_another(order, facts)
        _prepare(order, facts)
        if not is_finished(order):
            _run({each: [*_arguments(order, each), "--tokens", str(facts["tokens"])] for each in order.directions})
    return {each: json.loads(_figures(order, each).read_text(encoding="utf-8")) for each in order.directions}


def is_finished(order: Order) -> bool:
    """All its judges are there."""
    return all(_figures(order, each).is_file() and order.folder(each).is_dir() for each in order.directions)


def held_out(order: Order) -> list[str]:
    """Texts of the order's language that were not trained on."""
    return [each.text for each in read_documents([order.work / "held-out.jsonl"])]


def _figures(order: Order, direction: str) -> Path:
    return order.work / direction / "figures.json"


def _facts(order: Order) -> dict[str, Any]:
    """What tells this run from another one."""
    if order.language is not None:
        language(order.language)
        facts: dict[str, Any] = {"language": order.language}
        tokens = order.tokens or LANGUAGE_TOKENS
    else:
        size, digest = _look_at(order.texts)
        facts = {"texts": digest}
        tokens = order.tokens or min(TEXT_TOKENS, EPOCHS * size // 3)
    return facts | {"directions": list(order.directions), "seed": order.seed, "tokens": tokens}


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """The work folder, made where it is missing, while nobody else trains in it. Raises JudgeError."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = take(work / "lock")
    except Taken as taken:
        raise JudgeError(
            f"{work} is in use by another xentarena train (process {taken.holder}):"
            " wait for it or stop it, or name another folder with --out"
        ) from None
    except OSError as error:
        raise JudgeError(
            f"cannot write in {work}: {error.strerror} (choose another folder with --out, on a local disk)"
        ) from error
    with lock:
        yield


def _prepare(order: Order, facts: dict[str, Any]) -> None:
    _write(order.work / "run.json", json.dumps(facts) + "\n")
    if order.language is not None:
        _write_language(order, min(facts["tokens"], LANGUAGE_BYTES))


def _look_at(texts: Sequence[Path]) -> tuple[int, str]:
    """How many bytes they have, and their digest."""
    try:
        found = read_documents(texts)
    except ValueError as error:
        raise JudgeError(str(error)) from error
    digest, size = hashlib.sha256(), 0
    for document in found:
        size += len(document.text.encode())
        digest.update(f"{len(document.text)} {document.source}\n{document.text}".encode())
    if size < LEAST_BYTES:
        raise JudgeError(f"{size:,} bytes are too little text to learn from: give at least {LEAST_BYTES:,}")
    return size, digest.hexdigest()


def _refuse_another(order: Order, facts: dict[str, Any]) -> None:
    there = [each for each in map(order.folder, order.directions) if each.exists()]
    if order.work.exists() and (not order.work.is_dir() or {each.name for each in order.work.iterdir()} - {"lock"}):
        there.insert(0, order.work)  # but for one that was only begun
    if not there:
        return
    try:
        known = json.loads((order.work / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    changed = [name for name in known.keys() | facts.keys() if known.get(name) != facts.get(name)]
    if not known:
        raise JudgeError(f"{there[0]} is there already, and no run that could go on: name another folder with --out")
    if changed:
        told = ", ".join(sorted(changed))
        raise JudgeError(f"{order.work} is of another run (other {told}): name another folder with --out, or delete it")


def _write_language(order: Order, size: int) -> None:
    assert order.language is not None
    for part, most in (("train", size), ("held-out", HELD_OUT_BYTES)):
        file, texts = order.work / f"{part}.jsonl", documents(order.language, order.seed, part, most)
        if not file.exists():
            _write(file, "".join(json.dumps({"source": order.language, "text": text}) + "\n" for text in texts))


def _write(file: Path, text: str) -> None:
    """The whole file or none of it."""
    unfinished = file.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def _arguments(order: Order, direction: str) -> list[str]:
    """Of `python -m judge.training`, but for --tokens."""
    if order.language is None:
        given = ["--text", *map(str, order.texts), *OF_A_TEXT]
    else:
        files = ("--text", str(order.work / "train.jsonl"), "--heldout", str(order.work / "held-out.jsonl"))
        given = [*files, *OF_A_LANGUAGE]
    given += ["--work", str(order.work / direction), "--out", str(order.folder(direction))]
    return [*given, *EVERY_RUN, "--direction", direction, "--seed", str(order.seed)]


def _run(runs: dict[str, list[str]]) -> None:
    """Twins side by side, each on a core of its own, where there are as many."""
    if len(runs) == 1 or cores() == 1:
        for direction, arguments in runs.items():
            with told(f"{direction}: "):
                _one(arguments)
        return
    spawn = multiprocessing.get_context("spawn")
    children: list[BaseProcess] = [
        spawn.Process(target=_child, args=(direction, arguments), daemon=True) for direction, arguments in runs.items()
    ]
    try:
        for child in children:
            child.start()
        _wait(children, list(runs))
    finally:
        for child in children:
            if child.is_alive():
                child.terminate()
            if child.pid is not None:
                child.join()


def _wait(children: Sequence[BaseProcess], directions: Sequence[str]) -> None:
    """Until all have ended well, or one of them has not."""
    running = dict(zip(directions, children, strict=True))
    while running:
        multiprocessing.connection.wait([child.sentinel for child in running.values()])
        for direction in [each for each, child in running.items() if child.exitcode is not None]:
            child = running.pop(direction)
            if child.exitcode:
                raise JudgeError(
                    f"training the {direction} judge ended with {child.exitcode}; what it said stands above, and the"
                    " same command goes on"
                )


def _child(direction: str, arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    with told(f"{direction}: "):
        try:
            _one(arguments)
        except JudgeError as error:
            log.error("%s", error)
            sys.exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _one(arguments: list[str]) -> None:
    try:
        train_one(parser().parse_args(arguments))
    except ValueError as error:
        raise JudgeError(str(error)) from error
