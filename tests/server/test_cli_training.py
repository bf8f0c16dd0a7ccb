"""`xentarena train`: judges and twins from nothing, which go on after a kill and leave other runs alone."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from judge.judge import Judge
from judge.training import twins
from tests.support.command import Run

TINY = ("--width", "32", "--layers", "1", "--heads", "2", "--feed-forward", "48", "--batch", "1024", "--micro", "512")
OF_A_LANGUAGE = (*twins.OF_A_LANGUAGE, *TINY, "--warm-up", "1024")
OF_A_TEXT = ("--vocab", "300", "--context", "64", "--short", "64", "--warm-up", "1024", "--primed", "0", *TINY)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In this process and on one thread, as sums are else taken in another order each time."""
    monkeypatch.setattr(twins, "OF_A_LANGUAGE", OF_A_LANGUAGE)
    monkeypatch.setattr(twins, "OF_A_TEXT", OF_A_TEXT)
    monkeypatch.setattr(twins, "HELD_OUT_BYTES", 5_000)
    monkeypatch.setattr(twins, "cores", lambda: 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_twins_of_a_small_language_are_trained_told_and_left_alone(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "primes"
    asked = ("train", "--out", str(out), "--language", "primes", "--twins", "--seed", "3", "--tokens", "16384")
    told = run(*asked, "--json").json
    folders = {"forward": str(out), "backward": f"{out}-backward"}
    assert told["folders"] == folders
    judges = {direction: Judge.load(folder, device="cpu") for direction, folder in folders.items()}
    assert {direction: judge.direction for direction, judge in judges.items()} == {each: each for each in folders}
    # What the trainer says of held-out documents is what the measure says, but for float16 on disk.
    for direction in folders:
        bits = told["arrow"][f"{direction}_bits"] / told["arrow"]["bytes"]
        assert told["figures"][direction]["bits_per_byte"]["all"] == pytest.approx(bits, abs=1e-3)
        assert bits < 5.5  # eight is what a reader pays who knows nothing
    lines = (tmp_path / "primes.work" / "held-out.jsonl").read_text().splitlines()
    held_out = [json.loads(line)["text"] for line in lines]
    (tmp_path / "texts").write_text(held_out[0])
    asked_of_one = ("arrow", str(tmp_path / "texts"), "--judge", str(out), "--format", "jsonl")
    assert run(*asked_of_one).json["bytes"] == len(held_out[0])
    written = (out / "model.safetensors").stat().st_mtime_ns
    again = run(*asked)
    assert "backward less forward: " in again.out
    assert "This is one pair of twins: another seed may tell otherwise" in again.out
    assert again.err == ""  # nothing was trained
    assert (out / "model.safetensors").stat().st_mtime_ns == written
    other = run(*asked[:-3], "4", *asked[-2:])
    assert (other.status, other.out) == (1, "")
    assert "primes.work is of another run (other seed): name another folder with --out, or delete it" in other.err


def test_a_corpus_makes_a_judge_and_another_corpus_is_another_run(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The miller carried the red boat. Nobody forgot three apples! " * 400)
    asked = ("train", str(text), "--out", str(tmp_path / "own"), "--direction", "backward", "--tokens", "4096")
    told = run(*asked)
    assert "backward: 0.02 M parameters" in told.err
    assert told.out.splitlines()[1].split()[0] == "backward"
    assert Judge.load(tmp_path / "own", device="cpu").direction == "backward"
    with (tmp_path / "own.work" / "lock").open("r+") as lock:  # of another one, which trains there
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert lock.read() == f"{os.getpid()}\n"  # of the run above, as nobody has taken it since
        beside = run(*asked)
    assert (beside.status, beside.out) == (1, "")
    assert f"own.work is in use by another xentarena train (process {os.getpid()}): wait for it" in beside.err
    text.write_text("Something else, and as long. " * 1000)
    assert "own.work is of another run (other texts)" in run(*asked).err
    (tmp_path / "mine").mkdir()
    refused = run("train", str(text), "--out", str(tmp_path / "mine"))
    assert "mine is there already, and no run that could go on: name another folder with --out" in refused.err
    assert not (tmp_path / "mine.work").exists()


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ((), 2, "give texts, or a small --language"),
        (("{short}", "--language", "primes"), 2, "give texts, or a small --language"),
        (("--language", "prime"), 1, "no small language 'prime': did you mean primes?"),
        (("--language", "primes", "--twins", "--direction", "backward"), 2, "twins read in both directions"),
        (("{short}",), 1, "11 bytes are too little text to learn from: give at least 20,000"),
        (("{empty}",), 1, "no text in"),
        (("{bytes}",), 1, "bytes is not UTF-8, at byte 4: is it a text?"),
        (("{lines}",), 1, "lines.jsonl, line 2: no object with a text"),
        (("/nowhere/text",), 1, "cannot read /nowhere/text: No such file or directory"),
    ],
)
def test_what_cannot_be_trained_on_is_told_at_once(
    run: Run, tmp_path: Path, given: tuple[str, ...], status: int, told: str
) -> None:
    (tmp_path / "short").write_text("A few words")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bytes").write_bytes(b"abc\xff" * 9000)
    (tmp_path / "lines.jsonl").write_text('{"text": "one"}\n{"words": "two"}\n')
    paths = {each: tmp_path / each for each in ("short", "empty", "bytes")} | {"lines": tmp_path / "lines.jsonl"}
    ended = run("train", "--out", str(tmp_path / "out"), *(each.format(**paths) for each in given))
    assert (ended.status, ended.out) == (status, "")
    assert told in " ".join(ended.err.split())
    assert not list(tmp_path.glob("out*"))


SIDE_BY_SIDE = """
import sys
from pathlib import Path
from judge.training import twins
twins.OF_A_LANGUAGE, twins.cores, twins.LANGUAGE_BYTES = sys.argv[2:], lambda: 2, 100_000
twins.EVERY_RUN = (*twins.EVERY_RUN, "--save-every", "0")
twins.train(twins.Order(Path(sys.argv[1]), ("forward", "backward"), 5, language="dna", tokens=50_000_000))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twins_end_with_whoever_was_killed_and_go_on_from_their_checkpoints(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(twins, "LANGUAGE_BYTES", 100_000)
    order = twins.Order(tmp_path / "dna", ("forward", "backward"), 5, language="dna", tokens=50_000_000)
    command = [sys.executable, "-c", SIDE_BY_SIDE, str(order.out), *OF_A_LANGUAGE]
    works = [order.work / direction for direction in order.directions]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent:
        while not all((work / "checkpoint.pt").exists() for work in works):
            assert parent.poll() is None
            time.sleep(0.05)
        children = psutil.Process(parent.pid).children(recursive=True)
        os.kill(parent.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    before = [torch.load(work / "checkpoint.pt")["seen"] for work in works]
    monkeypatch.setattr(twins, "EVERY_RUN", (*twins.EVERY_RUN, "--stop-after", str(max(before) + 2048)))
    with pytest.raises(FileNotFoundError):  # it is stopped again, before there are figures
        twins.train(order)
    for work, seen in zip(works, before, strict=True):
        after = [json.loads(line)["seen"] for line in (work / "losses.jsonl").read_text().splitlines()]
        assert after[-2:] == [max(before) + 1024, max(before) + 2048]
        assert seen + 1024 in after
