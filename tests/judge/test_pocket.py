"""The judge that ships: what is in its folder, and that nothing of ours is needed to get its bits."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import judge
from games.library import Passage, load
from judge.judge import Judge, Pair
from tests.support.frames import framed

ROOM = Path(judge.__file__).parent
FOLDERS = [folder for folder in sorted(ROOM.glob("pocket*")) if (folder / "config.json").is_file()]
PASSAGES = load()


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def words_of(passage: Passage) -> str:
    """Words of its field, as the catalog's games show them to a judge."""
    return framed(" ".join(passage.field))


def test_the_packaged_judges_take_at_most_60_megabytes() -> None:
    assert sum(file.stat().st_size for folder in FOLDERS for file in folder.iterdir()) <= 60_000_000


def test_a_packaged_judge_says_what_it_is(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config.get("direction", "forward") == ("backward" if folder.name.endswith("backward") else "forward")
    card = (folder / "README.md").read_text()
    assert "CC BY" in card


def test_plain_transformers_find_the_bits_that_the_measure_finds(folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    step = -1 if folder.name.endswith("backward") else 1
    ours = Judge.load(folder, device="cpu")
    for passage in PASSAGES[::8]:
        prefix, text = (
            tokenizer(part, add_special_tokens=False)["input_ids"][::step] for part in (words_of(passage), passage.text)
        )
        ids = torch.tensor([[tokenizer.bos_token_id, *prefix, *text]])
        with torch.no_grad():
            chances = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        scored = chances.gather(1, ids[0, 1:, None])[-len(text) :, 0]
        plain = (-scored / math.log(2)).tolist()[::step]
        measured = ours.measure([Pair(words_of(passage), passage.text)])[0]
        assert measured == pytest.approx(plain, abs=1e-3)


def test_words_of_its_field_save_more_than_words_of_the_next_passage() -> None:
    pocket = Judge.load("pocket", device="cpu")
    chosen = PASSAGES[::2]
    foreign = [*chosen[1:], chosen[0]]
    own = pocket.measure([Pair(words_of(passage), passage.text) for passage in chosen])
    other = pocket.measure(
        [Pair(words_of(theirs), passage.text) for passage, theirs in zip(chosen, foreign, strict=True)]
    )
    gained = [sum(theirs) - sum(mine) for mine, theirs in zip(own, other, strict=True)]
    assert statistics.fmean(gained) > 0
