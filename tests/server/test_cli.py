"""The command: what it prints, where, and how it ends."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from games import catalog
from games.program import parse
from games.protocol import JudgeFacts, NeedText, Setup
from games.runtime import generation
from judge.judge import Judge
from server.queue.messages import GenerationJob
from server.worker import loop
from tests.judge.tiny import declare, write_gpt2
from tests.support.command import Run
from tests.support.frames import framed
from tests.support.games import GOLDEN
from tests.support.system import command
from xentarena import offline
from xentarena.errors import ServerUnavailable
from xentarena.transport import Transport

pytestmark = pytest.mark.usefixtures("loaded_once")


STORY = "The tide came in over the flats before the boats were home."
TWO_SEATS = """
elicit(black, x, 5)
elicit(white, y, 5)
reward(black, xent(y))
"""
AGAIN = """
elicit(x, 5)
ensure("sea" in x)
reward(xent(x))
"""


def game(folder: Path, source: str) -> str:
    file = folder / "game.xent"
    file.write_text(source)
    return str(file)


# check


def test_a_program_without_errors_is_checked_in_silence(run: Run, tmp_path: Path) -> None:
    assert run("check", game(tmp_path, TWO_SEATS)) == (0, "", "")


def test_a_program_that_is_hardly_meant_so_passes_with_a_warning(run: Run, tmp_path: Path) -> None:
    file = game(tmp_path, "assign(s=story())\nelicit(x, 10)\nreward(xed(s | x))\n")
    status, out, _ = run("check", file)
    assert status == 0
    assert out.startswith(f"{file}:3: warning: measures a passage right after a player's words")


def test_a_program_is_read_from_standard_input() -> None:
    command = [sys.executable, "-m", "server.cli", "check", "-"]
    ended = subprocess.run(command, input="assign(s=story())\nreward(3)\n", capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout.startswith("-:2:8: ")


def test_static_errors_are_told_with_file_line_and_column(run: Run, tmp_path: Path) -> None:
    file = game(tmp_path, "assign(s=story())\n\nreward(3)\nnonsense(s)\n")
    ended = run("check", file)
    assert ended.status == 1
    assert ended.err == ""
    first, second = ended.out.splitlines()
    assert first.startswith(f"{file}:3:8: ")
    assert second.startswith(f"{file}:4:1: ")


@pytest.mark.parametrize(
    ("content", "told"), [(None, "No such file"), (b"assign(s='\xff')", "not UTF-8"), ("folder", "directory")]
)
def test_a_file_that_cannot_be_read_is_told_on_standard_error(
    run: Run, tmp_path: Path, content: bytes | str | None, told: str
) -> None:
    file = tmp_path / "game.xent"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    ended = run("check", str(file))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"xentarena: cannot read {file}: ")
    assert told in ended.err


def test_a_program_that_is_far_too_long_is_refused_as_such(run: Run, tmp_path: Path) -> None:
    ended = run("check", game(tmp_path, "# much\n" * 1_000_000))
    assert ended.status == 1
    assert "64 KB" in ended.out or "65,536" in ended.out


def test_help_and_check_need_no_heavy_libraries() -> None:
    ended = command("--help")
    assert ended.returncode == 0
    _, _, commands = ended.stdout.partition("Commands:")
    assert "..." not in commands.partition("  judges ")[0], "each says in a line what it is for"
    light = (
        "import sys, server.cli.main, xentarena.programs;"
        " sys.exit(bool({'torch', 'sqlalchemy', 'uvicorn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", light]).returncode == 0


# usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--port", "70000"],
        ["serve", "--nonsense"],
        ["serve", "--workers", "127.0.0.1:6390"],
        ["worker"],
        ["api", "--redis-url", "redis://127.0.0.1:1"],
        ["measure"],
        ["measure", "--text", "a", "--profile", "other"],
        ["play", "condense", "--story", STORY, "--seat", "black"],
        ["bot", "random", "--server", "http://127.0.0.1:1"],
        ["bot", "random", "--server", "http://127.0.0.1:1", "--code", "A", "--budget", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "Error: " in ended.err


def test_a_setting_of_the_environment_that_cannot_be_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENTARENA_PORT", "many")
    ended = run("serve")
    assert ended.status == 2
    assert "XENTARENA_PORT" in ended.err


def test_flags_win_over_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENTARENA_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("XENTARENA_JUDGE", "pocket,other")
    assert "redis://127.0.0.1:2:" in run("worker", "--redis-url", "redis://127.0.0.1:2").err
    assert "redis://127.0.0.1:1:" in run("worker").err


# measure


def test_a_measurement_tells_every_token_and_their_sum(run: Run) -> None:
    text = "Über den Wolken 😀, naïve"
    told = run("measure", "--text", text, "--prefix", "sky", "--json").json
    assert told["judge"] == "pocket"
    assert told["engine"]["name"] in told["build"]
    assert told["engine"]["reason"]
    assert "".join(token["text"] for token in told["tokens"]) == text
    assert told["bits"] == sum(token["bits"] for token in told["tokens"])
    assert all(token["bits"] >= 0 for token in told["tokens"])


def test_an_empty_text_costs_nothing(run: Run) -> None:
    told = run("measure", "--text", "", "--json").json
    assert (told["bits"], told["tokens"]) == (0, [])


def test_a_profile_without_bos_leaves_the_first_token_out(run: Run) -> None:
    whole = run("measure", "--text", STORY, "--json").json["tokens"]
    told = run("measure", "--text", STORY, "--json", "--profile", "xent-0.5").json["tokens"]
    assert [token["text"] for token in told] == [token["text"] for token in whole[1:]]


def test_people_get_a_table(run: Run) -> None:
    ended = run("measure", "--text", "sea")
    assert ended.status == 0
    assert ended.out.splitlines()[-1].endswith("by pocket")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--text", "half \ud83d"], "surrogate pair"),
        (["--text", "word " * 1_600], "do not fit the judge's context"),
        (["--text", "notice \x07"], "control character"),
        (["--text", "a", "--judge", "./nowhere"], "no judge './nowhere'"),
    ],
)
def test_a_text_or_judge_that_cannot_be_used_ends_with_1(run: Run, arguments: list[str], told: str) -> None:
    ended = run("measure", *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(("lacks", "told"), [("tokenizer", "tokenizer.json"), ("bos", "BOS")])
def test_a_judge_folder_that_lacks_something_is_refused_by_name(
    run: Run, tmp_path: Path, lacks: str, told: str
) -> None:
    folder = write_gpt2(tmp_path / "judge", **{lacks: False})
    ended = run("measure", "--text", "a", "--judge", str(folder))
    assert ended.status == 1
    assert told in ended.err


@pytest.mark.parametrize(
    "arguments",
    [["measure", "--text", "a"], ["play", "condense", "--story", STORY, "--move", "sea"], ["serve"]],
    ids=lambda arguments: arguments[0],
)
def test_without_torch_one_line_says_how_to_get_it(arguments: list[str]) -> None:
    no_torch = "import sys; sys.modules['torch'] = None; from server.cli.main import main; main()"
    ended = subprocess.run([sys.executable, "-c", no_torch, *arguments], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "pip install 'xentarena[judge]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# play


def test_a_play_earns_what_the_prefix_saves(run: Run) -> None:
    played = run("play", "condense", "--story", STORY, "--move", "sea story", "--json").json
    alone, helped = (
        run("measure", "--text", STORY, "--prefix", framed(hint), "--json").json["bits"] for hint in ("", "sea story")
    )
    assert played["status"] == "scored"
    assert played["judge"] == "pocket"
    assert played["rewards"]["black"] == pytest.approx(alone - helped, abs=0.002)
    assert [event["type"] for event in played["events"]] == ["ask", "move", "reveal", "reward"]


def test_rewards_are_whole_millibits(run: Run) -> None:
    played = run("play", "condense", "--story", STORY, "--move", "sea story", "--json").json
    millibits = played["rewards"]["black"] * 1000
    assert math.isclose(millibits, round(millibits), abs_tol=1e-6)
    assert played["events"][-1]["bits"] != played["rewards"]["black"]


def test_a_play_whose_moves_run_out_ends_with_1_and_awaits_one(run: Run) -> None:
    ended = run("play", "condense", "--story", STORY, "--json")
    assert ended.status == 1
    assert ended.json["status"] == "awaiting_move"
    assert ended.json["rewards"] == {}
    awaited = ended.json["awaits"]
    assert (awaited["seat"], awaited["register"], awaited["limit"]) == ("black", "x", 10)
    assert awaited["registers"]["s"] == STORY


def test_two_seats_have_moves_of_their_own(run: Run, tmp_path: Path) -> None:
    ended = run("play", game(tmp_path, TWO_SEATS), "--move", "calm", "--seat", "white=storm", "--json")
    assert ended.status == 0
    moves = [(event["seat"], event["text"]) for event in ended.json["events"] if event["type"] == "move"]
    assert moves == [("black", "calm"), ("white", "storm")]
    assert ended.json["rewards"]["white"] == -ended.json["rewards"]["black"]


def test_a_move_that_fails_a_condition_is_asked_for_again(run: Run, tmp_path: Path) -> None:
    ended = run("play", game(tmp_path, AGAIN), "--move", "hills", "--move", "sea", "--json")
    assert ended.status == 0
    assert "ensure_failed" in [event["type"] for event in ended.json["events"]]


def test_a_play_that_is_rejected_ends_with_1_and_says_why(run: Run, tmp_path: Path) -> None:
    moves = [argument for _ in range(11) for argument in ("--move", "hills")]
    ended = run("play", game(tmp_path, AGAIN), *moves, "--json")
    assert ended.status == 1
    assert ended.json["status"] == "rejected"
    assert ended.json["reason"]["type"] == "ensure_limit"


def test_a_play_that_is_void_ends_with_1_and_names_the_line(run: Run, tmp_path: Path) -> None:
    ended = run(
        "play", game(tmp_path, "elicit(x, 5)\nassign(l=x.split())\nassign(s=l[9])\nreward(xent(s))"), "--move", "a"
    )
    assert ended.status == 1
    assert "void: " in ended.out
    assert "line 3" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-game"], "condense"),
        (["condense"], "takes 1 passage, not 0"),
        (["condense", "--story", STORY, "--move", ""], "is empty"),
        (["condense", "--story", STORY, "--move", "x" * 9_000], "8,192 are the most"),
        (["condense", "--story", STORY, "--seat", "white=a"], "nobody sits at 'white'"),
    ],
)
def test_a_play_that_cannot_begin_ends_with_1(run: Run, arguments: list[str], told: str) -> None:
    ended = run("play", *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert told in ended.err


def test_a_slot_without_a_judge_is_told_with_the_way_to_name_one(run: Run) -> None:
    ended = run("play", "arrow_of_time", "--move", "a b", "--judge", "pocket")
    assert (ended.status, ended.out) == (1, "")
    assert "--judge backward=J" in ended.err


def test_a_game_of_two_judges_is_played_by_the_packaged_twins(run: Run) -> None:
    played = run("play", "arrow_of_time", "--move", "The cat sat on the mat because it was tired.", "--json").json
    assert (played["status"], played["judge"]) == ("scored", "pocket")


def test_a_judge_that_reads_from_the_wrong_end_is_refused(run: Run) -> None:
    ended = run("play", "arrow_of_time", "--move", "a b", "--judge", "backward=pocket")
    assert (ended.status, ended.out) == (1, "")
    assert "the slot 'backward' of this game takes a judge that reads backward; this one reads forward" in ended.err


def test_a_play_that_awaits_a_move_shows_what_the_seat_may_see(run: Run) -> None:
    ended = run("play", "infill", "--story", f"{STORY} " * 4)
    assert ended.status == 1
    assert "alice sees s1 = 'The tide came in" in ended.out
    assert "alice is to move: x, at most 20 tokens" in ended.out


def test_stories_that_no_judge_can_read_at_once_are_refused_before_the_play(run: Run) -> None:
    ended = run("play", "condense", "--story", "tide " * 1_500, "--move", "sea")
    assert (ended.status, ended.out) == (1, "")
    assert "give shorter passages or another judge" in ended.err


@pytest.fixture(scope="module")
def backward(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A judge that reads from right to left."""
    return str(declare(write_gpt2(tmp_path_factory.mktemp("backward")), direction="backward"))


#: Instead of those of the golden transcript: whoever says the background again is likely there, as long as no word of
#: it stands in the outcome.
STORIES = {"counterfactual": ["The town had lived by its mine for a century.", "Nobody came back."]}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", catalog.names())
def test_every_packaged_game_is_played_to_its_score(run: Run, backward: str, name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    passages = STORIES.get(name, golden["passages"])
    arguments = [part for passage in passages for part in ("--story", passage)]
    program = parse(catalog.source(name))
    arguments += [part for slot in program.judges if slot != "main" for part in ("--judge", f"{slot}={backward}")]
    played = _played_to_its_end(run, [name, *arguments], [*golden["moves"], *_phrases(passages)])
    assert played["status"] == "scored"
    assert set(played["rewards"]) == set(program.seats)
    assert played["moves_left"] == 0
    if program.seats == ("black", "white"):
        assert played["rewards"]["white"] == -played["rewards"]["black"]


def _played_to_its_end(run: Run, arguments: list[str], phrases: list[str]) -> Any:
    """Play like somebody who, asked for a move, says the first phrase that the game does not ask for again."""
    moves: list[str] = []
    played = run("play", *arguments, "--json").json
    while played["status"] == "awaiting_move":
        seat = played["awaits"]["seat"]
        for phrase in phrases:
            further = run("play", *arguments, *moves, "--seat", f"{seat}={phrase}", "--json").json
            if further["events"][-2]["type"] != "ensure_failed" != further["events"][-1]["type"]:
                moves += ["--seat", f"{seat}={phrase}"]
                played = further
                break
        else:
            raise AssertionError(f"no phrase will do after {moves}")
    return played


def _phrases(passages: list[str]) -> list[str]:
    """What somebody without ideas might say."""
    stretches = [
        f" {' '.join(words[start : start + length])}"
        for words in (passage.split(" ") for passage in passages)
        for length in (2, 3, 4, 6, 9)
        for start in range(len(words) - length + 1)
    ]
    again = [f"But then {passage}" for passage in passages]
    return [*passages, *again, *stretches]


GENERATED = """
assign(s=generate("The sea was calm when", 8), l=generate_list(story(), 1))
elicit(x, 5)
reward(xed(s | x))
"""


def test_texts_that_a_game_has_written_are_those_that_a_worker_would_write(run: Run, tmp_path: Path) -> None:
    arguments = ("play", game(tmp_path, GENERATED), "--story", STORY, "--seed", "one", "--json")
    shown = run(*arguments).json["awaits"]["registers"]
    judge = offline.load_judge("pocket", "arena", "float32")
    setup = Setup((STORY,), "one", {"main": JudgeFacts(judge.tokens.ends, judge.context)})
    text, item = (_by_a_worker(judge, need) for need in generation.requests(parse(GENERATED).generations, setup))
    assert text.strip()
    assert (shown["s"], shown["l"]) == (text, [item.strip().split("\n")[0].strip()])
    assert run(*arguments, "--move", "ships").json["status"] == "scored"


def test_another_seed_has_another_text_written(run: Run, tmp_path: Path) -> None:
    file = game(tmp_path, 'assign(s=generate("The sea was calm when", 12))\nelicit(x, 5)\nreward(xed(s | x))')
    one, two, again = (
        run("play", file, "--seed", seed, "--json").json["awaits"]["registers"]["s"] for seed in ("one", "two", "one")
    )
    assert one == again != two


def _by_a_worker(judge: Judge, need: NeedText) -> str:
    *_, result = loop.steps(judge, GenerationJob("key", judge.identity, need.prompt, need.tokens, need.seed, "people"))
    assert result is not None
    assert result.text is not None
    return result.text


def test_a_prompt_that_leaves_no_room_to_write_is_told(run: Run, tmp_path: Path) -> None:
    ended = run(
        "play",
        game(tmp_path, "assign(s=generate(story(), 512))\nelicit(x, 5)\nreward(xed(s | x))"),
        "--story",
        "sea " * 600,
    )
    assert (ended.status, ended.out) == (1, "")
    assert "do not fit the judge's context" in ended.err


def test_a_game_with_errors_shows_them(run: Run, tmp_path: Path) -> None:
    file = game(tmp_path, "reward(3)")
    ended = run("play", file)
    assert ended.status == 1
    assert f"{file}:1:8: " in ended.err


# the parts that need others


def test_a_worker_without_its_redis_says_so(run: Run) -> None:
    ended = run("worker", "--redis-url", "redis://:secret@127.0.0.1:1/0")
    assert ended.status == 1
    assert "cannot use Redis at redis://:***@127.0.0.1:1/0" in ended.err


def test_a_bot_without_its_server_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport, "send", _away)
    ended = run("bot", "random", "--server", "http://127.0.0.1:1", "--code", "ABC")
    assert ended.status == 1
    assert "did not answer" in ended.err


def test_a_benchmark_that_is_not_there_is_told_with_those_that_are(run: Run) -> None:
    ended = run("bench", "nonsense")
    assert ended.status == 1
    assert "there is " in ended.err


def _away(*_: object) -> None:
    raise ServerUnavailable("http://127.0.0.1:1", 60, "refused")
