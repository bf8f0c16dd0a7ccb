"""The published benchmark: its configurations are read as games and maps; its table, against sums by hand."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from bots.chat.prompt import Played, question
from bots.strategy import View
from bots.tournament.benchmark import BenchmarkError, texts_of
from bots.tournament.plan import PlanError, load
from bots.tournament.published import table
from games.program import parse
from xentarena.events import Reward
from xentarena.telling import Figures

CONDENSE = """assign(s=story())
elicit(x, 10)
assign(x1=remove_common_words(x, s)) # words of the story
reveal(x1)
reward(xed(s | x1))
"""
CONTRAST = """assign(s1=story(), s2=story())
elicit(x, 10)
reward(black, xed(s1 | x))
reward(black, dex(s2 | x))
"""
GAMES = [
    {"name": "Condense", "code": CONDENSE, "presentation_function": "import os; os.abort()"},
    {"name": "Contrast", "code": CONTRAST, "presentation_function": ""},
]
METADATA = {"benchmark_id": "b", "xent_version": "0.5.0", "judge_model": "gpt2", "num_rounds_per_game": 3, "seed": "s"}
PLAYER = {
    "name": "black",
    "id": "a model",
    "player_type": "default",
    "options": {"model": "m", "provider": "grok", "request_params": {"temperature": 1, "reasoning_effort": "high"}},
}


def generation(kind: str = "JUDGE", most: int = 50, **config: Any) -> dict[str, Any]:
    return {"generator_type": kind, "generator_config": config, "max_length": most}


def config(**more: Any) -> dict[str, Any]:
    expansion = {"num_maps_per_game": 2, "text_generation_config": generation()}
    told = {"config_type": "condensed_xent_config", "metadata": METADATA, "expansion_config": expansion}
    return told | {"players": [PLAYER], "games": GAMES} | more


def written(folder: Path, told: dict[str, Any], toml: str = "") -> Path:
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "plan.toml").write_text(f'benchmark = "config.json"\n{toml}')
    return folder / "plan.toml"


def filled_in(code: str) -> str:
    """As Python's own unparse writes it, which is how the benchmark does."""
    return "\n".join(ast.unparse(ast.parse(line)) for line in code.splitlines())


def test_a_condensed_one_has_its_maps_written_by_a_judge(tmp_path: Path) -> None:
    plan = load(written(tmp_path, config()))
    assert (plan.budget.submissions, plan.presentation, plan.table) == (3, "tenfold", True)
    assert [each.seed for each in plan.rounds] == [
        f"s_game{name}_map{n}" for name in ("Condense", "Contrast") for n in "01"
    ]
    for game, count in zip(plan.games, (1, 2), strict=True):
        assert game.profile == "xent-0.5"
        assert game.source is not None
        program = parse(game.source)
        assert (program.passages, len(program.generations)) == (0, count)
        assert "story()" not in game.source.partition("\n\n")[2]
    assert len({each.source for each in load(tmp_path / "config.json").games}) == 2, "by itself, too"


def test_an_expanded_ones_texts_are_passages_and_a_changed_map_is_a_game_of_its_own(tmp_path: Path) -> None:
    filled = filled_in(CONDENSE.replace("s=story()", "s='A \"text\"\\nwith # all'"))
    both = filled_in(CONTRAST.replace("s1=story()", "s1='One.'").replace("s2=story()", "s2='Two.'"))
    maps = [
        {"name": "Condense", "code": filled, "map_seed": "m0"},
        {"name": "Condense", "code": filled.replace("elicit(x, 10)", "elicit(x, 9)"), "map_seed": "m1"},
        {"name": "Contrast", "code": both, "map_seed": "m0"},
    ]
    plan = load(written(tmp_path, config(config_type="expanded_xent_config", maps=maps)))
    assert [(each.game.game, each.passages) for each in plan.rounds] == [
        ("Condense", []),
        ("Condense", ['A "text"\nwith # all']),
        ("Contrast", ["One.", "Two."]),
    ]
    own = plan.games[0].source
    assert own is not None
    assert parse(own).passages == 0
    assert texts_of(CONDENSE, f"{filled}\n") == ['A "text"\nwith # all'], "an empty line at the end is none"
    assert texts_of(CONDENSE, f"{filled}reveal(x)") is None


def test_an_archives_texts_are_taken_as_there(tmp_path: Path) -> None:
    tweets = [{"tweet": {"full_text": text}} for text in ("first text", "second text", "third text")]
    (tmp_path / "archive.json").write_text(json.dumps({"tweets": tweets}))
    how = generation("COMMUNITY_ARCHIVE", -1, path_to_archive="archive.json", mode="SEQUENTIAL", seed="seed")
    told = config(expansion_config={"num_maps_per_game": 1, "text_generation_config": how})
    plan = load(written(tmp_path, told))
    assert [each.passages for each in plan.rounds] == [["first text"], ["second text", "third text"]]
    how["max_length"] = 5
    assert load(written(tmp_path, told)).rounds[0].passages == ["first"]


def test_its_language_models_play_only_where_they_are_switched_on(tmp_path: Path) -> None:
    plan = load(written(tmp_path, config()))
    assert [each.name for each in plan.players] == ["random"]
    assert any("'a model' is left out" in note for note in plan.notes)
    plan = load(written(tmp_path, config(), "external = true\n"))
    model = next(each for each in plan.players if each.model)
    assert (model.name, model.endpoint, model.key) == ("a model", "https://api.x.ai/v1", "GROK_API_KEY")
    assert model.temperature == 1.0
    assert any("asked without reasoning_effort" in note for note in plan.notes)


def test_what_the_documentation_shows_is_a_plan(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tournaments.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- test: benchmark -->\n```toml\n")[2].partition("```")[0]
    (tmp_path / "xent_config.json").write_text(json.dumps(config()))
    (tmp_path / "plan.toml").write_text(shown)
    assert [each.name for each in load(tmp_path / "plan.toml").everybody] == ["greedy", "random"]


@pytest.mark.parametrize(
    ("told", "toml", "why"),
    [
        (config(config_type="something"), "", "config.json: config_type: Input should be"),
        (config(metadata={**METADATA, "num_rounds_per_game": 0}), "", "metadata.num_rounds_per_game: Input should be"),
        (config(expansion_config=None), "", "expansion_config: Field required"),
        (config(config_type="expanded_xent_config"), "", "an expanded configuration has maps"),
        (config(games=[{"name": "x"}]), "", "games.0.code: Field required"),
        (config(), '[[games]]\ngame = "condense"\n', "plan.toml:2: a file with a benchmark has the games of that"),
        (config(), 'benchmarks = "x"\n', "plan.toml:2: benchmarks: there is no such key. Did you mean 'benchmark'?"),
        (config(), 'notes = ["x"]\n', "plan.toml:2: there is no 'notes' here"),
    ],
)
def test_what_is_wrong_with_one_is_told_with_its_place(
    tmp_path: Path, told: dict[str, Any], toml: str, why: str
) -> None:
    with pytest.raises((BenchmarkError, PlanError)) as caught:
        load(written(tmp_path, told, toml))
    assert why in str(caught.value)


def test_its_table_is_the_share_of_the_largest_absolute_score() -> None:
    scores = {
        "Condense": {"m0": {"ada": 40.0, "bob": 10.0, "eve": -80.0}, "m1": {"ada": 20.0, "bob": 20.0}},
        "Contrast": {"m0": {"ada": -5.0, "bob": 0.0}, "m1": {"ada": 0.0, "bob": 0.0}},
    }
    found = {row.player: row for row in table(scores)}
    # Condense: ada (40/80 + 20/20) / 2, bob (10/80 + 20/20) / 2, eve -80/80 on the one map that she has.
    # Contrast: ada (-5/5 + 0) / 2; on its second map nobody has any.
    assert found["ada"].games == {"Condense": 0.75, "Contrast": -0.5}
    assert found["bob"].games == {"Condense": 0.5625, "Contrast": 0.0}
    assert found["eve"].games == {"Condense": -1.0}
    assert [(row.player, 100 * row.score) for row in table(scores)] == [("bob", 28.125), ("ada", 12.5), ("eve", -50.0)]
    del scores["Condense"]["m0"]["eve"]
    assert {row.player: row.score for row in table(scores)}["ada"] == 0.25, "what a player gets hangs on who takes part"


def test_tenfold_whole_numbers_are_what_a_model_is_told() -> None:
    reward = {"type": "reward", "line": 5, "seat": "black", "bits": 1.26, "terms": []}
    token = {"text": " tide", "bits": -0.34}
    event = Reward.model_validate(reward | {"tokens": [token]})
    view = View("G", "Rules.", [], "black", "x", 10, {}, [])
    told = question(view, [], [Played(["gulls"], 1.26, "", [event])], None, Figures(10))
    assert "'gulls' earned 13 points.\nScore: 13 points, by token: ' tide' -3" in told
    assert "Your best so far is 13 points" in told
