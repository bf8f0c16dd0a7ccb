"""Configurations of the published benchmark (the package `xent`, 0.5.0) as games, maps and rounds of a tournament.

A condensed one says how many maps a game has; an expanded one has them, with every text in them. What a configuration
brings as Python, how its games are told to models, is not run.
"""

import ast
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xentarena.errors import ArenaError

PROFILE = "xent-0.5"  # how it asks its judge
CONDENSED, EXPANDED = "condensed_xent_config", "expanded_xent_config"
#: What a judge's own texts begin with: any plain openings will do, as long as they are many and stay the same.
OPENINGS = (
    "The old harbour", "Late in the evening", "My grandmother", "The recipe begins", "At the station", "In the year",
    "Our neighbours", "The experiment", "Dear friend", "Behind the hill", "The first snow", "Two brothers",
)  # fmt: skip
#: Maker → the protocol, its address, and the variable that has its key.
MAKERS: Mapping[str, tuple[str, str | None, str | None]] = {
    "openai": ("openai", None, "OPENAI_API_KEY"),
    "anthropic": ("anthropic", None, "ANTHROPIC_API_KEY"),
    "gemini": ("openai", "https://generativelanguage.googleapis.com/v1beta/openai/", "GEMINI_API_KEY"),
    "grok": ("openai", "https://api.x.ai/v1", "GROK_API_KEY"),
    "deepseek": ("openai", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "moonshot": ("openai", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    "ollama": ("openai", "http://127.0.0.1:11434/v1", None),
    "huggingface": ("local", None, None),
}
SENT = ("temperature", "max_tokens")  # of a player's request_params


class BenchmarkError(ArenaError):
    """A configuration cannot be used; its text says where and why."""


class Part(BaseModel):
    """Of a file that others write: what is not known in it is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TextGeneration(Part):
    generator_type: Literal["JUDGE", "COMMUNITY_ARCHIVE"]
    generator_config: dict[str, Any] = {}
    max_length: int


class Expansion(Part):
    num_maps_per_game: Annotated[int, Field(ge=1, le=1_000)]
    text_generation_config: TextGeneration


class Metadata(Part):
    judge_model: str
    num_rounds_per_game: Annotated[int, Field(ge=1, le=10_000)]
    seed: str


class PlayerOf(Part):
    id: str
    player_type: str
    options: dict[str, Any] | None = None


class GameOf(Part):
    name: str
    code: str


class MapOf(GameOf):
    map_seed: str


class Configuration(Part):
    config_type: Literal["condensed_xent_config", "expanded_xent_config"]
    metadata: Metadata
    players: list[PlayerOf] = []
    games: Annotated[list[GameOf], Field(min_length=1)]
    maps: list[MapOf] = []
    expansion_config: Expansion | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """As the tables of a tournament's file. notes: what of the configuration is otherwise here, to be told."""

    games: list[dict[str, Any]]
    players: list[dict[str, Any]]
    rounds: int
    notes: list[str]


def read(file: Path, *, external: bool) -> Benchmark:
    """external: do its language models play? Raises `BenchmarkError`."""
    config = _configuration(file)
    games = list(_of_maps(config) if config.maps else _of_expansion(file, config))
    players, notes = _players(config, external=external)
    notes.insert(0, f"The configuration's judge is {config.metadata.judge_model!r}; see docs/tournaments.md.")
    return Benchmark(games, players, config.metadata.num_rounds_per_game, notes)


def _configuration(file: Path) -> Configuration:
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchmarkError(f"{file} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise BenchmarkError(f"{file}:{error.lineno}: this is not JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise BenchmarkError(f"{file} is not UTF-8: {error}.") from error
    try:
        config = Configuration.model_validate(given)
    except ValidationError as error:
        raise BenchmarkError("\n".join(_told(file, each["loc"], each["msg"]) for each in error.errors())) from error
    if config.config_type == CONDENSED and config.expansion_config is None:
        raise BenchmarkError(_told(file, ("expansion_config",), "Field required"))
    if config.config_type == EXPANDED and not config.maps:
        raise BenchmarkError(_told(file, ("maps",), "an expanded configuration has maps"))
    return config


def _told(file: Path, path: Sequence[str | int], why: str) -> str:
    return f"{file}: {'.'.join(map(str, path)) or 'the file'}: {why}."


def _of_maps(config: Configuration) -> Iterator[dict[str, Any]]:
    """Each game's maps. Where a map is its game with texts put in for `story()`, these are passages; else it is a
    program of its own, and another game of the same name."""
    codes = {game.name: game.code for game in config.games}
    for name in dict.fromkeys(each.name for each in config.maps):
        passages, seeds = list[list[str]](), list[str]()
        for each in (one for one in config.maps if one.name == name):
            seed, texts = f"{config.metadata.seed}_{each.map_seed}", texts_of(codes.get(name, ""), each.code)
            if texts is None:
                yield _table(name, each.code, [[]], [seed])
            else:
                passages.append(texts)
                seeds.append(seed)
        if passages:
            yield _table(name, codes[name], passages, seeds)


def _of_expansion(file: Path, config: Configuration) -> Iterator[dict[str, Any]]:
    """As many maps of each game as are wanted: of an archive's texts, as there, or of what a judge writes."""
    assert config.expansion_config is not None
    how = config.expansion_config.text_generation_config
    archive = _archive(file, how) if how.generator_type == "COMMUNITY_ARCHIVE" else None
    for game in config.games:
        names = [f"game{game.name}_map{number}" for number in range(config.expansion_config.num_maps_per_game)]
        seeds = [f"{config.metadata.seed}_{name}" for name in names]
        if archive is None:
            yield _table(
                game.name, written(game.code, config.metadata.seed, how.max_length), [[] for _ in seeds], seeds
            )
        else:
            count = len(stories(game.code))
            yield _table(game.name, game.code, [[next(archive) for _ in range(count)] for _ in seeds], seeds)


def _table(name: str, code: str, passages: list[list[str]], seeds: list[str]) -> dict[str, Any]:
    return {"game": name, "source": front(name, code), "passages": passages, "seeds": seeds, "profile": PROFILE}


def front(name: str, code: str) -> str:
    """The game with a page for its players: there they are shown the program, and so they are here."""
    shown = "".join(f"#     {line}\n" for line in code.strip().splitlines())
    title = f"{' '.join(name.split()) or 'A game'}, as published"
    return (
        f"# {title}\n#\n# Score as many bits as you can. This is the program of the game:\n#\n{shown}\n{code.strip()}\n"
    )


def _archive(file: Path, how: TextGeneration) -> Iterator[str]:
    """Its texts without end: in order, or drawn."""
    wanted = how.generator_config
    path = file.parent / str(wanted.get("path_to_archive", ""))
    try:
        texts = [each["tweet"]["full_text"] for each in json.loads(path.read_text(encoding="utf-8"))["tweets"]]
    except OSError as error:
        raise BenchmarkError(f"{file}: the archive {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{file}: {path} is no archive with tweets: {error!r}.") from error
    if not texts or wanted.get("mode") not in ("SEQUENTIAL", "SHUFFLE"):
        raise BenchmarkError(f"{file}: an archive has tweets, and a mode that is SEQUENTIAL or SHUFFLE.")
    most = how.max_length if how.max_length > 0 else None
    return (text[:most] for text in _in_order(texts, wanted))


def _in_order(texts: Sequence[str], wanted: Mapping[str, Any]) -> Iterator[str]:
    draw = random.Random(wanted.get("seed"))  # noqa: S311 - the same texts as the benchmark draws
    number = 0
    while True:
        yield texts[number % len(texts)] if wanted["mode"] == "SEQUENTIAL" else draw.choice(texts)
        number += 1


def stories(code: str) -> list[tuple[int, ast.Call]]:
    """Line (from 0) and place of each `story()`, in order."""
    found = []
    for number, line in enumerate(code.splitlines()):
        tree = _parsed(line)
        found += [
            (number, call) for call in _calls(tree) if isinstance(call.func, ast.Name) and call.func.id == "story"
        ]
    return found


def written(code: str, seed: str, most: int) -> str:
    """The game with texts of a judge, of at most so many tokens, in place of `story()`."""
    draw = random.Random(seed)  # noqa: S311 - the same maps for everybody
    lines = code.splitlines()
    for (number, call), opening in zip(reversed(stories(code)), _drawn(draw), strict=False):
        line = lines[number].strip().encode()
        put = f'generate("{opening}", {most if most > 0 else 50})'.encode()
        lines[number] = (line[: call.col_offset] + put + line[call.end_col_offset :]).decode()
    return "\n".join(lines)


def _drawn(draw: random.Random) -> Iterator[str]:
    while True:
        yield from draw.sample(OPENINGS, len(OPENINGS))


def texts_of(code: str, map_code: str) -> list[str] | None:
    """What stands in a map where its game says `story()`, in order; None where the two differ in more."""
    ours, theirs = code.strip().splitlines(), map_code.strip().splitlines()
    if len(ours) != len(theirs):
        return None
    found: list[str] = []
    for mine, other in zip(ours, theirs, strict=True):
        tree, filled = _parsed(mine), _parsed(other)
        put_in = _Put(_constants(tree, filled))
        if ast.dump(put_in.visit(tree)) != ast.dump(filled):
            return None
        found += put_in.used
    return found


def _parsed(line: str) -> ast.AST:
    """Of a line; what is no expression counts as an empty one, for the server to complain about."""
    try:
        return ast.parse(line.strip())
    except SyntaxError:
        return ast.parse("")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Left to right; what is in a call before the call."""
    for child in ast.iter_child_nodes(tree):
        yield from _calls(child)
    if isinstance(tree, ast.Call):
        yield tree


def _constants(tree: ast.AST, filled: ast.AST) -> Iterator[ast.Constant]:
    """What stands in the one where the other says `story()`, as far as they are alike."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "story":
        if isinstance(filled, ast.Constant) and isinstance(filled.value, str):
            yield filled
        return
    for mine, other in zip(ast.iter_child_nodes(tree), ast.iter_child_nodes(filled), strict=False):
        yield from _constants(mine, other)


class _Put(ast.NodeTransformer):
    """Put texts in for `story()`; used: those that were."""

    def __init__(self, texts: Iterator[ast.Constant]) -> None:
        self.texts, self.used = texts, list[str]()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "story" and (text := next(self.texts, None)) is not None:
            self.used.append(str(text.value))
            return text
        return node


def _players(config: Configuration, *, external: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Its language models as a tournament has them, and what is to be told of them."""
    players, notes = list[dict[str, Any]](), list[str]()
    for each in config.players:
        options = each.options or {}
        maker = MAKERS.get(str(options.get("provider")))
        if each.player_type != "default" or maker is None or "model" not in options:
            notes.append(f"The player {each.id!r} is left out: it is no language model of a maker that is known here.")
        elif not external:
            notes.append(f"The language model {each.id!r} is left out: it plays where the file says external = true.")
        else:
            asked = dict(options.get("request_params") or {})
            players.append(_model(each.id, str(options["model"]), maker, asked))
            if more := sorted(asked.keys() - set(SENT)):
                notes.append(f"The player {each.id!r} is asked without {', '.join(more)}.")
    return players, notes


def _model(
    name: str, model: str, maker: tuple[str, str | None, str | None], asked: Mapping[str, Any]
) -> dict[str, Any]:
    provider, endpoint, key = maker
    temperature = float(asked["temperature"]) if "temperature" in asked else None
    told: dict[str, Any] = {"name": name, "model": model, "provider": provider, "endpoint": endpoint, "key": key}
    told |= {"temperature": temperature, "answer": asked.get("max_tokens")}
    return {key: value for key, value in told.items() if value is not None}
