"""Texts that the command is given on standard input, in files, and by whoever sits at the terminal."""

import io
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.support.command import Ended, Run

STORY = "The tide came in over the flats before the boats were home."


def test_a_play_at_a_terminal_asks_for_its_moves(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells what came of each before it asks again; an end of the input ends it."""
    game = tmp_path / "game.xent"
    game.write_text('elicit(x, 5)\nensure("sea" in x)\nreward(xent(x))\n')
    for typed, status in (("hills\nsea\n", "scored"), ("hills\n", "awaiting_move")):
        keyboard, screen = pty.openpty()
        with os.fdopen(screen) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            os.write(keyboard, typed.encode() + b"\x04")
            ended = run("play", str(game), "--json")
        os.close(keyboard)
        assert ended.json["status"] == status
        assert ended.status == (status != "scored")
        assert "black is to say x, at most 5 tokens" in ended.err
        assert "black is refused: It must contain “sea”. Say it again: attempt 2 of 11." in ended.err
        assert [each["text"] for each in ended.json["events"] if each["type"] == "move"] == typed.split()


@pytest.mark.slow
def test_texts_come_from_standard_input_and_from_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def piped(*arguments: str, given: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        return run(*arguments)

    file = tmp_path / "text"
    file.write_bytes(b"the tide\n")
    wanted = piped("measure", "--text", "the tide", "--prefix", "a", "--json").json
    assert piped("measure", "--text", "-", "--prefix", "a", "--json", given=b"the tide\r\n").json == wanted
    assert piped("measure", "--text-file", str(file), "--prefix", "-", "--json", given=b"a").json == wanted
    played = piped("play", "condense", "--story", STORY, "--move", "sea", "--json").json
    assert piped("play", "condense", "--story", "-", "--move", "sea", "--json", given=STORY.encode()).json == played
    file.write_text(STORY)
    assert piped("play", "condense", "--story-file", str(file), "--move", "sea", "--json").json == played
    # And nobody is asked for a move.
    assert piped("play", "condense", "--story", STORY, "--json", given=b"sea\n").json["status"] == "awaiting_move"

    for status, arguments, given, told in (
        (1, ("--text", "-"), b"\xff", "standard input is not UTF-8, at byte 1"),
        (1, ("--text-file", str(tmp_path / "none")), b"", "cannot read"),
        (2, ("--text", "-", "--prefix", "-"), b"a", "can be read once"),
        (2, ("--text", "a", "--text-file", str(file)), b"", "not both"),
        (2, ("--prefix", "a"), b"", "give a text"),
    ):
        ended = piped("measure", *arguments, given=given)
        assert (ended.status, told in " ".join(ended.err.split())) == (status, True), ended
