"""The notebooks in examples/ run from their first cell to their last, and their frames hold what judges say."""

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str) -> dict[str, Any]:
    """The names that the cells of a notebook leave behind."""
    cells = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs belong to whoever runs it"
            exec(compile("".join(cell["source"]), f"{name}, cell {number}", "exec"), names)
    return names


def test_a_text_is_read_and_many_are_measured() -> None:
    left = run("reading.ipynb")
    tokens, reading = left["tokens"], left["reading"]
    alone = tokens[tokens["reading"] == "without"]
    assert "".join(alone["text"]) == left["text"]
    assert alone["bits"].sum() == pytest.approx(reading.bits)
    assert alone["rank"].to_list() == [token.rank for token in reading.tokens]
    assert left["costs"][0] == pytest.approx(reading.bits, abs=1e-3)
    frame = left["frames"].texts([reading])
    assert frame.to_dict("records") == [
        {
            "reading": 0,
            "tokens": len(reading.tokens),
            "bytes": len(left["text"]),
            "bits": reading.bits,
            "bits_per_byte": reading.bits_per_byte,
            "perplexity": reading.perplexity,
            "entropy": reading.entropy,
        }
    ]


def test_samples_and_plays_in_bulk() -> None:
    left = run("playing.ipynb")
    steps = left["steps"]
    by = {method: steps[steps["sample"] == method] for method in left["methods"]}
    assert by["greedy"]["kept"].to_list() == [1] * 12
    assert by["top-k=40"]["kept"].to_list() == [40] * 12
    assert (by["top-p=0.9"]["mass"] >= 0.9 - 1e-6).all()
    bits = [outcome.rewards[seat] for outcome in left["outcomes"] for seat in outcome.rewards]
    assert left["plays"]["bits"].to_list() == bits
    assert left["plays"]["play"].to_list() == left["moves"]
    assert set(left["plays"]["status"]) == {"scored"}
    unplayed = [outcome.model_copy(update={"rewards": {}}) for outcome in left["outcomes"][:1]]
    assert left["frames"].plays(unplayed)["seat"].isna().all()


def test_every_notebook_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [each.name for each in EXAMPLES.glob("*.ipynb") if each.name not in text] == []
